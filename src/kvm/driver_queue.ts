import { assert } from "../base/assert.ts";
import type { Memory } from "../hw/memory.ts";
import { RingCounts } from "../metrics/ring_counts.ts";
import {
  DESCRIPTOR_BYTES,
  needsEvent,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTQ_AVAIL_F_NO_INTERRUPT,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
  VIRTQ_DESC_F_WRITE,
  VIRTQ_USED_F_NO_NOTIFY,
  Virtqueue,
  writeDescriptor,
} from "./virtqueue.ts";

const NONE = 0xffff;

/** Instead of a head: the device published something impossible. */
export const USED_BROKEN = -1;

/**
 * The guest's side of a virtqueue (virtio_ring.c). A chain is put together with {@link begin}, {@link add} and
 * {@link finish}, becomes visible with {@link publish}, and comes back through {@link take}. With indirect descriptors a
 * chain of several buffers takes one entry of the table.
 */
export class DriverQueue {
  readonly queue: Virtqueue;
  /** What this side has published, and when the device wanted to be told. */
  readonly pushes = new RingCounts();
  /** Most buffers of a chain. */
  readonly chainLimit: number;
  /** Used elements that named a chain which was not outstanding, and used indexes that ran ahead of the available one. */
  broken = 0;
  /** Bytes that the device has written into the chain taken last. */
  writtenBytes = 0;

  readonly #memory: Memory;
  readonly #indirectTables: number;
  readonly #free: Uint16Array; // next free descriptor, a list
  readonly #lengths: Uint16Array; // descriptors of the chain that a head names, 0 when it is not outstanding
  #freeHead = 0;
  #freeCount: number;
  #availIdx = 0; // claimed by this side, published up to queue.availableIdx
  #lastUsed = 0; // taken by this side

  // The chain that is being put together.
  #head = NONE;
  #last = NONE;
  #count = 0;
  #table = 0;

  constructor(queue: Virtqueue, chainLimit: number) {
    this.queue = queue;
    this.#memory = queue.memory;
    this.chainLimit = chainLimit;
    const { size } = queue;
    const isIndirect = queue.has(VIRTIO_F_INDIRECT_DESC) && chainLimit > 1;
    this.#indirectTables = isIndirect ? queue.memory.alloc(size * chainLimit * DESCRIPTOR_BYTES) : 0;
    this.#free = new Uint16Array(size);
    for (let i = 0; i < size; i++) this.#free[i] = i + 1 < size ? i + 1 : NONE;
    this.#lengths = new Uint16Array(size);
    this.#freeCount = size;
  }

  /** Free entries of the descriptor table. */
  get freeDescriptors(): number {
    return this.#freeCount;
  }

  /** Whether a chain of `buffers` fits now. */
  hasRoom(buffers: number): boolean {
    return this.#freeCount >= (this.#indirectTables !== 0 ? 1 : buffers);
  }

  /** Chains that the device has and has not given back. */
  get outstanding(): number {
    return (this.#availIdx - this.#lastUsed) & 0xffff;
  }

  /** The free-running index that the next chain will have in the available ring. */
  get nextIndex(): number {
    return this.#availIdx;
  }

  // ---- supplying buffers (2.6.13)

  /** Starts a chain and returns its head; the caller has asked {@link hasRoom}. */
  begin(): number {
    assert(this.#head === NONE, "virtqueue: a chain is under way already");
    this.#count = 0;
    this.#last = NONE;
    this.#head = this.#takeFree();
    this.#table = this.#indirectTables + this.#head * this.chainLimit * DESCRIPTOR_BYTES;
    return this.#head;
  }

  /** Adds a buffer. What the device reads comes before what it writes (2.6.4.2). */
  add(address: number, length: number, deviceWrites: boolean): void {
    assert(this.#count < this.chainLimit, "virtqueue: a chain has more buffers than its limit");
    const flags = deviceWrites ? VIRTQ_DESC_F_WRITE : 0;
    if (this.#indirectTables !== 0) {
      const at = this.#table + this.#count * DESCRIPTOR_BYTES;
      writeDescriptor(this.#memory, at, address, length, flags, 0);
      if (this.#count > 0) this.#link(at - DESCRIPTOR_BYTES, this.#count);
    } else {
      const descriptor = this.#count === 0 ? this.#head : this.#takeFree();
      writeDescriptor(this.#memory, this.#at(descriptor), address, length, flags, 0);
      if (this.#last !== NONE) this.#link(this.#at(this.#last), descriptor);
      this.#last = descriptor;
    }
    this.#count++;
  }

  /** Ends the chain and puts it in the available ring, not yet published. */
  finish(): void {
    assert(this.#count > 0, "virtqueue: a chain has at least one buffer");
    const head = this.#head;
    this.#head = NONE;
    if (this.#indirectTables !== 0) {
      // 2.6.5.3.1: an indirect descriptor has no NEXT flag.
      const bytes = this.#count * DESCRIPTOR_BYTES;
      writeDescriptor(this.#memory, this.#at(head), this.#table, bytes, VIRTQ_DESC_F_INDIRECT, 0);
      this.#lengths[head] = 1;
    } else {
      this.#lengths[head] = this.#count;
    }
    this.queue.setAvailableHead(this.#availIdx, head);
    this.#availIdx = (this.#availIdx + 1) & 0xffff;
  }

  /**
   * Publishes chains up to index `to` (2.6.13.3); true when the device wants to be kicked for one of them. To be called
   * from a posted handler, or where the clock is not ahead.
   */
  publish(to: number): boolean {
    const old = this.queue.availableIdx;
    const step = (to - old) & 0xffff;
    if (step === 0 || step > this.queue.size) return false; // a later publishing has taken these along
    this.queue.availableIdx = to;
    const notifies = this.queue.has(VIRTIO_F_EVENT_IDX)
      ? needsEvent(this.queue.availEvent, to, old) // 2.6.10.2
      : (this.queue.usedFlags & VIRTQ_USED_F_NO_NOTIFY) === 0;
    this.pushes.note(step, this.queue.published, notifies);
    return notifies;
  }

  // ---- taking used buffers (2.6.14)

  /** Used chains that wait. */
  get waiting(): number {
    return (this.queue.usedIdx - this.#lastUsed) & 0xffff;
  }

  /** The ring slot of the used element that {@link take} will return: for what is kept beside the ring. */
  get nextUsedSlot(): number {
    return this.queue.slot(this.#lastUsed);
  }

  /** Takes the next used chain, frees its descriptors and returns its head; {@link USED_BROKEN} for an impossible one. */
  take(): number {
    if (this.waiting > this.outstanding) {
      this.broken++;
      this.#lastUsed = this.queue.usedIdx;
      return USED_BROKEN;
    }
    const at = this.queue.usedElement(this.#lastUsed);
    this.#lastUsed = (this.#lastUsed + 1) & 0xffff;
    const head = this.#memory.view.getUint32(at, true);
    this.writtenBytes = this.#memory.view.getUint32(at + 4, true);
    if (head >= this.queue.size || this.#lengths[head] === 0) {
      this.broken++;
      return USED_BROKEN;
    }
    this.#giveBack(head);
    return head;
  }

  /** Asks for no interrupts while the driver polls. With event indexes the old one simply stays behind (2.6.7.1). */
  disableInterrupts(): void {
    if (!this.queue.has(VIRTIO_F_EVENT_IDX)) this.queue.availableFlags = VIRTQ_AVAIL_F_NO_INTERRUPT;
  }

  /** Asks for an interrupt for the next used chain; true when one has come in between. */
  enableInterrupts(): boolean {
    this.queue.availableFlags = 0;
    if (this.queue.has(VIRTIO_F_EVENT_IDX)) this.queue.usedEvent = this.#lastUsed;
    return this.waiting > 0;
  }

  /** Asks for an interrupt when the chain of this available index comes back, where the device uses chains in order. */
  interruptAfter(index: number): void {
    this.queue.availableFlags = 0;
    if (this.queue.has(VIRTIO_F_EVENT_IDX)) this.queue.usedEvent = index;
  }

  /** Asks for an interrupt when three quarters of what is outstanding have come back (virtqueue_enable_cb_delayed). */
  interruptDelayed(): void {
    this.interruptAfter((this.#lastUsed + Math.floor((this.outstanding * 3) / 4)) & 0xffff);
  }

  // ---- inside

  #at(descriptor: number): number {
    return this.queue.descriptors + descriptor * DESCRIPTOR_BYTES;
  }

  #link(at: number, next: number): void {
    const { view } = this.#memory;
    view.setUint16(at + 12, view.getUint16(at + 12, true) | VIRTQ_DESC_F_NEXT, true);
    view.setUint16(at + 14, next, true);
  }

  #takeFree(): number {
    const descriptor = this.#freeHead;
    assert(descriptor !== NONE, "virtqueue: a descriptor was taken from an empty table");
    this.#freeHead = this.#free[descriptor];
    this.#freeCount--;
    return descriptor;
  }

  /** Frees the descriptors of a chain. Its links are read from the table that this side wrote. */
  #giveBack(head: number): void {
    let descriptor = head;
    for (let left = this.#lengths[head]; left > 0; left--) {
      const next = this.#memory.view.getUint16(this.#at(descriptor) + 14, true);
      this.#free[descriptor] = this.#freeHead;
      this.#freeHead = descriptor;
      this.#freeCount++;
      descriptor = next;
    }
    this.#lengths[head] = 0;
  }
}
