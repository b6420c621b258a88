import { assert } from "../base/assert.ts";
import { roundUp } from "../base/units.ts";
import type { Memory } from "../hw/memory.ts";
import { RingCounts } from "../metrics/ring_counts.ts";
import {
  DESCRIPTOR_BYTES,
  linkDescriptor,
  needsEvent,
  VIRTIO_F_INDIRECT_DESC,
  VIRTQ_AVAIL_F_NO_INTERRUPT,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_WRITE,
  VIRTQ_USED_F_NO_NOTIFY,
  Virtqueue,
  writeDescriptor,
} from "./virtqueue.ts";

const NONE = 0xffff;
// Here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const F_WRITE = VIRTQ_DESC_F_WRITE;
const F_INDIRECT = VIRTQ_DESC_F_INDIRECT;
const DESCRIPTOR_BITS = 4;

/** Instead of a head: the device published something impossible. */
export const USED_BROKEN = -1;
const BROKEN = USED_BROKEN;

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
  readonly #isIndirect: boolean;
  // What each head has in memory besides its descriptor, one behind another: its indirect table, and room for a header.
  readonly #places: number;
  readonly #placeBytes: number;
  readonly #tableBytes: number;
  readonly #free: Uint16Array; // next free descriptor, a list
  readonly #lengths: Uint16Array; // descriptors of the chain that a head names, 0 when it is not outstanding
  #freeHead = 0;
  #freeCount: number;
  #availIdx = 0; // claimed by this side, published up to queue.availableIdx
  #lastUsed = 0; // taken by this side

  // The chain that is being put together.
  #head = NONE;
  #count = 0;
  #table = 0; // where its head's place begins, with the indirect table if it has one
  #last = 0; // address of its last descriptor so far, and that one's flags
  #lastFlags = 0;

  /**
   * With `headerBytes` each chain has memory of its own for what goes before a packet: see {@link header}. It lies beside
   * the indirect table, so that both are one line of the cache: a whole queue of others comes before they are wanted again.
   */
  constructor(queue: Virtqueue, chainLimit: number, headerBytes = 0) {
    this.queue = queue;
    this.#memory = queue.memory;
    this.chainLimit = chainLimit;
    const { size } = queue;
    this.#isIndirect = queue.has(VIRTIO_F_INDIRECT_DESC) && chainLimit > 1;
    this.#tableBytes = this.#isIndirect ? chainLimit * DESCRIPTOR_BYTES : 0;
    this.#placeBytes = roundUp(this.#tableBytes + headerBytes, DESCRIPTOR_BYTES);
    this.#places = this.#placeBytes > 0 ? queue.memory.alloc(size * this.#placeBytes) : 0;
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
    return this.#freeCount >= (this.#isIndirect ? 1 : buffers);
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
    const head = this.#takeFree();
    this.#count = 0;
    this.#head = head;
    this.#table = this.#places + Math.imul(head, this.#placeBytes);
    return head;
  }

  /** Where the chain that is being put together has room for a header. */
  get header(): number {
    return this.#table + this.#tableBytes;
  }

  /** Adds a buffer. What the device reads comes before what it writes (2.6.4.2). */
  add(address: number, length: number, deviceWrites: boolean): void {
    const count = this.#count;
    assert(count < this.chainLimit, "virtqueue: a chain has more buffers than its limit");
    let descriptor = count;
    let at = this.#table + (count << DESCRIPTOR_BITS);
    if (!this.#isIndirect) {
      descriptor = count === 0 ? this.#head : this.#takeFree();
      at = this.#at(descriptor);
    }
    if (count > 0) linkDescriptor(this.#memory, this.#last, this.#lastFlags, descriptor);
    const flags = deviceWrites ? F_WRITE : 0;
    writeDescriptor(this.#memory, at, address, length, flags, 0);
    this.#last = at;
    this.#lastFlags = flags;
    this.#count = count + 1;
  }

  /** Ends the chain and puts it in the available ring, not yet published. */
  finish(): void {
    assert(this.#count > 0, "virtqueue: a chain has at least one buffer");
    const head = this.#head;
    this.#head = NONE;
    if (this.#isIndirect) {
      // 2.6.5.3.1: an indirect descriptor has no NEXT flag.
      const bytes = this.#count << DESCRIPTOR_BITS;
      writeDescriptor(this.#memory, this.#at(head), this.#table, bytes, F_INDIRECT, 0);
      this.#lengths[head] = 1;
    } else {
      this.#lengths[head] = this.#count;
    }
    this.queue.setAvailableHead(this.#availIdx, head);
    this.#availIdx = (this.#availIdx + 1) & 0xffff;
  }

  /**
   * {@link begin}, {@link add} and {@link finish} for one buffer that the device writes, and returns its head: what fills
   * a receive queue, again and again, whose chains have no other buffer ({@link chainLimit}).
   */
  supply(address: number, length: number): number {
    const head = this.#takeFree();
    writeDescriptor(this.#memory, this.#at(head), address, length, F_WRITE, 0);
    this.#lengths[head] = 1;
    this.queue.setAvailableHead(this.#availIdx, head);
    this.#availIdx = (this.#availIdx + 1) & 0xffff;
    return head;
  }

  /** Supplies a buffer of the same length with a descriptor of {@link takeToSupply}, of which nothing else changes. */
  supplyAgain(head: number, address: number): void {
    const { queue } = this;
    const { view } = this.#memory;
    const at = this.#at(head);
    view.setUint32(at, address >>> 0, true);
    view.setUint32(at + 4, (address / 2 ** 32) >>> 0, true);
    this.#lengths[head] = 1;
    view.setUint16(queue.availableEntry(this.#availIdx), head, true);
    this.#availIdx = (this.#availIdx + 1) & 0xffff;
  }

  /**
   * Publishes chains up to index `to` (2.6.13.3); true when the device wants to be kicked for one of them. To be called
   * from a posted handler, or where the clock is not ahead.
   */
  publish(to: number): boolean {
    const { queue } = this;
    const old = queue.availableIdx;
    const step = (to - old) & 0xffff;
    if (step === 0 || step > queue.size) return false; // a later publishing has taken these along
    queue.availableIdx = to;
    const notifies = queue.hasEventIndex
      ? needsEvent(queue.availEvent, to, old) // 2.6.10.2
      : (queue.usedFlags & VIRTQ_USED_F_NO_NOTIFY) === 0;
    this.pushes.note(step, queue.published, notifies);
    if (queue.watch !== null) queue.watch.published("request", old, to, notifies);
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
    const head = this.#next();
    if (head !== BROKEN) this.#giveBack(head);
    return head;
  }

  /** The same of a chain of {@link supply}'s, which keeps its descriptor: {@link supplyAgain} is called with it soon. */
  takeToSupply(): number {
    const head = this.#next();
    if (head !== BROKEN) this.#lengths[head] = 0;
    return head;
  }

  #next(): number {
    const { queue } = this;
    const last = this.#lastUsed;
    const { usedIdx } = queue;
    if (((usedIdx - last) & 0xffff) > ((this.#availIdx - last) & 0xffff)) {
      this.broken++;
      this.#lastUsed = usedIdx;
      return BROKEN;
    }
    const at = queue.usedElement(last);
    if (queue.watch !== null) queue.watch.taken("response", last);
    this.#lastUsed = (last + 1) & 0xffff;
    const { view } = this.#memory;
    const head = view.getUint32(at, true);
    this.writtenBytes = view.getUint32(at + 4, true);
    if (head >= queue.size || this.#lengths[head] === 0) {
      this.broken++;
      return BROKEN;
    }
    return head;
  }

  /** Asks for no interrupts while the driver polls. With event indexes the old one simply stays behind (2.6.7.1). */
  disableInterrupts(): void {
    if (!this.queue.hasEventIndex) this.queue.availableFlags = VIRTQ_AVAIL_F_NO_INTERRUPT;
  }

  /** Asks for an interrupt for the next used chain; true when one has come in between. */
  enableInterrupts(): boolean {
    this.queue.availableFlags = 0;
    if (this.queue.hasEventIndex) this.queue.usedEvent = this.#lastUsed;
    return this.waiting > 0;
  }

  /** Asks for an interrupt when the chain of this available index comes back, where the device uses chains in order. */
  interruptAfter(index: number): void {
    this.queue.availableFlags = 0;
    if (this.queue.hasEventIndex) this.queue.usedEvent = index;
  }

  /** Asks for an interrupt when three quarters of what is outstanding have come back (virtqueue_enable_cb_delayed). */
  interruptDelayed(): void {
    this.interruptAfter((this.#lastUsed + Math.floor((this.outstanding * 3) / 4)) & 0xffff);
  }

  // ---- inside

  #at(descriptor: number): number {
    return this.queue.descriptors + (descriptor << DESCRIPTOR_BITS);
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
    const { view } = this.#memory;
    let left = this.#lengths[head];
    this.#freeCount += left;
    let descriptor = head;
    for (;;) {
      this.#free[descriptor] = this.#freeHead;
      this.#freeHead = descriptor;
      if (--left === 0) break; // nearly always at once: only a chain without a table of its own has more
      descriptor = view.getUint16(this.#at(descriptor) + 14, true);
    }
    this.#lengths[head] = 0;
  }
}
