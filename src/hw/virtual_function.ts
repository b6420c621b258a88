import { PAGE_SIZE } from "../base/units.ts";
import { NIC } from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { TraceCounter } from "../sim/trace.ts";
import type { FramePool } from "./frame.ts";
import { FrameQueue } from "./frame_queue.ts";
import { DMA_FAULT, type Iommu, type IommuDomain } from "./iommu.ts";
import type { Limits } from "./machine_profile.ts";
import type { FrameDevice } from "./frame_device.ts";
import type { Nic } from "./nic.ts";
import type { PortFunction } from "./port_function.ts";
import type { SriovPort } from "./sriov.ts";
import { FrameTap, INBOUND, LOST_QUEUE_FULL, OUTBOUND } from "./tap.ts";

/*
 * I/O addresses that a function's driver gives it. A frame's bytes are where the frame pool keeps them; these are the
 * addresses of the pages that the function would write them to, which is what the IOMMU sees.
 *
 *   RINGS          transmit descriptors, then receive descriptors: 16 bytes each
 *   SMALL_BUFFERS  one of SMALL_BYTES for each receive descriptor, many to a page (as myri10ge posts them)
 *   BIG_BUFFERS    one of whole pages for each receive descriptor
 */
const DESCRIPTOR_BYTES = 16;
const RINGS = 2 ** 40;
const SMALL_BUFFERS = 2 ** 41;
const BIG_BUFFERS = 2 ** 42;
const SMALL_BYTES = 128;
/** Pages of a big buffer: a frame of MTU 9000. */
const BIG_BYTES = 3 * PAGE_SIZE;

export interface FunctionCounters {
  txFrames: number;
  txBytes: number;
  rxFrames: number;
  rxBytes: number;
  /** The receive ring was full. */
  rxDrops: number;
  /** The transmit ring and the guest's queue in front of it were full. */
  txDrops: number;
  /** Descriptors or payload on pages that the IOMMU does not let the function reach, and those of what was to be sent. */
  dmaFaults: number;
  txDmaFaults: number;
  /** Sent under another function's address (anti-spoofing). */
  spoofed: number;
  interrupts: number;
  /** Received frames without an interrupt of their own: it was masked while the driver polls, or one was due already. */
  coalesced: number;
}

/** What a virtual function is made of. */
export interface VirtualFunctionParts {
  readonly engine: Engine;
  readonly frames: FramePool;
  readonly nic: Nic;
  readonly port: SriovPort;
  /** Its number on the port, from 1. */
  readonly index: number;
  readonly macHigh: number;
  readonly macLow: number;
  readonly iommu: Iommu;
  /** The guest's device page table. */
  readonly domain: IommuDomain;
  readonly limits: Limits;
  /** After so many picoseconds an interrupt tells of frames that have been sent. */
  readonly moderationPs: number;
  /** Where its frames are shown; without, it has a tap of its own. */
  readonly tap?: FrameTap;
}

/**
 * A virtual function of a NIC: rings, MAC filter and interrupt vector of its own, the port shared with the others. The
 * guest's NIC driver sees it as a NIC with one receive queue; every DMA goes through the IOMMU.
 */
export class VirtualFunction implements FrameDevice, PortFunction {
  readonly name: string;
  readonly queueCount = 1;
  readonly macHigh: number;
  readonly macLow: number;
  /** The transmit ring, with the guest's own queue behind it. */
  readonly queue: FrameQueue;
  readonly domain: IommuDomain;
  /** Shows frames that the guest hands over, and those that the port has for it. */
  readonly tap: FrameTap;
  readonly counters: FunctionCounters = {
    txFrames: 0,
    txBytes: 0,
    rxFrames: 0,
    rxBytes: 0,
    rxDrops: 0,
    txDrops: 0,
    dmaFaults: 0,
    txDmaFaults: 0,
    spoofed: 0,
    interrupts: 0,
    coalesced: 0,
  };
  /** Called when the function's vector fires. The hypervisor routes it. */
  onInterrupt: (queue: number) => void = () => {};
  readonly sent: number[] = [];
  /** Frames in the transmit queue and in the receive ring. Null when nobody looks. */
  traceTx: TraceCounter | null = null;
  traceRx: TraceCounter | null = null;

  readonly #engine: Engine;
  readonly #frames: FramePool;
  readonly #iommu: Iommu;
  readonly #nic: Nic;
  readonly #port: SriovPort;
  readonly #index: number;
  readonly #moderationPs: number;
  readonly #txEntries: number;
  #txSlot = 0;
  // The receive ring: frames in order of arrival, and when the DMA of each is complete.
  readonly #ring: Int32Array;
  readonly #ready: Float64Array;
  #head = 0;
  #count = 0;
  #lastReady = 0;
  #rxSlot = 0;
  #masked = false;
  #unreaped = 0;
  readonly #interruptHandler: number;
  readonly #sentHandler: number;
  #interruptTimer = -1;
  #sentTimer = -1;

  /** Use `SriovPort.addFunction`. */
  constructor(parts: VirtualFunctionParts) {
    const { engine, nic, index, domain, limits } = parts;
    this.name = `${nic.name} vf${index}`;
    this.tap = parts.tap ?? new FrameTap(this.name.replaceAll(" ", "/"), "virtual function");
    this.macHigh = parts.macHigh;
    this.macLow = parts.macLow;
    this.domain = domain;
    this.#engine = engine;
    this.#frames = parts.frames;
    this.#nic = nic;
    this.#port = parts.port;
    this.#index = index;
    this.#iommu = parts.iommu;
    this.#moderationPs = parts.moderationPs;
    this.#txEntries = limits.nicTxRing;
    this.queue = new FrameQueue(limits.nicTxRing + limits.txQueueLength);
    this.#ring = new Int32Array(limits.nicRxRing);
    this.#ready = new Float64Array(limits.nicRxRing);
    domain.map(RINGS, (limits.nicTxRing + limits.nicRxRing) * DESCRIPTOR_BYTES);
    domain.map(SMALL_BUFFERS, limits.nicRxRing * SMALL_BYTES);
    domain.map(BIG_BUFFERS, limits.nicRxRing * BIG_BYTES);
    this.#interruptHandler = engine.handler(`${this.name} interrupt`, VirtualFunction.#onInterrupt, this);
    this.#sentHandler = engine.handler(`${this.name} transmit completion`, VirtualFunction.#onSent, this);
  }

  static readonly #onInterrupt = (_a: number, _b: number, of: VirtualFunction): void => {
    of.#interruptTimer = -1;
    of.#interrupt();
  };
  static readonly #onSent = (_a: number, _b: number, of: VirtualFunction): void => {
    of.#sentTimer = -1;
    // While it is masked the driver looks for itself, and an interrupt that is due serves both.
    if (!of.#masked && of.#interruptTimer < 0) of.#signalSent();
  };

  /** Frames waiting to be taken by the guest. */
  get waiting(): number {
    return this.#count;
  }

  /** Descriptors of the receive ring. */
  get receiveEntries(): number {
    return this.#ring.length;
  }

  // ---- used by the guest's driver

  transmit(frame: number, ahead: number): boolean {
    const now = this.#engine.now + ahead;
    this.#frames.setHandedAt(frame, now);
    if (this.tap.active) this.tap.see(OUTBOUND, frame, now);
    if (this.queue.isFull) {
      if (this.tap.active) this.tap.lose(LOST_QUEUE_FULL);
      this.counters.txDrops++;
      this.#nic.counters.txDrops++;
      this.#frames.free(frame);
      return false;
    }
    this.queue.push(frame);
    if (this.traceTx !== null) this.traceTx.set(this.queue.count);
    this.#port.doorbell(this.#index);
    return true;
  }

  take(): number {
    if (this.#count === 0 || this.#ready[this.#head] > this.#engine.now) return -1;
    const frame = this.#ring[this.#head];
    this.#head = this.#head + 1 === this.#ring.length ? 0 : this.#head + 1;
    this.#count--;
    if (this.traceRx !== null) this.traceRx.set(this.#count);
    return frame;
  }

  unmask(): void {
    this.#masked = false;
    // A frame that the function is still writing interrupts when it is complete.
    if (this.#count > 0) this.#armInterrupt(this.#ready[this.#head] - this.#engine.now);
  }

  reaped(): boolean {
    if (this.#unreaped === 0) return false;
    this.#unreaped = 0;
    if (this.#sentTimer >= 0) this.#engine.cancel(this.#sentTimer);
    this.#sentTimer = -1;
    return true;
  }

  // ---- used by the port

  /** Descriptor and every page of the frame, as they are read; and only frames under its own address may leave. */
  read(frame: number): number {
    if (this.traceTx !== null) this.traceTx.set(this.queue.count);
    const frames = this.#frames;
    const at = frames.at(frame);
    const { view } = frames.memory;
    const descriptor = RINGS + this.#txSlot * DESCRIPTOR_BYTES;
    this.#txSlot = this.#txSlot + 1 === this.#txEntries ? 0 : this.#txSlot + 1;
    if (view.getInt32(at + 8) !== (this.macLow | 0) || view.getUint16(at + 6) !== this.macHigh) {
      this.counters.spoofed++;
      return DMA_FAULT;
    }
    let latency = this.#dma(0, descriptor, DESCRIPTOR_BYTES);
    latency = this.#dma(latency, at, frames.linearOf(frame));
    if (frames.payloadLengthOf(frame) > 0) {
      latency = this.#dma(latency, frames.payloadOf(frame), frames.payloadLengthOf(frame));
    }
    if (latency === DMA_FAULT) {
      this.counters.dmaFaults++;
      this.counters.txDmaFaults++;
    }
    return latency;
  }

  left(frame: number): void {
    this.counters.txFrames++;
    this.counters.txBytes += this.#frames.frameLength(frame);
    const cookie = this.#frames.doneOf(frame);
    if (cookie >= 0) {
      // Its payload may be written again once the sender knows: the wire carries what DMA has read.
      this.#frames.own(frame);
      this.sent.push(cookie);
    }
    this.#reapLater();
  }

  /** A frame that was not let out is through with all the same: its descriptor is written back, and its sender told. */
  refused(frame: number): void {
    const cookie = this.#frames.doneOf(frame);
    if (cookie >= 0) this.sent.push(cookie);
    this.#reapLater();
  }

  #reapLater(): void {
    this.#unreaped++;
    if (this.#sentTimer < 0) {
      this.#sentTimer = this.#engine.timerAfter(this.#moderationPs, this.#sentHandler);
    }
  }

  accept(frame: number): boolean {
    const { journeys } = this.#frames;
    const now = this.#engine.now;
    if (journeys.isRecording) journeys.place = this.name;
    journeys.until(this.#frames.journeyOf(frame), NIC, now);
    if (this.tap.active) this.tap.see(INBOUND, frame, now);
    if (this.#count === this.#ring.length) {
      if (this.tap.active) this.tap.lose(LOST_QUEUE_FULL);
      this.counters.rxDrops++;
      this.#nic.counters.rxDrops++;
      this.#frames.free(frame);
      return false;
    }
    const length = this.#frames.frameLength(frame);
    const latency = this.#write(length);
    if (latency === DMA_FAULT) {
      this.counters.dmaFaults++;
      this.#frames.free(frame);
      return false;
    }
    this.counters.rxFrames++;
    this.counters.rxBytes += length;
    // Writes are posted: they complete in order.
    this.#lastReady = Math.max(this.#lastReady, now + latency);
    journeys.until(this.#frames.journeyOf(frame), NIC, this.#lastReady);
    const slot = (this.#head + this.#count++) % this.#ring.length;
    if (this.traceRx !== null) this.traceRx.set(this.#count);
    this.#ring[slot] = frame;
    this.#ready[slot] = this.#lastReady;
    if (this.#masked || this.#interruptTimer >= 0) {
      this.counters.coalesced++;
      this.#nic.counters.coalesced++;
    }
    if (!this.#masked) this.#armInterrupt(this.#lastReady - now);
    return true;
  }

  // ---- inside

  /** Receive descriptor and buffer, as they are written. Buffers of each size are used in the order of their ring. */
  #write(length: number): number {
    const slot = this.#rxSlot;
    this.#rxSlot = slot + 1 === this.#ring.length ? 0 : slot + 1;
    const descriptor = RINGS + (this.#txEntries + slot) * DESCRIPTOR_BYTES;
    const latency = this.#dma(0, descriptor, DESCRIPTOR_BYTES);
    const buffer = length <= SMALL_BYTES ? SMALL_BUFFERS + slot * SMALL_BYTES : BIG_BUFFERS + slot * BIG_BYTES;
    return this.#dma(latency, buffer, length);
  }

  /** Adds a DMA's translation to `latencyPs`; a fault stays one. */
  #dma(latencyPs: number, address: number, length: number): number {
    if (latencyPs === DMA_FAULT) return DMA_FAULT;
    const spent = this.#iommu.translate(this.domain, address, length);
    return spent === DMA_FAULT ? DMA_FAULT : latencyPs + spent;
  }

  /** When the vector fired last: coalescing keeps a least time between two interrupts. */
  #interruptedAt = -Infinity;

  /** For a frame that is complete after `delayPs`. */
  #armInterrupt(delayPs: number): void {
    if (this.#interruptTimer >= 0) return;
    const coalesced = this.#interruptedAt + this.#nic.coalescePs - this.#engine.now;
    this.#interruptTimer = this.#engine.timerAfter(Math.max(0, delayPs, coalesced), this.#interruptHandler);
  }

  /** For sent frames: a vector has one throttle for all that it announces. */
  #signalSent(): void {
    if (this.#interruptedAt + this.#nic.coalescePs > this.#engine.now) this.#armInterrupt(0);
    else this.#interrupt();
  }

  /** Fires the vector, which masks itself until the driver has emptied the ring. */
  #interrupt(): void {
    if (this.#masked || (this.#count === 0 && this.#unreaped === 0)) return;
    this.#masked = true;
    this.#interruptedAt = this.#engine.now;
    this.counters.interrupts++;
    this.#nic.counters.interrupts++;
    if (this.#nic.track !== null) this.#nic.track.instant(`interrupt, vf${this.#index}`, this.#engine.now);
    this.onInterrupt(0);
  }
}
