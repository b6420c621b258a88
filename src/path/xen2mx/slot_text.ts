import type { Memory } from "../../hw/memory.ts";
import * as contract from "../../mx/driver/contract.ts";
import type { SlotKind, TraceArgs } from "../../sim/trace.ts";
import type { SlotText } from "../path.ts";
import {
  FUNC_CLOSE_ENDPOINT,
  FUNC_OPEN_ENDPOINT,
  kindOfFunc,
  REGION_COUNT,
  REGION_ID,
  REGION_KEEP,
  REGION_KEEP_MAPPING,
  REGION_MAPPING,
  REGION_SEGMENTS,
  SLOT_EID,
  SLOT_FUNC,
  SLOT_REQUEST,
  SLOT_RET,
  SLOT_UNION,
} from "./layout.ts";
import { FUNC_BOARD_INFO } from "./peer_messages.ts";

/** Names of commands as Open-MX has them (OMX_CMD_*, omx_io.h), by the kind that the driver knows them as. */
const COMMANDS: ReadonlyMap<number, string> = new Map([
  [contract.CMD_SEND_TINY, "SEND_TINY"],
  [contract.CMD_SEND_SMALL, "SEND_SMALL"],
  [contract.CMD_SEND_MEDIUM_FRAG, "SEND_MEDIUM_SQ_FRAG"],
  [contract.CMD_SEND_RNDV, "SEND_RNDV"],
  [contract.CMD_PULL, "PULL"],
  [contract.CMD_SEND_NOTIFY, "SEND_NOTIFY"],
  [contract.CMD_CONNECT_REQUEST, "SEND_CONNECT_REQUEST"],
  [contract.CMD_CONNECT_REPLY, "SEND_CONNECT_REPLY"],
  [contract.CMD_SEND_LIBACK, "SEND_LIBACK"],
  [contract.CMD_CREATE_REGION, "CREATE_USER_REGION"],
  [contract.CMD_DESTROY_REGION, "DESTROY_USER_REGION"],
]);

/** Types of events (omx_io.h), which the low byte of `ret` carries. */
const EVENTS: Readonly<Record<number, string>> = {
  0x11: "CONNECT_REQUEST",
  0x12: "CONNECT_REPLY",
  0x13: "RECV_TINY",
  0x14: "RECV_SMALL",
  0x15: "RECV_MEDIUM_FRAG",
  0x16: "RECV_RNDV",
  0x17: "RECV_NOTIFY",
  0x18: "RECV_LIBACK",
  0x19: "RECV_NACK_LIB",
  0x20: "SEND_MEDIUM_SQ_FRAG_DONE",
  0x21: "PULL_DONE",
};

/** A slot of the command ring: a command on its way to dom0, or dom0's answer. */
export function commandText({ view }: Memory, at: number, kind: SlotKind): SlotText {
  const request = view.getUint32(at + SLOT_REQUEST, true);
  if (kind === "response") return { what: "answer", fields: { request, ret: view.getInt32(at + SLOT_RET, true) } };
  const func = view.getUint32(at + SLOT_FUNC, true);
  const command = kindOfFunc.get(func);
  const fields: TraceArgs = { func: `0x${func.toString(16)}`, eid: view.getUint32(at + SLOT_EID, true), request };
  return { what: nameOf(func), fields: { ...fields, ...regionFields(view, at + SLOT_UNION, command) } };
}

function nameOf(func: number): string {
  if (func === FUNC_OPEN_ENDPOINT) return "OPEN_ENDPOINT";
  if (func === FUNC_CLOSE_ENDPOINT) return "CLOSE_ENDPOINT";
  if (func === FUNC_BOARD_INFO) return "GET_BOARD_INFO";
  return COMMANDS.get(kindOfFunc.get(func) ?? -1) ?? "PEER_TABLE";
}

/** What a region command says of grants: whether there are new ones, or a mapping that dom0 still has. */
function regionFields(view: DataView, at: number, command: number | undefined): TraceArgs {
  const isCreate = command === contract.CMD_CREATE_REGION;
  if (!isCreate && command !== contract.CMD_DESTROY_REGION) return {};
  const region = view.getUint8(at + REGION_ID);
  const mapping = view.getUint32(at + REGION_MAPPING, true);
  if (!isCreate) {
    const keeps = view.getUint8(at + REGION_KEEP) === REGION_KEEP_MAPPING;
    return { region, mapping, grants: keeps ? "stay mapped for reuse" : "unmap" };
  }
  const count = view.getUint8(at + REGION_COUNT);
  if (count === 0) return { region, mapping, grants: "reused, none is written or mapped" };
  return { region, mapping, segments: view.getUint32(at + REGION_SEGMENTS, true), grants: "new" };
}

/** A slot of the event ring, which runs the other way round: an event, or a slot that the guest gives back. */
export function eventText({ view }: Memory, at: number, kind: SlotKind): SlotText {
  if (kind === "request") return { what: "slot given back", fields: {} };
  const ret = view.getInt32(at + SLOT_RET, true);
  const fields = { eid: view.getUint32(at + SLOT_EID, true), event: view.getUint32(at + SLOT_REQUEST, true) };
  return { what: EVENTS[ret & 0xff] ?? `event 0x${(ret & 0xff).toString(16)}`, fields };
}
