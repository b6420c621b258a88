import type { MxLimits } from "../limits.ts";
import { parseNackLib, parseNackMcp, parseTruc, trucLength, trucType } from "./ack.ts";
import { connectLength, parseConnect } from "./connect.ts";
import { hostReplyLength, parseHostQuery, parseHostReply, parseRaw } from "./discovery.ts";
import { parseEager, parseMedium } from "./eager.ts";
import {
  ETHERTYPE,
  macText,
  readDstHi,
  readDstLo,
  readEthertype,
  readPeerIndex,
  readSrcHi,
  readSrcLo,
} from "./ethernet.ts";
import {
  headerLength,
  OFF_PTYPE,
  PACKET_CONNECT,
  PACKET_HOST_QUERY,
  PACKET_HOST_REPLY,
  PACKET_MEDIUM,
  PACKET_NACK_LIB,
  PACKET_NACK_MCP,
  PACKET_NOTIFY,
  PACKET_PULL,
  PACKET_PULL_REPLY,
  PACKET_RAW,
  PACKET_RNDV,
  PACKET_SMALL,
  PACKET_TINY,
  PACKET_TRUC,
  packetType,
} from "./header.ts";
import { parseNotify, parseRndv, rndvLength } from "./large.ts";
import { parsePull, parsePullReply } from "./pull.ts";

/** A field of a packet: its name as the wire's header file has it (`lib_seqnum`), and its value. */
export type Field = readonly [name: string, value: number | string];

const ETHERNET_BYTES = 14;

/**
 * Every field of a frame of `length` bytes that is all there, in the order of a reader: the head, then the packet's own.
 * A flag is 0 or 1; `match_info` is both halves as one text. Takes any bytes, and a view that ends before the frame.
 */
export function fields(view: DataView, at: number, length: number, limits: MxLimits): Field[] {
  const seen = Math.max(0, Math.min(length, view.byteLength - at));
  if (seen < ETHERNET_BYTES) return [];
  const ethertype = readEthertype(view, at);
  const all: Field[] = [
    ["dst", macText(readDstHi(view, at), readDstLo(view, at))],
    ["src", macText(readSrcHi(view, at), readSrcLo(view, at))],
    ["ethertype", ethertype],
  ];
  if (ethertype !== ETHERTYPE || seen <= OFF_PTYPE) return all;
  const type = packetType(view, at);
  all.push(["dst_src_peer_index", readPeerIndex(view, at)], ["type", type]);
  const header = headerLength(type, limits.compat);
  if (header === 0 || seen < header) return all;
  const own: object = packetFields(view, at, type, limits.compat, seen);
  for (const [name, value] of Object.entries(own) as [string, number | string | boolean][]) {
    // NACK_LIB has a copy of the head's index.
    const field = type === PACKET_NACK_LIB && name === "dstSrcPeerIndex" ? "nack_dst_src_peer_index" : wireName(name);
    all.push([field, typeof value === "boolean" ? Number(value) : value]);
    if (name === "matchB") all.push(["match_info", matchText(all)]);
  }
  return all;
}

/** What the packet has behind its type, by the names of the `parse` functions, with the lengths that these leave out. */
function packetFields(view: DataView, at: number, type: number, compat: boolean, frameLength: number) {
  switch (type) {
    case PACKET_TINY:
    case PACKET_SMALL:
      return parseEager(view, at);
    case PACKET_MEDIUM: {
      const { fragPipeline, ...rest } = parseMedium(view, at, compat);
      return compat ? { ...rest, fragPipeline } : rest;
    }
    case PACKET_RNDV:
      return { length: rndvLength(view, at), ...parseRndv(view, at) };
    case PACKET_PULL:
      return parsePull(view, at, compat);
    case PACKET_PULL_REPLY:
      return parsePullReply(view, at);
    case PACKET_NOTIFY:
      return parseNotify(view, at);
    case PACKET_TRUC:
      return { length: trucLength(view, at), trucType: trucType(view, at), ...parseTruc(view, at) };
    default:
      return controlFields(view, at, type, frameLength);
  }
}

function controlFields(view: DataView, at: number, type: number, frameLength: number) {
  switch (type) {
    case PACKET_CONNECT: {
      // A request has the key, a reply the session and the status.
      const { appKey, targetSessionId, connectStatusCode, ...rest } = parseConnect(view, at);
      const own = rest.isReply ? { targetSessionId, connectStatusCode } : { appKey };
      return { length: connectLength(view, at), ...rest, ...own };
    }
    case PACKET_NACK_LIB:
      return parseNackLib(view, at);
    case PACKET_NACK_MCP:
      return parseNackMcp(view, at);
    case PACKET_HOST_QUERY:
      return parseHostQuery(view, at);
    case PACKET_HOST_REPLY: {
      // The view may go on behind the frame, and what follows is no part of the name.
      const frame = new DataView(view.buffer, view.byteOffset + at, frameLength);
      return { length: hostReplyLength(frame, 0), ...parseHostReply(frame, 0) };
    }
    case PACKET_RAW:
      return parseRaw(view, at);
    default:
      return {};
  }
}

/** `pulledRdmaId` as `pulled_rdma_id`. */
function wireName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The two halves of the match information, which are the last two fields, as one number of 64 bits. */
function matchText(all: readonly Field[]): string {
  const [a, b] = all.slice(-2).map(([, value]) => value.toString(16).padStart(8, "0"));
  return `0x${a}${b}`;
}
