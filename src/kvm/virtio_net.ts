import { PAGE_SIZE } from "../base/units.ts";
import { FrameQueue } from "../hw/frame_queue.ts";
import type { FramePool } from "../hw/frame.ts";
import type { InterruptLine } from "../hw/interrupt_line.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { FrameReceiver } from "../hw/nic_driver.ts";
import { Interrupt } from "../hw/interrupt.ts";
import type { Processor } from "../hw/processor.ts";
import { FrameTap, INBOUND, OUTBOUND } from "../hw/tap.ts";
import { INTERRUPT, IRQ, QUEUEING } from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import { DriverQueue, USED_BROKEN } from "./driver_queue.ts";
import { NET_HEADER_BYTES, writeNetHeaderByView } from "./net_header.ts";
import { ReceiveBuffers } from "./receive_buffers.ts";
import type { Vcpu } from "./vcpu.ts";
import { VIRTIO_F_EVENT_IDX, VIRTIO_F_INDIRECT_DESC, VIRTIO_NET_F_MRG_RXBUF, Virtqueue } from "./virtqueue.ts";

/** Entries of each queue, as QEMU's virtio-net has them. */
export const QUEUE_SIZE = 256;
export const DEFAULT_FEATURES = VIRTIO_NET_F_MRG_RXBUF + VIRTIO_F_INDIRECT_DESC + VIRTIO_F_EVENT_IDX;

/** Header, linear part, payload. */
const TX_BUFFERS = 3;

/** What a device and its driver share besides guest memory: the hypervisor's wiring and the observer's journeys. */
export class NetWiring {
  /** Followed messages by slot of the receive queue's used ring. */
  readonly rxJourneys: Int32Array = new Int32Array(QUEUE_SIZE).fill(-1);
  /** Frames of the driver by head of a chain in the transmit queue, so that the device finds their messages. */
  readonly txFrames: Int32Array = new Int32Array(QUEUE_SIZE).fill(-1);
  /** The device's end of a kick: handler of an event. Queue 0 receives, queue 1 transmits (5.1.2). */
  kickHandler = -1;
  /** What a kick costs the guest. */
  chargeKick: (cpu: Processor) => void = () => {};
  rxLine: InterruptLine | null = null;
  txLine: InterruptLine | null = null;
}

export interface VirtioNetParts {
  readonly engine: Engine;
  readonly frames: FramePool;
  readonly costs: Costs;
  readonly name: string;
  readonly vcpu: Vcpu;
  readonly macHigh: number;
  readonly macLow: number;
  /** Largest frame, from the Ethernet header on. */
  readonly mtu: number;
  /** Frames that may wait for the transmit queue: the interface's txqueuelen. */
  readonly txQueueLength: number;
  readonly features?: number;
  /** Shows what goes into and comes out of the queues. */
  readonly tap?: FrameTap;
}

/**
 * A guest kernel's virtio-net driver (drivers/net/virtio_net.c): a transmit and a receive queue, an interrupt vector for
 * each, and a poll loop (NAPI) that holds off receive interrupts while there is something to take.
 */
export class VirtioNet {
  readonly tx: DriverQueue;
  readonly rx: DriverQueue;
  readonly wiring: NetWiring = new NetWiring();
  readonly buffers: ReceiveBuffers;
  readonly tap: FrameTap;
  /** Who takes received frames: the guest's Open-MX driver. */
  receiver: FrameReceiver | null = null;
  readonly counters = {
    txFrames: 0,
    /** The transmit queue and the kernel's queue before it were full. */
    txDrops: 0,
    txKicks: 0,
    rxFrames: 0,
    rxKicks: 0,
    /** Flooded by a bridge, for another station. */
    rxOther: 0,
  };

  readonly #frames: FramePool;
  readonly #costs: Costs;
  readonly #macHigh: number;
  readonly #macLow: number;
  readonly #processor: Processor;
  readonly #backlog: FrameQueue;
  readonly #publishTx: number;
  readonly #publishRx: number;
  readonly #kickTx: Interrupt;
  readonly #kickRx: Interrupt;
  readonly #poll: Interrupt;
  readonly #txWork: Interrupt;
  #kickFrame = -1;
  #notifyAt = -1; // index of the newest chain whose sender waits to hear of its end

  constructor(parts: VirtioNetParts) {
    const { engine, frames, costs, name, vcpu } = parts;
    const { memory } = frames;
    const features = parts.features ?? DEFAULT_FEATURES;
    this.#frames = frames;
    this.#costs = costs;
    this.#processor = vcpu.processor;
    this.tap = parts.tap ?? new FrameTap(name, "virtio-net");
    this.#macHigh = parts.macHigh;
    this.#macLow = parts.macLow;
    this.tx = new DriverQueue(new Virtqueue(memory, QUEUE_SIZE, features), TX_BUFFERS, NET_HEADER_BYTES);
    this.tx.disableInterrupts(); // virtqueue_disable_cb: sending reclaims what has been sent
    this.#backlog = new FrameQueue(parts.txQueueLength);
    const pages = Math.ceil((NET_HEADER_BYTES + parts.mtu) / PAGE_SIZE);
    const pagesPerBuffer = (features & VIRTIO_NET_F_MRG_RXBUF) !== 0 ? 1 : pages;
    this.rx = new DriverQueue(new Virtqueue(memory, QUEUE_SIZE, features), pagesPerBuffer);
    this.#publishTx = engine.handler(`${name} tx available`, VirtioNet.#onTxAvailable, this);
    this.#publishRx = engine.handler(`${name} rx available`, VirtioNet.#onRxAvailable, this);
    this.#kickTx = Interrupt.of(`${name} tx kick`, 0, VirtioNet.#onKickTx, this);
    this.#kickRx = Interrupt.of(`${name} rx kick`, 0, VirtioNet.#onKickRx, this);
    this.#poll = Interrupt.of(`${name} poll`, 1, VirtioNet.#onPoll, this);
    this.#txWork = Interrupt.of(`${name} tx completions`, 1, VirtioNet.#onTxWork, this);
    this.wiring.rxLine = vcpu.line(`${name} rx vector`, (cpu) => {
      cpu.charge(INTERRUPT, IRQ, this.#costs.napi);
      this.rx.disableInterrupts();
      cpu.raise(this.#poll);
    }, () => this.wiring.rxJourneys[this.rx.nextUsedSlot]);
    this.wiring.txLine = vcpu.line(`${name} tx vector`, (cpu) => cpu.raise(this.#txWork), () => -1);
    this.buffers = new ReceiveBuffers(frames, this.rx, pages);
  }

  static readonly #onTxAvailable = (to: number, frame: number, of: VirtioNet): void => of.#txAvailable(to, frame);
  static readonly #onRxAvailable = (to: number, _b: number, of: VirtioNet): void => {
    if (of.rx.publish(to)) of.#processor.raise(of.#kickRx);
  };
  static readonly #onKickTx = (cpu: Processor, of: VirtioNet): boolean => of.#kick(cpu, 1);
  static readonly #onKickRx = (cpu: Processor, of: VirtioNet): boolean => of.#kick(cpu, 0);
  static readonly #onPoll = (cpu: Processor, of: VirtioNet): boolean => of.#receive(cpu);
  static readonly #onTxWork = (cpu: Processor, of: VirtioNet): boolean => {
    of.#reclaim(cpu);
    return false;
  };

  // ---- transmit

  /** Puts a frame in the transmit queue, or in the kernel's queue before it. */
  transmit(cpu: Processor, frame: number): boolean {
    this.#reclaim(cpu);
    if (this.#backlog.count === 0 && this.tx.hasRoom(TX_BUFFERS)) {
      this.#put(cpu, frame);
      return true;
    }
    if (this.#backlog.isFull) {
      this.counters.txDrops++;
      this.#frames.free(frame);
      return false;
    }
    this.#backlog.push(frame);
    this.#arm();
    return true;
  }

  #put(cpu: Processor, frame: number): void {
    const { tx } = this;
    const frames = this.#frames;
    if (this.tap.active) this.tap.see(OUTBOUND, frame, cpu.now);
    const index = tx.nextIndex;
    const linear = frames.linearOf(frame);
    const payload = frames.payloadLengthOf(frame);
    const head = tx.begin();
    const { header } = tx;
    writeNetHeaderByView(frames.memory, header, linear, 0);
    tx.add(header, NET_HEADER_BYTES, false);
    tx.add(frames.at(frame), linear, false);
    if (payload > 0) tx.add(frames.payloadOf(frame), payload, false);
    tx.finish();
    this.wiring.txFrames[head] = frame;
    this.counters.txFrames++;
    if (frames.doneOf(frame) >= 0) this.#notifyAt = index;
    cpu.post(this.#publishTx, tx.nextIndex, frame);
  }

  #txAvailable(to: number, frame: number): void {
    this.#arm(); // before the device can use it
    if (!this.tx.publish(to)) return;
    this.#kickFrame = frame;
    this.#processor.raise(this.#kickTx);
  }

  /**
   * Sending reclaims what has been sent, without interrupts. One is wanted only when frames wait for room, or when
   * somebody waits for the end of a frame: of the newest such, since it brings the others along.
   */
  #arm(): void {
    if (this.#backlog.count > 0) this.tx.interruptDelayed();
    else if (this.#notifyAt >= 0) this.tx.interruptAfter(this.#notifyAt);
    else this.tx.disableInterrupts();
  }

  /** The port write that tells the device: runs right after the burst that filled the queue, for its first message. */
  #kick(cpu: Processor, queue: 0 | 1): boolean {
    if (queue === 1) {
      this.counters.txKicks++;
      cpu.carry(this.#frames.journeyOf(this.#kickFrame), QUEUEING);
    } else {
      this.counters.rxKicks++;
    }
    this.wiring.chargeKick(cpu);
    cpu.putDown();
    cpu.post(this.wiring.kickHandler, queue);
    return false;
  }

  /** Frees what has been sent, tells who waits for it, and sends on from the kernel's queue (free_old_xmit_skbs). */
  #reclaim(cpu: Processor): void {
    const { tx } = this;
    if (tx.waiting === 0) return;
    while (tx.waiting > 0) {
      const cookie = this.#takeSent();
      if (cookie >= 0) this.receiver!.frameSent(cpu, cookie);
    }
    if (tx.outstanding === 0) this.#notifyAt = -1;
    while (this.#backlog.count > 0 && tx.hasRoom(TX_BUFFERS)) this.#put(cpu, this.#backlog.shift());
    this.#arm();
  }

  /** Takes one sent frame back and frees it; returns what its sender wants to be told, or -1. */
  #takeSent(): number {
    const head = this.tx.take();
    if (head === USED_BROKEN) return -1;
    const frame = this.wiring.txFrames[head];
    this.wiring.txFrames[head] = -1;
    const cookie = this.#frames.doneOf(frame);
    this.#frames.free(frame);
    return cookie;
  }

  /** The interface goes down: frees what has been sent and not reclaimed. Returns chains that the device still has. */
  close(): number {
    while (this.tx.waiting > 0) this.#takeSent();
    return this.tx.outstanding + this.#backlog.count;
  }

  // ---- receive

  /** One packet a burst, until none is left. */
  #receive(cpu: Processor): boolean {
    const { rx } = this;
    if (rx.waiting === 0) return rx.enableInterrupts();
    const slot = rx.nextUsedSlot;
    const journey = this.wiring.rxJourneys[slot];
    this.wiring.rxJourneys[slot] = -1;
    const frame = this.buffers.take();
    if (frame < 0) {
      this.#frames.journeys.drop(journey);
    } else {
      this.counters.rxFrames++;
      this.#frames.setJourney(frame, journey);
      cpu.carry(journey, QUEUEING);
      cpu.charge(INTERRUPT, IRQ, this.#costs.packetReceive);
      if (this.tap.active) this.tap.see(INBOUND, frame, cpu.now);
      if (this.#isForUs(frame)) this.receiver!.receive(cpu, frame);
      else this.counters.rxOther++;
      this.buffers.discard(frame);
      this.#frames.free(frame);
      cpu.putDown();
    }
    cpu.post(this.#publishRx, rx.nextIndex);
    return true;
  }

  /** Own address or a group's (eth_type_trans: anything else is PACKET_OTHERHOST). */
  #isForUs(frame: number): boolean {
    const { view } = this.#frames.memory;
    const at = this.#frames.at(frame);
    if ((view.getUint8(at) & 1) === 1) return true;
    return view.getUint16(at) === this.#macHigh && view.getUint32(at + 2) === this.#macLow;
  }
}
