import { CONNECT_HEADER, dstEndpoint, emitEndpoints, PACKET_CONNECT, srcEndpoint } from "./header.ts";

/*
 * CONNECT (36): request and reply share the code and the frame, 48 bytes, padded to 60 (W:298-345;
 * lnx/omx_send.c:186-196, 264-275).
 *
 *   off  B  field                       request                            reply
 *    16  4  ptype, dst_endpoint, src_endpoint, src_generation
 *    20  1  length                      16: bytes from 32 on; a receiver refuses less (lnx/omx_recv.c:58)
 *    21  3  padding
 *    24  2  lib_seqnum                  0                                  0
 *    26  2  src_dst_peer_index          the sender's index of the target: how the target learns what to put in its heads
 *    28  4  padding
 *    32  4  src_session_id              requester's session                the same, echoed
 *    36  4  app_key, target_session_id  application's key                  replier's session
 *    40  2  target_recv_seqnum_start    the sender's next expected sequence, with session-number bits
 *    42  1  is_reply                    0                                  1
 *    43  1  connect_seqnum              counted per partner                echoed
 *    44  1  connect_status_code         padding                            0 or 11
 *    45  3  padding
 */
const CONNECT_LENGTH = 20;
const CONNECT_LIB_SEQNUM = 24;
const CONNECT_SRC_DST_PEER_INDEX = 26;
const CONNECT_PAD = 28;
const CONNECT_SRC_SESSION_ID = 32;
const CONNECT_APP_KEY = 36;
const CONNECT_TARGET_SESSION_ID = 36;
const CONNECT_TARGET_RECV_SEQNUM_START = 40;
const CONNECT_IS_REPLY = 42;
const CONNECT_CONNECT_SEQNUM = 43;
const CONNECT_STATUS_CODE = 44;

/** Bytes of connect data: the only value sent, and the least accepted, of `length`. */
export const CONNECT_DATA_BYTES = 16;
const CONNECT_STATUS_OK = 0;
/** The application's key differs from the endpoint's; the value is MX's. */
export const CONNECT_STATUS_BAD_KEY = 11;

/** A request has `appKey`, a reply `targetSessionId` and `connectStatusCode`; what the other has reads as 0. */
export interface ConnectFields {
  dstEndpoint: number;
  srcEndpoint: number;
  libSeqnum: number;
  srcDstPeerIndex: number;
  srcSessionId: number;
  appKey: number;
  targetSessionId: number;
  targetRecvSeqnumStart: number;
  isReply: boolean;
  connectSeqnum: number;
  connectStatusCode: number;
}

export function newConnectFields(): ConnectFields {
  return {
    dstEndpoint: 0,
    srcEndpoint: 0,
    libSeqnum: 0,
    srcDstPeerIndex: 0,
    srcSessionId: 0,
    appKey: 0,
    targetSessionId: 0,
    targetRecvSeqnumStart: 0,
    isReply: false,
    connectSeqnum: 0,
    connectStatusCode: CONNECT_STATUS_OK,
  };
}

/** Bytes of connect data that the sender claims. */
export function connectLength(view: DataView, at: number): number {
  return view.getUint8(at + CONNECT_LENGTH);
}

/** Zero, except that a NACK_LIB echoes it. */
export function connectLibSeqnum(view: DataView, at: number): number {
  return view.getUint16(at + CONNECT_LIB_SEQNUM);
}

/** The index that the sender uses for the receiver: put it into the head of every later frame to that sender. */
export function connectSrcDstPeerIndex(view: DataView, at: number): number {
  return view.getUint16(at + CONNECT_SRC_DST_PEER_INDEX);
}

/** Any value but 0 means a reply. */
export function connectIsReply(view: DataView, at: number): boolean {
  return view.getUint8(at + CONNECT_IS_REPLY) !== 0;
}

/** Writes bytes 16 to 47 and returns 48; the frame still needs its padding. */
export function emitConnect(view: DataView, at: number, fields: ConnectFields): number {
  const reply = fields.isReply;
  emitEndpoints(view, at, PACKET_CONNECT, fields.dstEndpoint, fields.srcEndpoint);
  view.setUint32(at + CONNECT_LENGTH, CONNECT_DATA_BYTES << 24);
  view.setUint16(at + CONNECT_LIB_SEQNUM, fields.libSeqnum);
  view.setUint16(at + CONNECT_SRC_DST_PEER_INDEX, fields.srcDstPeerIndex);
  view.setUint32(at + CONNECT_PAD, 0);
  view.setUint32(at + CONNECT_SRC_SESSION_ID, fields.srcSessionId);
  view.setUint32(at + CONNECT_APP_KEY, reply ? fields.targetSessionId : fields.appKey);
  view.setUint16(at + CONNECT_TARGET_RECV_SEQNUM_START, fields.targetRecvSeqnumStart);
  view.setUint8(at + CONNECT_IS_REPLY, reply ? 1 : 0);
  view.setUint8(at + CONNECT_CONNECT_SEQNUM, fields.connectSeqnum);
  view.setUint32(at + CONNECT_STATUS_CODE, reply ? fields.connectStatusCode << 24 : 0);
  return CONNECT_HEADER;
}

/** Needs `CONNECT_HEADER` bytes; makes no check. */
export function parseConnect(view: DataView, at: number): ConnectFields {
  const reply = connectIsReply(view, at);
  return {
    dstEndpoint: dstEndpoint(view, at),
    srcEndpoint: srcEndpoint(view, at),
    libSeqnum: connectLibSeqnum(view, at),
    srcDstPeerIndex: connectSrcDstPeerIndex(view, at),
    srcSessionId: view.getUint32(at + CONNECT_SRC_SESSION_ID),
    appKey: reply ? 0 : view.getUint32(at + CONNECT_APP_KEY),
    targetSessionId: reply ? view.getUint32(at + CONNECT_TARGET_SESSION_ID) : 0,
    targetRecvSeqnumStart: view.getUint16(at + CONNECT_TARGET_RECV_SEQNUM_START),
    isReply: reply,
    connectSeqnum: view.getUint8(at + CONNECT_CONNECT_SEQNUM),
    connectStatusCode: reply ? view.getUint8(at + CONNECT_STATUS_CODE) : 0,
  };
}
