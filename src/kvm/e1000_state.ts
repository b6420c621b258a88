import type { FramePool } from "../hw/frame.ts";
import type { Memory } from "../hw/memory.ts";
import type { InterruptLine } from "../hw/interrupt_line.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { Processor } from "../hw/processor.ts";
import * as stages from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { SlotWatch, TraceCounter } from "../sim/trace.ts";
import * as e1000 from "./e1000_registers.ts";
import type { Tap } from "./tap.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { NOTIFICATION, SYSCALL } = stages;
const { ICR, IMS, RDH, RDLEN, RDT, REGISTER_SPACE, RING_BYTES_MASK, TDH, TDLEN, TDT } = e1000;
const DESCRIPTOR_BITS = 4;

/** What both units of an emulated e1000 are made of. */
export interface UnitParts {
  readonly engine: Engine;
  readonly frames: FramePool;
  readonly costs: Costs;
  /** The device's. */
  readonly name: string;
  readonly registers: RegisterFile;
  /** Most descriptors that the driver makes a ring of. */
  readonly descriptors: number;
  /** The host's end of the device. */
  readonly tap: Tap;
}

/**
 * The registers of an emulated e1000, and what follows from their values alone: where the rings are, and whether the
 * interrupt pin is high. What a write does beyond that is the device's.
 */
export class RegisterFile {
  readonly memory: Memory;
  /** By offset / 4. */
  readonly values: Uint32Array = new Uint32Array(REGISTER_SPACE / 4);
  /** Where the interrupt pin leads. The driver connects it. */
  line: InterruptLine | null = null;
  /** Times that the pin went up. */
  interrupts = 0;
  /** Descriptors of each ring that are the device's. Null when nobody looks. */
  traceTx: TraceCounter | null = null;
  traceRx: TraceCounter | null = null;
  /** Descriptors that the driver hands over by the tail, and that the device is done with: the head. */
  watchTx: SlotWatch | null = null;
  watchRx: SlotWatch | null = null;
  readonly #costs: Costs;
  readonly #pinPs: number;
  #isHigh = false;

  /** `pinPs` is what telling the hypervisor of the pin costs, beyond the system call. */
  constructor(memory: Memory, costs: Costs, pinPs: number) {
    this.memory = memory;
    this.#costs = costs;
    this.#pinPs = pinPs;
  }

  get(offset: number): number {
    return this.values[offset >> 2];
  }

  set(offset: number, value: number): void {
    if (this.watchTx !== null && (offset === TDH || offset === TDT)) {
      this.#tell(this.watchTx, offset === TDT, TDT, value);
    }
    if (this.watchRx !== null && (offset === RDH || offset === RDT)) {
      this.#tell(this.watchRx, offset === RDT, RDT, value);
    }
    this.values[offset >> 2] = value;
    if (this.traceTx !== null && (offset === TDH || offset === TDT)) this.traceTx.set(this.txDescriptors);
    if (this.traceRx !== null && (offset === RDH || offset === RDT)) this.traceRx.set(this.rxDescriptors);
  }

  /** Tail and head are slots of the ring: both may have gone round its end. A change of either notifies nobody. */
  #tell(watch: SlotWatch, isTail: boolean, tail: number, value: number): void {
    const size = this.ringSize(tail === TDT ? TDLEN : RDLEN);
    const from = this.get(isTail ? tail : tail === TDT ? TDH : RDH);
    const to = value < from ? value + size : value;
    if (to > from) watch.published(isTail ? "request" : "response", from, to, null);
  }

  /** Descriptors from head to tail: those that the device has. */
  get txDescriptors(): number {
    const size = this.ringSize(TDLEN);
    return size === 0 ? 0 : (this.get(TDT) - this.get(TDH) + size) % size;
  }

  get rxDescriptors(): number {
    const size = this.ringSize(RDLEN);
    return size === 0 ? 0 : (this.get(RDT) - this.get(RDH) + size) % size;
  }

  /** Descriptors of a ring, by its register RDLEN or TDLEN. */
  ringSize(lengthRegister: number): number {
    return (this.get(lengthRegister) & RING_BYTES_MASK) >>> DESCRIPTOR_BITS;
  }

  /** Address of a descriptor, by its ring's register RDBAL or TDBAL. */
  descriptor(base: number, slot: number): number {
    const address = this.get(base) + (slot << DESCRIPTOR_BITS);
    const upper = this.get(base + 4);
    return upper === 0 ? address : address + upper * 2 ** 32; // nearly always 0
  }

  /** Whether there is a ring, by its register RDBAL or TDBAL, and all of it can be reached: both are as the guest says. */
  isRing(base: number): boolean {
    const bytes = this.get(base + 8) & RING_BYTES_MASK; // RDLEN, TDLEN
    return bytes > 0 && this.isMemory(this.descriptor(base, 0), bytes);
  }

  /** Whether a device may reach all of these bytes: an address from a descriptor can be anything. */
  isMemory(address: number, bytes: number): boolean {
    return address > 0 && address + bytes <= this.memory.u8.length;
  }

  // ---- interrupts

  /** Sets causes: from an event handler. */
  cause(bits: number): void {
    this.values[ICR >> 2] |= bits;
    this.updatePin();
  }

  get isPinHigh(): boolean {
    return this.#isHigh;
  }

  /**
   * The pin is high while a cause is set that is not masked. The hypervisor injects when it goes up. Returns whether the
   * pin has gone up or down.
   */
  updatePin(): boolean {
    const isHigh = (this.get(ICR) & this.get(IMS)) !== 0;
    if (isHigh === this.#isHigh) return false;
    this.#isHigh = isHigh;
    if (isHigh) {
      this.interrupts++;
      this.line!.signal();
    }
    return true;
  }

  /** When a cause is going to raise the pin: QEMU tells the hypervisor. */
  chargePin(cpu: Processor, cls: number, cause: number): void {
    if (!this.#isHigh && (this.get(IMS) & cause) !== 0) this.chargePinCall(cpu, cls);
  }

  /** QEMU tells the hypervisor of a level of the pin with an ioctl; `cls` is the class of CPU time. */
  chargePinCall(cpu: Processor, cls: number): void {
    cpu.charge(SYSCALL, cls, this.#costs.syscall);
    cpu.charge(NOTIFICATION, cls, this.#pinPs);
  }
}
