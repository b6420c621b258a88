import type { SoftwareBridge } from "../hw/bridge.ts";
import { type FramePool, type HeaderSplit, LINEAR_BYTES, SPLIT_BYTES } from "../hw/frame.ts";
import type { InterruptLine } from "../hw/interrupt_line.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { Processor } from "../hw/processor.ts";
import { Thread, type Wait, WAIT_BLOCK } from "../hw/thread.ts";
import { KERNEL, QUEUEING, WAKEUP } from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import { CHAIN_NONE, CHAIN_OK, DeviceQueue } from "./device_queue.ts";
import { NET_HEADER_BYTES, netHeaderLength } from "./net_header.ts";
import { Tap } from "./tap.ts";
import type { Vcpu } from "./vcpu.ts";
import { PACKET_STARVED, PACKET_TOO_LONG, ScatteredPacket } from "./scattered_packet.ts";
import type { VirtioNet } from "./virtio_net.ts";
import type { MemoryTable } from "./virtqueue.ts";

// Here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const OK = CHAIN_OK;
const NONE = CHAIN_NONE;
const HEADER = NET_HEADER_BYTES;
const MOST_LINEAR = LINEAR_BYTES;
const LEAST_LINEAR = SPLIT_BYTES;

/** Ethernet header. */
const LEAST_FRAME = 14;
/** No address of a buffer. */
const NOWHERE = -1;
/** Instead of an address: behind what the frame has of payload. */
const PAYLOAD = -2;

export interface NetBackendParts {
  readonly engine: Engine;
  readonly frames: FramePool;
  readonly costs: Costs;
  readonly name: string;
  /** The host CPU that the back end's thread runs on. */
  readonly processor: Processor;
  readonly bridge: SoftwareBridge;
  readonly net: VirtioNet;
  readonly vcpu: Vcpu;
  readonly table: MemoryTable;
  /** Largest frame, from the Ethernet header on. */
  readonly mtu: number;
  readonly split: HeaderSplit;
}

/**
 * The device's half of virtio-net: a thread of the host that moves packets between the two queues and a tap on the
 * host's bridge, one packet a burst: one way, until there are none or that way has had its share, then the other way.
 * While it has work it wants no kicks; it asks for them before it sleeps. What a packet, a wake-up and an interrupt cost,
 * and what a share is, is the business of vhost and of QEMU.
 */
export abstract class NetBackend {
  readonly tap: Tap;
  readonly thread: Thread;
  readonly tx: DeviceQueue;
  readonly rx: DeviceQueue;
  readonly counters = {
    /** Times that the thread slept and was woken. */
    wakes: 0,
    /** Packets without a header, or too short or too long. */
    txBad: 0,
    /** No host frame could be had. */
    txNoFrame: 0,
    /** A packet that no single receive buffer holds, where buffers are not merged. */
    rxTooLong: 0,
    /** Receive chains that cannot be used. */
    rxBad: 0,
    /** Times that packets waited and the guest had given too few buffers. */
    rxStarved: 0,
  };
  protected readonly costs: Costs;
  readonly #frames: FramePool;
  readonly #net: VirtioNet;
  readonly #bridge: SoftwareBridge;
  readonly #bridgePort: number;
  readonly #mtu: number;
  readonly #split: HeaderSplit;
  readonly #usedTx: number;
  readonly #usedRx: number;
  readonly #wakeHandler: number;
  #asleep = true;
  #woken = false;
  #justWoken = false; // nothing moved since
  /** Which way packets go at present, and what has gone that way since the other one's turn. */
  #receives = false;
  #packets = 0;
  #bytes = 0;
  #length = 0; // of the packet that has gone last
  #starved = false;
  readonly #packet: ScatteredPacket;

  constructor(parts: NetBackendParts) {
    const { engine, frames, costs, name, net, table } = parts;
    this.costs = costs;
    this.#frames = frames;
    this.#net = net;
    this.#bridge = parts.bridge;
    this.#mtu = parts.mtu;
    this.#split = parts.split;
    this.tx = new DeviceQueue(net.tx.queue, table);
    this.rx = new DeviceQueue(net.rx.queue, table);
    this.#packet = new ScatteredPacket(frames, this.rx);
    this.tap = new Tap(engine, frames, costs, `${name} tap`);
    this.#bridgePort = parts.bridge.addPort(this.tap);
    this.thread = Thread.of(name, parts.processor, NetBackend.#onStep, this);
    this.#usedTx = engine.handler(`${name} tx used`, NetBackend.#onUsedTx, this);
    this.#usedRx = engine.handler(`${name} rx used`, NetBackend.#onUsedRx, this);
    this.#wakeHandler = engine.handler(`${name} kick`, NetBackend.#onKick, this);
    net.wiring.kickHandler = this.#wakeHandler;
    this.tap.onFrame = () => this.#wake(true);
    this.rx.disableKicks();
  }

  static readonly #onStep = (cpu: Processor, of: NetBackend): Wait => of.#step(cpu);
  static readonly #onUsedTx = (to: number, _b: number, of: NetBackend): void => {
    if (of.tx.publish(to)) of.signal(of.#net.wiring.txLine!);
  };
  static readonly #onUsedRx = (to: number, _b: number, of: NetBackend): void => {
    if (of.rx.publish(to)) of.signal(of.#net.wiring.rxLine!);
  };
  static readonly #onKick = (queue: number, _b: number, of: NetBackend): void => of.#wake(queue === 0);

  /** Number of the tap on the bridge. */
  get bridgePort(): number {
    return this.#bridgePort;
  }

  // ---- what differs between vhost and QEMU

  /** Charges what it takes until the woken thread looks at its queues. */
  protected abstract chargeWake(cpu: Processor): void;
  /** Charges one packet from the guest, `bytes` long, but for tap and bridge. */
  protected abstract chargeTransmit(cpu: Processor, bytes: number): void;
  /** Charges one packet to the guest, `bytes` long. */
  protected abstract chargeReceive(cpu: Processor, bytes: number): void;
  /** Whether so many packets one way, of so many bytes, make it the other way's turn. */
  protected abstract hasHadItsShare(receives: boolean, packets: number, bytes: number): boolean;
  /** Makes the guest's interrupt happen: called from an event handler, right after a burst of the thread. */
  protected abstract signal(line: InterruptLine): void;
  /** Charges interrupts that {@link signal} has put off; true when there were any. */
  protected chargeSignals(_cpu: Processor): boolean {
    return false;
  }

  // ---- the thread

  /** What it is woken for comes first. */
  #wake(receives: boolean): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    this.#turn(receives);
    this.#woken = true;
    this.thread.notify();
  }

  #step(cpu: Processor): Wait {
    if (this.#woken) {
      this.#woken = false;
      this.counters.wakes++;
      this.tx.disableKicks();
      this.rx.disableKicks();
      this.chargeWake(cpu);
      this.#justWoken = true;
      return 0;
    }
    if (this.chargeSignals(cpu)) return 0;
    const receives = this.#receives;
    const moved = this.#move(cpu, receives) || this.#move(cpu, !receives);
    this.#justWoken = false;
    if (moved) return 0;
    // Nothing to do: ask for kicks, and look once more (vhost_enable_notify).
    if (this.tx.enableKicks()) {
      this.tx.disableKicks();
      return 0;
    }
    if (this.#starved) this.rx.enableKicks(); // those that wait already are too few
    this.#asleep = true;
    return WAIT_BLOCK;
  }

  /** One packet one way; false when there is none. */
  #move(cpu: Processor, receives: boolean): boolean {
    this.#length = 0;
    if (!(receives ? this.#receive(cpu) : this.#transmit(cpu))) return false;
    // Not by `!==`, which takes a call for what may be anything but a number.
    if (receives ? !this.#receives : this.#receives) this.#turn(receives);
    this.#packets++;
    this.#bytes += this.#length;
    if (this.hasHadItsShare(receives, this.#packets, this.#bytes)) this.#turn(!receives);
    return true;
  }

  #turn(receives: boolean): void {
    this.#receives = receives;
    this.#packets = 0;
    this.#bytes = 0;
  }

  #waitStage(): number {
    return this.#justWoken ? WAKEUP : QUEUEING;
  }

  // ---- guest to host

  /** Takes one packet off the transmit queue into a frame of the host and sends it to the bridge. */
  #transmit(cpu: Processor): boolean {
    const status = this.tx.take();
    if (status === NONE) return false;
    const { head } = this.tx;
    if (status === OK) this.#send(cpu, head);
    this.tx.giveBack(head, 0);
    cpu.post(this.#usedTx, this.tx.nextIndex);
    return true;
  }

  #send(cpu: Processor, head: number): void {
    const frames = this.#frames;
    const length = this.#packetLength();
    if (length < 0) {
      this.counters.txBad++;
      return;
    }
    const frame = frames.take(length < MOST_LINEAR ? length : MOST_LINEAR);
    if (frame < 0) {
      this.counters.txNoFrame++;
      return;
    }
    this.#length = length;
    const linear = this.#gatherHeaders(frame, length);
    if (length > linear) this.#gather(frame, HEADER + linear, PAYLOAD, length - linear);
    const guestFrame = this.#net.wiring.txFrames[head];
    const journey = guestFrame < 0 ? -1 : frames.takeJourney(guestFrame);
    frames.setJourney(frame, journey);
    cpu.carry(journey, this.#waitStage());
    this.chargeTransmit(cpu, length);
    this.tap.chargeWrite(cpu, KERNEL);
    this.#bridge.forward(cpu, KERNEL, this.#bridgePort, frame);
    cpu.putDown();
  }

  /** Bytes of the packet in the chain taken last, without its header; -1 when it cannot be a packet. */
  #packetLength(): number {
    const { tx } = this;
    if (tx.readable !== tx.buffers || tx.lengths[0] < HEADER) return -1;
    let length = -HEADER;
    for (let i = 0; i < tx.buffers; i++) length += tx.lengths[i];
    return length < LEAST_FRAME || length > this.#mtu ? -1 : length;
  }

  /**
   * Copies a packet's headers into the linear part of its frame and returns how long that is. The guest's `hdr_len` says
   * what to copy at first; but it is a hint (5.1.6.2.2), which may be anything, and of headers no byte may be left out.
   */
  #gatherHeaders(frame: number, length: number): number {
    const frames = this.#frames;
    const hint = netHeaderLength(frames.memory, this.tx.addresses[0]);
    const first = Math.min(Math.max(hint, LEAST_LINEAR), MOST_LINEAR, length);
    this.#gather(frame, HEADER, frames.at(frame), first);
    const linear = this.#split(frames.memory.view, frames.at(frame), length);
    if (linear > first) this.#gather(frame, HEADER + first, frames.at(frame) + first, linear - first);
    frames.setLinear(frame, linear);
    return linear;
  }

  /** Copies `length` bytes from byte `offset` of the chain on to a place in the frame's linear part, or its payload. */
  #gather(frame: number, offset: number, to: number, length: number): void {
    const { addresses, lengths, buffers } = this.tx;
    // A driver's packet has virtio's header, its own headers and its payload in a buffer each, nearly always.
    const second = lengths[0];
    const third = second + lengths[1];
    let from = NOWHERE;
    if (offset === second && length <= lengths[1] && buffers > 1) from = addresses[1];
    else if (offset === third && length <= lengths[2] && buffers > 2) from = addresses[2];
    if (from === NOWHERE) this.#gatherPieces(frame, offset, to, length);
    else this.#copy(frame, from, to, length);
  }

  /** The same wherever its buffers lie. */
  #gatherPieces(frame: number, offset: number, to: number, length: number): void {
    const { addresses, lengths, buffers } = this.tx;
    let skip = offset;
    let left = length;
    for (let i = 0; i < buffers && left > 0; i++) {
      const there = lengths[i] - skip;
      if (there <= 0) {
        skip -= lengths[i];
        continue;
      }
      const piece = there < left ? there : left;
      this.#copy(frame, addresses[i] + skip, to, piece);
      if (to !== PAYLOAD) to += piece;
      left -= piece;
      skip = 0;
    }
  }

  #copy(frame: number, from: number, to: number, length: number): void {
    if (to === PAYLOAD) this.#frames.addCopy(frame, from, length);
    else this.#frames.memory.copy(to, from, length);
  }

  // ---- host to guest

  /** Copies one frame from the tap into receive buffers; false when there is none, or too few buffers. */
  #receive(cpu: Processor): boolean {
    const frame = this.tap.first;
    if (frame < 0) return false;
    const frames = this.#frames;
    const length = frames.frameLength(frame);
    const packet = this.#packet;
    const fit = packet.write(frame, length);
    this.counters.rxBad += packet.bad;
    if (fit === PACKET_STARVED) {
      if (!this.#starved) this.counters.rxStarved++;
      this.#starved = true;
      return false;
    }
    this.#starved = false;
    this.#length = length;
    this.tap.shift();
    const journey = frames.takeJourney(frame);
    if (fit === PACKET_TOO_LONG) {
      this.counters.rxTooLong++;
      frames.journeys.drop(journey);
    } else {
      cpu.carry(journey, this.#waitStage());
      this.chargeReceive(cpu, length);
      this.#net.wiring.rxJourneys[this.rx.queue.slot(packet.first)] = journey;
      cpu.putDown();
    }
    frames.free(frame);
    cpu.post(this.#usedRx, this.rx.nextIndex);
    return true;
  }
}
