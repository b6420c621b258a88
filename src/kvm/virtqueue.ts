import { assert } from "../base/assert.ts";
import { PAGE_SIZE, roundUp } from "../base/units.ts";
import type { Memory } from "../hw/memory.ts";
import type { SlotWatch, TraceCounter } from "../sim/trace.ts";

/*
 * A split virtqueue (VIRTIO 1.1, 2.6) in guest memory, all fields little-endian:
 *
 *   descriptor table   size x { addr u64, len u32, flags u16, next u16 }              written by the driver (2.6.5)
 *   available ring     flags u16, idx u16, size x { head u16 }, used_event u16        written by the driver (2.6.6)
 *   used ring          flags u16, idx u16, size x { id u32, len u32 }, avail_event u16 written by the device (2.6.8)
 *
 * Indexes count up freely and wrap at 65536. A chain of buffers is named by the number of its first descriptor. The
 * driver's side is DriverQueue, the device's DeviceQueue; this file is what both know.
 *
 * When code runs inside a burst, its clock is ahead of the world's: publishing an index has to be posted for the
 * instant that the burst has reached, and whether to notify is decided there, with the event index as it is then.
 */

export const DESCRIPTOR_BYTES = 16;
const DESC_LEN = 8;
const DESC_FLAGS = 12;
const DESC_NEXT = 14;

/** The chain goes on at `next`. */
export const VIRTQ_DESC_F_NEXT = 1;
const F_NEXT = VIRTQ_DESC_F_NEXT; // exported ones cost a load and a check each time
/** The device writes this buffer; otherwise it reads it. */
export const VIRTQ_DESC_F_WRITE = 2;
/** The buffer is a table of descriptors. */
export const VIRTQ_DESC_F_INDIRECT = 4;

/** Feature bits (VIRTIO 1.1, 6 and 5.1.3). */
export const VIRTIO_NET_F_MRG_RXBUF = 2 ** 15;
export const VIRTIO_F_INDIRECT_DESC = 2 ** 28;
export const VIRTIO_F_EVENT_IDX = 2 ** 29;

/** Without VIRTIO_F_EVENT_IDX: the driver asks for no interrupts, the device for no kicks (2.6.7, 2.6.10). */
export const VIRTQ_AVAIL_F_NO_INTERRUPT = 1;
export const VIRTQ_USED_F_NO_NOTIFY = 1;

const RING_FLAGS = 0;
const RING_IDX = 2;
const RING_ENTRIES = 4;
const USED_ELEMENT_BITS = 3;
const USED_ELEMENT_BYTES = 1 << USED_ELEMENT_BITS;

/** The pieces of guest memory that a device may reach, as vhost's memory table lists them. */
export interface MemoryTable {
  /** Whether the bytes [address, address + length) lie in one of the guest's regions. */
  holds(address: number, length: number): boolean;
}

/** The first page is nobody's. */
const LOWEST = PAGE_SIZE;

/** Guest memory as one region: whatever has been allocated so far. */
export class WholeMemory implements MemoryTable {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  holds(address: number, length: number): boolean {
    return address >= LOWEST && address + length <= this.#memory.usedBytes;
  }
}

/** Where the three parts of a queue lie, and access to their fields. */
export class Virtqueue {
  readonly memory: Memory;
  /** Entries, a power of two (2.6: at most 32768). */
  readonly size: number;
  readonly features: number;
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  /** With VIRTIO_F_EVENT_IDX: each side says by an index when it wants to be told. */
  readonly hasEventIndex: boolean;
  /** Chains that the device has. Null when nobody looks. */
  trace: TraceCounter | null = null;
  /** Every chain that either side publishes or takes. Null when nobody looks. */
  watch: SlotWatch | null = null;
  // Places that every chain leads to, worked out once.
  readonly #mask: number;
  readonly #heads: number;
  readonly #elements: number;
  readonly #usedEvent: number;
  readonly #availEvent: number;

  /** Takes zeroed guest memory for the queue: alignments of 2.6 are 16, 2 and 4. */
  constructor(memory: Memory, size: number, features: number) {
    assert(size > 0 && size <= 32768 && (size & (size - 1)) === 0, "virtqueue: the size is a power of two");
    this.memory = memory;
    this.size = size;
    this.features = features;
    const ringBytes = roundUp(RING_ENTRIES + 2 * size + 2, 16);
    this.descriptors = memory.alloc(size * DESCRIPTOR_BYTES + ringBytes + RING_ENTRIES + USED_ELEMENT_BYTES * size + 2);
    this.available = this.descriptors + size * DESCRIPTOR_BYTES;
    this.used = this.available + ringBytes;
    this.hasEventIndex = this.has(VIRTIO_F_EVENT_IDX);
    this.#mask = size - 1;
    this.#heads = this.available + RING_ENTRIES;
    this.#elements = this.used + RING_ENTRIES;
    this.#usedEvent = this.#heads + 2 * size;
    this.#availEvent = this.#elements + USED_ELEMENT_BYTES * size;
  }

  has(feature: number): boolean {
    return (this.features & feature) !== 0;
  }

  // ---- available ring

  get availableIdx(): number {
    return this.memory.view.getUint16(this.available + RING_IDX, true);
  }

  set availableIdx(value: number) {
    this.memory.view.setUint16(this.available + RING_IDX, value, true);
    if (this.trace !== null) this.trace.set(this.published);
  }

  get availableFlags(): number {
    return this.memory.view.getUint16(this.available + RING_FLAGS, true);
  }

  set availableFlags(value: number) {
    this.memory.view.setUint16(this.available + RING_FLAGS, value, true);
  }

  availableHead(index: number): number {
    return this.memory.view.getUint16(this.availableEntry(index), true);
  }

  setAvailableHead(index: number, head: number): void {
    this.memory.view.setUint16(this.availableEntry(index), head, true);
  }

  /** Address of the entry that an index stands for: the chain's head. */
  availableEntry(index: number): number {
    return this.#heads + ((index & this.#mask) << 1);
  }

  /** The driver wants an interrupt once the used ring has passed this index. */
  get usedEvent(): number {
    return this.memory.view.getUint16(this.#usedEvent, true);
  }

  set usedEvent(value: number) {
    this.memory.view.setUint16(this.#usedEvent, value, true);
  }

  // ---- used ring

  get usedIdx(): number {
    return this.memory.view.getUint16(this.used + RING_IDX, true);
  }

  set usedIdx(value: number) {
    this.memory.view.setUint16(this.used + RING_IDX, value, true);
    if (this.trace !== null) this.trace.set(this.published);
  }

  /** Chains that the driver has published and the device has not given back: what the rings say. */
  get published(): number {
    return (this.availableIdx - this.usedIdx) & 0xffff;
  }

  get usedFlags(): number {
    return this.memory.view.getUint16(this.used + RING_FLAGS, true);
  }

  set usedFlags(value: number) {
    this.memory.view.setUint16(this.used + RING_FLAGS, value, true);
  }

  /** Address of the used element that an index stands for: the chain's head, then the bytes written into it. */
  usedElement(index: number): number {
    return this.#elements + ((index & this.#mask) << USED_ELEMENT_BITS);
  }

  /** The device wants a kick once the available ring has passed this index. */
  get availEvent(): number {
    return this.memory.view.getUint16(this.#availEvent, true);
  }

  set availEvent(value: number) {
    this.memory.view.setUint16(this.#availEvent, value, true);
  }

  /** The ring slot that a free-running index stands for. */
  slot(index: number): number {
    return index & this.#mask;
  }
}

/** Writes a descriptor. Addresses are below 2^53; the upper word is written all the same. */
export function writeDescriptor(
  memory: Memory,
  at: number,
  address: number,
  length: number,
  flags: number,
  next: number,
): void {
  const { view } = memory;
  view.setUint32(at, address >>> 0, true);
  view.setUint32(at + 4, (address / 2 ** 32) >>> 0, true);
  view.setUint32(at + DESC_LEN, length, true);
  view.setUint32(at + DESC_FLAGS, flags | (next << 16), true); // both fields as one word
}

/** Lets a chain go on from a descriptor, whose flags are these, at `next`. */
export function linkDescriptor(memory: Memory, at: number, flags: number, next: number): void {
  memory.view.setUint32(at + DESC_FLAGS, flags | F_NEXT | (next << 16), true);
}

export function descriptorAddress(memory: Memory, at: number): number {
  return memory.view.getUint32(at, true) + memory.view.getUint32(at + 4, true) * 2 ** 32;
}

export function descriptorLength(memory: Memory, at: number): number {
  return memory.view.getUint32(at + DESC_LEN, true);
}

export function descriptorFlags(memory: Memory, at: number): number {
  return memory.view.getUint16(at + DESC_FLAGS, true);
}

export function descriptorNext(memory: Memory, at: number): number {
  return memory.view.getUint16(at + DESC_NEXT, true);
}

/** Whether an index has passed `event` in going from `old` to `now` (vring_need_event; 2.6.7.2, 2.6.10.2). */
export function needsEvent(event: number, now: number, old: number): boolean {
  return ((now - event - 1) & 0xffff) < ((now - old) & 0xffff);
}
