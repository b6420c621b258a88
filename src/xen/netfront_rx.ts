import { type FramePool, LINEAR_BYTES } from "../hw/frame.ts";
import type { FrameReceiver } from "../hw/nic_driver.ts";
import { Interrupt } from "../hw/interrupt.ts";
import type { Processor } from "../hw/processor.ts";
import { type FrameTap, INBOUND } from "../hw/tap.ts";
import { FRONTEND, IRQ, NOTIFICATION, QUEUEING } from "../metrics/stage.ts";
import type { Domain } from "./domain.ts";
import {
  ETH_HLEN,
  type HeaderSplit,
  MAX_FRAME_BYTES,
  NetJourneys,
  NETRXF_more_data,
  RX_GREF,
  RX_ID,
  RX_RSP_FLAGS,
  RX_RSP_ID,
  RX_SLOT_BYTES,
  RX_SLOTS,
} from "./net_layout.ts";
import type { NetfrontHalfParts } from "./netfront_tx.ts";
import { FrontRing } from "./shared_ring.ts";

// As constants of this file, which V8 folds. Two fields of a response are read at a time.
const PAGE_BITS = 12;
const PAGE_BYTES = 1 << PAGE_BITS;
const ID = RX_ID;
const GREF = RX_GREF;
const RSP_ID_AND_OFFSET = RX_RSP_ID;
const RSP_FLAGS_AND_STATUS = RX_RSP_FLAGS;
const MORE_DATA = NETRXF_more_data;
const MAX_BYTES = MAX_FRAME_BYTES;
const HEADER_BYTES = ETH_HLEN;
const SLOTS = RX_SLOTS;
const LINEAR_MAX = LINEAR_BYTES;
const CLASS = IRQ;
const STAGE = FRONTEND;
const NOTIFIED = NOTIFICATION;
const WAITED = QUEUEING;

/** Consumed buffers are posted again when this many have gathered, or when the ring is empty. */
const REPOST_BATCH = 32;

/** What the receive half needs to know about its interface. */
export interface Station {
  readonly macHigh: number;
  readonly macLow: number;
}

/**
 * The receive half of netfront (xennet_poll and xennet_alloc_rx_buffers): every slot has a page of its own, granted to
 * dom0 while it is posted. Frames are taken one per burst and handed to the guest's network stack, which is done with
 * them when it returns; then their pages are posted again.
 */
export class NetfrontRx {
  readonly ring: FrontRing;
  readonly counters = {
    frames: 0,
    bytes: 0,
    slots: 0,
    /** Frames with a slot that dom0 answered with an error, or that do not hang together: lost. */
    errors: 0,
    /** For another station: flooded by the bridge. */
    otherHost: 0,
    /** No socket buffer was free. */
    noFrame: 0,
  };
  readonly #domain: Domain;
  readonly #frames: FramePool;
  readonly #receiver: FrameReceiver;
  readonly #journeys: NetJourneys;
  readonly #station: Station;
  readonly #split: HeaderSplit;
  readonly #tap: FrameTap;
  readonly #publish: number;
  readonly #notify: () => void;
  readonly #poll: Interrupt;
  readonly #refs = new Int32Array(RX_SLOTS);
  /** One page after another, so that a frame of several slots lies in one stretch, except around the ring's end. */
  readonly #pages: number;
  /** Where a frame around the ring's end is put together. */
  readonly #gathered: number;
  #notified = false;
  #furtherSlots = 0;
  // The frame that is being taken.
  #address = 0;
  /** Where its Ethernet header really stands. */
  #head = 0;
  #length = 0;

  constructor(parts: NetfrontHalfParts, station: Station, split: HeaderSplit) {
    const { domain } = parts;
    this.#domain = domain;
    this.#frames = parts.frames;
    this.#receiver = parts.receiver;
    this.#journeys = parts.journeys;
    this.#station = station;
    this.#split = split;
    this.#tap = parts.tap;
    this.ring = new FrontRing(domain.memory, parts.page, RX_SLOT_BYTES);
    this.#pages = domain.allocRingPages(RX_SLOTS);
    this.#gathered = domain.allocPacketPages(Math.ceil(MAX_FRAME_BYTES / PAGE_BYTES));
    domain.grantTable.reserve(null, RX_SLOTS, this.#refs);
    this.#publish = domain.hypervisor.engine.handler(`${domain.name} vif buffers`, NetfrontRx.#onPublish, this);
    this.#poll = Interrupt.of(`${domain.name} vif poll`, 1, NetfrontRx.#onPoll, this);
    this.#notify = parts.notify;
  }

  static readonly #onPublish = (to: number, _b: number, of: NetfrontRx): void => {
    if (of.ring.publishRequests(to)) of.#notify();
  };
  static readonly #onPoll = (cpu: Processor, of: NetfrontRx): boolean => of.#pollOne(cpu);

  /** Buffers that dom0 may fill. */
  get posted(): number {
    return RX_SLOTS - this.ring.freeRequests;
  }

  /** Posts all buffers, in set-up code. */
  fill(): void {
    this.#claim(null);
    this.ring.pushRequests();
  }

  /** The interrupt handler: leaves the work to the poll loop. */
  interrupt(cpu: Processor): void {
    if (this.ring.unconsumedResponses() <= 0) return;
    this.#notified = true;
    cpu.raise(this.#poll);
  }

  /** Takes one frame, until the ring is empty and an event has been asked for. */
  #pollOne(cpu: Processor): boolean {
    const waiting = this.ring.finalCheckForResponses();
    if (waiting <= 0) {
      this.#repost(cpu);
      return false;
    }
    this.#takeFrame(cpu, waiting);
    cpu.putDown();
    if (this.ring.freeRequests >= REPOST_BATCH) this.#repost(cpu);
    return true;
  }

  #takeFrame(cpu: Processor, waiting: number): void {
    const { costs } = this.#domain.hypervisor;
    const number = this.ring.slotNumber(this.ring.rspCons);
    const journey = NetJourneys.take(this.#journeys.rx, number);
    cpu.carry(journey, this.#notified ? NOTIFIED : WAITED);
    this.#notified = false;
    cpu.charge(STAGE, CLASS, costs.netfrontReceive);
    if (!this.#gather(cpu, waiting)) {
      this.counters.errors++;
      this.#frames.journeys.drop(journey);
      return;
    }
    if (!this.#isForUs()) {
      this.counters.otherHost++;
      this.#frames.journeys.drop(journey);
      return;
    }
    this.#deliver(cpu, journey);
  }

  /** Takes the slots of one frame, and finds or makes one stretch of them; false when something is wrong with it. */
  #gather(cpu: Processor, waiting: number): boolean {
    const { grantTable } = this.#domain;
    const { view } = this.#domain.memory;
    const ring = this.ring;
    const refs = this.#refs;
    const pages = this.#pages;
    let good = true;
    let more = true;
    let taken = 0;
    let start = 0;
    let length = 0;
    do {
      const number = ring.slotNumber(ring.rspCons);
      const slot = ring.takeResponse();
      const idAndOffset = view.getInt32(slot + RSP_ID_AND_OFFSET, true);
      const flagsAndStatus = view.getInt32(slot + RSP_FLAGS_AND_STATUS, true);
      const offset = idAndOffset >>> 16;
      const bytes = flagsAndStatus >> 16;
      more = (flagsAndStatus & MORE_DATA) !== 0;
      // `netfrontReceive` covers a frame of one slot: each more costs its grant, now and when it is posted again.
      if (!grantTable.endAccess(taken > 0 ? cpu : null, refs[number], CLASS)) good = false;
      // As in Linux the buffer is known by the place in the ring; the id must agree.
      if ((idAndOffset & 0xffff) !== number) good = false;
      if (bytes <= 0 || ((offset + bytes) | 0) > PAGE_BYTES || ((length + bytes) | 0) > MAX_BYTES) good = false;
      if (good) {
        const address = pages + ((number << PAGE_BITS) | offset);
        if (length === 0) start = address;
        else if (start + length !== address) start = this.#join(start, length, address, bytes);
        length = (length + bytes) | 0;
      }
      taken = (taken + 1) | 0;
    } while (more && taken < waiting);
    this.#address = start;
    this.#head = this.#domain.memory.headAt(start);
    this.#length = length;
    this.#furtherSlots = (this.#furtherSlots + taken - 1) | 0;
    this.counters.slots += taken;
    return good && !more && length >= HEADER_BYTES; // else it has no end
  }

  /** Lets bytes follow those that a frame has begun with; returns where it begins now. */
  #join(start: number, length: number, address: number, bytes: number): number {
    const { memory } = this.#domain;
    if (start !== this.#gathered) memory.copy(this.#gathered, start, length);
    memory.copy(this.#gathered + length, address, bytes);
    return this.#gathered;
  }

  /** For this station, or for a group that it may be in. */
  #isForUs(): boolean {
    const { view } = this.#domain.memory;
    const head = this.#head;
    if ((view.getUint8(head) & 1) === 1) return true;
    return view.getUint16(head) === this.#station.macHigh && view.getUint32(head + 2) === this.#station.macLow;
  }

  #deliver(cpu: Processor, journey: number): void {
    const frames = this.#frames;
    const { memory } = this.#domain;
    const linear = this.#split(memory.view, this.#head, this.#length);
    const frame = frames.take(linear);
    if (frame < 0) {
      this.counters.noFrame++;
      frames.journeys.drop(journey);
      return;
    }
    // What is divided where there is room may have bytes of its payload there.
    if (linear < LINEAR_MAX) memory.takeHeader(frames.at(frame), this.#address, linear);
    else memory.copy(frames.at(frame), this.#address, linear);
    if (this.#length > linear) frames.attach(frame, this.#address + linear, this.#length - linear);
    frames.setJourney(frame, journey);
    this.counters.frames++;
    this.counters.bytes += this.#length;
    if (this.#tap.active) this.#tap.see(INBOUND, frame, cpu.now);
    this.#receiver.receive(cpu, frame);
    frames.free(frame);
  }

  #repost(cpu: Processor): void {
    if (this.ring.isFull) return;
    this.#claim(cpu);
    cpu.post(this.#publish, this.ring.reqProdPvt | 0);
  }

  #claim(cpu: Processor | null): void {
    const { grantTable } = this.#domain;
    const { view } = this.#domain.memory;
    const first = this.#pages / PAGE_BYTES;
    const ring = this.ring;
    const refs = this.#refs;
    let further = this.#furtherSlots;
    const count = ring.freeRequests;
    const start = ring.claimRequests(count);
    this.#discard(ring.slotNumber(start), count);
    for (let i = 0; i < count; i++) {
      const number = ring.slotNumber(start + i);
      const slot = ring.slot(number);
      const ref = refs[number];
      grantTable.grantAccess(further > 0 ? cpu : null, ref, 0, first + number, false, CLASS);
      further = (further - 1) | 0;
      view.setUint16(slot + ID, number, true);
      view.setInt32(slot + GREF, ref, true);
    }
    this.#furtherSlots = 0;
  }

  /** Nobody reads what is in the pages of these buffers before dom0 has filled them again. */
  #discard(first: number, count: number): void {
    const { memory } = this.#domain;
    const behind = (first + count) | 0;
    const end = behind < SLOTS ? behind : SLOTS;
    memory.discard(this.#pages + (first << PAGE_BITS), (end - first) << PAGE_BITS);
    if (behind > SLOTS) memory.discard(this.#pages, (behind - SLOTS) << PAGE_BITS);
  }
}
