import { sesnum } from "../../base/wrap.ts";
import type { MxLimits } from "../limits.ts";
import { parseNackLib, parseNackMcp, parseTruc } from "./ack.ts";
import { parseConnect } from "./connect.ts";
import { parseHostQuery, parseHostReply, parseRaw } from "./discovery.ts";
import { type MsgFields, parseEager, parseMedium } from "./eager.ts";
import {
  isBroadcast,
  macText,
  MIN_FRAME,
  readDstHi,
  readDstLo,
  readEthertype,
  readPeerIndex,
  readSrcHi,
  readSrcLo,
  UNKNOWN_PEER_INDEX,
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
  packetTypeText,
} from "./header.ts";
import { parseNotify, parseRndv } from "./large.ts";
import { parsePull, parsePullReply } from "./pull.ts";
import { validate, WIRE_NOT_MX, WIRE_OK, WIRE_SHORT_HEADER, wireStatusText } from "./validate.ts";

const ETHERNET_BYTES = 14;

/**
 * One line for a frame of `length` bytes, in the manner of tcpdump: who to whom, what kind, the fields that a reader of
 * a capture looks for, and in brackets what is wrong with it. Takes any bytes, and a view that ends before the frame.
 */
export function describe(view: DataView, at: number, length: number, limits: MxLimits): string {
  const seen = Math.max(0, Math.min(length, view.byteLength - at));
  if (seen < ETHERNET_BYTES) return `[no Ethernet header: ${seen} of ${ETHERNET_BYTES} bytes]`;
  const parties = `${partyText(readSrcHi(view, at), readSrcLo(view, at))} > ` +
    partyText(readDstHi(view, at), readDstLo(view, at));
  if (seen <= OFF_PTYPE) {
    return `${parties}, ethertype ${hex(readEthertype(view, at), 4)}, frame ${seen} [header cut short]`;
  }
  const status = validate(view, at, seen, limits);
  if (status === WIRE_NOT_MX) return `${parties}, ethertype ${hex(readEthertype(view, at), 4)}, frame ${seen} [not MX]`;

  const type = packetType(view, at);
  const header = headerLength(type, limits.compat);
  const body = header > 0 && seen >= header ? ` ${bodyText(view, at, type, limits.compat, seen)}` : "";
  return `${parties}, MX ${packetTypeText(type)}${peerText(view, at, type)}${body}, frame ${seen}` +
    faultText(status, seen, header) + (seen < MIN_FRAME ? " [runt]" : "");
}

function faultText(status: number, seen: number, header: number): string {
  if (status === WIRE_OK) return "";
  if (status === WIRE_SHORT_HEADER) return ` [${wireStatusText(status)}: ${seen} of ${header} bytes]`;
  return ` [${wireStatusText(status)}]`;
}

function bodyText(view: DataView, at: number, type: number, compat: boolean, frameLength: number): string {
  switch (type) {
    case PACKET_TINY:
    case PACKET_SMALL: {
      const f = parseEager(view, at);
      return `${msgText(f)}, length ${f.length}`;
    }
    case PACKET_MEDIUM: {
      const f = parseMedium(view, at, compat);
      return `${msgText(f)}, frag ${f.fragSeqnum}, ${f.fragLength} of length ${f.length}`;
    }
    case PACKET_RNDV: {
      const f = parseRndv(view, at);
      const region = `region ${f.pulledRdmaId}/${f.pulledRdmaSeqnum} offset ${f.pulledRdmaOffset}`;
      return `${msgText(f)}, ${region}, length ${f.msgLength}`;
    }
    case PACKET_PULL: {
      const f = parsePull(view, at, compat);
      return `ep ${f.srcEndpoint} > ${f.dstEndpoint}, session ${hex(f.session, 8)}, ` +
        `region ${f.pulledRdmaId}/${f.pulledRdmaSeqnum} offset ${f.pulledRdmaOffset}, ` +
        `handle ${hex(f.srcPullHandle, 8)}, magic ${hex(f.srcMagic, 8)}, ` +
        `frame index ${f.frameIndex} skip ${f.firstFrameOffset}, block ${f.blockLength} of length ${f.totalLength}`;
    }
    case PACKET_PULL_REPLY: {
      const f = parsePullReply(view, at);
      return `handle ${hex(f.dstPullHandle, 8)}, magic ${hex(f.dstMagic, 8)}, ` +
        `frame seq ${f.frameSeqnum}, offset ${f.msgOffset}, length ${f.frameLength}`;
    }
    case PACKET_NOTIFY: {
      const f = parseNotify(view, at);
      return `ep ${f.srcEndpoint} > ${f.dstEndpoint}, seq ${seqText(f.libSeqnum)}, ack ${seqText(f.libPiggyack)}, ` +
        `session ${hex(f.session, 8)}, region ${f.pulledRdmaId}/${f.pulledRdmaSeqnum}, length ${f.totalLength}`;
    }
    case PACKET_TRUC: {
      const f = parseTruc(view, at);
      const differs = f.sessionId !== f.session ? ` (inner ${hex(f.sessionId, 8)})` : "";
      return `ep ${f.srcEndpoint} > ${f.dstEndpoint}, ack ${seqText(f.libSeqnum)}, acknum ${f.acknum}, ` +
        `session ${hex(f.session, 8)}${differs}`;
    }
    default:
      return controlText(view, at, type, frameLength);
  }
}

function controlText(view: DataView, at: number, type: number, frameLength: number): string {
  switch (type) {
    case PACKET_CONNECT: {
      const f = parseConnect(view, at);
      const kind = f.isReply
        ? `reply, target session ${hex(f.targetSessionId, 8)}, status ${f.connectStatusCode}`
        : `request, key ${hex(f.appKey, 8)}`;
      return `ep ${f.srcEndpoint} > ${f.dstEndpoint}, ${kind}, session ${hex(f.srcSessionId, 8)}, ` +
        `start ${seqText(f.targetRecvSeqnumStart)}, connect ${f.connectSeqnum}, index ${f.srcDstPeerIndex}`;
    }
    case PACKET_NACK_LIB: {
      const f = parseNackLib(view, at);
      return `ep ${f.srcEndpoint} > ${f.dstEndpoint}, ${nackText(f.nackType)}, seq ${seqText(f.libSeqnum)}`;
    }
    case PACKET_NACK_MCP: {
      const f = parseNackMcp(view, at);
      return `ep ${f.srcEndpoint}, ${nackText(f.nackType)}, ` +
        `handle ${hex(f.srcPullHandle, 8)}, magic ${hex(f.srcMagic, 8)}`;
    }
    case PACKET_HOST_QUERY: {
      const f = parseHostQuery(view, at);
      return `index ${f.srcDstPeerIndex}, magic ${hex(f.magic, 8)}`;
    }
    case PACKET_HOST_REPLY: {
      // The view may go on behind the frame, and what follows is no part of the name.
      const frame = new DataView(view.buffer, view.byteOffset + at, frameLength);
      const f = parseHostReply(frame, 0);
      return `index ${f.srcDstPeerIndex}, magic ${hex(f.magic, 8)}, name ${nameText(f.hostname)}`;
    }
    case PACKET_RAW: {
      const f = parseRaw(view, at);
      return `nic ${hex(f.nicIdHigh, 8)}${hex(f.nicIdLow, 8).slice(2)}, serial ${hex(f.serial, 8)}`;
    }
    default:
      return "";
  }
}

function msgText(f: MsgFields): string {
  return `ep ${f.srcEndpoint} > ${f.dstEndpoint}, seq ${seqText(f.libSeqnum)}, ack ${seqText(f.libPiggyack)}, ` +
    `match ${hex(f.matchA, 8)}:${hex(f.matchB, 8).slice(2)}, session ${hex(f.session, 8)}`;
}

/** A sequence number, with the partner's session number behind it unless that is the first one. */
function seqText(value: number): string {
  const generation = sesnum(value) >>> 14;
  return generation === 0 ? `${value}` : `${value - sesnum(value)}/s${generation}`;
}

/** Quoted, and without a character that could move a terminal's cursor: the name comes from a stranger. */
function nameText(name: string): string {
  return JSON.stringify(name).replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const nacks = ["none", "bad endpoint", "endpoint closed", "bad session", "bad region"];

function nackText(type: number): string {
  return nacks[type] ?? `nack type ${type}`;
}

/** The head's peer index, where a sender writes it (not discovery and pull replies). */
function peerText(view: DataView, at: number, type: number): string {
  if (type < PACKET_TRUC || type === PACKET_PULL_REPLY || type > PACKET_NACK_MCP) return "";
  const index = readPeerIndex(view, at);
  return index === UNKNOWN_PEER_INDEX ? " peer ?" : ` peer ${index}`;
}

function partyText(hi: number, lo: number): string {
  return isBroadcast(hi, lo) ? "broadcast" : macText(hi, lo);
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}
