import * as pcapng from "./pcapng.ts";
import { padded } from "./pcapng.ts";

/*
 * Reads captures, ours and other people's: pcapng and classic pcap, either byte order, any resolution of time. What is
 * in a file is a stranger's: every length is checked, and where a file makes no sense any more, what came before counts.
 */

/** An interface that frames were seen at. */
export interface ReadInterface {
  readonly name: string;
  readonly description: string;
  readonly linkType: number;
}

export interface ReadFrame {
  /** Nanoseconds, from 1970 in captures of the real world; null in a block without a time. */
  readonly ns: bigint | null;
  readonly interface: ReadInterface;
  readonly direction: "in" | "out" | null;
  /** What was kept of it, and its length where it was seen. */
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly comments: readonly string[];
  /** Frames of the interface that are missing before it, as far as the file says. */
  readonly dropped: number;
}

/** What a file holds. */
export interface ReadCapture {
  readonly comments: readonly string[];
  readonly interfaces: readonly ReadInterface[];
  readonly frames: readonly ReadFrame[];
  /** Why reading has ended before the file's end; null when all of it was read. */
  readonly problem: string | null;
}

/** The file is no capture at all; the message says what was found. */
export class NoCapture extends Error {
  override name = "NoCapture";
}

/** Byte order, and nanoseconds or microseconds, by the first four bytes read as little-endian. */
const CLASSIC: ReadonlyMap<number, { readonly little: boolean; readonly nsPerUnit: bigint }> = new Map([
  [0xa1b2c3d4, { little: true, nsPerUnit: 1000n }],
  [0xd4c3b2a1, { little: false, nsPerUnit: 1000n }],
  [0xa1b23c4d, { little: true, nsPerUnit: 1n }],
  [0x4d3cb2a1, { little: false, nsPerUnit: 1n }],
]);
const CLASSIC_HEADER = 24;
const CLASSIC_RECORD = 16;
const LEAST_BLOCK = 12;
/** Microseconds, where an interface says nothing. */
const DEFAULT_RESOLUTION = 6;
const decoder = new TextDecoder();

/** Reads a whole file. Throws {@link NoCapture}; anything else that is wrong with it is in `problem`. */
export function readCapture(bytes: Uint8Array): ReadCapture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = bytes.length >= 4 ? view.getUint32(0, true) : 0;
  if (magic === pcapng.SECTION_HEADER && bytes.length >= LEAST_BLOCK) return new PcapngReader(bytes, view).read();
  const classic = CLASSIC.get(magic);
  if (classic !== undefined && bytes.length >= CLASSIC_HEADER) return readClassic(bytes, view, classic);
  const begin = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  throw new NoCapture(bytes.length === 0 ? "an empty file" : `${bytes.length} bytes that begin with ${begin}`);
}

function readClassic(
  bytes: Uint8Array,
  view: DataView,
  { little, nsPerUnit }: { readonly little: boolean; readonly nsPerUnit: bigint },
): ReadCapture {
  // The upper bits say what is behind each frame.
  const linkType = view.getUint32(20, little) & 0xffff;
  const only: ReadInterface = { name: "", description: "", linkType };
  const frames: ReadFrame[] = [];
  let problem: string | null = null;
  for (let at = CLASSIC_HEADER; at < bytes.length;) {
    const room = bytes.length - at - CLASSIC_RECORD;
    const kept = room >= 0 ? view.getUint32(at + 8, little) : 0;
    if (room < kept) {
      problem = cutShort(frames.length, at);
      break;
    }
    const ns = BigInt(view.getUint32(at, little)) * 1_000_000_000n + BigInt(view.getUint32(at + 4, little)) * nsPerUnit;
    const length = view.getUint32(at + 12, little);
    at += CLASSIC_RECORD;
    const here = bytes.subarray(at, at + kept);
    frames.push({ ns, interface: only, direction: null, bytes: here, length, comments: [], dropped: 0 });
    at += kept;
  }
  return { comments: [], interfaces: [only], frames, problem };
}

function cutShort(frames: number, at: number): string {
  return `the file ends inside a block (at byte ${at}), after ${frames} frames`;
}

interface Described extends ReadInterface {
  readonly snaplen: number;
  /** Units of time in a second, and seconds to add. */
  readonly perSecond: bigint;
  readonly offset: bigint;
}

interface Option {
  readonly code: number;
  readonly value: DataView;
}

class PcapngReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #comments: string[] = [];
  readonly #interfaces: Described[] = [];
  readonly #frames: ReadFrame[] = [];
  #little = true;
  /** Number of the section's first interface: each section counts from 0. */
  #base = 0;

  constructor(bytes: Uint8Array, view: DataView) {
    this.#bytes = bytes;
    this.#view = view;
  }

  read(): ReadCapture {
    let problem: string | null = null;
    for (let at = 0; at < this.#bytes.length && problem === null;) {
      const length = this.#blockLength(at);
      problem = typeof length === "string" ? length : this.#block(at, length);
      if (typeof length === "number") at += length;
    }
    return { comments: this.#comments, interfaces: this.#interfaces, frames: this.#frames, problem };
  }

  /** Bytes of the block, or what is wrong with them. A section's header says its byte order itself. */
  #blockLength(at: number): number | string {
    const left = this.#bytes.length - at;
    if (left < LEAST_BLOCK) return cutShort(this.#frames.length, at);
    if (this.#view.getUint32(at, true) === pcapng.SECTION_HEADER) {
      const magic = this.#view.getUint32(at + 8, true);
      this.#little = magic === pcapng.BYTE_ORDER_MAGIC;
      if (!this.#little && magic !== 0x4d3c2b1a) return `byte ${at}: a section without a byte order`;
    }
    const length = this.#u32(at + 4);
    if (length < LEAST_BLOCK || length % 4 !== 0) return `byte ${at}: a block of ${length} bytes cannot be`;
    if (length > left) return cutShort(this.#frames.length, at);
    const again = this.#u32(at + length - 4);
    return again === length ? length : `byte ${at}: a block of ${length} bytes ends as one of ${again}`;
  }

  /** Takes a block; returns what is wrong with it, or null. One of an unknown type is passed over. */
  #block(at: number, length: number): string | null {
    const from = at + 8;
    const to = at + length - 4;
    switch (this.#u32(at)) {
      case pcapng.SECTION_HEADER:
        return this.#section(from, to);
      case pcapng.INTERFACE_DESCRIPTION:
        return this.#interface(from, to);
      case pcapng.ENHANCED_PACKET:
        return this.#packet(from, to, false);
      case pcapng.OLD_PACKET:
        return this.#packet(from, to, true);
      case pcapng.SIMPLE_PACKET:
        return this.#simplePacket(from, to);
      default:
        return null;
    }
  }

  #section(from: number, to: number): string | null {
    if (to - from < 16) return `byte ${from}: a section's header is too short`;
    const major = this.#view.getUint16(from + 4, this.#little);
    if (major !== 1) return `byte ${from}: a section of version ${major}, wanted 1`;
    this.#base = this.#interfaces.length;
    for (const { code, value } of this.#options(from + 16, to)) {
      if (code === pcapng.OPT_COMMENT) this.#comments.push(decoder.decode(value));
    }
    return null;
  }

  #interface(from: number, to: number): string | null {
    if (to - from < 8) return `byte ${from}: an interface's description is too short`;
    let name = "";
    let description = "";
    let perSecond = 10n ** BigInt(DEFAULT_RESOLUTION);
    let offset = 0n;
    for (const { code, value } of this.#options(from + 8, to)) {
      if (code === pcapng.IF_NAME) name = decoder.decode(value);
      else if (code === pcapng.IF_DESCRIPTION) description = decoder.decode(value);
      else if (code === pcapng.IF_TSRESOL && value.byteLength >= 1) {
        // The top bit says of what the rest is the negative power: 2, or 10.
        const power = value.getUint8(0);
        perSecond = (power & 0x80) !== 0 ? 2n ** BigInt(power & 0x7f) : 10n ** BigInt(power);
      } else if (code === pcapng.IF_TSOFFSET && value.byteLength >= 8) {
        offset = value.getBigInt64(0, this.#little);
      }
    }
    const linkType = this.#view.getUint16(from, this.#little);
    const snaplen = this.#u32(from + 4);
    this.#interfaces.push({ name, description, linkType, snaplen, perSecond, offset });
    return null;
  }

  /** An enhanced packet, or the obsolete one, whose interface has 16 bits and is followed by a count of drops. */
  #packet(from: number, to: number, old: boolean): string | null {
    if (to - from < 20) return `byte ${from}: a packet's block is too short`;
    const number = old ? this.#view.getUint16(from, this.#little) : this.#u32(from);
    const known = this.#interfaces[this.#base + number];
    if (known === undefined) return `byte ${from}: a packet of interface ${number}, which was not described`;
    const kept = this.#u32(from + 12);
    const data = from + 20;
    if (kept > to - data) return `byte ${from}: a packet of ${kept} bytes in a block that has room for ${to - data}`;
    const units = (BigInt(this.#u32(from + 4)) << 32n) | BigInt(this.#u32(from + 8));
    const frame = {
      ns: units * 1_000_000_000n / known.perSecond + known.offset * 1_000_000_000n,
      interface: known,
      bytes: this.#bytes.subarray(data, data + kept),
      length: this.#u32(from + 16),
    };
    this.#frames.push({ ...frame, ...this.#packetOptions(data + padded(kept), to) });
    return null;
  }

  #packetOptions(from: number, to: number): Pick<ReadFrame, "comments" | "direction" | "dropped"> {
    const comments: string[] = [];
    let direction: ReadFrame["direction"] = null;
    let dropped = 0;
    for (const { code, value } of this.#options(from, to)) {
      if (code === pcapng.OPT_COMMENT) comments.push(decoder.decode(value));
      else if (code === pcapng.EPB_FLAGS && value.byteLength >= 4) {
        const way = value.getUint32(0, this.#little) & 3;
        direction = way === pcapng.FLAG_INBOUND ? "in" : way === pcapng.FLAG_OUTBOUND ? "out" : null;
      } else if (code === pcapng.EPB_DROPCOUNT && value.byteLength >= 8) {
        dropped = Number(value.getBigUint64(0, this.#little));
      }
    }
    return { comments, direction, dropped };
  }

  /** Of the section's first interface, at no time; what is here of it follows from the block and the most it keeps. */
  #simplePacket(from: number, to: number): string | null {
    const known = this.#interfaces[this.#base];
    if (known === undefined || to - from < 4) return `byte ${from}: a packet of interface 0, which was not described`;
    const length = this.#u32(from);
    const most = known.snaplen === 0 ? length : Math.min(length, known.snaplen);
    const bytes = this.#bytes.subarray(from + 4, from + 4 + Math.min(most, to - from - 4));
    this.#frames.push({ ns: null, interface: known, direction: null, bytes, length, comments: [], dropped: 0 });
    return null;
  }

  *#options(from: number, to: number): Generator<Option> {
    for (let at = from; at + 4 <= to;) {
      const code = this.#view.getUint16(at, this.#little);
      const length = this.#view.getUint16(at + 2, this.#little);
      if (code === pcapng.OPT_END || length > to - at - 4) return;
      yield { code, value: new DataView(this.#view.buffer, this.#view.byteOffset + at + 4, length) };
      at += 4 + padded(length);
    }
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, this.#little);
  }
}
