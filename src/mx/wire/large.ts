import { emitMsg, MSG_LENGTH, type MsgFields, msgLength, parseMsg } from "./eager.ts";
import {
  dstEndpoint,
  emitEndpoints,
  NOTIFY_HEADER,
  PACKET_NOTIFY,
  PACKET_RNDV,
  RNDV_HEADER,
  srcEndpoint,
} from "./header.ts";

/*
 * The two ends of a large message: RNDV (40) announces it, NOTIFY (43) says that the receiver has it. What goes
 * between them is in pull.ts.
 *
 *   off  B  field                 RNDV, 48 bytes, padded to 60 (W:395-403; lnx/omx_send.c:902-914)
 *    16 24  as in TINY, with length = 8 and no checksum
 *    40  4  msg_length            bytes announced
 *    44  1  pulled_rdma_id        the sender's region
 *    45  1  pulled_rdma_seqnum    that region's sequence: tells a late NOTIFY from a current one
 *    46  2  pulled_rdma_offset    first byte in the region; Open-MX sends 0, a receiver honours any
 *
 *   off  B  field                 NOTIFY, 40 bytes, padded to 60 (W:483-500; lnx/omx_send.c:977-985)
 *    16  4  ptype, dst_endpoint, src_endpoint, src_generation
 *    20  4  session               of the destination endpoint
 *    24  4  total_length          bytes transferred
 *    28  1  pulled_rdma_id        both as announced by the RNDV
 *    29  1  pulled_rdma_seqnum
 *    30  4  padding
 *    34  2  lib_seqnum            a notify is a message of its own in the sequence
 *    36  2  lib_piggyack
 *    38  2  padding
 */
const RNDV_LENGTH = MSG_LENGTH;
const RNDV_MSG_LENGTH = 40;
const RNDV_PULLED_RDMA_ID = 44;
const RNDV_PULLED_RDMA_SEQNUM = 45;
const RNDV_PULLED_RDMA_OFFSET = 46;
const NOTIFY_SESSION = 20;
const NOTIFY_TOTAL_LENGTH = 24;
const NOTIFY_PULLED_RDMA_ID = 28;
const NOTIFY_PULLED_RDMA_SEQNUM = 29;
const NOTIFY_PAD1 = 30;
const NOTIFY_PAD2 = 32;
const NOTIFY_LIB_SEQNUM = 34;
const NOTIFY_LIB_PIGGYACK = 36;
const NOTIFY_PAD3 = 38;

/** Bytes of rendezvous data: the only value sent, and the least accepted, of `length` (lnx/omx_recv.c:586). */
export const RNDV_DATA_BYTES = 8;

/** `msgLength` is in bytes; the region is the sender's, `pulledRdmaOffset` bytes from its start. */
export interface RndvFields extends MsgFields {
  msgLength: number;
  pulledRdmaId: number;
  pulledRdmaSeqnum: number;
  pulledRdmaOffset: number;
}

/** `totalLength` is in bytes; the region is the one that the RNDV named. */
export interface NotifyFields {
  dstEndpoint: number;
  srcEndpoint: number;
  session: number;
  totalLength: number;
  pulledRdmaId: number;
  pulledRdmaSeqnum: number;
  libSeqnum: number;
  libPiggyack: number;
}

export function newRndvFields(): RndvFields {
  return {
    dstEndpoint: 0,
    srcEndpoint: 0,
    libSeqnum: 0,
    libPiggyack: 0,
    matchA: 0,
    matchB: 0,
    session: 0,
    msgLength: 0,
    pulledRdmaId: 0,
    pulledRdmaSeqnum: 0,
    pulledRdmaOffset: 0,
  };
}

export function newNotifyFields(): NotifyFields {
  return {
    dstEndpoint: 0,
    srcEndpoint: 0,
    session: 0,
    totalLength: 0,
    pulledRdmaId: 0,
    pulledRdmaSeqnum: 0,
    libSeqnum: 0,
    libPiggyack: 0,
  };
}

/** Bytes of rendezvous data that the sender claims; the message's own length is {@link rndvMsgLength}. */
export const rndvLength = msgLength;

export function rndvMsgLength(view: DataView, at: number): number {
  return view.getUint32(at + RNDV_MSG_LENGTH);
}

export function rndvPulledRdmaId(view: DataView, at: number): number {
  return view.getUint8(at + RNDV_PULLED_RDMA_ID);
}

export function rndvPulledRdmaSeqnum(view: DataView, at: number): number {
  return view.getUint8(at + RNDV_PULLED_RDMA_SEQNUM);
}

export function rndvPulledRdmaOffset(view: DataView, at: number): number {
  return view.getUint16(at + RNDV_PULLED_RDMA_OFFSET);
}

export function notifySession(view: DataView, at: number): number {
  return view.getUint32(at + NOTIFY_SESSION);
}

/** Bytes transferred; 0 when the message was discarded or its pull failed. */
export function notifyTotalLength(view: DataView, at: number): number {
  return view.getUint32(at + NOTIFY_TOTAL_LENGTH);
}

export function notifyPulledRdmaId(view: DataView, at: number): number {
  return view.getUint8(at + NOTIFY_PULLED_RDMA_ID);
}

export function notifyPulledRdmaSeqnum(view: DataView, at: number): number {
  return view.getUint8(at + NOTIFY_PULLED_RDMA_SEQNUM);
}

export function notifyLibSeqnum(view: DataView, at: number): number {
  return view.getUint16(at + NOTIFY_LIB_SEQNUM);
}

export function notifyLibPiggyack(view: DataView, at: number): number {
  return view.getUint16(at + NOTIFY_LIB_PIGGYACK);
}

/** Writes bytes 16 to 47 and returns 48; the frame still needs its padding. */
export function emitRndv(view: DataView, at: number, fields: RndvFields): number {
  emitMsg(view, at, PACKET_RNDV, fields);
  view.setUint32(at + RNDV_LENGTH, RNDV_DATA_BYTES << 16);
  view.setUint32(at + RNDV_MSG_LENGTH, fields.msgLength);
  view.setUint8(at + RNDV_PULLED_RDMA_ID, fields.pulledRdmaId);
  view.setUint8(at + RNDV_PULLED_RDMA_SEQNUM, fields.pulledRdmaSeqnum);
  view.setUint16(at + RNDV_PULLED_RDMA_OFFSET, fields.pulledRdmaOffset);
  return RNDV_HEADER;
}

/** Writes bytes 16 to 39 and returns 40; the frame still needs its padding. */
export function emitNotify(view: DataView, at: number, fields: NotifyFields): number {
  emitEndpoints(view, at, PACKET_NOTIFY, fields.dstEndpoint, fields.srcEndpoint);
  view.setUint32(at + NOTIFY_SESSION, fields.session);
  view.setUint32(at + NOTIFY_TOTAL_LENGTH, fields.totalLength);
  view.setUint8(at + NOTIFY_PULLED_RDMA_ID, fields.pulledRdmaId);
  view.setUint8(at + NOTIFY_PULLED_RDMA_SEQNUM, fields.pulledRdmaSeqnum);
  view.setUint16(at + NOTIFY_PAD1, 0);
  view.setUint16(at + NOTIFY_PAD2, 0);
  view.setUint16(at + NOTIFY_LIB_SEQNUM, fields.libSeqnum);
  view.setUint16(at + NOTIFY_LIB_PIGGYACK, fields.libPiggyack);
  view.setUint16(at + NOTIFY_PAD3, 0);
  return NOTIFY_HEADER;
}

/** Needs `RNDV_HEADER` bytes; makes no check. */
export function parseRndv(view: DataView, at: number): RndvFields {
  return {
    ...parseMsg(view, at),
    msgLength: rndvMsgLength(view, at),
    pulledRdmaId: rndvPulledRdmaId(view, at),
    pulledRdmaSeqnum: rndvPulledRdmaSeqnum(view, at),
    pulledRdmaOffset: rndvPulledRdmaOffset(view, at),
  };
}

/** Needs `NOTIFY_HEADER` bytes; makes no check. */
export function parseNotify(view: DataView, at: number): NotifyFields {
  return {
    dstEndpoint: dstEndpoint(view, at),
    srcEndpoint: srcEndpoint(view, at),
    session: notifySession(view, at),
    totalLength: notifyTotalLength(view, at),
    pulledRdmaId: notifyPulledRdmaId(view, at),
    pulledRdmaSeqnum: notifyPulledRdmaSeqnum(view, at),
    libSeqnum: notifyLibSeqnum(view, at),
    libPiggyack: notifyLibPiggyack(view, at),
  };
}
