import { assert } from "../../base/assert.ts";
import { MIN_FRAME } from "./ethernet.ts";
import {
  HOST_QUERY_HEADER,
  HOST_REPLY_HEADER,
  OFF_PTYPE,
  PACKET_HOST_QUERY,
  PACKET_HOST_REPLY,
  PACKET_RAW,
} from "./header.ts";

/*
 * How hosts find each other. RAW (1) is what the discovery daemon broadcasts; HOST_QUERY (3) and HOST_REPLY (4)
 * exchange host names and peer indexes between drivers.
 *
 *   off  B  field                HOST_QUERY, 32 bytes, frame of 60 (W:243-252; lnx/omx_peer.c:809-851)
 *    16  1  ptype
 *    17  1  padding
 *    18  2  src_dst_peer_index   the index that the sender uses for the receiver
 *    20  4  padding
 *    24  4  magic
 *    28  4  padding
 *
 *   off  B  field                HOST_REPLY, frame of 60 + length (W:254-263; lnx/omx_peer.c:1052-1081)
 *    16  1  ptype
 *    17  1  length               bytes of the host name with its NUL
 *    18  2  src_dst_peer_index   as above
 *    20  4  padding
 *    24  4  magic                echoed
 *    28  4  padding
 *    32  .  host name, NUL, then zeroes to the frame's end
 *
 *   off  B  field                RAW of the daemon, frame of 64, all else zero (tools/omxoed.c:55-69, 290-308)
 *    16  1  ptype
 *    32  8  nic_id               the board's number, as two 32-bit halves
 *    40  4  serial               random, drawn when a daemon starts
 */
const HOST_REPLY_LENGTH = 17;
const HOST_SRC_DST_PEER_INDEX = 18;
const HOST_PAD1 = 20;
const HOST_MAGIC = 24;
const HOST_PAD2 = 28;
const HOST_REPLY_NAME = 32;
const RAW_NIC_ID_HIGH = 32;
const RAW_NIC_ID_LOW = 36;
const RAW_SERIAL = 40;

/** First value of `magic`; it is counted up when the names are cleared (lnx/omx_peer.c:71, 1120). */
export const HOST_MAGIC_INITIAL = 0x13052008;
/** Length of the daemon's frame, bytes. */
export const RAW_FRAME = 64;
/** A raw endpoint takes no longer frame, bytes (IO:105-107). */
export const RAW_FRAME_MAX = 1024;
/** Longest host name on the wire, bytes without its NUL: the length field has 8 bits. */
export const HOSTNAME_MAX = 254;

export interface HostQueryFields {
  srcDstPeerIndex: number;
  magic: number;
}

export interface HostReplyFields {
  srcDstPeerIndex: number;
  magic: number;
  hostname: string;
}

export interface RawFields {
  nicIdHigh: number;
  nicIdLow: number;
  serial: number;
}

export function newHostQueryFields(): HostQueryFields {
  return { srcDstPeerIndex: 0, magic: HOST_MAGIC_INITIAL };
}

export function newHostReplyFields(): HostReplyFields {
  return { srcDstPeerIndex: 0, magic: HOST_MAGIC_INITIAL, hostname: "" };
}

export function newRawFields(): RawFields {
  return { nicIdHigh: 0, nicIdLow: 0, serial: 0 };
}

/** Bytes of the host name with its NUL. */
export function hostReplyLength(view: DataView, at: number): number {
  return view.getUint8(at + HOST_REPLY_LENGTH);
}

/** `src_dst_peer_index` of a query or a reply: put it into the head of every later frame to that host. */
export function hostSrcDstPeerIndex(view: DataView, at: number): number {
  return view.getUint16(at + HOST_SRC_DST_PEER_INDEX);
}

/** `magic` of a query or a reply. */
export function hostMagic(view: DataView, at: number): number {
  return view.getUint32(at + HOST_MAGIC);
}

function emitHost(view: DataView, at: number, type: number, length: number, fields: HostQueryFields): void {
  view.setUint8(at + OFF_PTYPE, type);
  view.setUint8(at + HOST_REPLY_LENGTH, length);
  view.setUint16(at + HOST_SRC_DST_PEER_INDEX, fields.srcDstPeerIndex);
  view.setUint32(at + HOST_PAD1, 0);
  view.setUint32(at + HOST_MAGIC, fields.magic);
  view.setUint32(at + HOST_PAD2, 0);
}

/** Writes bytes 16 to 31 and returns 32; the frame still needs its padding. */
export function emitHostQuery(view: DataView, at: number, fields: HostQueryFields): number {
  emitHost(view, at, PACKET_HOST_QUERY, 0, fields);
  return HOST_QUERY_HEADER;
}

/** Writes a reply from byte 16 to the frame's end and returns the frame's length: 60 and the name with its NUL. */
export function emitHostReply(view: DataView, at: number, fields: HostReplyFields): number {
  const name = new TextEncoder().encode(fields.hostname);
  assert(name.length <= HOSTNAME_MAX, "wire: a host name is at most 254 bytes");
  const length = name.length + 1;
  emitHost(view, at, PACKET_HOST_REPLY, length, fields);
  const frameLength = MIN_FRAME + length;
  for (let i = HOST_REPLY_NAME; i < frameLength; i++) view.setUint8(at + i, name[i - HOST_REPLY_NAME] ?? 0);
  return frameLength;
}

/** Writes the daemon's announcement from byte 16 to the frame's end and returns the frame's length, 64. */
export function emitRaw(view: DataView, at: number, fields: RawFields): number {
  for (let i = OFF_PTYPE; i < RAW_FRAME; i++) view.setUint8(at + i, 0);
  view.setUint8(at + OFF_PTYPE, PACKET_RAW);
  view.setUint32(at + RAW_NIC_ID_HIGH, fields.nicIdHigh);
  view.setUint32(at + RAW_NIC_ID_LOW, fields.nicIdLow);
  view.setUint32(at + RAW_SERIAL, fields.serial);
  return RAW_FRAME;
}

/** Needs `HOST_QUERY_HEADER` bytes; makes no check. */
export function parseHostQuery(view: DataView, at: number): HostQueryFields {
  return { srcDstPeerIndex: hostSrcDstPeerIndex(view, at), magic: hostMagic(view, at) };
}

/** Needs `HOST_REPLY_HEADER` bytes. The name ends at its NUL, its length or the view's end, whichever is first. */
export function parseHostReply(view: DataView, at: number): HostReplyFields {
  const room = view.byteLength - at - HOST_REPLY_HEADER;
  const length = Math.min(hostReplyLength(view, at), room);
  const name = new Uint8Array(view.buffer, view.byteOffset + at + HOST_REPLY_NAME, length);
  const nul = name.indexOf(0);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(nul < 0 ? name : name.subarray(0, nul));
  return { srcDstPeerIndex: hostSrcDstPeerIndex(view, at), magic: hostMagic(view, at), hostname: text };
}

/** Needs `RAW_HEADER` bytes; makes no check. */
export function parseRaw(view: DataView, at: number): RawFields {
  return {
    nicIdHigh: view.getUint32(at + RAW_NIC_ID_HIGH),
    nicIdLow: view.getUint32(at + RAW_NIC_ID_LOW),
    serial: view.getUint32(at + RAW_SERIAL),
  };
}
