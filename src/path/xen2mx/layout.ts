import {
  CMD_CONNECT_REPLY,
  CMD_CONNECT_REQUEST,
  CMD_CREATE_REGION,
  CMD_DESTROY_REGION,
  CMD_PULL,
  CMD_SEND_LIBACK,
  CMD_SEND_MEDIUM_FRAG,
  CMD_SEND_NOTIFY,
  CMD_SEND_RNDV,
  CMD_SEND_SMALL,
  CMD_SEND_TINY,
  RESULT_BUSY,
  RESULT_INVALID,
  RESULT_NO_RESOURCES,
  RESULT_OK,
} from "../../mx/driver/contract.ts";
import { EBUSY, EINVAL, ENOMEM } from "../../xen/errno.ts";

/*
 * The element of both Xen2MX rings: 250 packed bytes, so that 16 fit in a page (omx_xen.h:264-344). Little-endian.
 *
 *    0 func u32   4 board_index u32   8 eid u32   12 request_id u32   16 ret i32   20 union, at most 230 bytes
 *
 * `func` is the native command's ioctl number on `ring`, a small code on `recv_ring`. The union of a command is its
 * native structure; of an event, the 64-byte event slot that the guest will see. Offsets below are within the union.
 *
 *   head of a command  0 peer u16  2 dst_ep u8  3 -  4 seq u16  6 piggyack u16  8 session u32
 *   tiny (56)         12 match_a  16 match_b  20 length u16  24 data[32]
 *   small (160)       the same, 24 vaddr u64  32 data[128]
 *   medium (40)       12 match_a  16 match_b  20 length u32  24 frag_length u16  26 frag u8  28 sendq_offset u32
 *                     36 cookie u32
 *   rndv (32)         12 match_a  16 match_b  20 msg_length u32  24 region u8  25 region_seq u8
 *   pull (40)         12 length u32  16 region u32  20 remote_region u32  24 remote_seq u32  28 cookie u32
 *                     32 timeout u32 (jiffies)  36 remote_offset u16
 *   notify (24)       12 total u32  16 remote_region u8  17 remote_seq u8
 *   connect (24)      4 recv_seq_start u16  6 connect_seq u8  7 status u8  8 session u32  12 own_session  16 key
 *   liback (24)       4 seq u16  8 session u32  12 ack_number u32
 */
export const SLOT_BYTES = 250;
export const SLOT_FUNC = 0;
export const SLOT_BOARD = 4;
export const SLOT_EID = 8;
export const SLOT_REQUEST = 12;
export const SLOT_RET = 16;
export const SLOT_UNION = 20;

/** Commands on `ring`: the native ioctl numbers on x86-64. */
export const FUNC_OPEN_ENDPOINT = 0x80084f91;
export const FUNC_CLOSE_ENDPOINT = 0x80084f92;
export const FUNC_CREATE_REGION = 0x80204f93;
export const FUNC_DESTROY_REGION = 0x80084f94;
const FUNCS: readonly [number, number][] = [
  [CMD_SEND_TINY, 0x80384f81],
  [CMD_SEND_SMALL, 0x80204f82],
  [CMD_SEND_MEDIUM_FRAG, 0x80284f83],
  [CMD_SEND_RNDV, 0x80204f85],
  [CMD_PULL, 0x80284f86],
  [CMD_SEND_NOTIFY, 0x80184f87],
  [CMD_CONNECT_REQUEST, 0x80184f88],
  [CMD_CONNECT_REPLY, 0x80184f89],
  [CMD_SEND_LIBACK, 0x80184f8a],
  [CMD_CREATE_REGION, FUNC_CREATE_REGION],
  [CMD_DESTROY_REGION, FUNC_DESTROY_REGION],
];
export const kindOfFunc: ReadonlyMap<number, number> = new Map(FUNCS.map(([kind, func]) => [func, kind]));

// The same for every message, as tables: a map's answer takes ten times as long. The last byte tells commands apart.
const NONE = -1;
const funcs: number[] = new Array(256).fill(NONE);
const kinds: number[] = new Array(256).fill(NONE);
for (const [kind, func] of FUNCS) {
  funcs[kind] = func;
  kinds[func & 0xff] = kind;
}

/** A command's function, -1 for a command (0 to 255) that is none of these. */
export function toFunc(kind: number): number {
  return funcs[kind];
}

/** The other way round, for whatever a guest has written. */
export function toKind(func: number): number {
  const kind = kinds[func & 0xff];
  return kind !== NONE && funcs[kind] === func ? kind : NONE;
}

/** What the guest pushes for every event that it has consumed, to keep the ring balanced. */
export const FUNC_DUMMY = 0xe2;
/** Events on `recv_ring`, by event type. */
const eventFuncs = new Uint8Array(256).fill(FUNC_DUMMY);
eventFuncs[0x11] = 0xf7; // connect request
eventFuncs[0x12] = 0xf8; // connect reply
eventFuncs[0x13] = 0xfe; // tiny
eventFuncs[0x14] = 0xff; // small
eventFuncs[0x15] = 0xe0; // medium fragment
eventFuncs[0x16] = 0xf9; // rndv
eventFuncs[0x17] = 0xfc; // notify
eventFuncs[0x18] = 0xfd; // liback
eventFuncs[0x19] = 0xe3; // nack: the real backend keeps it to itself; a code of our own
eventFuncs[0x20] = 0xe1; // medium send queue fragment done
eventFuncs[0x21] = 0xfb; // pull done

/** `type` is a byte. */
export function eventFunc(type: number): number {
  return eventFuncs[type];
}

/**
 * The open and close message (38 bytes): the frontend's name for this opening, sizes in pages, and the references of
 * the first list page of each queue. The original's name is its endpoint structure's address; here it is a number that
 * the guest counts, and that comes back with every event: what was sent to an endpoint's previous life is not taken for
 * this one's.
 */
export const OPEN_LIFE = 0;
export const OPEN_SESSION = 8;
export const OPEN_SENDQ_PAGES = 12;
export const OPEN_RECVQ_PAGES = 16;
export const OPEN_SENDQ_GREF = 24;
export const OPEN_RECVQ_GREF = 28;
export const OPEN_ENDPOINT_GREF = 32;

/** An event's `ret`: its type, whether it is for the expected queue, and the life of the endpoint it is for. */
export const EVENT_EXPECTED = 0x100;
export const LIFE_SHIFT = 16;
export const LIFE_MASK = 0x7fff;

/**
 * Create and destroy region: a header of 32 bytes and two segments of 99. A create that names no pages binds a mapping
 * that the backend still has; a destroy says in `REGION_KEEP` what becomes of the mapping.
 */
export const REGION_ID = 0;
/** Segments in this message, 0 for a mapping that dom0 still has. */
export const REGION_COUNT = 1;
export const REGION_SEQ = 2;
export const REGION_KEEP = 3;
/** Segments of the whole region. The message with the last of them makes the region known. */
export const REGION_SEGMENTS = 4;
/** Number of this guest's set of grants, which dom0's mappings of them go by. */
export const REGION_MAPPING = 8;
/** Values of `REGION_KEEP`: the mapping stays for another region, or only a mapping without a region goes. */
export const REGION_KEEP_MAPPING = 1;
export const REGION_ONLY_UNMAP = 2;
export const REGION_HEADER = 32;

/** A segment: offsets from its beginning. */
export const SEGMENT_BYTES = 99;
export const SEG_OFFSET = 12;
export const SEG_LENGTH = 16;
export const SEG_PAGES = 20;
export const SEG_GREFS = 28;
/** Number of the segment in its region. */
export const SEG_NUMBER = 92;
export const SEG_PARTS = 98;
/** Segments that fit in a message. The original writes all it has (reference, 4.5). */
export const SEGMENTS_PER_MESSAGE = 2;
/** List pages of one segment: 16 x 1024 pages, 64 MiB. */
export const MAX_PARTS = 16;
/** References in a list page. */
export const GREFS_PER_PAGE = 1024;
/** Endpoints of a frontend (omx_xen.h:33). */
export const ENDPOINTS = 256;

/** Library's results (RESULT_*) of dom0's error numbers. */
export function resultOf(ret: number): number {
  if (ret === 0) return RESULT_OK;
  return ret === -ENOMEM ? RESULT_NO_RESOURCES : ret === -EBUSY ? RESULT_BUSY : RESULT_INVALID;
}

/** Dom0's error number for a result. */
export function errorOf(result: number): number {
  return result === RESULT_OK ? 0 : result === RESULT_NO_RESOURCES ? -ENOMEM : -EINVAL;
}
