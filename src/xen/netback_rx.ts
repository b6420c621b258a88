import type { FramePool } from "../hw/frame.ts";
import { FrameQueue } from "../hw/frame_queue.ts";
import type { Processor } from "../hw/processor.ts";
import { BACKEND, KERNEL } from "../metrics/stage.ts";
import type { Domain } from "./domain.ts";
import {
  MAX_FRAME_BYTES,
  NETIF_RSP_ERROR,
  type NetJourneys,
  NETRXF_more_data,
  RX_GREF,
  RX_ID,
  RX_RSP_FLAGS,
  RX_RSP_ID,
  RX_SLOT_BYTES,
} from "./net_layout.ts";
import { BackRing } from "./shared_ring.ts";

// As constants of this file, which V8 folds. Two fields of a response are written at a time.
const PAGE_BITS = 12;
const PAGE_BYTES = 1 << PAGE_BITS;
const ID = RX_ID;
const GREF = RX_GREF;
const RSP_ID_AND_OFFSET = RX_RSP_ID;
const RSP_FLAGS_AND_STATUS = RX_RSP_FLAGS;
const MORE_DATA = NETRXF_more_data;
const RSP_ERROR = NETIF_RSP_ERROR;
const STAGE = BACKEND;
const CLASS = KERNEL;

/** Pages of the longest frame. */
const STAGING_PAGES = Math.ceil(MAX_FRAME_BYTES / PAGE_BYTES);
/** Frames that wait for the guest to post buffers (XENVIF_QUEUE_LENGTH, the interface's txqueuelen). */
export const VIF_QUEUE_LENGTH = 32;
/** Frames that wait for the thread at most: a minimum frame for every buffer, and the queue behind them. */
const QUEUE_LIMIT = 256 + VIF_QUEUE_LENGTH;

/** The receive half of netback (xen_netbk_rx_action): copies frames for the guest into the buffers that it has posted. */
export class NetbackRx {
  readonly ring: BackRing;
  readonly queue = new FrameQueue(QUEUE_LIMIT);
  readonly counters = {
    frames: 0,
    bytes: 0,
    slots: 0,
    /** No buffer was left for the frame and the interface's queue was full. */
    dropped: 0,
    /** Slots whose page could not be written: answered with an error. */
    badGrant: 0,
    /** Longer than a guest can take. */
    tooLong: 0,
  };
  readonly #dom0: Domain;
  readonly #guest: number;
  readonly #frames: FramePool;
  readonly #journeys: NetJourneys;
  /** Where the pages of the frame that is being delivered go. */
  readonly #targets: Float64Array = new Float64Array(STAGING_PAGES);
  /** Pages of dom0 that stand for those in which the NIC or another guest has left a frame. */
  readonly #staging: number;
  #slotsQueued = 0;

  /** `page` is where dom0 has mapped the ring. */
  constructor(dom0: Domain, guest: number, page: number, frames: FramePool, journeys: NetJourneys) {
    this.#dom0 = dom0;
    this.#guest = guest;
    this.#frames = frames;
    this.#journeys = journeys;
    this.ring = new BackRing(dom0.memory, page, RX_SLOT_BYTES);
    this.#staging = dom0.allocPacketPages(STAGING_PAGES);
  }

  /** A frame waits, and the guest has posted buffers for all of it. */
  get hasWork(): boolean {
    const frame = this.queue.first;
    return frame >= 0 && this.ring.unconsumedRequests() >= this.#slotsOf(frame);
  }

  /** Queues a frame for the thread; false when it was dropped. It is gone either way. */
  accept(frame: number): boolean {
    const slots = this.#slotsOf(frame);
    const hasRoom = !this.queue.isFull &&
      (this.#slotsQueued + slots <= this.ring.unconsumedRequests() || this.queue.count < VIF_QUEUE_LENGTH);
    const isTooLong = this.#frames.frameLength(frame) > MAX_FRAME_BYTES;
    if (hasRoom && !isTooLong) {
      this.queue.push(frame);
      this.#slotsQueued += slots;
      return true;
    }
    if (isTooLong) this.counters.tooLong++;
    else this.counters.dropped++;
    this.#frames.free(frame);
    return false;
  }

  /** Asks for an event when the guest has posted enough for the first frame; true when it has by now. */
  awaitBuffers(): boolean {
    const frame = this.queue.first;
    if (frame < 0) return false;
    const slots = this.#slotsOf(frame);
    return this.ring.askForRequests(slots) >= slots;
  }

  /** Message of the frame that is next. */
  get firstJourney(): number {
    const frame = this.queue.first;
    return frame < 0 ? -1 : this.#frames.journeyOf(frame);
  }

  /** Copies the next frame into the guest's buffers; the caller publishes. Its message is carried by `cpu`. */
  deliver(cpu: Processor): void {
    const frames = this.#frames;
    cpu.charge(STAGE, CLASS, this.#dom0.hypervisor.costs.netbackReceive);
    const frame = this.queue.shift();
    const length = frames.frameLength(frame);
    const slots = this.#slotsOf(frame);
    this.#slotsQueued = (this.#slotsQueued - slots) | 0;
    this.#journeys.rx[this.ring.slotNumber(this.ring.rspProdPvt)] = frames.takeJourney(frame);
    if (this.#answer(cpu, length, slots)) this.#move(frame, this.#targets[0]);
    else this.#moveByPage(frame, slots);
    frames.free(frame, cpu);
    const { counters } = this;
    counters.frames++;
    counters.bytes += length;
    counters.slots += slots;
  }

  /**
   * Takes a slot for each page of the frame, and answers it. Where the pages' bytes go is in `#targets` then, below zero
   * for a page that cannot be written; true when they follow one another.
   */
  #answer(cpu: Processor, length: number, slots: number): boolean {
    const { memory, mappings } = this.#dom0;
    const { view } = memory;
    const ring = this.ring;
    const targets = this.#targets;
    let next = -1;
    let isOneStretch = true;
    let n = 0;
    for (let left = length; n < slots; left = (left - PAGE_BYTES) | 0) {
      const slot = ring.takeRequestToAnswer();
      const id = view.getUint16(slot + ID, true);
      const ref = view.getInt32(slot + GREF, true);
      const bytes = left < PAGE_BYTES ? left : PAGE_BYTES;
      const target = mappings.copyPage(cpu, this.#guest, ref, bytes, false);
      targets[n] = target;
      if (target < 0 || (n > 0 && target !== next)) isOneStretch = false;
      next = target + PAGE_BYTES;
      const flags = left > PAGE_BYTES ? MORE_DATA : 0;
      view.setInt32(slot + RSP_ID_AND_OFFSET, id, true); // at offset 0
      view.setInt32(slot + RSP_FLAGS_AND_STATUS, flags | (this.#statusOf(target, bytes) << 16), true);
      n = (n + 1) | 0;
    }
    return isOneStretch;
  }

  #statusOf(target: number, bytes: number): number {
    if (target >= 0) return bytes;
    this.counters.badGrant++;
    return RSP_ERROR;
  }

  /** Moves a frame to where it can lie in one stretch. */
  #move(frame: number, to: number): void {
    const frames = this.#frames;
    const { memory } = this.#dom0;
    const linear = frames.linearOf(frame);
    const payload = frames.payloadLengthOf(frame);
    memory.copy(to, frames.at(frame), linear);
    if (payload > 0) memory.copy(to + linear, frames.payloadOf(frame), payload);
  }

  /** Moves a frame page by page, but for those that could not be written. */
  #moveByPage(frame: number, slots: number): void {
    const length = this.#frames.frameLength(frame);
    this.#move(frame, this.#staging);
    for (let n = 0; n < slots; n++) {
      const done = n << PAGE_BITS;
      if (this.#targets[n] < 0) continue;
      this.#dom0.memory.copy(this.#targets[n], this.#staging + done, Math.min(length - done, PAGE_BYTES));
    }
  }

  #slotsOf(frame: number): number {
    return (this.#frames.frameLength(frame) + (PAGE_BYTES - 1)) >> PAGE_BITS;
  }
}
