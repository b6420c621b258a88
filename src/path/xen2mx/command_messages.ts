import * as units from "../../base/units.ts";
import type { Memory } from "../../hw/memory.ts";
import type { MxCommand } from "../../mx/driver/contract.ts";
import * as contract from "../../mx/driver/contract.ts";
import * as layout from "./layout.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { MS } = units;
const {
  CMD_PULL,
  CMD_SEND_LIBACK,
  CMD_SEND_MEDIUM_FRAG,
  CMD_SEND_NOTIFY,
  CMD_SEND_RNDV,
  CMD_SEND_SMALL,
  CMD_SEND_TINY,
} = contract;
const { SLOT_FUNC, SLOT_UNION, toKind } = layout;

/* The data path's commands: what the guest writes into a claimed slot of `ring`, and what dom0 reads there. */

/** Writes a command's structure; tiny and small take their data along. Returns the payload bytes copied. */
export function encodeCommand(memory: Memory, slot: number, command: MxCommand): number {
  const { view } = memory;
  const at = slot + SLOT_UNION;
  view.setUint16(at, command.peer, true);
  view.setUint8(at + 2, command.endpoint);
  view.setUint8(at + 3, 0); // shared communication is dom0's decision
  view.setUint16(at + 4, command.seq, true);
  view.setUint16(at + 6, command.piggyack, true);
  view.setUint32(at + 8, command.session, true);
  switch (command.kind) {
    case CMD_SEND_TINY:
      return encodeEager(memory, at, at + 24, command);
    case CMD_SEND_SMALL:
      return encodeEager(memory, at, at + 32, command);
    case CMD_SEND_MEDIUM_FRAG:
      return encodeMedium(view, at, command);
    case CMD_SEND_RNDV:
      return encodeRendezvous(view, at, command);
    case CMD_PULL:
      return encodePull(view, at, command);
    case CMD_SEND_NOTIFY:
      view.setUint32(at + 12, command.length, true);
      view.setUint8(at + 16, command.remoteRegion);
      view.setUint8(at + 17, command.remoteRegionSeq);
      return 0;
    case CMD_SEND_LIBACK:
      view.setUint32(at + 12, command.ackNumber, true);
      return 0;
    default:
      return encodeConnect(view, at, command);
  }
}

/** The payload goes to `data`, behind the structure. */
function encodeEager(memory: Memory, at: number, data: number, command: MxCommand): number {
  const { view } = memory;
  view.setUint32(at + 12, command.matchA, true);
  view.setUint32(at + 16, command.matchB, true);
  view.setUint16(at + 20, command.length, true);
  view.setUint16(at + 22, command.checksum, true);
  memory.copy(data, command.address, command.length);
  return command.length;
}

/** The payload lies in the send queue, which dom0 has mapped. */
function encodeMedium(view: DataView, at: number, command: MxCommand): number {
  view.setUint32(at + 12, command.matchA, true);
  view.setUint32(at + 16, command.matchB, true);
  view.setUint32(at + 20, command.length, true);
  view.setUint16(at + 24, command.fragmentLength, true);
  view.setUint8(at + 26, command.fragment);
  view.setUint32(at + 28, command.queueOffset, true);
  view.setUint16(at + 32, command.checksum, true);
  view.setUint32(at + 36, command.cookie, true);
  return 0;
}

function encodeRendezvous(view: DataView, at: number, command: MxCommand): number {
  view.setUint32(at + 12, command.matchA, true);
  view.setUint32(at + 16, command.matchB, true);
  view.setUint32(at + 20, command.length, true);
  view.setUint8(at + 24, command.region);
  view.setUint8(at + 25, command.regionSeq);
  return 0;
}

function encodePull(view: DataView, at: number, command: MxCommand): number {
  view.setUint32(at + 12, command.length, true);
  view.setUint32(at + 16, command.region, true);
  view.setUint32(at + 20, command.remoteRegion, true);
  view.setUint32(at + 24, command.remoteRegionSeq, true);
  view.setUint32(at + 28, command.cookie, true);
  view.setUint32(at + 32, Math.min(command.timeoutPs / MS, 0xffffffff), true); // jiffies, at 1000 Hz
  view.setUint16(at + 36, command.remoteOffset, true);
  return 0;
}

/** Has fields of its own from offset 4 on, in the place of sequence and acknowledgement. */
function encodeConnect(view: DataView, at: number, command: MxCommand): number {
  view.setUint16(at + 4, command.recvSeqStart, true);
  view.setUint8(at + 6, command.connectSeq);
  view.setUint8(at + 7, command.connectStatus);
  view.setUint32(at + 12, command.ownSession, true);
  view.setUint32(at + 16, command.key, true);
  return 0;
}

/** Reads a data-path command; false when `func` is none. Payload stays in the slot: `address` points there. */
export function decodeCommand(memory: Memory, slot: number, command: MxCommand): boolean {
  const { view } = memory;
  const at = slot + SLOT_UNION;
  const kind = toKind(view.getUint32(slot + SLOT_FUNC, true));
  if (kind < 0) return false;
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
      command.checksum = view.getUint16(at + 22, true);
      command.address = at + (kind === CMD_SEND_TINY ? 24 : 32);
      return true;
    case CMD_SEND_MEDIUM_FRAG:
      decodeMediumFrag(view, at, command);
      return true;
    case CMD_SEND_RNDV:
      command.length = view.getUint32(at + 20, true);
      command.region = view.getUint8(at + 24);
      command.regionSeq = view.getUint8(at + 25);
      return true;
    case CMD_PULL:
      decodePull(view, at, command);
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
      decodeConnect(view, at, command);
      return true;
  }
}

function decodeMediumFrag(view: DataView, at: number, command: MxCommand): void {
  command.length = view.getUint32(at + 20, true);
  command.fragmentLength = view.getUint16(at + 24, true);
  command.fragment = view.getUint8(at + 26);
  command.queueOffset = view.getUint32(at + 28, true);
  command.checksum = view.getUint16(at + 32, true);
  command.cookie = view.getUint32(at + 36, true);
}

function decodePull(view: DataView, at: number, command: MxCommand): void {
  command.length = view.getUint32(at + 12, true);
  command.region = view.getUint32(at + 16, true);
  command.remoteRegion = view.getUint32(at + 20, true);
  command.remoteRegionSeq = view.getUint32(at + 24, true);
  command.cookie = view.getUint32(at + 28, true);
  command.timeoutPs = view.getUint32(at + 32, true) * MS;
  command.remoteOffset = view.getUint16(at + 36, true);
}

function decodeConnect(view: DataView, at: number, command: MxCommand): void {
  command.recvSeqStart = view.getUint16(at + 4, true);
  command.connectSeq = view.getUint8(at + 6);
  command.connectStatus = view.getUint8(at + 7);
  command.ownSession = view.getUint32(at + 12, true);
  command.key = view.getUint32(at + 16, true);
}
