import { type FramePool, LINEAR_BYTES } from "../hw/frame.ts";
import type { Processor } from "../hw/processor.ts";
import { BACKEND, KERNEL } from "../metrics/stage.ts";
import type { Domain } from "./domain.ts";
import {
  type HeaderSplit,
  MAX_FRAME_BYTES,
  MAX_FRAME_SLOTS,
  NETIF_RSP_DROPPED,
  NETIF_RSP_ERROR,
  NETIF_RSP_OKAY,
  TX_SLOT_BYTES,
} from "./net_layout.ts";
import { TxSlots } from "./netback_slots.ts";
import { BackRing } from "./shared_ring.ts";

// As constants of this file, which V8 folds.
const PAGE_BYTES = 4096;
const IN_PAGE = PAGE_BYTES - 1;
const LINEAR_MAX = LINEAR_BYTES;
const STAGE = BACKEND;
const CLASS = KERNEL;

/** A frame and one page on either side of it. */
const STAGING_PAGES = Math.ceil(MAX_FRAME_BYTES / PAGE_BYTES) + 2;

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

  /** The frame that is being taken, and where the bytes of its slots lie. */
  readonly #slots: TxSlots;
  readonly #sources: Float64Array = new Float64Array(MAX_FRAME_SLOTS);

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
    cpu.charge(STAGE, CLASS, this.#dom0.hypervisor.costs.netbackTransmit);
    this.#slots.read();
    this.counters.slots += this.#slots.count;
    if (!this.#slots.isSound) {
      this.counters.badRequest++;
      return this.#answer(NETIF_RSP_ERROR, -1);
    }
    if (!this.#copyAll(cpu)) {
      this.counters.badGrant++;
      return this.#answer(NETIF_RSP_ERROR, -1);
    }
    const frame = this.#build();
    if (frame < 0) {
      this.counters.dropped++;
      return this.#answer(NETIF_RSP_DROPPED, -1);
    }
    this.counters.frames++;
    this.counters.bytes += this.#frames.frameLength(frame);
    return this.#answer(NETIF_RSP_OKAY, frame);
  }

  /**
   * Copies all slots as far as the emulated machine is concerned: `#build` moves the bytes, together. Those of the
   * first go to the staging pages' begin, the others behind it, one after another. They begin as deep in a page as the
   * guest's, so pages fit on pages.
   */
  #copyAll(cpu: Processor): boolean {
    const { count, sizes, offsets } = this.#slots;
    if (!this.#copy(cpu, 0, 0)) return false;
    let depth = count > 1 ? offsets[1] : 0;
    for (let n = 1; n < count; n++) {
      if (!this.#copy(cpu, n, depth)) return false;
      depth = (depth + sizes[n]) & IN_PAGE;
    }
    return true;
  }

  /** One slot to `depth` in a page of dom0, with a second copy where it would run over the page. */
  #copy(cpu: Processor, n: number, depth: number): boolean {
    const { mappings } = this.#dom0;
    const slots = this.#slots;
    const size = slots.sizes[n];
    const room = (PAGE_BYTES - depth) | 0;
    const first = size < room ? size : room;
    const ref = slots.refs[n];
    const page = mappings.copyPage(cpu, this.#guest, ref, first, true);
    if (page < 0) return false;
    this.#sources[n] = page + slots.offsets[n];
    return first === size || mappings.copyPage(cpu, this.#guest, ref, size - first, true) >= 0;
  }

  /** Makes a frame of what has been copied, with the guest's split into headers and payload where it can be kept. */
  #build(): number {
    const { memory } = this.#dom0;
    const frames = this.#frames;
    const { length } = this.#slots;
    const head = this.#slots.sizes[0];
    const frame = frames.take(head);
    if (frame < 0) return -1;
    if (head <= LINEAR_MAX) {
      const at = frames.at(frame);
      memory.copy(at, this.#sources[0], head);
      if (this.#split(memory.view, at, length) === head) {
        if (length > head) this.#moveBody(frame);
        return frame;
      }
    }
    // In one stretch, so that it can be divided anywhere.
    const start = this.#gather();
    const linear = this.#split(memory.view, start, length);
    frames.setLinear(frame, linear);
    memory.copy(frames.at(frame), start, linear);
    if (length > linear) frames.addCopy(frame, start + linear, length - linear);
    return frame;
  }

  /** Moves all slots but the first to a buffer of the frame's: the staging pages are for the next one. */
  #moveBody(frame: number): void {
    const { count, sizes } = this.#slots;
    const sources = this.#sources;
    for (let n = 1; n < count;) {
      // A guest's payload lies in pages that follow one another as a rule: one copy moves all of it.
      const from = sources[n];
      let size = sizes[n++];
      for (; n < count && sources[n] === from + size; n++) size = (size + sizes[n]) | 0;
      this.#frames.addCopy(frame, from, size);
    }
  }

  /** Moves all slots to the staging pages, where a frame's bytes follow one another; returns where they begin. */
  #gather(): number {
    const { count, sizes, offsets } = this.#slots;
    const { memory } = this.#dom0;
    const body = count > 1 ? PAGE_BYTES + offsets[1] - sizes[0] : 0;
    const start = this.#staging + body;
    let to = start;
    for (let n = 0; n < count; n++) {
      memory.copy(to, this.#sources[n], sizes[n]);
      to += sizes[n];
    }
    return start;
  }

  #answer(status: number, frame: number): number {
    this.#slots.answer(status);
    return frame;
  }
}
