import {
  dstEndpoint,
  emitEndpoints,
  NACK_HEADER,
  OFF_PTYPE,
  PACKET_NACK_LIB,
  PACKET_NACK_MCP,
  PACKET_TRUC,
  srcEndpoint,
  TRUC_HEADER,
} from "./header.ts";

/*
 * Answers: TRUC (35) carries the library's explicit ack ("liback"); the two NACKs refuse a packet, NACK_LIB (44) one
 * of the library's and NACK_MCP (45) a PULL.
 *
 *   off  B  field            TRUC, 44 bytes, padded to 60 (W:265-296; lnx/omx_send.c:1051-1061)
 *    16  4  ptype, dst_endpoint, src_endpoint, src_generation
 *    20  1  length           16: bytes from 28 on
 *    21  3  padding
 *    24  4  session          of the destination endpoint
 *    28  1  type             0x55 is ACK, the only one
 *    29  1  padding
 *    30  2  lib_seqnum       everything before it has been received
 *    32  4  session_id       copy of session; a receiver insists that they are equal
 *    36  4  acknum           counts the acks to this partner, from 1
 *    40  2  send_seq         copy of lib_seqnum
 *    42  1  resent           0
 *    43  1  padding
 *
 *   off  B  field                NACK_LIB, 32 bytes, padded to 60 (W:502-515; lnx/omx_send.c:1112-1119)
 *    16  1  ptype
 *    17  1  src_endpoint         the endpoint that had been addressed
 *    18  1  src_generation
 *    19  1  nack_type
 *    20  5  padding
 *    25  1  dst_endpoint         the endpoint whose packet is refused
 *    26  2  dst_src_peer_index   copy of the head's
 *    28  2  lib_seqnum           of the refused packet
 *    30  2  padding
 *
 *   off  B  field                NACK_MCP, 32 bytes, padded to 60 (W:517-527; lnx/omx_send.c:1176-1180)
 *    16  1  ptype
 *    17  1  src_endpoint         the *requester's* endpoint, unlike NACK_LIB
 *    18  1  src_generation
 *    19  1  nack_type
 *    20  4  padding
 *    24  4  src_pull_handle      both echoed from the PULL
 *    28  4  src_magic
 */
export const TRUC_LENGTH = 20;
const TRUC_SESSION = 24;
export const TRUC_TYPE = 28;
const TRUC_LIB_SEQNUM = 30;
const TRUC_SESSION_ID = 32;
const TRUC_ACKNUM = 36;
const TRUC_SEND_SEQ = 40;
const TRUC_RESENT = 42;
const TRUC_PAD = 43;
const NACK_SRC_ENDPOINT = 17;
const NACK_TYPE = 19;
const NACK_PAD = 20;
const NACK_LIB_PAD = 24;
const NACK_LIB_DST_ENDPOINT = 25;
const NACK_LIB_DST_SRC_PEER_INDEX = 26;
const NACK_LIB_LIB_SEQNUM = 28;
const NACK_MCP_SRC_PULL_HANDLE = 24;
const NACK_MCP_SRC_MAGIC = 28;

/** Bytes of liback data: the only value sent, and the least accepted, of `length`. */
export const LIBACK_DATA_BYTES = 16;
/** The only TRUC type there is; others are dropped (W:265-296). */
export const TRUC_TYPE_ACK = 0x55;

/** Why a packet is refused (W:201-208). */
export const NACK_NONE = 0;
/** The endpoint's index is beyond the driver's table. */
export const NACK_BAD_ENDPOINT = 1;
export const NACK_ENDPOINT_CLOSED = 2;
export const NACK_BAD_SESSION = 3;
/** No such region ("BAD_RDMAWIN"); answers a PULL only. */
export const NACK_BAD_REGION = 4;

/** `sessionId` and `sendSeq` repeat `session` and `libSeqnum`; set both of each. */
export interface TrucFields {
  dstEndpoint: number;
  srcEndpoint: number;
  session: number;
  libSeqnum: number;
  sessionId: number;
  acknum: number;
  sendSeq: number;
  resent: number;
}

export interface NackLibFields {
  srcEndpoint: number;
  nackType: number;
  dstEndpoint: number;
  dstSrcPeerIndex: number;
  libSeqnum: number;
}

export interface NackMcpFields {
  srcEndpoint: number;
  nackType: number;
  srcPullHandle: number;
  srcMagic: number;
}

export function newTrucFields(): TrucFields {
  return {
    dstEndpoint: 0,
    srcEndpoint: 0,
    session: 0,
    libSeqnum: 0,
    sessionId: 0,
    acknum: 0,
    sendSeq: 0,
    resent: 0,
  };
}

export function newNackLibFields(): NackLibFields {
  return { srcEndpoint: 0, nackType: NACK_NONE, dstEndpoint: 0, dstSrcPeerIndex: 0, libSeqnum: 0 };
}

export function newNackMcpFields(): NackMcpFields {
  return { srcEndpoint: 0, nackType: NACK_NONE, srcPullHandle: 0, srcMagic: 0 };
}

/** Bytes of liback data that the sender claims. */
export function trucLength(view: DataView, at: number): number {
  return view.getUint8(at + TRUC_LENGTH);
}

export function trucSession(view: DataView, at: number): number {
  return view.getUint32(at + TRUC_SESSION);
}

export function trucType(view: DataView, at: number): number {
  return view.getUint8(at + TRUC_TYPE);
}

export function trucLibSeqnum(view: DataView, at: number): number {
  return view.getUint16(at + TRUC_LIB_SEQNUM);
}

export function trucSessionId(view: DataView, at: number): number {
  return view.getUint32(at + TRUC_SESSION_ID);
}

export function trucAcknum(view: DataView, at: number): number {
  return view.getUint32(at + TRUC_ACKNUM);
}

export function trucSendSeq(view: DataView, at: number): number {
  return view.getUint16(at + TRUC_SEND_SEQ);
}

export function trucResent(view: DataView, at: number): number {
  return view.getUint8(at + TRUC_RESENT);
}

/** `src_endpoint` of either NACK. */
export function nackSrcEndpoint(view: DataView, at: number): number {
  return view.getUint8(at + NACK_SRC_ENDPOINT);
}

/** `nack_type` of either NACK. */
export function nackType(view: DataView, at: number): number {
  return view.getUint8(at + NACK_TYPE);
}

export function nackLibDstEndpoint(view: DataView, at: number): number {
  return view.getUint8(at + NACK_LIB_DST_ENDPOINT);
}

export function nackLibLibSeqnum(view: DataView, at: number): number {
  return view.getUint16(at + NACK_LIB_LIB_SEQNUM);
}

export function nackMcpSrcPullHandle(view: DataView, at: number): number {
  return view.getUint32(at + NACK_MCP_SRC_PULL_HANDLE);
}

export function nackMcpSrcMagic(view: DataView, at: number): number {
  return view.getUint32(at + NACK_MCP_SRC_MAGIC);
}

/** Writes bytes 16 to 43 and returns 44; the frame still needs its padding. */
export function emitTruc(view: DataView, at: number, fields: TrucFields): number {
  emitEndpoints(view, at, PACKET_TRUC, fields.dstEndpoint, fields.srcEndpoint);
  view.setUint32(at + TRUC_LENGTH, LIBACK_DATA_BYTES << 24);
  view.setUint32(at + TRUC_SESSION, fields.session);
  view.setUint16(at + TRUC_TYPE, TRUC_TYPE_ACK << 8);
  view.setUint16(at + TRUC_LIB_SEQNUM, fields.libSeqnum);
  view.setUint32(at + TRUC_SESSION_ID, fields.sessionId);
  view.setUint32(at + TRUC_ACKNUM, fields.acknum);
  view.setUint16(at + TRUC_SEND_SEQ, fields.sendSeq);
  view.setUint8(at + TRUC_RESENT, fields.resent);
  view.setUint8(at + TRUC_PAD, 0);
  return TRUC_HEADER;
}

function emitNack(view: DataView, at: number, type: number, srcEndpoint: number, nackType: number): void {
  view.setUint32(at + OFF_PTYPE, (type << 24) | ((srcEndpoint & 0xff) << 16) | (nackType & 0xff));
  view.setUint32(at + NACK_PAD, 0);
}

/** Writes bytes 16 to 31 and returns 32; the frame still needs its padding. */
export function emitNackLib(view: DataView, at: number, fields: NackLibFields): number {
  emitNack(view, at, PACKET_NACK_LIB, fields.srcEndpoint, fields.nackType);
  view.setUint16(at + NACK_LIB_PAD, fields.dstEndpoint & 0xff);
  view.setUint16(at + NACK_LIB_DST_SRC_PEER_INDEX, fields.dstSrcPeerIndex);
  view.setUint32(at + NACK_LIB_LIB_SEQNUM, fields.libSeqnum << 16);
  return NACK_HEADER;
}

/** Writes bytes 16 to 31 and returns 32; the frame still needs its padding. */
export function emitNackMcp(view: DataView, at: number, fields: NackMcpFields): number {
  emitNack(view, at, PACKET_NACK_MCP, fields.srcEndpoint, fields.nackType);
  view.setUint32(at + NACK_MCP_SRC_PULL_HANDLE, fields.srcPullHandle);
  view.setUint32(at + NACK_MCP_SRC_MAGIC, fields.srcMagic);
  return NACK_HEADER;
}

/** Needs `TRUC_HEADER` bytes; makes no check. */
export function parseTruc(view: DataView, at: number): TrucFields {
  return {
    dstEndpoint: dstEndpoint(view, at),
    srcEndpoint: srcEndpoint(view, at),
    session: trucSession(view, at),
    libSeqnum: trucLibSeqnum(view, at),
    sessionId: trucSessionId(view, at),
    acknum: trucAcknum(view, at),
    sendSeq: trucSendSeq(view, at),
    resent: trucResent(view, at),
  };
}

/** Needs `NACK_HEADER` bytes; makes no check. */
export function parseNackLib(view: DataView, at: number): NackLibFields {
  return {
    srcEndpoint: nackSrcEndpoint(view, at),
    nackType: nackType(view, at),
    dstEndpoint: nackLibDstEndpoint(view, at),
    dstSrcPeerIndex: view.getUint16(at + NACK_LIB_DST_SRC_PEER_INDEX),
    libSeqnum: nackLibLibSeqnum(view, at),
  };
}

/** Needs `NACK_HEADER` bytes; makes no check. */
export function parseNackMcp(view: DataView, at: number): NackMcpFields {
  return {
    srcEndpoint: nackSrcEndpoint(view, at),
    nackType: nackType(view, at),
    srcPullHandle: nackMcpSrcPullHandle(view, at),
    srcMagic: nackMcpSrcMagic(view, at),
  };
}
