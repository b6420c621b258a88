import { PAGE_SIZE, pagesSpanned } from "../base/units.ts";
import type { TrappingVcpu } from "../hw/device_model.ts";
import { FrameQueue } from "../hw/frame_queue.ts";
import { type FramePool, type HeaderSplit, LINEAR_BYTES } from "../hw/frame.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { FrameReceiver } from "../hw/nic_driver.ts";
import { Interrupt } from "../hw/interrupt.ts";
import type { Processor } from "../hw/processor.ts";
import { FrameTap, INBOUND, OUTBOUND } from "../hw/tap.ts";
import * as stages from "../metrics/stage.ts";
import * as e1000 from "./e1000_registers.ts";
import type { EmulatedNic } from "./emulated_nic.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { INTERRUPT, IRQ, QUEUEING } = stages;
const PAGE_BYTES = PAGE_SIZE;
const LINEAR_MAX = LINEAR_BYTES;
const { lengthOf, setStatus, statusOf, writeDescriptor } = e1000;
const { CAUSE_ALL, ICR, IMC, IMS, RDT, STATUS, TDT, STA_DD, STA_EOP } = e1000;
// Commands of a descriptor: of all of a packet but the last, and of that.
const MORE = e1000.CMD_IFCS;
const LAST = e1000.CMD_EOP | e1000.CMD_IFCS | e1000.CMD_RS;
const DESCRIPTOR_BITS = 4;
/** Descriptors of each ring: E1000_DEFAULT_TXD and E1000_DEFAULT_RXD. */
export const RING_SIZE = 256;
/** Of a number that counts up, what numbers a slot: rings are a power of two here. */
const SLOT_MASK = RING_SIZE - 1;
/** Receive descriptors that are given back at a time: E1000_RX_BUFFER_WRITE. */
const RX_BATCH = 16;
/** Bytes of a receive buffer, as RCTL is set. */
const RX_BUFFER_BYTES = 4096;
/** What the driver wants interrupts for, of what this device has (IMS_ENABLE_MASK). */
const WANTED = e1000.CAUSE_RXT0 | e1000.CAUSE_TXDW;

export interface E1000DriverParts {
  readonly frames: FramePool;
  readonly costs: Costs;
  readonly name: string;
  readonly vcpu: TrappingVcpu;
  readonly device: EmulatedNic;
  readonly macHigh: number;
  readonly macLow: number;
  /** Frames that may wait for the transmit ring: the interface's txqueuelen. */
  readonly txQueueLength: number;
  /** How much of a received packet belongs in a frame's linear part. */
  readonly split: HeaderSplit;
  /** Shows what goes into and comes out of the rings. */
  readonly tap?: FrameTap;
}

/**
 * A guest kernel's e1000 driver (drivers/net/ethernet/intel/e1000), with NAPI. Descriptors are memory and cost nothing
 * to write; each packet sent writes the tail register, an interrupt reads the causes and masks them, the end of a poll
 * unmasks them, and masks are flushed by reading a register: every one of these is an exit.
 *
 * Receive buffers are pages, one for each descriptor for good, one behind another in memory: a packet's payload is one
 * stretch and is handed on where it lies, but for the one that goes round the end of the ring, which is put together.
 */
export class E1000Driver {
  /** Who takes received frames: the guest's Open-MX driver. */
  receiver: FrameReceiver | null = null;
  readonly tap: FrameTap;
  readonly counters = {
    txFrames: 0,
    /** The transmit ring and the kernel's queue before it were full. */
    txDrops: 0,
    rxFrames: 0,
    /** No frame could be had for a received packet. */
    rxNoFrame: 0,
    /** Interrupts without a cause. */
    spurious: 0,
  };
  readonly #frames: FramePool;
  readonly #costs: Costs;
  readonly #device: EmulatedNic;
  readonly #split: E1000DriverParts["split"];
  readonly #txRing: number;
  readonly #rxRing: number;
  readonly #rxBuffers: number;
  readonly #scratch: number;
  readonly #poll: Interrupt;
  readonly #tail: Interrupt;
  // Frames in the ring, and the slot of each one's last descriptor; those that wait for room.
  readonly #sending = new FrameQueue(RING_SIZE);
  readonly #lastSlots = new FrameQueue(RING_SIZE);
  readonly #backlog: FrameQueue;
  /** Frames whose tail is to be written, each followed by that tail. */
  readonly #tails = new FrameQueue(2 * RING_SIZE);
  #txNext = 0;
  #txFree = RING_SIZE - 1; // a full ring would look empty
  #rxNext = 0;
  #rxTail = RING_SIZE - 1;
  #rxTaken = 0;

  constructor(parts: E1000DriverParts) {
    const { frames, costs, name, vcpu, device } = parts;
    const { memory } = frames;
    this.#frames = frames;
    this.#costs = costs;
    this.#device = device;
    this.tap = parts.tap ?? new FrameTap(name, "e1000");
    this.#split = parts.split;
    this.#backlog = new FrameQueue(parts.txQueueLength);
    this.#txRing = memory.alloc(RING_SIZE * e1000.DESCRIPTOR_BYTES);
    this.#rxRing = memory.alloc(RING_SIZE * e1000.DESCRIPTOR_BYTES);
    this.#rxBuffers = memory.alloc(RING_SIZE * RX_BUFFER_BYTES);
    memory.deferPackets(this.#rxBuffers, RING_SIZE * RX_BUFFER_BYTES);
    this.#scratch = memory.alloc(4 * RX_BUFFER_BYTES);
    memory.defer(this.#scratch, 4 * RX_BUFFER_BYTES);
    this.#poll = Interrupt.of(`${name} poll`, 1, E1000Driver.#onPoll, this);
    this.#tail = Interrupt.of(`${name} tail`, 0, E1000Driver.#onTail, this);
    device.registers.line = vcpu.line(`${name} interrupt`, (cpu) => this.#interrupt(cpu), () => this.#announced());
    this.#setUp(parts.macHigh, parts.macLow);
  }

  static readonly #onPoll = (cpu: Processor, of: E1000Driver): boolean => of.#clean(cpu);
  static readonly #onTail = (cpu: Processor, of: E1000Driver): boolean => of.#writeTail(cpu);

  /** Frames in the transmit ring and before it, and received packets that were not taken: nothing when all is over. */
  get pending(): number {
    return this.#sending.count + this.#backlog.count + (this.#isReceived() ? 1 : 0);
  }

  /** Descriptors in use in both rings. */
  get used(): number {
    return 2 * (RING_SIZE - 1) - this.#txFree - this.#device.rx.free;
  }

  /** Receive descriptors that are the device's, or are to be given back to it. */
  get rxBuffers(): number {
    return this.#device.rx.free + this.#rxTaken;
  }

  #setUp(macHigh: number, macLow: number): void {
    const device = this.#device;
    const set = (offset: number, value: number) => device.write(null, offset, value);
    const swap16 = (value: number) => ((value & 0xff) << 8) | (value >> 8 & 0xff);
    set(e1000.RAL0, (swap16(macHigh) | swap16(macLow >>> 16) << 16) >>> 0);
    set(e1000.RAH0, swap16(macLow & 0xffff) + e1000.RAH_AV);
    const ring = (base: number, address: number) => {
      set(base, address >>> 0);
      set(base + 4, Math.floor(address / 2 ** 32));
      set(base + 8, RING_SIZE * e1000.DESCRIPTOR_BYTES);
    };
    ring(e1000.TDBAL, this.#txRing);
    ring(e1000.RDBAL, this.#rxRing);
    for (let slot = 0; slot < RING_SIZE; slot++) this.#supply(slot);
    set(e1000.TCTL, e1000.CTL_EN);
    set(e1000.RCTL, e1000.CTL_EN | e1000.RCTL_BAM | e1000.RCTL_LPE | e1000.RCTL_BUFFER_4096);
    set(e1000.RDT, this.#rxTail);
    set(e1000.IMS, WANTED);
  }

  // ---- transmit

  /** Puts a frame in the transmit ring, or in the kernel's queue before it. */
  transmit(cpu: Processor, frame: number): boolean {
    if (this.#backlog.count === 0 && this.#descriptorsOf(frame) <= this.#txFree) {
      this.#put(cpu, frame);
      return true;
    }
    if (this.#backlog.isFull) {
      this.counters.txDrops++;
      this.#frames.free(frame);
      return false;
    }
    this.#backlog.push(frame);
    return true;
  }

  /** One for the linear part, one for each page of the payload. */
  #descriptorsOf(frame: number): number {
    const frames = this.#frames;
    return 1 + pagesSpanned(frames.payloadOf(frame), frames.payloadLengthOf(frame));
  }

  #put(cpu: Processor, frame: number): void {
    const frames = this.#frames;
    if (this.tap.active) this.tap.see(OUTBOUND, frame, cpu.now);
    let left = frames.payloadLengthOf(frame);
    let address = frames.payloadOf(frame);
    this.#describe(frames.at(frame), frames.linearOf(frame), left === 0);
    while (left > 0) {
      const bytes = Math.min(left, PAGE_BYTES - (address & (PAGE_BYTES - 1)));
      left -= bytes;
      this.#describe(address, bytes, left === 0);
      address += bytes;
    }
    this.counters.txFrames++;
    this.#sending.push(frame);
    this.#lastSlots.push((this.#txNext - 1) & SLOT_MASK);
    this.#tails.push(frame);
    this.#tails.push(this.#txNext);
    cpu.raise(this.#tail);
  }

  #describe(address: number, length: number, isLast: boolean): void {
    const command = isLast ? LAST : MORE;
    const at = this.#txRing + (this.#txNext << DESCRIPTOR_BITS);
    writeDescriptor(this.#frames.memory, at, address, length, command);
    this.#txNext = (this.#txNext + 1) & SLOT_MASK;
    this.#txFree--;
  }

  /** Writes the tail behind one packet: a burst of its own, right after the one that wrote its descriptors. */
  #writeTail(cpu: Processor): boolean {
    const frame = this.#tails.shift();
    const tail = this.#tails.shift();
    const journey = this.#frames.takeJourney(frame);
    cpu.carry(journey, QUEUEING);
    this.#device.tx.journeys[(tail - 1) & SLOT_MASK] = journey;
    this.#device.write(cpu, TDT, tail);
    return this.#tails.count > 0;
  }

  /** Frees what has been sent, tells who waits for it, and sends on from the kernel's queue (e1000_clean_tx_irq). */
  #reclaim(cpu: Processor): void {
    const { memory } = this.#frames;
    while (this.#sending.count > 0) {
      const at = this.#txRing + (this.#lastSlots.first << DESCRIPTOR_BITS);
      if ((statusOf(memory, at) & STA_DD) === 0) break;
      this.#lastSlots.shift();
      const frame = this.#sending.shift();
      this.#txFree += this.#descriptorsOf(frame);
      const cookie = this.#frames.doneOf(frame);
      this.#frames.free(frame);
      if (cookie >= 0) this.receiver!.frameSent(cpu, cookie);
    }
    while (this.#backlog.count > 0 && this.#descriptorsOf(this.#backlog.first) <= this.#txFree) {
      this.#put(cpu, this.#backlog.shift());
    }
  }

  // ---- interrupts and poll loop

  /** The message that an interrupt announces, -1 when it is about something else. */
  #announced(): number {
    return this.#isReceived() ? this.#device.rx.journeys[this.#rxNext] : -1;
  }

  /** e1000_intr: what is it, then silence until the poll loop is done. */
  #interrupt(cpu: Processor): void {
    cpu.charge(INTERRUPT, IRQ, this.#costs.napi);
    if (this.#device.read(cpu, ICR) === 0) {
      this.counters.spurious++;
      return;
    }
    this.#device.write(cpu, IMC, CAUSE_ALL);
    this.#device.read(cpu, STATUS); // E1000_WRITE_FLUSH
    cpu.raise(this.#poll);
  }

  /** e1000_clean: one packet a burst; when none is left, buffers go back and interrupts come again. */
  #clean(cpu: Processor): boolean {
    this.#reclaim(cpu);
    if (this.#isReceived()) {
      this.#receive(cpu);
      if (this.#rxTaken >= RX_BATCH) this.#giveBack(cpu);
      return true;
    }
    if (this.#rxTaken > 0) {
      this.#giveBack(cpu);
      return true;
    }
    this.#device.write(cpu, IMS, WANTED);
    this.#device.read(cpu, STATUS); // E1000_WRITE_FLUSH
    return false;
  }

  #isReceived(): boolean {
    return (statusOf(this.#frames.memory, this.#rxDescriptor(this.#rxNext)) & STA_DD) !== 0;
  }

  #rxDescriptor(slot: number): number {
    return this.#rxRing + (slot << DESCRIPTOR_BITS);
  }

  /** Takes one packet, all its descriptors, and hands it up. */
  #receive(cpu: Processor): void {
    const frames = this.#frames;
    const first = this.#rxNext;
    const { journeys } = this.#device.rx;
    const journey = journeys[first];
    journeys[first] = -1;
    const length = this.#takePacket();
    const at = this.#contiguous(first, length);
    const linear = this.#split(frames.memory.view, frames.memory.headAt(at), length);
    const frame = frames.take(linear);
    if (frame < 0) {
      this.counters.rxNoFrame++;
      frames.journeys.drop(journey);
      return;
    }
    // What is divided where there is room may have bytes of its payload there.
    if (linear < LINEAR_MAX) frames.memory.takeHeader(frames.at(frame), at, linear);
    else frames.memory.copy(frames.at(frame), at, linear);
    if (length > linear) frames.attach(frame, at + linear, length - linear);
    this.counters.rxFrames++;
    frames.setJourney(frame, journey);
    cpu.carry(journey, QUEUEING);
    cpu.charge(INTERRUPT, IRQ, this.#costs.packetReceive);
    if (this.tap.active) this.tap.see(INBOUND, frame, cpu.now);
    this.receiver!.receive(cpu, frame);
    frames.memory.discard(at, length); // nobody reads it again before the device writes there
    frames.free(frame);
    cpu.putDown();
  }

  /** Steps over the descriptors of a packet, which are the driver's again, and returns its bytes. */
  #takePacket(): number {
    const { memory } = this.#frames;
    let length = 0;
    let slot = this.#rxNext;
    for (;;) {
      const at = this.#rxDescriptor(slot);
      const status = statusOf(memory, at);
      length += lengthOf(memory, at);
      setStatus(memory, at, 0);
      slot = (slot + 1) & SLOT_MASK;
      this.#rxTaken++;
      if ((status & STA_EOP) === 0) continue;
      this.#rxNext = slot;
      return length;
    }
  }

  /** Where a packet lies in one stretch. */
  #contiguous(first: number, length: number): number {
    const at = this.#rxBuffers + first * RX_BUFFER_BYTES;
    const end = this.#rxBuffers + RING_SIZE * RX_BUFFER_BYTES;
    if (at + length <= end) return at;
    const { memory } = this.#frames;
    const before = end - at;
    memory.copy(this.#scratch, at, before);
    memory.copy(this.#scratch + before, this.#rxBuffers, length - before);
    memory.discard(at, before);
    memory.discard(this.#rxBuffers, length - before);
    return this.#scratch;
  }

  #supply(slot: number): void {
    const buffer = this.#rxBuffers + slot * RX_BUFFER_BYTES;
    writeDescriptor(this.#frames.memory, this.#rxDescriptor(slot), buffer, 0, 0);
  }

  /** Gives the device what has been taken since. */
  #giveBack(cpu: Processor): void {
    this.#rxTail = (this.#rxTail + this.#rxTaken) & SLOT_MASK;
    this.#rxTaken = 0;
    this.#device.write(cpu, RDT, this.#rxTail);
  }
}
