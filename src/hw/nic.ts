import { US } from "../base/units.ts";
import * as stages from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { TraceCounter, TraceTrack } from "../sim/trace.ts";
import type { FramePool } from "./frame.ts";
import type { FrameDevice, PortSharing } from "./frame_device.ts";
import type { Link, PortQueue, WirePort } from "./link.ts";
import type { Costs, Limits } from "./machine_profile.ts";
import { type QueueCounters, ReceiveQueue } from "./receive_queue.ts";
import { recordsOf } from "./records.ts";
import { type Sender, Serialiser } from "./serialiser.ts";
import { FrameTap, INBOUND, OUTBOUND } from "./tap.ts";
import { TransmitQueue } from "./transmit_queue.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { NIC, QUEUEING } = stages;

export interface NicCounters {
  txFrames: number;
  txBytes: number;
  rxFrames: number;
  rxBytes: number;
  /** The receive ring was full. */
  rxDrops: number;
  /** Frames whose check sequence was wrong: no driver has seen them. */
  rxCrcErrors: number;
  /** The transmit ring and the kernel's queue in front of it were full. */
  txDrops: number;
  interrupts: number;
  /** Received frames without an interrupt of their own: it was masked while the driver polls, or one was due already. */
  coalesced: number;
}

/** Takes interrupts where no driver has been loaded. */
const NOBODY = () => {};

/**
 * A 10GbE NIC: one transmit ring behind the kernel's transmit queue, receive queues with an interrupt each, DMA,
 * interrupt coalescing. A frame goes to the receive queue that its destination endpoint hashes to (Open-MX FAQ:
 * byte 17 of a frame, or for a pull reply the low byte of its handle's magic), so that one endpoint's frames are
 * always handled by one CPU.
 */
export class Nic implements WirePort, FrameDevice, Sender {
  readonly name: string;
  readonly receiveLatencyPs: number;
  readonly counters: NicCounters = {
    txFrames: 0,
    txBytes: 0,
    rxFrames: 0,
    rxBytes: 0,
    rxDrops: 0,
    rxCrcErrors: 0,
    txDrops: 0,
    interrupts: 0,
    coalesced: 0,
  };
  /**
   * Least time between two interrupts of a queue, picoseconds; 0 is latency mode. The first frame after a longer pause
   * interrupts at once: a value just under the base latency costs nothing (Open-MX FAQ 1775-1808).
   */
  coalescePs: number;
  onInterrupt: (queue: number) => void = NOBODY;
  readonly sent: number[] = [];
  /** Interrupts, those of virtual functions too. Null when nobody looks. */
  track: TraceTrack | null = null;
  /** Frames handed over and not sent, where the port is not shared, and frames that no driver has taken yet. */
  traceTx: TraceCounter | null = null;
  traceRx: TraceCounter | null = null;
  /** Shows what goes between the port and its wire: frames whose last bit has left, and those that have arrived. */
  readonly tap: FrameTap;

  readonly #engine: Engine;
  readonly #frames: FramePool;
  readonly #costs: Costs;
  readonly #queues: ReceiveQueue[] = [];
  /** The receive queue of each value of the byte that is hashed. */
  readonly #queueOfByte: Uint8Array;
  readonly #serialiser: Serialiser;
  readonly #txModerationPs: number;
  /** The kernel's transmit queue, in front of the ring. */
  readonly #txQueue: TransmitQueue;
  readonly #interruptHandler: number;
  readonly #sentHandler: number;
  /** An interrupt for transmit completions is on its way. */
  #isSentDue = false;
  #sharing: PortSharing | null = null;
  /** The address that it takes frames for: high 16 and low 32 bits, as words. High -1 while it takes all (promiscuous). */
  #stationHigh = -1;
  #stationLow = 0;
  /** Frames for other stations; all of them while no kernel has brought the interface up. */
  filtered = 0;

  constructor(engine: Engine, frames: FramePool, name: string, costs: Costs, limits: Limits) {
    this.#engine = engine;
    this.#frames = frames;
    this.name = name;
    this.tap = new FrameTap(name.replaceAll(" ", "/"), "network interface of a host", limits.nicRateGbps * 1e9);
    this.#costs = costs;
    this.receiveLatencyPs = costs.nicReceive;
    this.coalescePs = Math.round(limits.coalesceUs * US);
    this.#txModerationPs = Math.round(limits.txModerationUs * US);
    this.#txQueue = new TransmitQueue(limits.txQueueLength);
    for (let i = 0; i < limits.nicQueues; i++) this.#queues.push(new ReceiveQueue(recordsOf(engine), limits.nicRxRing));
    this.#queueOfByte = Uint8Array.from({ length: 256 }, (_, byte) => byte % limits.nicQueues);
    this.#serialiser = new Serialiser(
      engine,
      frames,
      name,
      limits.nicTxRing,
      costs.nicFragment,
      this,
    );
    this.#interruptHandler = engine.handler(`${name} interrupt`, Nic.#onInterrupt, this);
    this.#sentHandler = engine.handler(`${name} transmit completion`, Nic.#onSent, this);
  }

  static readonly #onInterrupt = (queue: number, _b: number, of: Nic): void => {
    of.#queues[queue].timer = -1;
    // Another queue's poll may have looked after the sent frames that this one is for.
    if (of.#queues[queue].count > 0 || of.sent.length > 0) of.#interrupt(queue);
  };
  static readonly #onSent = (_a: number, _b: number, of: Nic): void => {
    of.#isSentDue = false;
    const queue = of.#queues[0];
    // While it is masked the driver looks for itself, and one that is due serves both.
    if (of.sent.length > 0 && !queue.masked && queue.timer < 0) of.#signal(0);
  };

  get queueCount(): number {
    return this.#queues.length;
  }

  /** Frames in the transmit ring and in the kernel's queue before it. */
  get backlog(): number {
    return this.#serialiser.count + this.#txQueue.count + (this.#sharing?.backlog ?? 0);
  }

  // ---- used by what shares the port

  /** From now on all frames of the port take turns under `sharing`. */
  share(sharing: PortSharing): void {
    this.#sharing = sharing;
  }

  get isShared(): boolean {
    return this.#sharing !== null;
  }

  /** No frame can be sent before another one has left. */
  get isPortFull(): boolean {
    return this.#serialiser.isFull;
  }

  /** Sends a frame that has been fetched, or will be at `readyAt`. */
  send(frame: number, readyAt: number): void {
    this.#serialiser.push(frame, readyAt - this.#engine.now);
  }

  /** Whether there is a cable: a host alone has none. */
  get isConnected(): boolean {
    return this.#serialiser.link !== null;
  }

  connect(link: Link, side: 0 | 1): void {
    this.#serialiser.connect(link, side);
  }

  /**
   * The driver hands over a frame and rings the doorbell, in a burst that is `ahead` picoseconds ahead of the engine's
   * clock; false when it was dropped.
   */
  transmit(frame: number, ahead: number): boolean {
    if (this.#sharing !== null) {
      this.#frames.setHandedAt(frame, this.#engine.now + ahead);
      return this.#sharing.transmit(frame);
    }
    if (this.#txQueue.count === 0 && !this.#serialiser.isFull && this.isConnected) {
      if (this.traceTx !== null) this.traceTx.add(1);
      this.#fetch(frame, ahead, this.#serialiser.portPs(frame));
      return true;
    }
    if (this.#txQueue.isFull || !this.isConnected) {
      this.counters.txDrops++;
      this.#frames.free(frame);
      return false;
    }
    this.#txQueue.push(frame, this.#engine.now + ahead, this.#serialiser.portPs(frame));
    if (this.traceTx !== null) this.traceTx.add(1);
    return true;
  }

  // ---- receive side, used by the wire and the driver

  receive(frame: number): void {
    if (FrameTap.listened > 0 && this.tap.active) this.tap.see(INBOUND, frame, this.#engine.now);
    if (this.#sharing !== null) {
      this.#sharing.receive(frame);
      return;
    }
    if (!this.passes(frame)) return;
    // Read first: an idle CPU may take and free the frame at once.
    const length = this.#frames.frameLength(frame);
    if (!this.accept(frame)) return;
    this.counters.rxFrames++;
    this.counters.rxBytes += length;
  }

  /** The MAC drops a frame whose FCS is wrong before anything else looks at it. */
  receiveBad(frame: number): void {
    this.counters.rxCrcErrors++;
    this.#frames.free(frame);
  }

  /** Whether a kernel has a driver for it. Without one a NIC that others use receives nothing for itself. */
  get isDriven(): boolean {
    return this.onInterrupt !== NOBODY;
  }

  /** The filter of the NIC's own address, or of its physical function's: a frame that it does not take is gone. */
  passes(frame: number): boolean {
    if (this.isDriven && this.#isOurs(frame)) return true;
    this.filtered++;
    this.#frames.free(frame);
    return false;
  }

  /** From now on frames for other stations are dropped, but for those to a group address. */
  setStation(macHigh: number, macLow: number): void {
    this.#stationHigh = macHigh;
    this.#stationLow = macLow | 0;
  }

  #isOurs(frame: number): boolean {
    if (this.#stationHigh < 0) return true;
    const { view } = this.#frames.memory;
    const at = this.#frames.at(frame);
    const high = view.getUint16(at);
    return (high === this.#stationHigh && view.getInt32(at + 2) === this.#stationLow) || (high & 0x100) !== 0;
  }

  /** A frame for the physical function; false when it was dropped. */
  accept(frame: number): boolean {
    const { journeys } = this.#frames;
    if (journeys.isRecording) journeys.place = this.name;
    journeys.until(this.#frames.journeyOf(frame), NIC, this.#engine.now);
    const index = this.#queueOf(frame);
    const queue = this.#queues[index];
    if (!queue.push(frame)) {
      this.counters.rxDrops++;
      this.#frames.free(frame);
      return false;
    }
    if (this.traceRx !== null) this.traceRx.add(1);
    if (queue.masked || queue.timer >= 0) {
      queue.coalesce();
      this.counters.coalesced++;
      return true;
    }
    this.#signal(index);
    return true;
  }

  take(index: number): number {
    const frame = this.#queues[index].take();
    if (frame >= 0 && this.traceRx !== null) this.traceRx.add(-1);
    return frame;
  }

  /** Frames in all receive rings. */
  get received(): number {
    return this.#queues.reduce((sum, { count }) => sum + count, 0);
  }

  /** Frames waiting in a queue's receive ring. */
  waiting(index: number): number {
    return this.#queues[index].count;
  }

  /** What a receive queue has counted. */
  queueCounters(index: number): Readonly<QueueCounters> {
    const { frames, drops, interrupts, coalesced } = this.#queues[index];
    return { frames, drops, interrupts, coalesced };
  }

  /** Descriptors of each receive ring. */
  get receiveEntries(): number {
    return this.#queues[0]?.capacity ?? 0;
  }

  /** What waits to be sent. */
  get queue(): PortQueue {
    return { used: this.backlog, size: this.transmitEntries, drops: this.counters.txDrops };
  }

  /** Frames that the transmit ring and the kernel's queue before it hold. */
  get transmitEntries(): number {
    return this.#serialiser.capacity + this.#txQueue.limit;
  }

  unmask(index: number): void {
    this.#queues[index].unmask();
  }

  reaped(): boolean {
    return this.sent.length > 0;
  }

  /** Interrupts when coalescing lets it, for received frames and sent ones: a queue's vector has one throttle. */
  #signal(index: number): void {
    const queue = this.#queues[index];
    const due = queue.interruptedAt + this.coalescePs;
    if (due <= this.#engine.now) this.#interrupt(index);
    else queue.timer = this.#engine.timerAfter(due - this.#engine.now, this.#interruptHandler, index);
  }

  #interrupt(index: number): void {
    const queue = this.#queues[index];
    if (queue.masked) return;
    queue.interrupted(this.#engine.now);
    this.counters.interrupts++;
    if (this.track !== null) this.track.instant(`interrupt, queue ${index}`, this.#engine.now);
    this.onInterrupt(index);
  }

  #queueOf(frame: number): number {
    const at = this.#frames.at(frame);
    const bytes = this.#frames.memory.u8;
    return this.#queueOfByte[bytes[at + 16] === 0x2a ? bytes[at + 31] ^ 0x80 : bytes[at + 17]];
  }

  // ---- transmit side

  /** Reads a frame by DMA, which begins `delay` picoseconds from now. */
  #fetch(frame: number, delayPs: number, portPs: number): void {
    this.#serialiser.push(frame, delayPs + this.#costs.nicTransmit, portPs);
  }

  /** Called by the port's serialiser. */
  frameSent(frame: number): void {
    if (FrameTap.listened > 0 && this.tap.active) this.tap.see(OUTBOUND, frame, this.#engine.now);
    this.counters.txFrames++;
    this.counters.txBytes += this.#frames.frameLength(frame);
    if (this.#sharing !== null) {
      this.#sharing.frameSent(frame);
      return;
    }
    if (this.traceTx !== null) this.traceTx.add(-1);
    this.#bookFetch(frame);
    this.completed(frame);
    const queue = this.#txQueue;
    if (queue.count > 0) {
      queue.shift();
      // A burst that is still executing may have handed it over at an instant that is yet to come.
      this.#fetch(queue.frame, Math.max(0, queue.handedAt - this.#engine.now), queue.portPs);
    }
  }

  /** Books the fetch of a frame when it has left, as nobody has looked at it before. */
  #bookFetch(frame: number): void {
    const journey = this.#frames.journeyOf(frame);
    if (journey < 0) return;
    const { journeys } = this.#frames;
    if (journeys.isRecording) journeys.place = this.name;
    journeys.until(journey, QUEUEING, this.#serialiser.readyAt - this.#costs.nicTransmit);
    journeys.work(journey, NIC, this.#costs.nicTransmit);
  }

  /** A frame of the physical function has left: its sender is told, if it wants to know. */
  completed(frame: number): void {
    const cookie = this.#frames.doneOf(frame);
    if (cookie >= 0) {
      // Its payload may be written again once the sender knows: the wire carries what DMA has read.
      this.#frames.own(frame);
      this.#frames.endLoan(frame); // the cookie says it
      this.sent.push(cookie);
      if (this.#isSentDue) return;
      this.#isSentDue = true;
      this.#engine.after(this.#txModerationPs, this.#sentHandler);
    }
  }
}
