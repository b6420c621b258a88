import { IndexPool } from "../base/pool.ts";
import { PAGE_SIZE } from "../base/units.ts";
import type { FramePool } from "../hw/frame.ts";
import type { Processor } from "../hw/processor.ts";
import { BACKEND, KERNEL } from "../metrics/stage.ts";
import type { Domain } from "./domain.ts";
import { GNTMAP_host_map, GNTMAP_readonly } from "./grant_mapping.ts";
import {
  type HeaderSplit,
  MAX_FRAME_BYTES,
  MAX_FRAME_SLOTS,
  NETIF_RSP_DROPPED,
  NETIF_RSP_ERROR,
  NETIF_RSP_OKAY,
  NetJourneys,
  TX_SLOTS,
} from "./net_layout.ts";
import { answerTx, TxSlots } from "./netback_slots.ts";
import type { NetbackTx } from "./netback_tx.ts";

/** What transmission by grant map needs of its netback. */
export interface NetbackMapParts {
  readonly dom0: Domain;
  /** Id of the guest. */
  readonly guest: number;
  readonly tx: NetbackTx;
  readonly frames: FramePool;
  readonly split: HeaderSplit;
  /** Frames of a burst, at most. */
  readonly burst: number;
  /** Told, as an event, on which of dom0's VCPUs a frame has ended, -1 when it is not known. */
  returned(from: number): void;
}

/**
 * Transmission by grant map (xenvif_tx_create_map_op and xenvif_tx_dealloc_action, Linux 3.12 and later): instead of
 * copying, dom0 maps the pages of a burst's slots by one hypercall. A frame refers to the guest's pages from then on,
 * except for its headers, and they stay mapped until it has ended: left the NIC, reached another guest, or was dropped.
 * Only then are its slots answered. A frame is known by a token meanwhile.
 */
export class NetbackMap {
  /** Frames of the burst, and their messages. */
  readonly journeys: Int32Array;
  readonly #dom0: Domain;
  readonly #guest: number;
  readonly #tx: NetbackTx;
  readonly #frames: FramePool;
  readonly #split: HeaderSplit;
  readonly #cookies: number;
  /** Where a frame is put together whose pieces do not follow one another in memory. */
  readonly #gathered: number;

  // The burst: each frame's slots, and their mappings one frame after another.
  readonly #batch: TxSlots[];
  readonly #starts: Int32Array;
  readonly #refs: Int32Array;
  readonly #handles: Int32Array;
  readonly #addresses: Float64Array;

  // By token, MAX_FRAME_SLOTS each: what has to be unmapped and answered.
  readonly #slotsOf = new Int32Array(TX_SLOTS);
  readonly #statusOf = new Int32Array(TX_SLOTS);
  readonly #idsOf = new Int32Array(TX_SLOTS * MAX_FRAME_SLOTS);
  readonly #handlesOf = new Int32Array(TX_SLOTS * MAX_FRAME_SLOTS);
  readonly #tokens = new IndexPool(TX_SLOTS);
  readonly #returned: number[] = [];

  constructor(parts: NetbackMapParts) {
    const { dom0, guest, tx, frames, split, burst, returned } = parts;
    this.#dom0 = dom0;
    this.#guest = guest;
    this.#tx = tx;
    this.#frames = frames;
    this.#split = split;
    this.#gathered = dom0.allocPacketPages(Math.ceil(MAX_FRAME_BYTES / PAGE_SIZE));
    this.journeys = new Int32Array(burst);
    this.#batch = Array.from({ length: burst }, () => new TxSlots(tx.ring));
    this.#starts = new Int32Array(burst);
    this.#refs = new Int32Array(burst * MAX_FRAME_SLOTS);
    this.#handles = new Int32Array(burst * MAX_FRAME_SLOTS);
    this.#addresses = new Float64Array(burst * MAX_FRAME_SLOTS);
    const { engine } = dom0.hypervisor;
    const handler = engine.handler(`${dom0.name} unmap for ${guest}`, (token, from) => {
      this.#returned.push(token);
      returned(from);
    });
    this.#cookies = frames.addLender({
      returned: (token, cpu) => {
        if (cpu === null) engine.after(0, handler, token, -1);
        else cpu.post(handler, token, cpu.index);
      },
    });
  }

  /** Frames have ended whose pages are still mapped. */
  get hasReturned(): boolean {
    return this.#returned.length > 0;
  }

  /** Reads the slots of the next frames, as many as make a burst, and takes their messages; returns how many. */
  gather(journeys: NetJourneys): number {
    const { ring, counters } = this.#tx;
    let count = 0;
    while (count < this.#batch.length && this.#tx.hasWork) {
      this.journeys[count] = NetJourneys.take(journeys.tx, ring.slotNumber(ring.reqCons));
      const slots = this.#batch[count++];
      slots.read();
      counters.slots += slots.count;
    }
    return count;
  }

  /** Maps the pages of the first `count` frames of the burst: one hypercall. */
  map(cpu: Processor, count: number): void {
    let pages = 0;
    for (let i = 0; i < count; i++) {
      const slots = this.#batch[i];
      this.#starts[i] = pages;
      if (!slots.isSound) continue;
      for (let n = 0; n < slots.count; n++) this.#refs[pages++] = slots.refs[n];
    }
    if (pages === 0) return;
    const flags = GNTMAP_host_map | GNTMAP_readonly;
    this.#dom0.mappings.map(cpu, this.#guest, this.#refs, pages, flags, this.#handles, this.#addresses);
  }

  /** Makes a frame of dom0 of the burst's frame `i`; -1 when the guest's was refused. */
  take(cpu: Processor, i: number): number {
    const { counters } = this.#tx;
    cpu.charge(BACKEND, KERNEL, this.#dom0.hypervisor.costs.netbackTransmit);
    const slots = this.#batch[i];
    if (!slots.isSound) {
      counters.badRequest++;
      slots.answer(NETIF_RSP_ERROR);
      return -1;
    }
    const token = this.#tokens.take();
    const isMapped = this.#remember(token, slots, this.#starts[i]);
    const frame = isMapped ? this.#build(slots, this.#starts[i]) : -1;
    if (frame < 0) {
      this.#statusOf[token] = isMapped ? NETIF_RSP_DROPPED : NETIF_RSP_ERROR;
      if (isMapped) counters.dropped++;
      else counters.badGrant++;
      this.#returned.push(token); // some of its pages may be mapped
      return -1;
    }
    this.#frames.lend(frame, this.#cookies + token);
    counters.frames++;
    counters.bytes += this.#frames.frameLength(frame);
    return frame;
  }

  /** Unmaps the pages of as many frames that have ended as make a burst, by one hypercall, and answers their slots. */
  unmap(cpu: Processor): void {
    const done = this.#returned.splice(0, this.#batch.length);
    let pages = 0;
    for (const token of done) {
      for (let n = 0; n < this.#slotsOf[token]; n++) {
        const handle = this.#handlesOf[token * MAX_FRAME_SLOTS + n];
        if (handle >= 0) this.#handles[pages++] = handle;
      }
    }
    if (pages > 0) this.#dom0.mappings.unmap(cpu, this.#handles, pages);
    for (const token of done) {
      for (let n = 0; n < this.#slotsOf[token]; n++) {
        answerTx(this.#tx.ring, this.#idsOf[token * MAX_FRAME_SLOTS + n], this.#statusOf[token]);
      }
      this.#tokens.give(token);
    }
  }

  /** Notes what a frame holds; false when a page of it could not be mapped. */
  #remember(token: number, slots: TxSlots, start: number): boolean {
    let isMapped = true;
    this.#slotsOf[token] = slots.count;
    this.#statusOf[token] = NETIF_RSP_OKAY;
    for (let n = 0; n < slots.count; n++) {
      const handle = this.#handles[start + n];
      if (handle < 0) isMapped = false;
      this.#idsOf[token * MAX_FRAME_SLOTS + n] = slots.ids[n];
      this.#handlesOf[token * MAX_FRAME_SLOTS + n] = handle;
    }
    return isMapped;
  }

  /** Headers are pulled into the frame, payload is referred to where the guest has it. */
  #build(slots: TxSlots, start: number): number {
    const frames = this.#frames;
    const { memory } = this.#dom0;
    const { count, length } = slots;
    const address = (n: number) => this.#addresses[start + n] + slots.offsets[n];
    const head = address(0);
    const linear = this.#split(memory.view, head, length);
    if (count === 1 || (linear === slots.sizes[0] && this.#isOneStretch(slots, address))) {
      const frame = frames.take(linear);
      if (frame < 0) return -1;
      memory.copy(frames.at(frame), head, linear);
      if (length > linear) frames.attach(frame, count === 1 ? head + linear : address(1), length - linear);
      return frame;
    }
    return this.#buildGathered(slots, address);
  }

  /** Whether everything behind the first slot lies in one stretch, as a guest's payload does. */
  #isOneStretch(slots: TxSlots, address: (n: number) => number): boolean {
    for (let n = 2; n < slots.count; n++) {
      if (address(n) !== address(n - 1) + slots.sizes[n - 1]) return false;
    }
    return true;
  }

  /** A socket buffer would refer to each piece; a frame here refers to one, so it gets a copy, which costs nothing. */
  #buildGathered(slots: TxSlots, address: (n: number) => number): number {
    const frames = this.#frames;
    const { memory } = this.#dom0;
    let length = 0;
    for (let n = 0; n < slots.count; n++) {
      memory.copy(this.#gathered + length, address(n), slots.sizes[n]);
      length += slots.sizes[n];
    }
    const linear = this.#split(memory.view, this.#gathered, length);
    const frame = frames.take(linear);
    if (frame < 0) return -1;
    memory.copy(frames.at(frame), this.#gathered, linear);
    if (length > linear) {
      frames.addCopy(frame, this.#gathered + linear, length - linear);
    }
    return frame;
  }
}
