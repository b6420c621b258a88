/*
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian. Every block is
 *
 *   0  4  type
 *   4  4  length      of the whole block, a multiple of 4
 *   8  .  body, then options: code 2, length 2, value padded to 4; code 0 ends them
 *   n  4  length      once more
 */
export const SECTION_HEADER = 0x0a0d0d0a;
export const INTERFACE_DESCRIPTION = 1;
export const OLD_PACKET = 2;
export const SIMPLE_PACKET = 3;
const INTERFACE_STATISTICS = 5;
export const ENHANCED_PACKET = 6;
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
export const LINK_ETHERNET = 1;

export const OPT_END = 0;
export const OPT_COMMENT = 1;
const SHB_HARDWARE = 2;
const SHB_OS = 3;
const SHB_APPLICATION = 4;
export const IF_NAME = 2;
export const IF_DESCRIPTION = 3;
const IF_SPEED = 8;
export const IF_TSRESOL = 9;
export const IF_TSOFFSET = 14;
export const EPB_FLAGS = 2;
export const EPB_DROPCOUNT = 4;
const EPB_PACKETID = 5;
const ISB_STARTTIME = 2;
const ISB_ENDTIME = 3;
const ISB_IFRECV = 4;
const ISB_IFDROP = 5;
const ISB_USRDELIV = 8;

/** Direction in `epb_flags`. */
export const FLAG_INBOUND = 1;
export const FLAG_OUTBOUND = 2;

/** Times are nanoseconds: 10^-9. */
const NANOSECONDS = 9;
/** Bytes of an option's value: its length has 16 bits. */
const LONGEST_TEXT = 0xfff0;
const TWO_32 = 2 ** 32;
const encoder = new TextEncoder();

/** What the section header says of the file. */
export interface CaptureAbout {
  readonly hardware: string;
  readonly os: string;
  readonly application: string;
  readonly comment: string;
}

/** One place where frames were looked at. */
export interface CaptureInterface {
  readonly name: string;
  readonly description: string;
  /** Bits per second, 0 when there is no such figure. */
  readonly rateBps: number;
}

/** Writes blocks into one buffer, one after another. */
export class BlockWriter {
  readonly bytes: Uint8Array;
  at = 0;
  readonly #view: DataView;
  #start = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.bytes.buffer);
  }

  get room(): number {
    return this.bytes.length - this.at;
  }

  section(about: CaptureAbout): void {
    this.#begin(SECTION_HEADER);
    this.#u32(BYTE_ORDER_MAGIC);
    this.#u16(1); // version 1.0
    this.#u16(0);
    this.#u32(0xffffffff); // the section's length is not said
    this.#u32(0xffffffff);
    this.#text(OPT_COMMENT, about.comment);
    this.#text(SHB_HARDWARE, about.hardware);
    this.#text(SHB_OS, about.os);
    this.#text(SHB_APPLICATION, about.application);
    this.#end();
  }

  /** `snaplen` is the most bytes that are kept of a frame, 0 for all. */
  interface({ name, description, rateBps }: CaptureInterface, snaplen: number): void {
    this.#begin(INTERFACE_DESCRIPTION);
    this.#u16(LINK_ETHERNET);
    this.#u16(0);
    this.#u32(snaplen);
    this.#text(IF_NAME, name);
    this.#text(IF_DESCRIPTION, description);
    if (rateBps > 0) this.#u64(IF_SPEED, rateBps);
    this.#option(IF_TSRESOL, 1);
    this.bytes[this.at] = NANOSECONDS;
    this.#pad(1);
    this.#end();
  }

  /**
   * One frame of `length` bytes, of which `kept` are here. `dropped` frames of the interface are missing before it;
   * the flags say which way it went.
   */
  packet(frame: {
    readonly interface: number;
    readonly ns: number;
    readonly kept: Uint8Array;
    readonly length: number;
    readonly flags: number;
    readonly id: number;
    readonly dropped: number;
    readonly comment: string;
  }): void {
    const { kept } = frame;
    this.#begin(ENHANCED_PACKET);
    this.#u32(frame.interface);
    this.#time(frame.ns);
    this.#u32(kept.length);
    this.#u32(frame.length);
    this.bytes.set(kept, this.at);
    this.#pad(kept.length);
    if (frame.comment !== "") this.#text(OPT_COMMENT, frame.comment);
    this.#option(EPB_FLAGS, 4);
    this.#u32(frame.flags);
    if (frame.dropped > 0) this.#u64(EPB_DROPCOUNT, frame.dropped);
    this.#u64(EPB_PACKETID, frame.id);
    this.#end();
  }

  /** Frames of an interface from the start until `ns`: seen, left out for want of room, and written. */
  statistics(
    index: number,
    ns: number,
    counts: { readonly seen: number; readonly dropped: number; readonly written: number },
  ): void {
    this.#begin(INTERFACE_STATISTICS);
    this.#u32(index);
    this.#time(ns);
    this.#option(ISB_STARTTIME, 8);
    this.#time(0);
    this.#option(ISB_ENDTIME, 8);
    this.#time(ns);
    this.#u64(ISB_IFRECV, counts.seen);
    this.#u64(ISB_IFDROP, counts.dropped);
    this.#u64(ISB_USRDELIV, counts.written);
    this.#end();
  }

  #begin(type: number): void {
    this.#start = this.at;
    this.#u32(type);
    this.#u32(0);
  }

  #end(): void {
    this.#option(OPT_END, 0);
    const length = this.at + 4 - this.#start;
    this.#view.setUint32(this.#start + 4, length, true);
    this.#u32(length);
  }

  #option(code: number, length: number): void {
    this.#u16(code);
    this.#u16(length);
  }

  #text(code: number, text: string): void {
    const value = encoder.encode(text).subarray(0, LONGEST_TEXT);
    this.#option(code, value.length);
    this.bytes.set(value, this.at);
    this.#pad(value.length);
  }

  #u64(code: number, value: number): void {
    this.#option(code, 8);
    this.#u32(value % TWO_32);
    this.#u32(Math.floor(value / TWO_32));
  }

  /** The upper half comes first, whatever the byte order. */
  #time(ns: number): void {
    this.#u32(Math.floor(ns / TWO_32));
    this.#u32(ns % TWO_32);
  }

  #u16(value: number): void {
    this.#view.setUint16(this.at, value, true);
    this.at += 2;
  }

  #u32(value: number): void {
    this.#view.setUint32(this.at, value, true);
    this.at += 4;
  }

  /** Behind a value of `length` bytes that lies at the place reached: zeroes up to a multiple of 4. */
  #pad(length: number): void {
    const end = this.at + length;
    this.at += padded(length);
    this.bytes.fill(0, end, this.at);
  }
}

/** The next multiple of 4. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}

/** Bytes of a packet's block beyond the frame and its comment: header, flags, number of lost ones, packet number, end. */
export const PACKET_OVERHEAD = 12 + 20 + 8 + 12 + 12 + 4;
