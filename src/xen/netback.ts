import type { BridgePort, SoftwareBridge } from "../hw/bridge.ts";
import type { FramePool } from "../hw/frame.ts";
import type { Interrupt } from "../hw/interrupt.ts";
import type { Processor } from "../hw/processor.ts";
import { Thread, type Wait, WAIT_BLOCK } from "../hw/thread.ts";
import { BACKEND, KERNEL, NOTIFICATION, QUEUEING, WAKEUP } from "../metrics/stage.ts";
import type { Domain } from "./domain.ts";
import { type HeaderSplit, NetJourneys } from "./net_layout.ts";
import { NetbackMap } from "./netback_map.ts";
import { NetbackRx } from "./netback_rx.ts";
import { NetbackTx } from "./netback_tx.ts";

/** Frames of one direction that the thread handles in one burst: their copies are one hypercall. */
const FRAMES_PER_BURST = 4;
const NO_WAKE = -1;

// As constants of this file, which V8 folds.
const CLASS = KERNEL;
const WAITED = QUEUEING;

export interface NetbackParts {
  readonly dom0: Domain;
  readonly guest: Domain;
  /** Which of the guest's network devices it belongs to; the first one by default. */
  readonly device?: number;
  readonly frames: FramePool;
  readonly bridge: SoftwareBridge;
  /** Dom0's end of the event channel. */
  readonly port: number;
  /** Where dom0 has mapped the transmit and the receive ring. */
  readonly txPage: number;
  readonly rxPage: number;
  /** Dom0's VCPU that the thread runs on. */
  readonly processor: Processor;
  readonly split: HeaderSplit;
  readonly journeys: NetJourneys;
  /** Transmitted frames are mapped instead of copied. */
  readonly mapsTransmit?: boolean;
  /** One of several queues: its number, and the bridge's port of all of them. */
  readonly queue?: { readonly number: number; readonly bridgePort: number };
}

/**
 * Dom0's half of a split network device (Linux drivers/net/xen-netback): a kernel thread that carries frames between the
 * rings of one guest and the bridge, whose port it is. It sleeps when both directions are empty; the guest's event wakes
 * it, or a frame from the bridge. A device with several queues has as many of these, behind one port.
 */
export class Netback implements BridgePort {
  readonly name: string;
  readonly tx: NetbackTx;
  readonly rx: NetbackRx;
  /** Null when transmitted frames are copied. */
  readonly map: NetbackMap | null = null;
  readonly thread: Thread;
  /** Number of its port on the bridge. */
  readonly bridgePort: number;
  /** Times that the thread was woken. */
  wakes = 0;
  readonly #dom0: Domain;
  readonly #frames: FramePool;
  readonly #bridge: SoftwareBridge;
  readonly #journeys: NetJourneys;
  readonly #processor: Processor;
  readonly #sender: Interrupt;
  readonly #publishTx: number;
  readonly #publishRx: number;
  readonly #arrive: number;
  #asleep = true;
  /** What the wake that is under way costs, picoseconds; {@link NO_WAKE} when none is. */
  #wakePs = NO_WAKE;
  #transmitsNext = false;

  constructor(parts: NetbackParts) {
    const { dom0, guest, device = 0, frames, processor, queue } = parts;
    const { engine } = dom0.hypervisor;
    this.name = `${dom0.hypervisor.name} vif${guest.id}.${device}${queue === undefined ? "" : `-q${queue.number}`}`;
    this.#dom0 = dom0;
    this.#frames = frames;
    this.#bridge = parts.bridge;
    this.#journeys = parts.journeys;
    this.#processor = processor;
    this.tx = new NetbackTx(dom0, guest.id, parts.txPage, frames, parts.split);
    this.rx = new NetbackRx(dom0, guest.id, parts.rxPage, frames, parts.journeys);
    this.bridgePort = queue?.bridgePort ?? parts.bridge.addPort(this);
    this.thread = Thread.of(`${this.name} netback`, processor, Netback.#onStep, this);
    this.#sender = dom0.eventChannels.sender(parts.port);
    this.#publishTx = engine.handler(`${this.name} transmit answers`, Netback.#onPublishTx, this);
    this.#publishRx = engine.handler(`${this.name} receive answers`, Netback.#onPublishRx, this);
    this.#arrive = engine.handler(`${this.name} frame`, Netback.#onArrive, this);
    if (parts.mapsTransmit === true) {
      const returned = (from: number) => this.#wake(this.#wakeCost(from));
      const { tx } = this;
      const { split } = parts;
      this.map = new NetbackMap({ dom0, guest: guest.id, tx, frames, split, burst: FRAMES_PER_BURST, returned });
    }
  }

  static readonly #onStep = (cpu: Processor, of: Netback): Wait => of.#step(cpu);
  static readonly #onPublishTx = (to: number, _b: number, of: Netback): void => {
    if (of.tx.ring.publishResponses(to)) of.#processor.raise(of.#sender);
  };
  static readonly #onPublishRx = (to: number, _b: number, of: Netback): void => {
    if (of.rx.ring.publishResponses(to)) of.#processor.raise(of.#sender);
  };
  static readonly #onArrive = (frame: number, from: number, of: Netback): void => of.#queue(frame, from);

  /** The event channel's handler, on the thread's own VCPU (xenvif_interrupt). */
  interrupt(_cpu: Processor): void {
    if (this.tx.hasWork || this.rx.hasWork) this.#wake(this.#dom0.hypervisor.costs.netbackWake);
  }

  /** BridgePort: a frame for the guest, from another VCPU of dom0 as often as not (xenvif_start_xmit). */
  transmit(cpu: Processor, frame: number): boolean {
    cpu.post(this.#arrive, frame, cpu.index);
    return true; // a drop is counted where it happens
  }

  #queue(frame: number, from: number): void {
    if (!this.rx.accept(frame) || !this.#asleep) return;
    // Without buffers the guest's event will wake the thread.
    if (this.rx.hasWork || this.rx.awaitBuffers()) this.#wake(this.#wakeCost(from));
  }

  /** What it takes to wake the thread from a VCPU of dom0. */
  #wakeCost(from: number): number {
    const { costs } = this.#dom0.hypervisor;
    return this.#dom0.processors[from] === this.#processor ? costs.netbackWake : costs.workQueueWake;
  }

  #wake(costPs: number): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    this.#wakePs = costPs;
    this.thread.notify();
  }

  // ---- the thread

  /** One burst of one direction; the directions take turns (xen_netbk_kthread). */
  #step(cpu: Processor): Wait {
    if (this.#asleep) return WAIT_BLOCK;
    if (this.#wakePs !== NO_WAKE) return this.#awake(cpu);
    if (this.map !== null && this.map.hasReturned) return this.#unmap(cpu, this.map);
    const hasRx = this.rx.hasWork;
    const hasTx = this.tx.hasWork;
    if (hasRx || hasTx) {
      const transmits = hasTx && (this.#transmitsNext || !hasRx);
      this.#transmitsNext = !transmits;
      if (transmits && this.map !== null) this.#transmitMapped(cpu, this.map);
      else if (transmits) this.#transmit(cpu);
      else this.#receive(cpu);
      return 0;
    }
    if (this.tx.ring.finalCheckForRequests() > 0 || this.rx.awaitBuffers()) return 0;
    this.#asleep = true;
    return WAIT_BLOCK;
  }

  /** Waking up, and finding nothing of the device in the cache, delays what the thread was woken for. */
  #awake(cpu: Processor): Wait {
    const { tx, rx } = this;
    this.wakes++;
    if (rx.hasWork) cpu.carry(rx.firstJourney, WAKEUP);
    else if (tx.hasWork) cpu.carry(this.#journeys.tx[tx.ring.slotNumber(tx.ring.reqCons)], NOTIFICATION);
    cpu.charge(WAKEUP, CLASS, this.#wakePs);
    cpu.charge(BACKEND, CLASS, this.#dom0.hypervisor.costs.coldCache);
    cpu.putDown();
    this.#wakePs = NO_WAKE;
    return 0;
  }

  /** There is a frame to begin with: `#step` has looked. */
  #receive(cpu: Processor): void {
    let i = 0;
    do {
      cpu.carry(this.rx.firstJourney, WAITED);
      if (i === 0) this.#dom0.mappings.beginCopies(cpu);
      this.rx.deliver(cpu);
      cpu.putDown();
      cpu.post(this.#publishRx, this.rx.ring.rspProdPvt | 0);
    } while (++i < FRAMES_PER_BURST && this.rx.hasWork);
  }

  #transmit(cpu: Processor): void {
    const { ring } = this.tx;
    let i = 0;
    do {
      const journey = NetJourneys.take(this.#journeys.tx, ring.slotNumber(ring.reqCons));
      cpu.carry(journey, WAITED);
      if (i === 0) this.#dom0.mappings.beginCopies(cpu);
      const frame = this.tx.take(cpu);
      cpu.post(this.#publishTx, ring.rspProdPvt | 0);
      this.#forward(cpu, journey, frame);
      cpu.putDown();
    } while (++i < FRAMES_PER_BURST && this.tx.hasWork);
  }

  /** The burst's pages are mapped first, which its first message pays for; answers come when the frames have ended. */
  #transmitMapped(cpu: Processor, map: NetbackMap): void {
    const count = map.gather(this.#journeys);
    for (let i = 0; i < count; i++) {
      cpu.carry(map.journeys[i], WAITED);
      if (i === 0) map.map(cpu, count);
      const frame = map.take(cpu, i);
      if (frame < 0) cpu.post(this.#publishTx, this.tx.ring.rspProdPvt | 0);
      this.#forward(cpu, map.journeys[i], frame);
      cpu.putDown();
    }
  }

  #unmap(cpu: Processor, map: NetbackMap): Wait {
    map.unmap(cpu);
    cpu.post(this.#publishTx, this.tx.ring.rspProdPvt | 0);
    return 0;
  }

  #forward(cpu: Processor, journey: number, frame: number): void {
    if (frame < 0) {
      this.#frames.journeys.drop(journey);
      return;
    }
    this.#frames.setJourney(frame, journey);
    this.#bridge.forward(cpu, CLASS, this.bridgePort, frame);
  }
}
