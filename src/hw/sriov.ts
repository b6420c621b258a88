import { US } from "../base/units.ts";
import { assert } from "../base/assert.ts";
import { NIC, QUEUEING } from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { FramePool } from "./frame.ts";
import { FrameQueue } from "./frame_queue.ts";
import { DMA_FAULT, type Iommu, type IommuDomain } from "./iommu.ts";
import type { Costs, Limits } from "./machine_profile.ts";
import type { PortSharing } from "./frame_device.ts";
import type { Nic } from "./nic.ts";
import { PhysicalFunction, type PortFunction } from "./port_function.ts";
import type { FrameTap } from "./tap.ts";
import { VirtualFunction } from "./virtual_function.ts";

/*
 * One port shared by functions. Function 0 is the physical one, the others are virtual.
 *
 *   function 0  queue --\                     /--> on-chip buffer --> serialiser --> wire
 *   function 1  queue ---> round robin, fetch
 *   function n  queue --/                     \--> on-chip buffer --> internal switch --> a function's receive ring
 *
 * A function waits in the turn list of the way that its oldest frame goes; a frame is fetched (DMA) when its function
 * has the turn and the way's on-chip buffer has room, so a full way holds up nobody who goes the other way.
 */

/** Virtual functions of a port (Intel 82599: 64 pools, one of them the physical function's). */
export const MAX_VIRTUAL_FUNCTIONS = 63;
/** Bytes of frames that are fetched but not yet sent, each way (Intel 82599: 160 KB of transmit packet buffer). */
const BUFFER_BYTES = 160 * 1024;

/** What is known of queued frames is fetched from memory for so many functions at a time: see {@link FramePool.fetch}. */
const FETCHED_TOGETHER = 8;

/** Marks the way of a copy through the internal switch. */
const COPY = 0x80;

// What a function does.
const IDLE = 0; // nothing to send
const ARMED = 1; // its oldest frame is handed over at an instant to come
const WAITING = 2; // in a turn list

/** The functions that wait for one way out, each once, in turn. */
class Turns {
  readonly waiting = new FrameQueue(MAX_VIRTUAL_FUNCTIONS + 1);
  /** Bytes fetched for this way and not yet gone. */
  buffered = 0;

  get isOpen(): boolean {
    return this.waiting.count > 0 && this.buffered < BUFFER_BYTES;
  }
}

/** What a NIC needs to be shared. */
export interface SriovParts {
  readonly engine: Engine;
  readonly frames: FramePool;
  readonly nic: Nic;
  /** Low 32 bits of the NIC's own address. */
  readonly macLow: number;
  readonly iommu: Iommu;
  readonly costs: Costs;
  readonly limits: Limits;
}

/** The port of a NIC with virtual functions: arbitration, and switching between the functions. */
export class SriovPort implements PortSharing {
  readonly nic: Nic;
  readonly functions: PortFunction[] = [];
  readonly counters = {
    /** Frames that went from one function to another. */
    switched: 0,
    /** Frames to their own sender: dropped, as a bridge drops them (802.1D 7.7.1). */
    hairpins: 0,
    /** Copies of frames for all stations that could not be had, because no frame was free. */
    noFrame: 0,
  };

  readonly #engine: Engine;
  readonly #frames: FramePool;
  readonly #costs: Costs;
  readonly #limits: Limits;
  readonly #iommu: Iommu;
  /** Function by the low 32 bits of a MAC address: unique within an emulated cluster. */
  readonly #filter = new Map<number, number>();
  readonly #state: Uint8Array = new Uint8Array(MAX_VIRTUAL_FUNCTIONS + 1);
  readonly #wire = new Turns();
  readonly #inside = new Turns();
  /** Functions whose frames are in the serialiser, in its order. */
  readonly #owners: FrameQueue;
  /** Picoseconds that the internal switch takes for a byte: it has the port's rate. */
  readonly #insidePsPerByte: number;
  #insideBusyUntil = 0;
  #untilFetch = 0;
  readonly #doorbellHandler: number;
  readonly #switchedHandler: number;

  /** Turns a NIC into one with functions: from now on its own frames take turns with theirs. */
  constructor(parts: SriovParts) {
    const { engine, nic, limits } = parts;
    this.#engine = engine;
    this.#frames = parts.frames;
    this.nic = nic;
    this.#iommu = parts.iommu;
    this.#costs = parts.costs;
    this.#limits = limits;
    this.#owners = new FrameQueue(limits.nicTxRing);
    this.#insidePsPerByte = 8000 / limits.nicRateGbps;
    this.functions.push(new PhysicalFunction(nic, limits));
    this.#filter.set(parts.macLow | 0, 0);
    this.#doorbellHandler = engine.handler(`${nic.name} doorbell`, SriovPort.#onDoorbell, this);
    this.#switchedHandler = engine.handler(`${nic.name} switch`, SriovPort.#onArrived, this);
    nic.share(this);
  }

  static readonly #onDoorbell = (index: number, _b: number, of: SriovPort): void => of.#handedOver(index);
  static readonly #onArrived = (frame: number, way: number, of: SriovPort): void => of.#arrived(frame, way);

  /** A virtual function for the guest whose device page table is `domain`. */
  addFunction(
    mac: { readonly macHigh: number; readonly macLow: number },
    domain: IommuDomain,
    tap?: FrameTap,
  ): VirtualFunction {
    const index = this.functions.length;
    assert(index <= MAX_VIRTUAL_FUNCTIONS, `sriov: a port has ${MAX_VIRTUAL_FUNCTIONS} virtual functions`);
    const { macHigh, macLow } = mac;
    const added = new VirtualFunction({
      engine: this.#engine,
      frames: this.#frames,
      nic: this.nic,
      port: this,
      index,
      macHigh,
      macLow,
      iommu: this.#iommu,
      domain,
      limits: this.#limits,
      moderationPs: Math.round(this.#limits.txModerationUs * US),
      tap,
    });
    this.functions.push(added);
    this.#filter.set(macLow | 0, index);
    return added;
  }

  /** Frames that functions have queued and the port has not fetched. */
  get backlog(): number {
    let sum = 0;
    for (const { queue } of this.functions) sum += queue.count;
    return sum;
  }

  /** A function has put a frame into its queue; noticed at the instant that the frame is handed over. */
  doorbell(index: number): void {
    if (this.#state[index] !== IDLE) return;
    this.#state[index] = ARMED;
    const handedAt = this.#frames.handedAtOf(this.functions[index].queue.first);
    this.#engine.after(handedAt - this.#engine.now, this.#doorbellHandler, index);
  }

  // ---- used by the NIC

  transmit(frame: number): boolean {
    const { queue } = this.functions[0];
    if (queue.isFull) {
      this.nic.counters.txDrops++;
      this.#frames.free(frame);
      return false;
    }
    queue.push(frame);
    this.doorbell(0);
    return true;
  }

  /** A frame from the wire: to the function whose address it has, to the physical one when none has it. */
  receive(frame: number): void {
    const length = this.#frames.frameLength(frame);
    let taken = false;
    if (this.#isForAll(frame)) {
      for (let index = 1; index < this.functions.length; index++) {
        const copy = this.#frames.copy(frame);
        if (copy < 0) this.counters.noFrame++;
        else if (this.functions[index].accept(copy)) taken = true;
      }
      if (this.nic.isDriven) taken = this.functions[0].accept(frame) || taken;
      else this.#frames.free(frame);
    } else {
      taken = this.functions[this.#destination(frame) ?? 0].accept(frame);
    }
    if (!taken) return;
    this.nic.counters.rxFrames++; // once, however many functions have it
    this.nic.counters.rxBytes += length;
  }

  frameSent(frame: number): void {
    this.#wire.buffered -= this.#frames.frameLength(frame);
    this.functions[this.#owners.shift()].left(frame);
    this.#serve();
  }

  // ---- arbitration

  #handedOver(index: number): void {
    this.#line(index);
    this.#serve();
  }

  /** Puts a function in line for the way of its oldest frame, at the end. */
  #line(index: number): void {
    const frame = this.functions[index].queue.first;
    this.#state[index] = WAITING;
    const way = this.#destination(frame) === undefined ? this.#wire : this.#inside;
    way.waiting.push(index);
  }

  /** A function's turn is over: it lines up again if it has more. */
  #next(index: number): void {
    this.#state[index] = IDLE;
    const { queue } = this.functions[index];
    if (queue.count === 0) return;
    if (this.#frames.handedAtOf(queue.first) > this.#engine.now) this.doorbell(index);
    else this.#line(index);
  }

  #serve(): void {
    for (;;) {
      if (this.#wire.isOpen && !this.nic.isPortFull) this.#serveWire(this.#wire.waiting.shift());
      else if (this.#inside.isOpen) this.#serveInside(this.#inside.waiting.shift());
      else return;
    }
  }

  /**
   * With many functions in line a frame has gone from the processor's cache when the turn of its function comes. Of the
   * next ones this fetches the journey of the first frame and the record of the second one, whose way is looked up then.
   */
  #fetchAhead(): void {
    this.#untilFetch = FETCHED_TOGETHER;
    for (let i = 0; i < FETCHED_TOGETHER; i++) {
      const { queue } = this.functions[this.#wire.waiting.at(i)];
      if (queue.count > 1) this.#frames.fetch(queue.first, queue.at(1));
    }
  }

  #serveWire(index: number): void {
    if (this.#wire.waiting.count > FETCHED_TOGETHER && --this.#untilFetch <= 0) this.#fetchAhead();
    const frame = this.functions[index].queue.shift();
    const ready = this.#fetch(index, frame);
    if (ready >= 0 && this.#isForAll(frame)) this.#toNeighbours(index, frame, ready);
    if (ready >= 0 && !this.nic.isConnected) {
      this.nic.counters.txDrops++;
      this.functions[index].refused(frame);
      this.#frames.free(frame);
    } else if (ready >= 0) {
      this.#wire.buffered += this.#frames.frameLength(frame);
      this.#owners.push(index);
      this.nic.send(frame, ready);
    }
    this.#next(index);
  }

  #serveInside(index: number): void {
    const frame = this.functions[index].queue.shift();
    const to = this.#destination(frame)!;
    if (to === index) {
      this.counters.hairpins++;
      this.functions[index].left(frame);
      this.#frames.free(frame);
    } else {
      const ready = this.#fetch(index, frame);
      if (ready >= 0) this.#switch(index, to, frame, ready);
    }
    this.#next(index);
  }

  /** Reads a frame; the instant at which the port has it, or -1 when it was refused (counted by its function). */
  #fetch(index: number, frame: number): number {
    const now = this.#engine.now;
    const translation = this.functions[index].read(frame);
    if (translation === DMA_FAULT) {
      this.functions[index].refused(frame);
      this.#frames.free(frame);
      return -1;
    }
    const journey = this.#frames.journeyOf(frame);
    const { journeys } = this.#frames;
    const duration = this.#costs.nicTransmit + translation;
    if (journey >= 0) {
      if (journeys.isRecording) journeys.place = this.nic.name;
      journeys.until(journey, QUEUEING, now);
      journeys.work(journey, NIC, duration);
    }
    return now + duration;
  }

  // ---- internal switch

  /** Frames go through one after another; when each is through is known as soon as it is fetched. */
  #switch(from: number, to: number, frame: number, ready: number): void {
    const length = this.#frames.frameLength(frame);
    const start = Math.max(ready, this.#insideBusyUntil);
    this.#insideBusyUntil = start + Math.round(length * this.#insidePsPerByte);
    this.#inside.buffered += length;
    const { journeys } = this.#frames;
    journeys.until(this.#frames.journeyOf(frame), QUEUEING, start);
    this.#engine.at(this.#insideBusyUntil + this.#costs.nicReceive, this.#switchedHandler, frame, from << 8 | to);
  }

  /** A frame for all stations goes to the other functions too, as the internal switch replicates it. */
  #toNeighbours(from: number, frame: number, ready: number): void {
    for (let to = this.nic.isDriven ? 0 : 1; to < this.functions.length; to++) {
      if (to === from) continue;
      const copy = this.#frames.copy(frame);
      if (copy >= 0) this.#switch(from, to | COPY, copy, ready);
      else this.counters.noFrame++;
    }
  }

  #arrived(frame: number, way: number): void {
    this.#inside.buffered -= this.#frames.frameLength(frame);
    this.counters.switched++;
    // The sender of a copy is told when the frame itself has left by the wire.
    if ((way & COPY) === 0) this.functions[way >> 8].left(frame);
    this.functions[way & 0x3f].accept(frame);
    this.#serve();
  }

  /** The lowest bit of the first byte marks a group address. */
  #isForAll(frame: number): boolean {
    return (this.#frames.memory.view.getUint8(this.#frames.at(frame)) & 1) === 1;
  }

  #destination(frame: number): number | undefined {
    return this.#filter.get(this.#frames.memory.view.getInt32(this.#frames.at(frame) + 2));
  }
}
