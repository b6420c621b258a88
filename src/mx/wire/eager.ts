import { assert } from "../../base/assert.ts";
import * as header from "./header.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { dstEndpoint, emitEndpoints, MEDIUM_HEADER, MSG_HEADER, PACKET_MEDIUM, PACKET_SMALL, PACKET_TINY, srcEndpoint } =
  header;

/*
 * Messages whose payload comes unasked. TINY (37, 0 to 32 bytes) and SMALL (38, 33 to 128) are one layout (W:347-362);
 * MEDIUM (39) is one fragment of a longer message (W:364-393). RNDV begins with the same 40 bytes.
 *
 *   off  B  field           TINY and SMALL: payload @40
 *    16  4  ptype, dst_endpoint, src_endpoint, src_generation
 *    20  2  length          payload bytes; 8 in RNDV
 *    22  2  checksum        debug libraries only, else 0; no receiver may depend on it
 *    24  2  lib_seqnum      14 bits of sequence, 2 of the partner's session number
 *    26  2  lib_piggyack    first sequence not completely received from the destination
 *    28  4  match_a         upper 32 bits of the match information
 *    32  4  match_b         lower 32 bits
 *    36  4  session         of the destination endpoint
 *
 *   off  B  field           MEDIUM: as above, then; payload @48
 *    20  4  length          of the whole message. Compat: 2 bytes and 2 of padding
 *    40  2  frag_length     payload bytes in this frame
 *    42  1  frag_seqnum     number of this fragment, from 0
 *    43  1  frag_pipeline   compat: log2 of the fragment size. Normal: padding
 *    44  2  checksum        of the whole message, the same in every fragment
 *    46  2  padding
 */
export const MSG_LENGTH = 20;
const LENGTH = MSG_LENGTH; // again, because V8 reads what is exported each time
const MSG_CHECKSUM = 22;
const MSG_LIB_SEQNUM = 24;
const MSG_LIB_PIGGYACK = 26;
const MSG_MATCH_A = 28;
const MSG_MATCH_B = 32;
const MSG_SESSION = 36;
const MEDIUM_LENGTH = 20;
const MEDIUM_FRAG_LENGTH = 40;
const MEDIUM_FRAG_SEQNUM = 42;
const MEDIUM_FRAG_PIPELINE = 43;
const MEDIUM_CHECKSUM = 44;
const MEDIUM_PAD = 46;

/** log2 of the fragment size of MX 1.2, the only one that a compatible peer understands (W:62). */
const COMPAT_FRAG_PIPELINE = 12;

/** What TINY, SMALL, MEDIUM and RNDV have in common. Match information is unsigned, upper and lower 32 bits. */
export interface MsgFields {
  dstEndpoint: number;
  srcEndpoint: number;
  libSeqnum: number;
  libPiggyack: number;
  matchA: number;
  matchB: number;
  session: number;
}

/** TINY and SMALL; `length` is in bytes. */
export interface EagerFields extends MsgFields {
  length: number;
  checksum: number;
}

/** One fragment; `length` (of the message) and `fragLength` are in bytes. */
export interface MediumFields extends MsgFields {
  length: number;
  fragLength: number;
  fragSeqnum: number;
  /** Written and read in the compat layout only; else reads as 0. */
  fragPipeline: number;
  checksum: number;
}

export function newEagerFields(): EagerFields {
  return {
    dstEndpoint: 0,
    srcEndpoint: 0,
    libSeqnum: 0,
    libPiggyack: 0,
    matchA: 0,
    matchB: 0,
    session: 0,
    length: 0,
    checksum: 0,
  };
}

export function newMediumFields(): MediumFields {
  return {
    dstEndpoint: 0,
    srcEndpoint: 0,
    libSeqnum: 0,
    libPiggyack: 0,
    matchA: 0,
    matchB: 0,
    session: 0,
    length: 0,
    fragLength: 0,
    fragSeqnum: 0,
    fragPipeline: COMPAT_FRAG_PIPELINE,
    checksum: 0,
  };
}

/** Payload bytes of TINY and SMALL; for MEDIUM see {@link mediumLength}. */
export function msgLength(view: DataView, at: number): number {
  return view.getUint16(at + LENGTH);
}

export function msgChecksum(view: DataView, at: number): number {
  return view.getUint16(at + MSG_CHECKSUM);
}

/* The next five hold for TINY, SMALL, MEDIUM and RNDV. */

export function msgLibSeqnum(view: DataView, at: number): number {
  return view.getUint16(at + MSG_LIB_SEQNUM);
}

export function msgLibPiggyack(view: DataView, at: number): number {
  return view.getUint16(at + MSG_LIB_PIGGYACK);
}

export function msgMatchA(view: DataView, at: number): number {
  return view.getUint32(at + MSG_MATCH_A);
}

export function msgMatchB(view: DataView, at: number): number {
  return view.getUint32(at + MSG_MATCH_B);
}

export function msgSession(view: DataView, at: number): number {
  return view.getUint32(at + MSG_SESSION);
}

/** Bytes of the whole message that this fragment is a part of. */
export function mediumLength(view: DataView, at: number, compat: boolean): number {
  return compat ? view.getUint16(at + MEDIUM_LENGTH) : view.getUint32(at + MEDIUM_LENGTH);
}

export function mediumFragLength(view: DataView, at: number): number {
  return view.getUint16(at + MEDIUM_FRAG_LENGTH);
}

export function mediumFragSeqnum(view: DataView, at: number): number {
  return view.getUint8(at + MEDIUM_FRAG_SEQNUM);
}

/** Compat layout only: the fragment's offset in the message is `frag_seqnum << frag_pipeline` (lib/omx_recv.c:320-325). */
export function mediumFragPipeline(view: DataView, at: number): number {
  return view.getUint8(at + MEDIUM_FRAG_PIPELINE);
}

export function mediumChecksum(view: DataView, at: number): number {
  return view.getUint16(at + MEDIUM_CHECKSUM);
}

/** Writes bytes 16 to 19 and 24 to 39 of a TINY, SMALL, MEDIUM or RNDV: all but the length, whose width differs. */
export function emitMsg(view: DataView, at: number, type: number, fields: MsgFields): void {
  emitEndpoints(view, at, type, fields.dstEndpoint, fields.srcEndpoint);
  view.setUint16(at + MSG_LIB_SEQNUM, fields.libSeqnum);
  view.setUint16(at + MSG_LIB_PIGGYACK, fields.libPiggyack);
  view.setUint32(at + MSG_MATCH_A, fields.matchA);
  view.setUint32(at + MSG_MATCH_B, fields.matchB);
  view.setUint32(at + MSG_SESSION, fields.session);
}

function emitEager(view: DataView, at: number, type: number, fields: EagerFields): number {
  emitMsg(view, at, type, fields);
  view.setUint16(at + LENGTH, fields.length);
  view.setUint16(at + MSG_CHECKSUM, fields.checksum);
  return MSG_HEADER;
}

/** Writes a TINY from byte 16 to its payload's offset, which it returns. */
export function emitTiny(view: DataView, at: number, fields: EagerFields): number {
  return emitEager(view, at, PACKET_TINY, fields);
}

/** Writes a SMALL from byte 16 to its payload's offset, which it returns. */
export function emitSmall(view: DataView, at: number, fields: EagerFields): number {
  return emitEager(view, at, PACKET_SMALL, fields);
}

/** Writes a MEDIUM from byte 16 to its payload's offset, which it returns. A compat message is at most 65535 bytes. */
export function emitMedium(view: DataView, at: number, fields: MediumFields, compat: boolean): number {
  emitMsg(view, at, PACKET_MEDIUM, fields);
  if (compat) {
    assert(fields.length <= 0xffff, "wire: a compat medium length has 16 bits");
    view.setUint32(at + MEDIUM_LENGTH, fields.length << 16);
  } else {
    view.setUint32(at + MEDIUM_LENGTH, fields.length);
  }
  view.setUint16(at + MEDIUM_FRAG_LENGTH, fields.fragLength);
  view.setUint8(at + MEDIUM_FRAG_SEQNUM, fields.fragSeqnum);
  view.setUint8(at + MEDIUM_FRAG_PIPELINE, compat ? fields.fragPipeline : 0);
  view.setUint16(at + MEDIUM_CHECKSUM, fields.checksum);
  view.setUint16(at + MEDIUM_PAD, 0);
  return MEDIUM_HEADER;
}

/** Reads a TINY or a SMALL. Needs `MSG_HEADER` bytes; makes no check. */
export function parseEager(view: DataView, at: number): EagerFields {
  return {
    ...parseMsg(view, at),
    length: msgLength(view, at),
    checksum: msgChecksum(view, at),
  };
}

/** Needs `MEDIUM_HEADER` bytes; makes no check. */
export function parseMedium(view: DataView, at: number, compat: boolean): MediumFields {
  return {
    ...parseMsg(view, at),
    length: mediumLength(view, at, compat),
    fragLength: mediumFragLength(view, at),
    fragSeqnum: mediumFragSeqnum(view, at),
    fragPipeline: compat ? mediumFragPipeline(view, at) : 0,
    checksum: mediumChecksum(view, at),
  };
}

/** The part that TINY, SMALL, MEDIUM and RNDV have in common. */
export function parseMsg(view: DataView, at: number): MsgFields {
  return {
    dstEndpoint: dstEndpoint(view, at),
    srcEndpoint: srcEndpoint(view, at),
    libSeqnum: msgLibSeqnum(view, at),
    libPiggyack: msgLibPiggyack(view, at),
    matchA: msgMatchA(view, at),
    matchB: msgMatchB(view, at),
    session: msgSession(view, at),
  };
}
