import { type MxLimits, mxLimits } from "../mx/limits.ts";
import * as wire from "../mx/wire/mod.ts";
import { choose } from "./capture_names.ts";
import type { ReadCapture, ReadFrame } from "./pcap_reader.ts";
import { LINK_ETHERNET } from "./pcapng.ts";

/** Which frames are shown, and how they are read. */
export interface DecodeOptions {
  readonly limits: MxLimits;
  /** Names of interfaces, or patterns; empty for all. */
  readonly at: readonly string[];
  /** Packet types; empty for all frames, those of other protocols too. */
  readonly types: readonly number[];
}

/** No Ethernet frame is longer: what is said to be is not filled up. */
const LONGEST_FRAME = 0xffff;

/** What a capture of ours says of its wire, for {@link limitsOf}. */
export function wireText({ compat, mtu }: MxLimits): string {
  return `wire ${compat ? "mx" : "open-mx"}, MTU ${mtu}`;
}

/**
 * The limits to read a capture with: those that were asked for, else what the capture says of itself, else Open-MX's
 * defaults. Compatible frames have an MTU of their own.
 */
export function limitsOf(
  { comments }: Pick<ReadCapture, "comments">,
  asked: { readonly wire?: string; readonly mtu?: number } = {},
): MxLimits {
  const said = comments.map((text) => /^wire (open-mx|mx), MTU (1500|4144|9000)$/m.exec(text)).find(Boolean);
  const compat = (asked.wire ?? said?.[1]) === "mx";
  const mtu = asked.mtu ?? Number(said?.[2] ?? 9000);
  return mxLimits(mtu === 4144 ? 9000 : mtu, compat);
}

/** A frame of a capture with its number there. */
type Numbered = readonly [number: number, frame: ReadFrame];

/** The frames that are asked for. Throws {@link UnknownPlace} when an interface is not in the capture. */
function* chosen({ interfaces, frames }: ReadCapture, { at, types }: DecodeOptions): Generator<Numbered> {
  const places = new Set(at.length === 0 ? interfaces : choose(interfaces, at));
  for (const [index, frame] of frames.entries()) {
    if (!places.has(frame.interface)) continue;
    if (types.length > 0 && !types.includes(typeOf(frame))) continue;
    yield [index + 1, frame];
  }
}

/** The packet type, -1 of a frame that is none of MX's. */
function typeOf({ bytes, interface: { linkType } }: ReadFrame): number {
  if (linkType !== LINK_ETHERNET || bytes.length <= wire.OFF_PTYPE) return -1;
  const view = viewOf(bytes);
  return wire.readEthertype(view, 0) === wire.ETHERTYPE ? wire.packetType(view, 0) : -1;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * A frame to read: what was kept of it, filled up with zeroes to its length where only payload is missing, so that it is
 * judged as it was on the wire.
 */
function whole({ bytes, length }: ReadFrame, { compat }: MxLimits): DataView {
  const view = viewOf(bytes);
  if (bytes.length >= length || length > LONGEST_FRAME || bytes.length <= wire.OFF_PTYPE) return view;
  const header = wire.headerLength(wire.packetType(view, 0), compat);
  if (header === 0 || bytes.length < header) return view;
  const filled = new Uint8Array(length);
  filled.set(bytes);
  return viewOf(filled);
}

/** One line for each frame: seconds, interface, direction, what it is, and what the capture remarks. */
export function* decodeText(capture: ReadCapture, options: DecodeOptions): Generator<string> {
  const width = Math.max(0, ...capture.interfaces.map(({ name }) => printable(name).length));
  for (const [, frame] of chosen(capture, options)) {
    const { name } = frame.interface;
    const place = name === "" ? "" : `${printable(name).padEnd(width)} `;
    const direction = frame.direction === null ? "" : `${frame.direction.padEnd(3)} `;
    const remarks = remarksOf(frame).map((text) => `  # ${printable(text)}`).join("");
    yield `${secondsText(frame.ns)} ${place}${direction}${lineOf(frame, options.limits)}${remarks}`;
  }
}

function lineOf(frame: ReadFrame, limits: MxLimits): string {
  const { linkType } = frame.interface;
  if (linkType !== LINK_ETHERNET) return `${frame.bytes.length} bytes [link type ${linkType} is not Ethernet]`;
  const view = whole(frame, limits);
  return wire.describe(view, 0, view.byteLength, limits);
}

function remarksOf({ bytes, length, comments, dropped }: ReadFrame): string[] {
  const remarks = [...comments];
  if (bytes.length < length) remarks.push(`${bytes.length} of ${length} bytes kept`);
  if (dropped > 0) remarks.push(`${dropped} frames before it were not kept`);
  return remarks;
}

/** One JSON object for each frame, every field of its packet in `fields`. Times are text: they may need more digits. */
export function* decodeJson(capture: ReadCapture, options: DecodeOptions): Generator<string> {
  const { limits } = options;
  for (const [number, frame] of chosen(capture, options)) {
    const isEthernet = frame.interface.linkType === LINK_ETHERNET;
    const view = whole(frame, limits);
    const type = typeOf(frame);
    yield JSON.stringify({
      frame: number,
      time: frame.ns === null ? null : secondsText(frame.ns),
      interface: frame.interface.name,
      direction: frame.direction,
      length: frame.length,
      kept: frame.bytes.length,
      comments: remarksOf(frame),
      packet: type < 0 ? null : wire.packetTypeText(type),
      status: isEthernet ? wire.wireStatusText(wire.validate(view, 0, view.byteLength, limits)) : "not Ethernet",
      fields: isEthernet ? Object.fromEntries(wire.fields(view, 0, view.byteLength, limits)) : {},
    });
  }
}

/** Seconds with nine digits. */
function secondsText(ns: bigint | null): string {
  if (ns === null) return "-";
  const digits = (ns < 0n ? -ns : ns).toString().padStart(10, "0");
  return `${ns < 0n ? "-" : ""}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** On one line, and without a character that could move a terminal's cursor: names and comments come from a stranger. */
function printable(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[^ -~\u00a0-\u024f]/g, "?");
}
