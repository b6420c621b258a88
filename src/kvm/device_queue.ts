import type { Memory } from "../hw/memory.ts";
import { RingCounts } from "../metrics/ring_counts.ts";
import {
  type MemoryTable,
  needsEvent,
  VIRTIO_F_INDIRECT_DESC,
  VIRTQ_AVAIL_F_NO_INTERRUPT,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
  VIRTQ_DESC_F_WRITE,
  VIRTQ_USED_F_NO_NOTIFY,
  Virtqueue,
} from "./virtqueue.ts";

/** What became of looking for a chain. */
export const CHAIN_OK = 0;
/** The available ring is empty. */
export const CHAIN_NONE = 1;
/** The driver has published more chains than the queue holds, or a head beyond the table. */
export const CHAIN_BAD_HEAD = 2;
/** A `next` beyond its table, or more descriptors than there are: a loop. */
export const CHAIN_LOOP = 3;
/** A buffer outside the guest's memory. */
export const CHAIN_BAD_ADDRESS = 4;
/** A buffer of length zero, or an indirect table of a wrong length, or one within another. */
export const CHAIN_BAD_INDIRECT = 5;
/** A buffer that the device reads behind one that it writes. */
export const CHAIN_BAD_ORDER = 6;

const CHAIN_STATUSES = ["ok", "none", "bad head", "loop", "bad address", "bad indirect", "bad order"] as const;

/** Instead of an address: see {@link DeviceQueue.fillStretch}. */
export const NO_STRETCH = -1;
/** Buffers of fewer bytes are looked at one by one: some of a packet must not be divided. */
const SHORT = 64;

const MOST_BUFFERS = 1024;
// Here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const OK: number = CHAIN_OK;
const NONE = CHAIN_NONE;
const BAD_HEAD: number = CHAIN_BAD_HEAD;
const F_NEXT = VIRTQ_DESC_F_NEXT;
const F_WRITE = VIRTQ_DESC_F_WRITE;
const F_INDIRECT = VIRTQ_DESC_F_INDIRECT;
const DESCRIPTOR_BITS = 4;
const NO_HEAD = 0xffff;
const NO_STATUSES: readonly number[] = [];
// One place for all queues, since what was taken is used up before anything else is: those of a queue of its own would
// have left the cache whenever its guest's turn comes.
const ADDRESSES = new Float64Array(MOST_BUFFERS);
const LENGTHS = new Uint32Array(MOST_BUFFERS);

/**
 * The device's side of a virtqueue (vhost.c, vhost_get_vq_desc). Nothing that the driver wrote is believed: whatever is
 * wrong with a chain is a status and a counter, and the chain is given back unused.
 */
export class DeviceQueue {
  readonly queue: Virtqueue;
  /** What this side has published, and when the driver wanted to be told. */
  readonly pushes = new RingCounts();
  /** Times that a chain had each status. */
  readonly counts: number[] = CHAIN_STATUSES.map(() => 0);

  // The chain taken last.
  /** Its head; beyond the table when it has none that could be given back. */
  head = NO_HEAD;
  /** It is no chain: the driver's index is impossible, and there is nothing to be given or put back. */
  isLost = false;
  /** Buffers of the chain, none when it is not OK; those that the device reads come first. */
  buffers = 0;
  /** Buffers that the device reads. */
  readable = 0;
  /** Where they are and how long, until another chain is taken, of whichever queue. */
  readonly addresses: Float64Array = ADDRESSES;
  readonly lengths: Uint32Array = LENGTHS;
  /** Chains that were filled together last. */
  filled = 0;

  readonly #memory: Memory;
  readonly #table: MemoryTable;
  #lastAvail = 0;
  #usedIdx = 0; // written by this side
  #publishedIdx = 0; // up to where: the guest may write what queue.usedIdx reads

  constructor(queue: Virtqueue, table: MemoryTable) {
    this.queue = queue;
    this.#memory = queue.memory;
    this.#table = table;
  }

  /** Chains that wait; more than the queue holds when the driver's index is impossible. */
  get waiting(): number {
    return (this.queue.availableIdx - this.#lastAvail) & 0xffff;
  }

  /** Chains that the driver has got wrong, over all statuses. */
  get errors(): number {
    let sum = 0;
    for (let status = CHAIN_BAD_HEAD; status < this.counts.length; status++) sum += this.counts[status];
    return sum;
  }

  /** The free-running index that the next used chain will have. */
  get nextIndex(): number {
    return this.#usedIdx;
  }

  /**
   * Takes the next chain apart into {@link addresses} and {@link lengths}. A chain whose status is not OK has to be
   * given back with {@link giveBack} all the same, unless its head itself is wrong.
   */
  take(): number {
    const { queue } = this;
    const { size } = queue;
    const next = this.#lastAvail;
    const waiting = (queue.availableIdx - next) & 0xffff;
    if (waiting === 0) return NONE;
    this.buffers = 0;
    this.readable = 0;
    let status = BAD_HEAD;
    if (waiting > size) {
      this.isLost = true;
      this.head = NO_HEAD;
      this.#lastAvail = queue.availableIdx; // nothing between is trustworthy
    } else {
      this.isLost = false;
      const head = queue.availableHead(next);
      this.head = head;
      if (queue.watch !== null) queue.watch.taken("request", next);
      this.#lastAvail = (next + 1) & 0xffff;
      if (head < size) status = this.#walk(queue.descriptors, size, head);
    }
    this.counts[status]++;
    return status;
  }

  /**
   * Puts the chains back that {@link take} gave last, and what was noted as used from index `used` on: they are not used
   * now (vhost_discard_vq_desc). They will be counted when they are taken again; `bad` are the statuses that were not OK.
   */
  undo(chains = 1, used: number = this.#usedIdx, bad: readonly number[] = NO_STATUSES): void {
    this.counts[CHAIN_OK] -= chains - bad.length;
    for (const status of bad) this.counts[status]--;
    this.#lastAvail = (this.#lastAvail - chains) & 0xffff;
    this.#usedIdx = used;
  }

  /**
   * Takes the next chains for `bytes` bytes and gives them back filled, if each is a single buffer that the device writes
   * and they lie one behind another, as the pages of a driver that fills a receive queue do: all at once, where each would
   * take what {@link take} takes. Returns where they begin, and in {@link filled} how many; {@link NO_STRETCH}, and no
   * change, if there is anything else about them.
   */
  fillStretch(bytes: number): number {
    const { queue } = this;
    const { view } = this.#memory;
    const { size, descriptors } = queue;
    const next = this.#lastAvail;
    const waiting = (queue.availableIdx - next) & 0xffff;
    if (waiting > size || queue.watch !== null) return NO_STRETCH;
    let begin = 0;
    let end = 0;
    let left = bytes;
    let chains = 0;
    for (; left > 0; chains = (chains + 1) | 0) {
      if (chains === waiting) return NO_STRETCH;
      const head = queue.availableHead(next + chains);
      if (head >= size) return NO_STRETCH;
      const at = descriptors + (head << DESCRIPTOR_BITS);
      const address = view.getUint32(at, true);
      const length = view.getUint32(at + 8, true);
      if (view.getUint32(at + 4, true) !== 0 || view.getUint32(at + 12, true) !== F_WRITE) return NO_STRETCH;
      if (length < SHORT) return NO_STRETCH;
      if (chains === 0) begin = address;
      else if (address !== end) return NO_STRETCH;
      end = address + length;
      this.#note(this.#usedIdx + chains, head, length < left ? length : left); // not yet to be seen
      left -= length;
    }
    if (!this.#table.holds(begin, end - begin)) return NO_STRETCH;
    this.filled = chains;
    this.counts[OK] += chains;
    this.#lastAvail = (next + chains) & 0xffff;
    this.#usedIdx = (this.#usedIdx + chains) & 0xffff;
    return begin;
  }

  /** Notes a used chain with the bytes written into it, not yet published. One without a head is ignored. */
  giveBack(head: number, written: number): void {
    if (head >= this.queue.size) return;
    this.#note(this.#usedIdx, head, written);
    this.#usedIdx = (this.#usedIdx + 1) & 0xffff;
  }

  #note(index: number, head: number, written: number): void {
    const { view } = this.#memory;
    const at = this.queue.usedElement(index);
    view.setUint32(at, head, true);
    view.setUint32(at + 4, written, true);
  }

  /** Publishes used chains up to index `to`; true when the driver wants an interrupt for one of them (2.6.7.2). */
  publish(to: number): boolean {
    const { queue } = this;
    const old = this.#publishedIdx;
    const step = (to - old) & 0xffff;
    if (step === 0 || step > queue.size) return false;
    this.#publishedIdx = to;
    queue.usedIdx = to;
    const notifies = queue.hasEventIndex
      ? needsEvent(queue.usedEvent, to, old)
      : (queue.availableFlags & VIRTQ_AVAIL_F_NO_INTERRUPT) === 0;
    this.pushes.note(step, queue.published, notifies);
    if (queue.watch !== null) queue.watch.published("response", old, to, notifies);
    return notifies;
  }

  /** Asks for no kicks while the device works. With event indexes the old one simply stays behind (2.6.10.1). */
  disableKicks(): void {
    if (!this.queue.hasEventIndex) this.queue.usedFlags = VIRTQ_USED_F_NO_NOTIFY;
  }

  /** Asks for a kick for the next chain beyond those that the driver has published; true when any of these wait. */
  enableKicks(): boolean {
    this.queue.usedFlags = 0;
    if (this.queue.hasEventIndex) this.queue.availEvent = this.queue.availableIdx;
    return this.waiting > 0;
  }

  // ---- taking a chain apart

  /**
   * Follows a chain from descriptor `index` on, through a table of `size` descriptors and, where that says so, through an
   * indirect one.
   */
  #walk(table: number, size: number, index: number): number {
    const { view } = this.#memory;
    let isIndirect = false;
    let seen = 0;
    let buffers = 0;
    let readable = 0;
    for (;;) {
      if (index >= size || seen >= size || buffers >= MOST_BUFFERS) return CHAIN_LOOP;
      const at = table + (index << DESCRIPTOR_BITS);
      let address = view.getUint32(at, true);
      const upper = view.getUint32(at + 4, true);
      if (upper !== 0) address += upper * 2 ** 32; // nearly never
      const length = view.getUint32(at + 8, true);
      const flags = view.getUint32(at + 12, true); // its upper half is `next`
      if ((flags & F_INDIRECT) !== 0) {
        // 2.6.5.3.1: no table within a table, and no NEXT beside INDIRECT.
        if (isIndirect || (flags & F_NEXT) !== 0) return CHAIN_BAD_INDIRECT;
        if (!this.queue.has(VIRTIO_F_INDIRECT_DESC)) return CHAIN_BAD_INDIRECT;
        if (length === 0 || (length & ((1 << DESCRIPTOR_BITS) - 1)) !== 0) return CHAIN_BAD_INDIRECT;
        if (!this.#table.holds(address, length)) return CHAIN_BAD_ADDRESS;
        isIndirect = true;
        table = address;
        size = length >>> DESCRIPTOR_BITS;
        index = seen = 0;
        continue;
      }
      if (length === 0) return CHAIN_BAD_INDIRECT;
      if (!this.#table.holds(address, length)) return CHAIN_BAD_ADDRESS;
      if ((flags & F_WRITE) === 0) {
        if (readable !== buffers) return CHAIN_BAD_ORDER; // 2.6.4.2
        readable = (readable + 1) | 0;
      }
      ADDRESSES[buffers] = address;
      LENGTHS[buffers] = length;
      buffers = (buffers + 1) | 0;
      if ((flags & F_NEXT) === 0) break;
      index = flags >>> 16;
      seen = (seen + 1) | 0;
    }
    this.buffers = buffers;
    this.readable = readable;
    return OK;
  }
}
