import type { Memory } from "../hw/memory.ts";
import type { RegisterFile } from "../kvm/e1000_state.ts";
import { bufferOf, commandOf, lengthOf, RDBAL, RDLEN, statusOf, TDBAL, TDLEN } from "../kvm/e1000_registers.ts";
import {
  DESCRIPTOR_BYTES,
  descriptorAddress,
  descriptorFlags,
  descriptorLength,
  descriptorNext,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
  type Virtqueue,
} from "../kvm/virtqueue.ts";
import type { SlotKind } from "../sim/trace.ts";
import * as net from "../xen/net_layout.ts";
import type { SlotText } from "./path.ts";

/*
 * What the slots of the rings say, read for an observer from the bytes that both ends see.
 */

/** Buffers of a chain at most that are looked at: a driver may have linked them in a circle. */
const CHAIN_LIMIT = 32;

/** A slot of netfront's transmit ring. */
export function netTxText(memory: Memory, at: number, kind: SlotKind): SlotText {
  const { view } = memory;
  if (kind === "response") {
    const id = view.getUint16(at + net.TX_RSP_ID, true);
    return { what: "transmit response", fields: { id, status: view.getInt16(at + net.TX_RSP_STATUS, true) } };
  }
  const flags = view.getUint16(at + net.TX_FLAGS, true);
  const fields = {
    gref: view.getUint32(at + net.TX_GREF, true),
    offset: view.getUint16(at + net.TX_OFFSET, true),
    flags: (flags & net.NETTXF_more_data) !== 0 ? "more_data" : flags,
    id: view.getUint16(at + net.TX_ID, true),
    size: view.getUint16(at + net.TX_SIZE, true),
  };
  return { what: "transmit request", fields };
}

/** A slot of netfront's receive ring. */
export function netRxText(memory: Memory, at: number, kind: SlotKind): SlotText {
  const { view } = memory;
  const id = view.getUint16(at + net.RX_ID, true);
  if (kind === "request") return { what: "empty page", fields: { id, gref: view.getUint32(at + net.RX_GREF, true) } };
  const flags = view.getUint16(at + net.RX_RSP_FLAGS, true);
  const fields = {
    id,
    offset: view.getUint16(at + net.RX_RSP_OFFSET, true),
    flags: (flags & net.NETRXF_more_data) !== 0 ? "more_data" : flags,
    status: view.getInt16(at + net.RX_RSP_STATUS, true),
  };
  return { what: "filled page", fields };
}

/** A chain of a virtqueue, by its entry in the available ring or in the used ring. */
export function chainText(queue: Virtqueue, kind: SlotKind, index: number): SlotText {
  const { memory } = queue;
  if (kind === "response") {
    const at = queue.usedElement(index);
    const fields = { id: memory.view.getUint32(at, true), len: memory.view.getUint32(at + 4, true) };
    return { what: "used chain", fields };
  }
  const head = queue.availableHead(index);
  let at = queue.descriptors + head * DESCRIPTOR_BYTES;
  let table = queue.descriptors;
  const isIndirect = (descriptorFlags(memory, at) & VIRTQ_DESC_F_INDIRECT) !== 0;
  if (isIndirect) at = table = descriptorAddress(memory, at);
  const lengths: number[] = [];
  for (; lengths.length < CHAIN_LIMIT; at = table + descriptorNext(memory, at) * DESCRIPTOR_BYTES) {
    lengths.push(descriptorLength(memory, at));
    if ((descriptorFlags(memory, at) & VIRTQ_DESC_F_NEXT) === 0) break;
  }
  const fields = { head, table: isIndirect ? "indirect" : "direct", buffers: lengths.length, bytes: lengths.join("+") };
  return { what: "available chain", fields };
}

/** A descriptor of an e1000's ring. */
export function descriptorText(registers: RegisterFile, ring: "tx" | "rx", kind: SlotKind, slot: number): SlotText {
  const { memory } = registers;
  const isTx = ring === "tx";
  const size = registers.ringSize(isTx ? TDLEN : RDLEN);
  const at = registers.descriptor(isTx ? TDBAL : RDBAL, slot % size);
  const fields = { slot: slot % size, address: `0x${bufferOf(memory, at).toString(16)}`, length: lengthOf(memory, at) };
  if (kind === "response") {
    return { what: isTx ? "packet sent" : "packet received", fields: { ...fields, status: statusOf(memory, at) } };
  }
  return isTx
    ? { what: "transmit descriptor", fields: { ...fields, command: commandOf(memory, at) } }
    : { what: "receive buffer", fields: { slot: fields.slot, address: fields.address } };
}
