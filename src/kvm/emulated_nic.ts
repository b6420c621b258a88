import type { SoftwareBridge } from "../hw/bridge.ts";
import type { IoRequests, TrappingVcpu } from "../hw/device_model.ts";
import type { FramePool, HeaderSplit } from "../hw/frame.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { Processor } from "../hw/processor.ts";
import * as stages from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import { ReceiveUnit } from "./e1000_receive.ts";
import * as e1000 from "./e1000_registers.ts";
import { RegisterFile } from "./e1000_state.ts";
import { onOtherCpu, onVcpu, TransmitUnit } from "./e1000_transmit.ts";
import { IoThread } from "./io_thread.ts";
import { Tap } from "./tap.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { HYP, KERNEL } = stages;
const { ICR, IMC, IMS, RCTL, RDH, RDLEN, RDT, REGISTER_NAMES, REGISTER_SPACE, STATUS, TCTL, TDH, TDLEN, TDT } = e1000;

export interface EmulatedNicParts {
  readonly engine: Engine;
  readonly frames: FramePool;
  readonly costs: Costs;
  readonly name: string;
  readonly vcpu: TrappingVcpu;
  /** How accesses reach a QEMU that is not on the VCPU's thread (Xen's is in dom0): its I/O thread does their work. */
  readonly requests?: IoRequests;
  /** The CPU of the host's kernel, or dom0's, that QEMU's I/O thread runs on. */
  readonly processor: Processor;
  readonly bridge: SoftwareBridge;
  /** Most descriptors that the driver makes a ring of. */
  readonly descriptors: number;
  readonly split: HeaderSplit;
}

/** Instead of a tail, for the handler of RDT: only look what can come in. */
const NO_TAIL = -1;

/**
 * An e1000 as QEMU emulates it (hw/net/e1000.c): registers, and descriptor rings in guest memory. Every register access
 * is an exit to QEMU. With KVM it does what the register says on the VCPU's own thread: a write of the transmit tail
 * sends the packets there and then. With Xen an access is a request to QEMU's I/O thread in dom0, which sends. What
 * comes in is handled by the I/O thread. Interrupts are not throttled.
 *
 * A burst reads registers and memory as they are when it begins; what it writes to descriptors and causes, and what it
 * unmasks, takes effect at its end, by posted handlers. What it masks is masked from its beginning on: a guest handles an
 * interrupt with interrupts off, and would not see the pin in between.
 */
export class EmulatedNic {
  readonly tap: Tap;
  readonly bridgePort: number;
  readonly registers: RegisterFile;
  readonly tx: TransmitUnit;
  readonly rx: ReceiveUnit;
  /** Writes that no register takes, and heads and tails beyond their ring. */
  badWrites = 0;
  /** Accesses by register: `accesses[offset / 4]`. */
  readonly accesses: Uint32Array = new Uint32Array(REGISTER_SPACE / 4);
  /** Requests that the I/O thread has not answered. */
  unanswered = 0;
  /** Calls that tell of the pin for accesses which the I/O thread has not answered. */
  #pinCalls = 0;
  readonly #vcpu: TrappingVcpu;
  readonly #requests: IoRequests | null;
  readonly #requestHandler: number = -1;
  readonly #sendHandler: number = -1;
  readonly #unmaskHandler: number;
  readonly #tailHandler: number;

  constructor(parts: EmulatedNicParts) {
    const { engine, frames, costs, name, bridge, descriptors } = parts;
    this.#vcpu = parts.vcpu;
    this.registers = new RegisterFile(frames.memory, costs, parts.vcpu.pinPs);
    this.tap = new Tap(engine, frames, costs, `${name} tap`);
    this.bridgePort = bridge.addPort(this.tap);
    const sender = parts.requests === undefined ? onVcpu(costs) : onOtherCpu(costs);
    const { registers, tap, bridgePort } = this;
    const unit = { engine, frames, costs, name, registers, descriptors, tap };
    this.tx = new TransmitUnit({ ...unit, bridge, bridgePort, sender, split: parts.split });
    const io = new IoThread(`${name} io`, parts.processor, costs, (cpu, waitStage) => this.#work(cpu, waitStage));
    this.rx = new ReceiveUnit(unit, io);
    this.#unmaskHandler = engine.handler(`${name} IMS`, EmulatedNic.#onUnmask, this);
    this.#tailHandler = engine.handler(`${name} RDT`, EmulatedNic.#onTail, this);
    this.#requests = parts.requests ?? null;
    if (this.#requests !== null) {
      this.#requests.onRequest = () => io.wake();
      this.#requestHandler = engine.handler(`${name} request`, () => this.unanswered++);
      this.#sendHandler = engine.handler(`${name} TDT`, (tail) => this.registers.set(TDT, tail));
    }
  }

  static readonly #onUnmask = (bits: number, _b: number, of: EmulatedNic): void => of.#unmask(bits);
  static readonly #onTail = (tail: number, _b: number, of: EmulatedNic): void => {
    if (tail === NO_TAIL) of.rx.look();
    else of.rx.tailWritten(tail);
  };

  /** Reads a register in a burst of the VCPU. */
  read(cpu: Processor, offset: number): number {
    const value = this.registers.get(offset);
    this.#exit(cpu, offset, "read", value);
    if (offset === ICR) {
      this.registers.set(ICR, 0);
      if (this.registers.updatePin()) this.#pinChanges(cpu);
    }
    this.#vcpu.resume(cpu);
    return value;
  }

  /** Writes a register in a burst of the VCPU; null is the boot, which is not accounted for. */
  write(cpu: Processor | null, offset: number, value: number): void {
    if (cpu === null) {
      this.#set(null, offset, value);
      return;
    }
    this.#exit(cpu, offset, "write", value);
    this.#set(cpu, offset, value);
    this.#vcpu.resume(cpu);
  }

  #set(cpu: Processor | null, offset: number, value: number): void {
    switch (offset) {
      case TDT:
        if (!this.#isSlot(value, TDLEN)) return;
        if (cpu !== null && this.#requests !== null) {
          cpu.post(this.#sendHandler, value);
          cpu.putDown(); // the packet goes its way while the guest waits
          return;
        }
        this.registers.set(TDT, value);
        if (cpu !== null) this.tx.run(cpu);
        return;
      case RDT:
        if (!this.#isSlot(value, RDLEN)) return;
        if (cpu !== null) cpu.post(this.#tailHandler, value);
        else this.rx.tailWritten(value);
        return;
      case TDH:
        if (value === 0 || this.#isSlot(value, TDLEN)) this.tx.headWritten(value);
        return;
      case RDH:
        if (value === 0 || this.#isSlot(value, RDLEN)) this.rx.headWritten(value);
        return;
      case TCTL:
        // What has been queued before goes out now (set_tctl); with requests the I/O thread finds it.
        this.registers.set(TCTL, value);
        if (cpu !== null && this.#requests === null) this.tx.run(cpu);
        return;
      case RCTL:
        // What has come before may come in now (set_rx_control).
        this.registers.set(RCTL, value);
        if (cpu !== null) cpu.post(this.#tailHandler, NO_TAIL);
        else this.rx.look();
        return;
      case IMS:
        this.#allow(cpu, value);
        return;
      case IMC:
        this.registers.set(IMS, this.registers.get(IMS) & ~value);
        if (this.registers.updatePin() && cpu !== null) this.#pinChanges(cpu);
        return;
      case ICR:
      case STATUS:
        this.badWrites++;
        return;
      default:
        this.registers.set(offset, value);
    }
  }

  /** The guest unmasks causes: the pin goes up if one of them is there. */
  #allow(cpu: Processor | null, causes: number): void {
    if (cpu === null) return this.#unmask(causes);
    if (!this.registers.isPinHigh && (this.registers.get(ICR) & causes) !== 0) this.#pinChanges(cpu);
    cpu.post(this.#unmaskHandler, causes);
  }

  /** Everything that the device has counted, by name. */
  get counters(): Readonly<Record<string, number>> {
    const { interrupts } = this.registers;
    return { ...this.tx.counters, ...this.rx.counters, badWrites: this.badWrites, interrupts };
  }

  #exit(cpu: Processor, offset: number, access: "read" | "write", value: number): void {
    this.accesses[offset >> 2]++;
    const { track } = cpu;
    if (track?.note) {
      track.note("exit", cpu.now, { access, register: REGISTER_NAMES[offset] ?? `0x${offset.toString(16)}`, value });
    }
    this.#vcpu.registerAccess(cpu);
    if (this.#requests !== null) cpu.post(this.#requestHandler);
  }

  /** One thing that the I/O thread has to do: a packet either way, or an answer. */
  #work(cpu: Processor, waitStage: number): boolean {
    if (this.#requests !== null) {
      if (this.tx.step(cpu, waitStage)) return true;
      if (this.unanswered > 0) {
        this.unanswered--;
        for (; this.#pinCalls > 0; this.#pinCalls--) this.registers.chargePinCall(cpu, KERNEL);
        this.#requests.answer(cpu);
        return true;
      }
    }
    return this.rx.step(cpu, waitStage);
  }

  /** The access of this burst changes the pin: who executes it tells the hypervisor, the VCPU's thread or dom0's QEMU. */
  #pinChanges(cpu: Processor): void {
    if (this.#requests === null) this.registers.chargePinCall(cpu, HYP);
    else this.#pinCalls++;
  }

  #isSlot(value: number, lengthRegister: number): boolean {
    if (value < this.registers.ringSize(lengthRegister)) return true;
    this.badWrites++;
    return false;
  }

  #unmask(bits: number): void {
    this.registers.set(IMS, this.registers.get(IMS) | bits);
    this.registers.updatePin();
  }
}
