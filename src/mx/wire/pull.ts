import { assert } from "../../base/assert.ts";
import {
  dstEndpoint,
  emitEndpoints,
  OFF_PTYPE,
  PACKET_PULL,
  PACKET_PULL_REPLY,
  PULL_HEADER,
  PULL_HEADER_COMPAT,
  PULL_REPLY_HEADER,
  srcEndpoint,
} from "./header.ts";

/*
 * How a driver fetches a large message from another: PULL (41) asks for one block, and each PULL_REPLY (42) is one
 * frame of it. Of all packets, PULL differs most between the two layouts (W:405-450; lnx/omx_pull.c:547-561, 842-849).
 *
 *   normal  compat   PULL: 60 bytes, or 48 padded to 60
 *   off  B  off  B   field
 *    16  4   16  4   ptype, dst_endpoint, src_endpoint, src_generation
 *    20  4   20  4   session              of the endpoint that owns the data
 *    24  4   24  4   total_length         bytes of the whole pull; nobody checks it
 *    28  4   28  1   pulled_rdma_id       region at the data's owner
 *    32  1   29  1   pulled_rdma_seqnum   not checked either; the normal layout has 3 bytes of padding after it
 *    36  4   30  2   pulled_rdma_offset   bytes
 *    40  4   32  4   src_pull_handle      the puller's slot
 *    44  4   36  4   src_magic            the puller's endpoint index XOR 0x21071980
 *    48  4   40  2   first_frame_offset   bytes to skip in this block's first frame
 *    52  4   42  2   block_length         bytes wanted
 *    56  4   44  4   frame_index          number of the block's first frame in the whole pull
 *
 *   off  B  field            PULL_REPLY: 32 bytes, payload @32 (W:472-481; lnx/omx_pull.c:1327-1333)
 *    16  1  ptype
 *    17  1  frame_seqnum     number of the frame in the whole pull, modulo 256
 *    18  2  frame_length     payload bytes
 *    20  4  msg_offset       where they belong in the puller's region
 *    24  4  dst_pull_handle  both from the PULL
 *    28  4  dst_magic
 */
const PULL_SESSION = 20;
const PULL_TOTAL_LENGTH = 24;
const PULL_RDMA_ID = 28;
const PULL_RDMA_SEQNUM = 32;
const PULL_RDMA_OFFSET = 36;
const PULL_SRC_HANDLE = 40;
const PULL_SRC_MAGIC = 44;
const PULL_FIRST_FRAME_OFFSET = 48;
const PULL_BLOCK_LENGTH = 52;
const PULL_FRAME_INDEX = 56;
const PULL_COMPAT_RDMA_ID = 28;
const PULL_COMPAT_RDMA_SEQNUM = 29;
const PULL_COMPAT_RDMA_OFFSET = 30;
const PULL_COMPAT_SRC_HANDLE = 32;
const PULL_COMPAT_SRC_MAGIC = 36;
const PULL_COMPAT_FIRST_FRAME_OFFSET = 40;
const PULL_COMPAT_BLOCK_LENGTH = 42;
const PULL_COMPAT_FRAME_INDEX = 44;
const REPLY_FRAME_SEQNUM = 17;
const REPLY_FRAME_LENGTH = 18;
const REPLY_MSG_OFFSET = 20;
const REPLY_DST_HANDLE = 24;
const REPLY_DST_MAGIC = 28;

const MAGIC = 0x21071980;

// Again, because V8 reads what is imported each time.
const PTYPE = OFF_PTYPE;
const PULL_REPLY = PACKET_PULL_REPLY;
const REPLY_HEADER = PULL_REPLY_HEADER;

/** What a puller with endpoint `index` puts into `src_magic` (lnx/omx_pull.c:842-849). */
export function endpointMagic(index: number): number {
  return (index ^ MAGIC) >>> 0;
}

/** The endpoint that a `dst_magic` names; like the real thing, only its low 8 bits count (lnx/omx_endpoint.h:117). */
export function magicEndpoint(magic: number): number {
  return (magic ^ MAGIC) & 0xff;
}

/** Lengths and offsets are in bytes. In compat, region and its sequence have 8 bits, the block's three numbers 16. */
export interface PullFields {
  dstEndpoint: number;
  srcEndpoint: number;
  session: number;
  totalLength: number;
  pulledRdmaId: number;
  pulledRdmaSeqnum: number;
  pulledRdmaOffset: number;
  srcPullHandle: number;
  srcMagic: number;
  firstFrameOffset: number;
  blockLength: number;
  frameIndex: number;
}

/** `frameLength` and `msgOffset` are in bytes; `frameSeqnum` may be given unreduced and is sent modulo 256. */
export interface PullReplyFields {
  frameSeqnum: number;
  frameLength: number;
  msgOffset: number;
  dstPullHandle: number;
  dstMagic: number;
}

export function newPullFields(): PullFields {
  return {
    dstEndpoint: 0,
    srcEndpoint: 0,
    session: 0,
    totalLength: 0,
    pulledRdmaId: 0,
    pulledRdmaSeqnum: 0,
    pulledRdmaOffset: 0,
    srcPullHandle: 0,
    srcMagic: 0,
    firstFrameOffset: 0,
    blockLength: 0,
    frameIndex: 0,
  };
}

export function newPullReplyFields(): PullReplyFields {
  return { frameSeqnum: 0, frameLength: 0, msgOffset: 0, dstPullHandle: 0, dstMagic: 0 };
}

export function pullSession(view: DataView, at: number): number {
  return view.getUint32(at + PULL_SESSION);
}

export function pullTotalLength(view: DataView, at: number): number {
  return view.getUint32(at + PULL_TOTAL_LENGTH);
}

export function pullRdmaId(view: DataView, at: number, compat: boolean): number {
  return compat ? view.getUint8(at + PULL_COMPAT_RDMA_ID) : view.getUint32(at + PULL_RDMA_ID);
}

export function pullRdmaSeqnum(view: DataView, at: number, compat: boolean): number {
  return view.getUint8(at + (compat ? PULL_COMPAT_RDMA_SEQNUM : PULL_RDMA_SEQNUM));
}

export function pullRdmaOffset(view: DataView, at: number, compat: boolean): number {
  return compat ? view.getUint16(at + PULL_COMPAT_RDMA_OFFSET) : view.getUint32(at + PULL_RDMA_OFFSET);
}

export function pullSrcHandle(view: DataView, at: number, compat: boolean): number {
  return view.getUint32(at + (compat ? PULL_COMPAT_SRC_HANDLE : PULL_SRC_HANDLE));
}

export function pullSrcMagic(view: DataView, at: number, compat: boolean): number {
  return view.getUint32(at + (compat ? PULL_COMPAT_SRC_MAGIC : PULL_SRC_MAGIC));
}

export function pullFirstFrameOffset(view: DataView, at: number, compat: boolean): number {
  return compat ? view.getUint16(at + PULL_COMPAT_FIRST_FRAME_OFFSET) : view.getUint32(at + PULL_FIRST_FRAME_OFFSET);
}

export function pullBlockLength(view: DataView, at: number, compat: boolean): number {
  return compat ? view.getUint16(at + PULL_COMPAT_BLOCK_LENGTH) : view.getUint32(at + PULL_BLOCK_LENGTH);
}

export function pullFrameIndex(view: DataView, at: number, compat: boolean): number {
  return view.getUint32(at + (compat ? PULL_COMPAT_FRAME_INDEX : PULL_FRAME_INDEX));
}

export function pullReplyFrameSeqnum(view: DataView, at: number): number {
  return view.getUint8(at + REPLY_FRAME_SEQNUM);
}

export function pullReplyFrameLength(view: DataView, at: number): number {
  return view.getUint16(at + REPLY_FRAME_LENGTH);
}

export function pullReplyMsgOffset(view: DataView, at: number): number {
  return view.getUint32(at + REPLY_MSG_OFFSET);
}

export function pullReplyDstHandle(view: DataView, at: number): number {
  return view.getUint32(at + REPLY_DST_HANDLE);
}

export function pullReplyDstMagic(view: DataView, at: number): number {
  return view.getUint32(at + REPLY_DST_MAGIC);
}

/** Writes a PULL from byte 16 to its end, 60 or 48, which it returns; the frame still needs its padding in compat. */
export function emitPull(view: DataView, at: number, fields: PullFields, compat: boolean): number {
  emitEndpoints(view, at, PACKET_PULL, fields.dstEndpoint, fields.srcEndpoint);
  view.setUint32(at + PULL_SESSION, fields.session);
  view.setUint32(at + PULL_TOTAL_LENGTH, fields.totalLength);
  if (compat) {
    assert(fields.pulledRdmaId <= 0xff, "wire: a compat pull has 8 bits for the region");
    assert(
      fields.pulledRdmaOffset <= 0xffff && fields.firstFrameOffset <= 0xffff && fields.blockLength <= 0xffff,
      "wire: a compat pull has 16 bits for offsets and block length",
    );
    view.setUint8(at + PULL_COMPAT_RDMA_ID, fields.pulledRdmaId);
    view.setUint8(at + PULL_COMPAT_RDMA_SEQNUM, fields.pulledRdmaSeqnum);
    view.setUint16(at + PULL_COMPAT_RDMA_OFFSET, fields.pulledRdmaOffset);
    view.setUint32(at + PULL_COMPAT_SRC_HANDLE, fields.srcPullHandle);
    view.setUint32(at + PULL_COMPAT_SRC_MAGIC, fields.srcMagic);
    view.setUint16(at + PULL_COMPAT_FIRST_FRAME_OFFSET, fields.firstFrameOffset);
    view.setUint16(at + PULL_COMPAT_BLOCK_LENGTH, fields.blockLength);
    view.setUint32(at + PULL_COMPAT_FRAME_INDEX, fields.frameIndex);
    return PULL_HEADER_COMPAT;
  }
  view.setUint32(at + PULL_RDMA_ID, fields.pulledRdmaId);
  view.setUint32(at + PULL_RDMA_SEQNUM, fields.pulledRdmaSeqnum << 24);
  view.setUint32(at + PULL_RDMA_OFFSET, fields.pulledRdmaOffset);
  view.setUint32(at + PULL_SRC_HANDLE, fields.srcPullHandle);
  view.setUint32(at + PULL_SRC_MAGIC, fields.srcMagic);
  view.setUint32(at + PULL_FIRST_FRAME_OFFSET, fields.firstFrameOffset);
  view.setUint32(at + PULL_BLOCK_LENGTH, fields.blockLength);
  view.setUint32(at + PULL_FRAME_INDEX, fields.frameIndex);
  return PULL_HEADER;
}

/** Writes bytes 16 to 31 and returns 32, where the payload goes. */
export function emitPullReply(view: DataView, at: number, fields: PullReplyFields): number {
  const seqnum = (fields.frameSeqnum & 0xff) << 16;
  view.setInt32(at + PTYPE, (PULL_REPLY << 24) | seqnum | (fields.frameLength & 0xffff));
  view.setUint32(at + REPLY_MSG_OFFSET, fields.msgOffset);
  view.setUint32(at + REPLY_DST_HANDLE, fields.dstPullHandle);
  view.setUint32(at + REPLY_DST_MAGIC, fields.dstMagic);
  return REPLY_HEADER;
}

/** Needs `headerLength(PACKET_PULL, compat)` bytes; makes no check. */
export function parsePull(view: DataView, at: number, compat: boolean): PullFields {
  return {
    dstEndpoint: dstEndpoint(view, at),
    srcEndpoint: srcEndpoint(view, at),
    session: pullSession(view, at),
    totalLength: pullTotalLength(view, at),
    pulledRdmaId: pullRdmaId(view, at, compat),
    pulledRdmaSeqnum: pullRdmaSeqnum(view, at, compat),
    pulledRdmaOffset: pullRdmaOffset(view, at, compat),
    srcPullHandle: pullSrcHandle(view, at, compat),
    srcMagic: pullSrcMagic(view, at, compat),
    firstFrameOffset: pullFirstFrameOffset(view, at, compat),
    blockLength: pullBlockLength(view, at, compat),
    frameIndex: pullFrameIndex(view, at, compat),
  };
}

/** Needs `PULL_REPLY_HEADER` bytes; makes no check. */
export function parsePullReply(view: DataView, at: number): PullReplyFields {
  return {
    frameSeqnum: pullReplyFrameSeqnum(view, at),
    frameLength: pullReplyFrameLength(view, at),
    msgOffset: pullReplyMsgOffset(view, at),
    dstPullHandle: pullReplyDstHandle(view, at),
    dstMagic: pullReplyDstMagic(view, at),
  };
}
