import { PAGE_SIZE } from "../base/units.ts";
import type { FramePool } from "../hw/frame.ts";
import type { Processor } from "../hw/processor.ts";
import { BACKEND, KERNEL } from "../metrics/stage.ts";
import type { Domain } from "./domain.ts";
import {
  type HeaderSplit,
  MAX_FRAME_BYTES,
  NETIF_RSP_DROPPED,
  NETIF_RSP_ERROR,
  NETIF_RSP_OKAY,
  TX_SLOT_BYTES,
} from "./net_layout.ts";
import { TxSlots } from "./netback_slots.ts";
import { BackRing } from "./shared_ring.ts";

/** A frame and one page on either side of it. */
const STAGING_PAGES = Math.ceil(MAX_FRAME_BYTES / PAGE_SIZE) + 2;

/**
 * The transmit half of netback (xenvif_tx_action): takes a guest's frames off the ring, copies them out of its pages,
 * and answers their slots, since with grant copies nothing of the guest's is needed any more.
 */
export class NetbackTx {
  readonly ring: BackRing;
  readonly counters = {
    frames: 0,
    bytes: 0,
    slots: 0,
    /** Frames whose slots do not describe one (netbk_count_requests, netbk_tx_err): answered with an error. */
    badRequest: 0,
    /** Frames whose pages could not be copied: answered with an error. */
    badGrant: 0,
    /** Frames for which dom0 had no socket buffer. */
    dropped: 0,
  };
  readonly #dom0: Domain;
  readonly #guest: number;
  readonly #frames: FramePool;
  readonly #split: HeaderSplit;
  /** Pages of dom0 that grant copies go to; a socket buffer gets its data from there, as if it had those pages. */
  readonly #staging: number;

  /** The frame that is being taken. */
  readonly #slots: TxSlots;

  /** `page` is where dom0 has mapped the ring. */
  constructor(dom0: Domain, guest: number, page: number, frames: FramePool, split: HeaderSplit) {
    this.#dom0 = dom0;
    this.#guest = guest;
    this.#frames = frames;
    this.#split = split;
    this.ring = new BackRing(dom0.memory, page, TX_SLOT_BYTES);
    this.#slots = new TxSlots(this.ring);
    this.#staging = dom0.allocPacketPages(STAGING_PAGES);
  }

  get hasWork(): boolean {
    return this.ring.unconsumedRequests() > 0;
  }

  /**
   * Takes the next frame and answers it; the caller publishes the answer. Returns a frame of dom0, or -1 when the guest's
   * was refused. Its message is carried by `cpu`, and stays with the caller.
   */
  take(cpu: Processor): number {
    cpu.charge(BACKEND, KERNEL, this.#dom0.hypervisor.costs.netbackTransmit);
    this.#slots.read();
    this.counters.slots += this.#slots.count;
    if (!this.#slots.isSound) {
      this.counters.badRequest++;
      return this.#answer(NETIF_RSP_ERROR, -1);
    }
    const body = this.#staging + PAGE_SIZE + (this.#slots.count > 1 ? this.#slots.offsets[1] : 0);
    if (!this.#copy(cpu, 0, this.#staging) || !this.#copyBody(cpu, body)) {
      this.counters.badGrant++;
      return this.#answer(NETIF_RSP_ERROR, -1);
    }
    const frame = this.#build(body);
    if (frame < 0) {
      this.counters.dropped++;
      return this.#answer(NETIF_RSP_DROPPED, -1);
    }
    this.counters.frames++;
    this.counters.bytes += this.#frames.frameLength(frame);
    return this.#answer(NETIF_RSP_OKAY, frame);
  }

  /** All slots but the first, one after another. They begin as deep in a page as the guest's, so pages fit on pages. */
  #copyBody(cpu: Processor, to: number): boolean {
    for (let n = 1; n < this.#slots.count; n++) {
      if (!this.#copy(cpu, n, to)) return false;
      to += this.#slots.sizes[n];
    }
    return true;
  }

  /** One slot, with a second copy where it would run over a page of dom0. */
  #copy(cpu: Processor, n: number, to: number): boolean {
    const { mappings } = this.#dom0;
    const size = this.#slots.sizes[n];
    const first = Math.min(size, PAGE_SIZE - to % PAGE_SIZE);
    const ref = this.#slots.refs[n];
    const offset = this.#slots.offsets[n];
    if (mappings.copyFrom(cpu, this.#guest, ref, offset, to, first) < 0) return false;
    return first === size || mappings.copyFrom(cpu, this.#guest, ref, offset + first, to + first, size - first) >= 0;
  }

  /** Makes a frame of what has been copied, with the guest's split into headers and payload where it can be kept. */
  #build(body: number): number {
    const { memory } = this.#dom0;
    const { count, length } = this.#slots;
    const head = this.#slots.sizes[0];
    let start = this.#staging;
    let linear = head;
    if (count === 1 || this.#split(memory.view, start, length) !== head) {
      // In one stretch, so that it can be divided anywhere.
      if (count > 1) {
        start = body - head;
        memory.copy(start, this.#staging, head);
      }
      linear = this.#split(memory.view, start, length);
      body = start + linear;
    }
    const frame = this.#frames.take(linear);
    if (frame < 0) return -1;
    memory.copy(this.#frames.at(frame), start, linear);
    if (length > linear) {
      this.#frames.attach(frame, body, length - linear);
      this.#frames.own(frame); // the staging pages are for the next frame
    }
    return frame;
  }

  #answer(status: number, frame: number): number {
    this.#slots.answer(status);
    return frame;
  }
}
