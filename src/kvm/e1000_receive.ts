import type { FramePool } from "../hw/frame.ts";
import { copyTime, type Costs } from "../hw/machine_profile.ts";
import type { Memory } from "../hw/memory.ts";
import type { Processor } from "../hw/processor.ts";
import * as stages from "../metrics/stage.ts";
import * as e1000 from "./e1000_registers.ts";
import type { RegisterFile, UnitParts } from "./e1000_state.ts";
import type { IoThread } from "./io_thread.ts";
import type { Tap } from "./tap.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { BACKEND, KERNEL, USER } = stages;
const { bufferOf, receiveBufferBytes, setLength, setStatus } = e1000;
const {
  CAUSE_RXT0,
  CTL_EN,
  RAH0,
  RAH_AV,
  RAL0,
  RCTL,
  RCTL_BAM,
  RCTL_LPE,
  RCTL_MPE,
  RCTL_UPE,
  RDBAL,
  RDH,
  RDLEN,
  RDT,
  STA_DD,
  STA_EOP,
} = e1000;
const DESCRIPTOR_BITS = 4;
/** Longest frame without its FCS that is taken without RCTL.LPE. */
const LONGEST_STANDARD = 1518;

/** The receive unit: works on QEMU's I/O thread, one packet a burst. */
export class ReceiveUnit {
  /** Followed messages, by slot of a packet's first descriptor. */
  readonly journeys: Int32Array;
  readonly counters = {
    rxPackets: 0,
    /** Not for this station, or longer than it takes. */
    rxFiltered: 0,
    /** Descriptors that point outside of guest memory: their packet is lost. */
    rxBad: 0,
    /** Times that packets waited and the guest had given too few descriptors. */
    rxStarved: 0,
  };
  readonly #memory: Memory;
  readonly #frames: FramePool;
  readonly #costs: Costs;
  readonly #registers: RegisterFile;
  readonly #tap: Tap;
  readonly #io: IoThread;
  #rxNext = 0; // descriptor that is filled next: ahead of RDH until its burst has ended
  #starved = false;
  readonly #receivedHandler: number;

  /** `io` is the thread that it works on. */
  constructor(parts: UnitParts, io: IoThread) {
    const { frames, tap } = parts;
    this.#frames = frames;
    this.#memory = frames.memory;
    this.#costs = parts.costs;
    this.#registers = parts.registers;
    this.#tap = tap;
    this.journeys = new Int32Array(parts.descriptors).fill(-1);
    this.#io = io;
    tap.onFrame = () => io.wake();
    this.#receivedHandler = parts.engine.handler(`${parts.name} received`, ReceiveUnit.#onReceived, this);
  }

  static readonly #onReceived = (from: number, count: number, of: ReceiveUnit): void => of.#received(from, count);

  /** Descriptors that the device may fill. */
  get free(): number {
    const size = this.#registers.ringSize(RDLEN);
    const tail = this.#registers.get(RDT);
    // The guest may have made the ring smaller since.
    if (tail >= size || this.#rxNext >= size) return 0;
    return tail >= this.#rxNext ? tail - this.#rxNext : tail - this.#rxNext + size;
  }

  /** The guest has given descriptors: `tail` is the first one that is not the device's. */
  tailWritten(tail: number): void {
    this.#registers.set(RDT, tail);
    this.look();
  }

  /** The guest has moved the head, which it may while the unit is disabled: the next descriptor to be filled. */
  headWritten(head: number): void {
    this.#rxNext = head;
    this.#registers.set(RDH, head);
  }

  /** Packets that wait in the tap may move now (qemu_flush_queued_packets). */
  look(): void {
    if (this.#tap.first >= 0) this.#io.wake();
  }

  /** Moves one packet from the tap into guest memory; false when none can be. */
  step(cpu: Processor, waitStage: number): boolean {
    const frame = this.#tap.first;
    if (frame < 0 || !this.#isEnabled()) return false;
    const length = this.#frames.frameLength(frame);
    const rctl = this.#registers.get(RCTL);
    const bufferBytes = receiveBufferBytes(rctl);
    const count = Math.ceil(length / bufferBytes);
    if (this.free < count) {
      if (!this.#starved) this.counters.rxStarved++;
      this.#starved = true;
      return false;
    }
    this.#starved = false;
    this.#tap.shift();
    const journey = this.#frames.takeJourney(frame);
    cpu.carry(journey, waitStage);
    cpu.charge(BACKEND, USER, this.#costs.qemuPacket);
    cpu.copy(KERNEL, copyTime(this.#costs.copyUncachedByte, length), length, "tap > QEMU's buffer");
    if (!this.#isMine(frame, rctl) || (length > LONGEST_STANDARD && (rctl & RCTL_LPE) === 0)) {
      this.counters.rxFiltered++;
      this.#frames.journeys.drop(journey);
    } else if (!this.#scatter(frame, length, bufferBytes)) {
      this.counters.rxBad++;
      this.#frames.journeys.drop(journey);
    } else {
      // QEMU has it in its buffer and copies it from there into guest memory.
      cpu.copy(USER, copyTime(this.#costs.copyCachedByte, length), length, "QEMU's buffer > guest memory");
      this.#registers.chargePin(cpu, KERNEL, CAUSE_RXT0);
      this.counters.rxPackets++;
      if (this.#rxNext < this.journeys.length) this.journeys[this.#rxNext] = journey;
      else this.#frames.journeys.drop(journey); // a guest may make its ring larger than this
      cpu.post(this.#receivedHandler, this.#rxNext, count);
      const next = this.#rxNext + count;
      const size = this.#registers.ringSize(RDLEN);
      this.#rxNext = next >= size ? next - size : next;
    }
    this.#frames.free(frame);
    cpu.putDown();
    return true;
  }

  #isEnabled(): boolean {
    return (this.#registers.get(RCTL) & CTL_EN) !== 0 && this.#registers.isRing(RDBAL);
  }

  /** The receive filter (QEMU: receive_filter): the station's address, broadcasts, and what RCTL opens it for. */
  #isMine(frame: number, rctl: number): boolean {
    const at = this.#frames.at(frame);
    const { view } = this.#memory;
    const low = view.getUint32(at, true);
    const high = view.getUint16(at + 4, true);
    if ((low & 1) === 1) {
      if ((rctl & RCTL_MPE) !== 0) return true;
      return (rctl & RCTL_BAM) !== 0 && low === 0xffffffff && high === 0xffff;
    }
    if ((rctl & RCTL_UPE) !== 0) return true;
    const rah = this.#registers.get(RAH0);
    return rah >= RAH_AV && low === this.#registers.get(RAL0) && high === (rah & 0xffff);
  }

  /**
   * Writes a frame into the next buffers and their lengths into the descriptors; false when one is no memory. Buffers that
   * lie one behind another are written together.
   */
  #scatter(frame: number, length: number, bufferBytes: number): boolean {
    const memory = this.#memory;
    const registers = this.#registers;
    const size = registers.ringSize(RDLEN);
    const ring = registers.descriptor(RDBAL, 0);
    const lastBuffer = memory.u8.length - bufferBytes;
    let slot = this.#rxNext;
    let to = 0;
    let written = 0;
    let done = 0;
    let isMemory = true;
    while (done < length) {
      const at = ring + (slot << DESCRIPTOR_BITS);
      slot = slot + 1 >= size ? 0 : slot + 1;
      const buffer = bufferOf(memory, at);
      isMemory = buffer > 0 && buffer <= lastBuffer;
      if (!isMemory) break;
      if (buffer !== to + done - written) {
        this.#write(frame, written, done, to);
        to = buffer;
        written = done;
      }
      const end = Math.min(length, done + bufferBytes);
      setLength(memory, at, end - done);
      done = end;
    }
    this.#write(frame, written, done, to);
    return isMemory;
  }

  /** Writes the bytes [from, end) of a frame. */
  #write(frame: number, from: number, end: number, to: number): void {
    if (from >= end) return;
    const frames = this.#frames;
    const linear = frames.linearOf(frame);
    if (from < linear) {
      const piece = Math.min(linear, end) - from;
      this.#memory.copy(to, frames.at(frame) + from, piece);
      to += piece;
      from += piece;
    }
    if (from < end) this.#memory.copy(to, frames.payloadOf(frame) + from - linear, end - from);
  }

  /** The burst is over: the descriptors of one packet are done. */
  #received(from: number, count: number): void {
    if (!this.#registers.isRing(RDBAL)) return; // the guest has taken it away meanwhile
    const size = this.#registers.ringSize(RDLEN);
    const ring = this.#registers.descriptor(RDBAL, 0);
    let slot = from;
    for (let left = count; left > 0; left--) {
      // The guest may have made the ring smaller meanwhile.
      if (slot >= size) slot %= size;
      setStatus(this.#memory, ring + (slot << DESCRIPTOR_BITS), left === 1 ? STA_DD | STA_EOP : STA_DD);
      slot++;
    }
    this.#registers.set(RDH, slot >= size ? slot % size : slot);
    this.#registers.cause(CAUSE_RXT0);
  }
}
