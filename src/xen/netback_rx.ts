import { PAGE_SIZE } from "../base/units.ts";
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
  RX_RSP_OFFSET,
  RX_RSP_STATUS,
  RX_SLOT_BYTES,
} from "./net_layout.ts";
import { BackRing } from "./shared_ring.ts";

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
    this.#staging = dom0.allocPacketPages(Math.ceil(MAX_FRAME_BYTES / PAGE_SIZE));
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
    const { memory, hypervisor } = this.#dom0;
    cpu.charge(BACKEND, KERNEL, hypervisor.costs.netbackReceive);
    const frame = this.queue.shift();
    const length = frames.frameLength(frame);
    const linear = frames.linearOf(frame);
    this.#slotsQueued -= this.#slotsOf(frame);
    memory.copy(this.#staging, frames.at(frame), linear);
    if (length > linear) memory.copy(this.#staging + linear, frames.payloadOf(frame), length - linear);
    this.#journeys.rx[this.ring.slotNumber(this.ring.rspProdPvt)] = frames.takeJourney(frame);
    for (let done = 0; done < length; done += PAGE_SIZE) {
      this.#fill(cpu, done, Math.min(length - done, PAGE_SIZE), length);
    }
    frames.free(frame, cpu);
    this.counters.frames++;
    this.counters.bytes += length;
  }

  #fill(cpu: Processor, done: number, bytes: number, length: number): void {
    const { memory, mappings } = this.#dom0;
    const request = this.ring.takeRequest();
    const id = memory.view.getUint16(request + RX_ID, true);
    const ref = memory.view.getUint32(request + RX_GREF, true);
    const status = mappings.copyTo(cpu, this.#guest, ref, 0, this.#staging + done, bytes);
    if (status < 0) this.counters.badGrant++;
    const response = this.ring.claimResponse();
    memory.view.setUint16(response + RX_RSP_ID, id, true);
    memory.view.setUint16(response + RX_RSP_OFFSET, 0, true);
    const flags = done + bytes < length ? NETRXF_more_data : 0;
    const outcome = status < 0 ? NETIF_RSP_ERROR : bytes;
    memory.view.setUint16(response + RX_RSP_FLAGS, flags, true);
    memory.view.setInt16(response + RX_RSP_STATUS, outcome, true);
    this.counters.slots++;
  }

  #slotsOf(frame: number): number {
    return Math.ceil(this.#frames.frameLength(frame) / PAGE_SIZE);
  }
}
