import { MS } from "../../base/units.ts";
import type { Memory } from "../../hw/memory.ts";
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
  type MxCommand,
} from "../../mx/driver/contract.ts";

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
const funcOfKind = new Map(FUNCS);
const kindOfFunc = new Map(FUNCS.map(([kind, func]) => [func, kind]));

/** Events on `recv_ring`, by event type. */
const EVENT_FUNCS: Readonly<Record<number, number>> = {
  0x11: 0xf7, // connect request
  0x12: 0xf8, // connect reply
  0x13: 0xfe, // tiny
  0x14: 0xff, // small
  0x15: 0xe0, // medium fragment
  0x16: 0xf9, // rndv
  0x17: 0xfc, // notify
  0x18: 0xfd, // liback
  0x19: 0xe3, // nack: the real backend keeps it to itself; a code of our own
  0x20: 0xe1, // medium send queue fragment done
  0x21: 0xfb, // pull done
};
/** What the guest pushes for every event that it has consumed, to keep the ring balanced. */
export const FUNC_DUMMY = 0xe2;

export function eventFunc(type: number): number {
  return EVENT_FUNCS[type] ?? FUNC_DUMMY;
}

/** The open and close message (38 bytes): sizes in pages, and the references of the first list page of each queue. */
export const OPEN_SESSION = 8;
export const OPEN_SENDQ_PAGES = 12;
export const OPEN_RECVQ_PAGES = 16;
export const OPEN_SENDQ_GREF = 24;
export const OPEN_RECVQ_GREF = 28;
export const OPEN_ENDPOINT_GREF = 32;

/**
 * Create and destroy region: a header of 32 bytes and the first segment of 99. `REGION_MAPPING` numbers the set of
 * grants; a create with no pages binds a mapping that the backend still has, a destroy with `REGION_KEEP` leaves it.
 */
export const REGION_ID = 0;
export const REGION_SEQ = 2;
export const REGION_KEEP = 3;
/** Values of `REGION_KEEP`: the mapping stays for another region, or only a mapping without a region goes. */
export const REGION_KEEP_MAPPING = 1;
export const REGION_ONLY_UNMAP = 2;
export const REGION_PAGES = 24;
export const SEG_OFFSET = 32 + 12;
export const SEG_LENGTH = 32 + 16;
export const SEG_PAGES = 32 + 20;
export const SEG_GREFS = 32 + 28;
export const SEG_MAPPING = 32 + 92;
export const SEG_PARTS = 32 + 98;
/** List pages of one segment: 16 x 1024 pages, 64 MiB. */
export const MAX_PARTS = 16;
/** References in a list page. */
export const GREFS_PER_PAGE = 1024;

/** Writes a command's structure; tiny and small take their data along. Returns the payload bytes copied. */
export function encodeCommand(memory: Memory, slot: number, command: MxCommand): number {
  const { view } = memory;
  const at = slot + SLOT_UNION;
  view.setUint32(slot + SLOT_FUNC, funcOfKind.get(command.kind)!, true);
  view.setUint16(at, command.peer, true);
  view.setUint8(at + 2, command.endpoint);
  view.setUint8(at + 3, 0); // shared communication is dom0's decision
  view.setUint16(at + 4, command.seq, true);
  view.setUint16(at + 6, command.piggyack, true);
  view.setUint32(at + 8, command.session, true);
  switch (command.kind) {
    case CMD_SEND_TINY:
    case CMD_SEND_SMALL: {
      const data = at + (command.kind === CMD_SEND_TINY ? 24 : 32);
      view.setUint32(at + 12, command.matchA, true);
      view.setUint32(at + 16, command.matchB, true);
      view.setUint16(at + 20, command.length, true);
      memory.copy(data, command.address, command.length);
      return command.length;
    }
    case CMD_SEND_MEDIUM_FRAG:
      view.setUint32(at + 12, command.matchA, true);
      view.setUint32(at + 16, command.matchB, true);
      view.setUint32(at + 20, command.length, true);
      view.setUint16(at + 24, command.fragmentLength, true);
      view.setUint8(at + 26, command.fragment);
      view.setUint32(at + 28, command.queueOffset, true);
      view.setUint32(at + 36, command.cookie, true);
      return 0;
    case CMD_SEND_RNDV:
      view.setUint32(at + 12, command.matchA, true);
      view.setUint32(at + 16, command.matchB, true);
      view.setUint32(at + 20, command.length, true);
      view.setUint8(at + 24, command.region);
      view.setUint8(at + 25, command.regionSeq);
      return 0;
    case CMD_PULL:
      view.setUint32(at + 12, command.length, true);
      view.setUint32(at + 16, command.region, true);
      view.setUint32(at + 20, command.remoteRegion, true);
      view.setUint32(at + 24, command.remoteRegionSeq, true);
      view.setUint32(at + 28, command.cookie, true);
      view.setUint32(at + 32, Math.min(command.timeoutPs / MS, 0xffffffff), true); // jiffies, at 1000 Hz
      return 0;
    case CMD_SEND_NOTIFY:
      view.setUint32(at + 12, command.length, true);
      view.setUint8(at + 16, command.remoteRegion);
      view.setUint8(at + 17, command.remoteRegionSeq);
      return 0;
    case CMD_SEND_LIBACK:
      view.setUint32(at + 12, command.ackNumber, true);
      return 0;
    default:
      view.setUint16(at + 4, command.recvSeqStart, true);
      view.setUint8(at + 6, command.connectSeq);
      view.setUint8(at + 7, command.connectStatus);
      view.setUint32(at + 12, command.ownSession, true);
      view.setUint32(at + 16, command.key, true);
      return 0;
  }
}

/** Reads a data-path command; false when `func` is none. Payload stays in the slot: `address` points there. */
export function decodeCommand(memory: Memory, slot: number, command: MxCommand): boolean {
  const { view } = memory;
  const at = slot + SLOT_UNION;
  const kind = kindOfFunc.get(view.getUint32(slot + SLOT_FUNC, true));
  if (kind === undefined) return false;
  command.kind = kind;
  command.peer = view.getUint16(at, true);
  command.endpoint = view.getUint8(at + 2);
  command.seq = view.getUint16(at + 4, true);
  command.piggyack = view.getUint16(at + 6, true);
  command.session = view.getUint32(at + 8, true);
  command.matchA = view.getUint32(at + 12, true);
  command.matchB = view.getUint32(at + 16, true);
  switch (kind) {
    case CMD_SEND_TINY:
    case CMD_SEND_SMALL:
      command.length = view.getUint16(at + 20, true);
      command.address = at + (kind === CMD_SEND_TINY ? 24 : 32);
      return true;
    case CMD_SEND_MEDIUM_FRAG:
      command.length = view.getUint32(at + 20, true);
      command.fragmentLength = view.getUint16(at + 24, true);
      command.fragment = view.getUint8(at + 26);
      command.queueOffset = view.getUint32(at + 28, true);
      command.cookie = view.getUint32(at + 36, true);
      return true;
    case CMD_SEND_RNDV:
      command.length = view.getUint32(at + 20, true);
      command.region = view.getUint8(at + 24);
      command.regionSeq = view.getUint8(at + 25);
      return true;
    case CMD_PULL:
      command.length = view.getUint32(at + 12, true);
      command.region = view.getUint32(at + 16, true);
      command.remoteRegion = view.getUint32(at + 20, true);
      command.remoteRegionSeq = view.getUint32(at + 24, true);
      command.cookie = view.getUint32(at + 28, true);
      command.timeoutPs = view.getUint32(at + 32, true) * MS;
      return true;
    case CMD_SEND_NOTIFY:
      command.length = view.getUint32(at + 12, true);
      command.remoteRegion = view.getUint8(at + 16);
      command.remoteRegionSeq = view.getUint8(at + 17);
      return true;
    case CMD_SEND_LIBACK:
      command.ackNumber = view.getUint32(at + 12, true);
      return true;
    default:
      command.recvSeqStart = view.getUint16(at + 4, true);
      command.connectSeq = view.getUint8(at + 6);
      command.connectStatus = view.getUint8(at + 7);
      command.ownSession = view.getUint32(at + 12, true);
      command.key = view.getUint32(at + 16, true);
      return true;
  }
}
