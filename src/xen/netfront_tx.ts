import type { FramePool } from "../hw/frame.ts";
import { FrameQueue } from "../hw/frame_queue.ts";
import type { FrameReceiver } from "../hw/nic_driver.ts";
import { Interrupt } from "../hw/interrupt.ts";
import type { Processor } from "../hw/processor.ts";
import { type FrameTap, OUTBOUND } from "../hw/tap.ts";
import { FRONTEND, IRQ, QUEUEING } from "../metrics/stage.ts";
import type { Domain } from "./domain.ts";
import {
  NETIF_RSP_OKAY,
  type NetJourneys,
  NETTXF_more_data,
  TX_GREF,
  TX_ID,
  TX_OFFSET,
  TX_RSP_ID,
  TX_SLOT_BYTES,
  TX_SLOTS,
} from "./net_layout.ts";
import { FrontRing } from "./shared_ring.ts";

// As constants of this file, which V8 folds. Two fields of a slot are read and written at a time.
const PAGE_BITS = 12;
const PAGE_BYTES = 1 << PAGE_BITS;
const IN_PAGE = PAGE_BYTES - 1;
const PAGES_PER_BYTE = 1 / PAGE_BYTES;
const SLOTS = TX_SLOTS;
const GREF = TX_GREF;
const OFFSET_AND_FLAGS = TX_OFFSET;
const ID_AND_SIZE = TX_ID;
const RSP_ID_AND_STATUS = TX_RSP_ID;
const RSP_OKAY = NETIF_RSP_OKAY;
const MORE_DATA = NETTXF_more_data;
const STAGE = FRONTEND;

/** Room for a frame's linear part, in a page that is granted as a whole. */
const HEAD_BYTES = 256;
const HEADS_PER_PAGE = PAGE_BYTES / HEAD_BYTES;
/** Frames that leave the kernel's queue in one burst. */
const FRAMES_PER_BURST = 4;
const NO_FRAME = -1;

/** What either half of netfront is made of. */
export interface NetfrontHalfParts {
  readonly domain: Domain;
  /** Address of the ring's page. */
  readonly page: number;
  readonly frames: FramePool;
  /** The guest's network stack. */
  readonly receiver: FrameReceiver;
  readonly journeys: NetJourneys;
  readonly tap: FrameTap;
  /** Sends the device's event from the guest; called from an event handler. */
  notify(): void;
}

/**
 * The transmit half of netfront (xennet_start_xmit and xennet_tx_buf_gc): a frame's pages are granted to dom0, one slot
 * each, and stay granted until dom0 has answered the slot. What finds no slot waits in the kernel's transmit queue.
 */
export class NetfrontTx {
  readonly ring: FrontRing;
  readonly queue: FrameQueue;
  readonly counters = {
    frames: 0,
    bytes: 0,
    slots: 0,
    /** The kernel's transmit queue was full. */
    dropped: 0,
    /** Slots that dom0 answered with an error: their frame is lost. */
    errors: 0,
    /** Responses with an id that is not under way. */
    badResponse: 0,
    /** Grants that were still in use when their response came: the slot's id is not used again. */
    stuck: 0,
  };
  readonly #domain: Domain;
  readonly #frames: FramePool;
  readonly #receiver: FrameReceiver;
  readonly #journeys: NetJourneys;
  readonly #tap: FrameTap;
  /** Pages that stand for the heap in which the guest's kernel has the linear parts of its socket buffers. */
  readonly #heads: number;
  readonly #publish: number;
  readonly #notify: () => void;
  readonly #drain: Interrupt;

  // By id. Only a frame's last slot names it, so that it ends when all of its slots are answered.
  readonly #refs = new Int32Array(TX_SLOTS);
  readonly #frameOf = new Int32Array(TX_SLOTS).fill(NO_FRAME);
  readonly #underWay = new Uint8Array(TX_SLOTS);
  readonly #freeIds = new Int32Array(TX_SLOTS);
  #freeCount = TX_SLOTS;

  /** `queueLimit` is how many frames the kernel's transmit queue holds. */
  constructor(parts: NetfrontHalfParts, queueLimit: number) {
    const { domain } = parts;
    this.#domain = domain;
    this.#frames = parts.frames;
    this.#receiver = parts.receiver;
    this.#journeys = parts.journeys;
    this.#tap = parts.tap;
    this.ring = new FrontRing(domain.memory, parts.page, TX_SLOT_BYTES);
    this.queue = new FrameQueue(queueLimit);
    this.#heads = domain.allocPages(TX_SLOTS / HEADS_PER_PAGE);
    domain.grantTable.reserve(null, TX_SLOTS, this.#refs);
    for (let i = 0; i < TX_SLOTS; i++) this.#freeIds[i] = TX_SLOTS - 1 - i;
    this.#publish = domain.hypervisor.engine.handler(`${domain.name} vif transmit`, NetfrontTx.#onPublish, this);
    this.#drain = Interrupt.of(`${domain.name} vif queue`, 1, NetfrontTx.#onDrain, this);
    this.#notify = parts.notify;
  }

  static readonly #onPublish = (to: number, _b: number, of: NetfrontTx): void => {
    if (of.ring.publishRequests(to)) of.#notify();
  };
  static readonly #onDrain = (cpu: Processor, of: NetfrontTx): boolean => of.#drainSome(cpu);

  /** Slots that dom0 has not answered, and those answered that have not been looked at. */
  get slotsInUse(): number {
    return TX_SLOTS - this.#freeCount;
  }

  /** The kernel hands over a frame; it is gone either way, false when it was dropped. */
  transmit(cpu: Processor, frame: number, cls: number): boolean {
    if (this.ring.unconsumedResponses() > 0) this.collect(cpu, cls);
    if (this.queue.count === 0 && this.#slotsOf(frame) <= this.#room()) {
      this.#put(cpu, frame, cls);
      return true;
    }
    if (this.queue.isFull) {
      this.counters.dropped++;
      this.#frames.free(frame);
      return false;
    }
    this.queue.push(frame);
    return true;
  }

  /** Takes the responses: pages are no longer granted, frames are done with. Then frames that waited may go. */
  collect(cpu: Processor, cls: number): void {
    let waiting = this.ring.unconsumedResponses();
    while (waiting > 0) {
      this.#takeResponses(cpu, cls, waiting);
      // The next event is to come when half of what is under way is answered: one interrupt for many frames.
      const half = ((this.ring.reqProdPvt - this.ring.rspCons) >>> 0) >>> 1;
      waiting = this.ring.askForResponses(half + 1);
    }
    if (this.#canDrain()) cpu.raise(this.#drain);
  }

  #takeResponses(cpu: Processor, cls: number, count: number): void {
    const { grantTable, memory } = this.#domain;
    const { view } = memory;
    const ring = this.ring;
    const underWay = this.#underWay;
    const refs = this.#refs;
    for (let i = 0; i < count; i++) {
      const slot = ring.takeResponse();
      const idAndStatus = view.getInt32(slot + RSP_ID_AND_STATUS, true);
      const id = idAndStatus & 0xffff;
      if (id >= SLOTS || underWay[id] === 0) {
        this.counters.badResponse++;
        continue;
      }
      if (idAndStatus >> 16 !== RSP_OKAY) this.counters.errors++;
      underWay[id] = 0;
      if (grantTable.endAccess(cpu, refs[id], cls)) this.#freeIds[this.#freeCount++] = id;
      else this.counters.stuck++;
      if (this.#frameOf[id] !== NO_FRAME) this.#frameIsDone(cpu, id);
    }
  }

  /** The frame whose last slot has this id is answered. */
  #frameIsDone(cpu: Processor, id: number): void {
    const frame = this.#frameOf[id];
    this.#frameOf[id] = NO_FRAME;
    const cookie = this.#frames.doneOf(frame);
    this.#frames.free(frame);
    if (cookie >= 0) this.#receiver.frameSent(cpu, cookie);
  }

  #canDrain(): boolean {
    return this.queue.count > 0 && this.#slotsOf(this.queue.first) <= this.#room();
  }

  /** Slots that can be filled: dom0 may answer in any order, so a free slot may have no free id yet. */
  #room(): number {
    const free = this.ring.freeRequests;
    const ids = this.#freeCount;
    return free < ids ? free : ids; // `Math.min` would make a double of it
  }

  #drainSome(cpu: Processor): boolean {
    for (let i = 0; i < FRAMES_PER_BURST && this.#canDrain(); i++) {
      const frame = this.queue.shift();
      cpu.carry(this.#frames.journeyOf(frame), QUEUEING);
      this.#put(cpu, frame, IRQ);
      cpu.putDown();
    }
    return this.#canDrain();
  }

  /** One for the linear part, and one for each page that the payload lies in. */
  #slotsOf(frame: number): number {
    const bytes = this.#frames.payloadLengthOf(frame);
    if (bytes === 0) return 1;
    const inPage = this.#frames.payloadOf(frame) & IN_PAGE;
    return 1 + ((inPage + bytes + IN_PAGE) >> PAGE_BITS);
  }

  /** Fills the slots of one frame. `netfrontTransmit` covers a frame of one slot; each page more costs its grant. */
  #put(cpu: Processor, frame: number, cls: number): void {
    const frames = this.#frames;
    const ring = this.ring;
    const refs = this.#refs;
    const { grantTable, memory, hypervisor } = this.#domain;
    const { view } = memory;
    const length = frames.frameLength(frame);
    if (this.#tap.active) this.#tap.see(OUTBOUND, frame, cpu.now);
    cpu.charge(STAGE, cls, hypervisor.costs.netfrontTransmit);
    const first = ring.reqProdPvt;
    this.#journeys.tx[ring.slotNumber(first)] = frames.takeJourney(frame);
    // The linear part's slot, which tells the whole frame's length, and then one for each page of the payload.
    let id = this.#takeId();
    let address = this.#heads + id * HEAD_BYTES;
    let size = length;
    let left = frames.payloadLengthOf(frame);
    let payload = frames.payloadOf(frame);
    memory.copyHeader(address, frames.at(frame), frames.linearOf(frame));
    let slots = 0;
    for (;;) {
      const ref = refs[id];
      grantTable.grantAccess(slots > 0 ? cpu : null, ref, 0, (address * PAGES_PER_BYTE) | 0, true, cls);
      const slot = ring.slot(first + slots);
      const flags = left > 0 ? MORE_DATA : 0;
      view.setInt32(slot + GREF, ref, true);
      view.setInt32(slot + OFFSET_AND_FLAGS, (address & IN_PAGE) | (flags << 16), true);
      view.setInt32(slot + ID_AND_SIZE, id | (size << 16), true);
      slots = (slots + 1) | 0;
      if (left === 0) break;
      id = this.#takeId();
      address = payload;
      const room = (PAGE_BYTES - (address & IN_PAGE)) | 0;
      size = left < room ? left : room;
      left = (left - size) | 0;
      payload += size;
    }
    ring.claimRequests(slots);
    this.#frameOf[id] = frame;
    const { counters } = this;
    counters.frames++;
    counters.bytes += length;
    counters.slots += slots;
    cpu.post(this.#publish, ring.reqProdPvt | 0);
  }

  /** Ask for room before. */
  #takeId(): number {
    const id = this.#freeIds[--this.#freeCount];
    this.#underWay[id] = 1;
    return id;
  }
}
