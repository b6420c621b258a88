import type { SoftwareBridge } from "../hw/bridge.ts";
import { type FramePool, type HeaderSplit, LINEAR_BYTES, SPLIT_BYTES } from "../hw/frame.ts";
import { copyTime, type Costs } from "../hw/machine_profile.ts";
import type { Memory } from "../hw/memory.ts";
import type { Processor } from "../hw/processor.ts";
import * as stages from "../metrics/stage.ts";
import * as e1000 from "./e1000_registers.ts";
import type { RegisterFile, UnitParts } from "./e1000_state.ts";
import type { Tap } from "./tap.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { BACKEND, HYP, KERNEL, USER } = stages;
const { bufferOf, commandOf, lengthOf, setStatus } = e1000;
const { CAUSE_TXDW, CMD_EOP, CMD_RS, CTL_EN, STA_DD, TCTL, TDBAL, TDH, TDLEN, TDT } = e1000;
const DESCRIPTOR_BITS = 4;
const MOST_LINEAR = LINEAR_BYTES;
const LEAST_LINEAR = SPLIT_BYTES;
/** Ethernet header, and the longest frame that the host's interfaces take. */
const LEAST_PACKET = 14;
const MOST_PACKET = 9216;
/** Instead of an address: behind what the frame has of payload. */
const PAYLOAD = -2;
/** Descriptors of one packet. */
const MOST_PIECES = 32;

/** What the transmit unit is made of. */
export interface TransmitParts extends UnitParts {
  readonly bridge: SoftwareBridge;
  /** The tap's number on it. */
  readonly bridgePort: number;
  readonly sender: Sender;
  readonly split: HeaderSplit;
}

/** Who sends, by the classes of CPU time that it takes, and what reading a byte of guest memory costs there. */
export interface Sender {
  readonly user: number;
  readonly kernel: number;
  readonly readByte: number;
}

/** The VCPU's own thread, inside the exit: a hypervisor's time to the guest. This CPU has just written the packet. */
export function onVcpu(costs: Costs): Sender {
  return { user: HYP, kernel: HYP, readByte: costs.copyCachedByte };
}

/** A device model on a CPU of its own. */
export function onOtherCpu(costs: Costs): Sender {
  return { user: USER, kernel: KERNEL, readByte: costs.copyUncachedByte };
}

/** The transmit unit: works inside the exit of the write to the tail register, or on a device model's own thread. */
export class TransmitUnit {
  /** Followed messages, by slot of a packet's last descriptor. */
  readonly journeys: Int32Array;
  readonly counters = {
    txPackets: 0,
    /** Packets that make no sense, or that lie outside of guest memory. */
    txBad: 0,
    /** No host frame could be had. */
    txNoFrame: 0,
  };
  readonly #memory: Memory;
  readonly #frames: FramePool;
  readonly #costs: Costs;
  readonly #registers: RegisterFile;
  readonly #tap: Tap;
  readonly #sender: Sender;
  readonly #split: HeaderSplit;
  readonly #bridge: SoftwareBridge;
  readonly #bridgePort: number;
  #txNext = 0; // descriptor that is read next: ahead of TDH until its burst has ended
  // Addresses and lengths of a packet's descriptors, whose end may come with a later write of the tail.
  readonly #addresses = new Float64Array(MOST_PIECES);
  readonly #lengths = new Int32Array(MOST_PIECES);
  #count = 0;
  #reports = false; // a descriptor that has been read since the last write-back asks for a report
  #waitStage = -1; // what a packet waited for, on a thread; on the VCPU its message is carried already
  readonly #sentHandler: number;

  constructor(parts: TransmitParts) {
    this.#sender = parts.sender;
    this.#split = parts.split;
    this.#frames = parts.frames;
    this.#memory = parts.frames.memory;
    this.#costs = parts.costs;
    this.#registers = parts.registers;
    this.#tap = parts.tap;
    this.#bridge = parts.bridge;
    this.#bridgePort = parts.bridgePort;
    this.journeys = new Int32Array(parts.descriptors).fill(-1);
    this.#sentHandler = parts.engine.handler(`${parts.name} sent`, TransmitUnit.#onSent, this);
  }

  static readonly #onSent = (to: number, _b: number, of: TransmitUnit): void => of.#sent(to);

  /** The tail has been written: sends everything before it, in the burst that wrote it. */
  run(cpu: Processor): void {
    if (!this.#isEnabled()) return;
    const first = this.#txNext;
    while (this.#sendNext(cpu));
    if (this.#txNext !== first) this.#finish(cpu);
  }

  /** The same on a thread, one packet a burst; false when there is none. */
  step(cpu: Processor, waitStage: number): boolean {
    if (!this.#isEnabled()) return false;
    const first = this.#txNext;
    this.#waitStage = waitStage;
    if (!this.#sendNext(cpu) && this.#txNext === first) return false;
    this.#finish(cpu);
    return true;
  }

  #isEnabled(): boolean {
    return (this.#registers.get(TCTL) & CTL_EN) !== 0 && this.#registers.isRing(TDBAL);
  }

  /** The guest has moved the head, which it may while the unit is disabled: the next descriptor to be read. */
  headWritten(head: number): void {
    this.#txNext = head;
    this.#count = 0;
    this.#registers.set(TDH, head);
  }

  /** Reads descriptors up to the end of a packet and sends that; false when the tail comes before. */
  #sendNext(cpu: Processor): boolean {
    const size = this.#registers.ringSize(TDLEN);
    const tail = this.#registers.get(TDT);
    // The guest may have made the ring smaller: no way leads to where that is then.
    if (tail >= size || this.#txNext >= size) return false;
    const ring = this.#registers.descriptor(TDBAL, 0);
    while (this.#txNext !== tail) {
      const slot = this.#txNext;
      const at = ring + (slot << DESCRIPTOR_BITS);
      if (this.#count < MOST_PIECES) {
        this.#addresses[this.#count] = bufferOf(this.#memory, at);
        this.#lengths[this.#count] = lengthOf(this.#memory, at);
      }
      this.#count++;
      this.#txNext = slot + 1 >= size ? 0 : slot + 1;
      const command = commandOf(this.#memory, at);
      if ((command & CMD_RS) !== 0) this.#reports = true;
      if ((command & CMD_EOP) === 0) continue;
      this.#send(cpu, slot, this.#count);
      this.#count = 0;
      return true;
    }
    return false;
  }

  #finish(cpu: Processor): void {
    if (this.#reports) this.#registers.chargePin(cpu, this.#sender.kernel, CAUSE_TXDW);
    this.#reports = false;
    cpu.post(this.#sentHandler, this.#txNext);
  }

  /** One packet into a frame of the host, and out by tap and bridge. The slot is that of its last descriptor. */
  #send(cpu: Processor, slot: number, pieces: number): void {
    const journey = this.journeys[slot] ?? -1; // a guest may make its ring larger than this
    this.journeys[slot] = -1;
    if (this.#waitStage >= 0) cpu.carry(journey, this.#waitStage);
    const length = this.#packetLength(pieces);
    const frame = length < 0 ? -1 : this.#gather(pieces, length);
    if (frame < 0) {
      if (length < 0) this.counters.txBad++;
      else this.counters.txNoFrame++;
      this.#frames.journeys.drop(journey);
      if (cpu.carried === journey) cpu.putDown();
      return;
    }
    this.counters.txPackets++;
    this.#frames.setJourney(frame, journey);
    const { user, kernel, readByte } = this.#sender;
    cpu.charge(BACKEND, user, this.#costs.qemuPacket);
    // From guest memory into QEMU's buffer, from there into the kernel.
    cpu.copy(user, copyTime(readByte, length), length, "guest memory > QEMU's buffer");
    cpu.copy(kernel, copyTime(this.#costs.copyCachedByte, length), length, "QEMU's buffer > tap");
    this.#tap.chargeWrite(cpu, kernel);
    this.#bridge.forward(cpu, kernel, this.#bridgePort, frame);
    cpu.putDown();
  }

  /** Bytes of the packet that was read, -1 when it cannot be one. */
  #packetLength(pieces: number): number {
    if (pieces > MOST_PIECES) return -1;
    let length = 0;
    for (let i = 0; i < pieces; i++) {
      const bytes = this.#lengths[i];
      if (!this.#registers.isMemory(this.#addresses[i], bytes)) return -1;
      length += bytes;
    }
    return length < LEAST_PACKET || length > MOST_PACKET ? -1 : length;
  }

  /**
   * Copies a packet into a new frame, its headers into the linear part, wherever the guest has divided it: mostly behind
   * them, so that the first piece is what is copied at first.
   */
  #gather(pieces: number, length: number): number {
    const frames = this.#frames;
    const frame = frames.take(Math.min(length, MOST_LINEAR));
    if (frame < 0) return -1;
    const at = frames.at(frame);
    const first = Math.min(Math.max(this.#lengths[0], LEAST_LINEAR), MOST_LINEAR, length);
    this.#copy(frame, pieces, 0, at, first);
    const linear = this.#split(this.#memory.view, at, length);
    if (linear > first) this.#copy(frame, pieces, first, at + first, linear - first);
    frames.setLinear(frame, linear);
    if (length > linear) this.#copy(frame, pieces, linear, PAYLOAD, length - linear);
    return frame;
  }

  /**
   * Copies `length` bytes of the packet from byte `skip` on to a place in the frame's linear part, or its payload; pieces
   * that lie one behind another go together.
   */
  #copy(frame: number, pieces: number, skip: number, to: number, length: number): void {
    const addresses = this.#addresses;
    const lengths = this.#lengths;
    let left = length;
    for (let i = 0; i < pieces && left > 0; i++) {
      let there = lengths[i] - skip;
      if (there <= 0) {
        skip -= lengths[i];
        continue;
      }
      const from = addresses[i] + skip;
      while (there < left && i + 1 < pieces && addresses[i + 1] === from + there) there += lengths[++i];
      const piece = there < left ? there : left;
      if (to === PAYLOAD) this.#frames.addCopy(frame, from, piece);
      else {
        this.#memory.copy(to, from, piece);
        to += piece;
      }
      left -= piece;
      skip = 0;
    }
  }

  /**
   * The exit is over: descriptors up to `to` are written back. TXDW is the cause only if one of them asked for a report
   * (13.4.17). What became of the ring meanwhile is the guest's doing.
   */
  #sent(to: number): void {
    const size = this.#registers.ringSize(TDLEN);
    const ring = this.#registers.descriptor(TDBAL, 0);
    let isReported = false;
    let slot = this.#registers.get(TDH);
    for (let left = this.#registers.isRing(TDBAL) && slot < size ? size : 0; left > 0 && slot !== to; left--) {
      const at = ring + (slot << DESCRIPTOR_BITS);
      if ((commandOf(this.#memory, at) & CMD_RS) !== 0) {
        setStatus(this.#memory, at, STA_DD);
        isReported = true;
      }
      slot = slot + 1 >= size ? 0 : slot + 1;
    }
    this.#registers.set(TDH, to);
    if (isReported) this.#registers.cause(CAUSE_TXDW);
  }
}
