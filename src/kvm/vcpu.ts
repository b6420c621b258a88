import type { Costs } from "../hw/machine_profile.ts";
import { Interrupt, type Processor } from "../hw/processor.ts";
import { HYP, HYPERVISOR, NOTIFICATION } from "../metrics/stage.ts";

/** Why a guest leaves guest mode. Halts and exits for the host's interrupts are counted by the processor itself. */
export const EXIT_REASONS = ["kick", "hlt", "host interrupt", "interrupt window", "eoi", "user space"] as const;
export type ExitReason = typeof EXIT_REASONS[number];

/**
 * What KVM adds to a VCPU: exits, counted by reason, and interrupts that it injects. The scheduler has charged what
 * belongs to halting, to being sent off for the host's interrupts, and to being switched to.
 */
export class Vcpu {
  readonly processor: Processor;
  readonly costs: Costs;
  /** Interrupts injected, and those that found the one before them still pending. */
  injected = 0;
  merged = 0;
  #kicks = 0;
  #userSpace = 0;
  #windows = 0;
  #eois = 0;

  constructor(processor: Processor, costs: Costs) {
    this.processor = processor;
    this.costs = costs;
  }

  /** Exits so far for a reason. */
  exits(reason: ExitReason): number {
    switch (reason) {
      case "kick":
        return this.#kicks;
      case "hlt":
        return this.processor.blocks;
      case "host interrupt":
        return this.processor.evictions;
      case "interrupt window":
        return this.#windows;
      case "eoi":
        return this.#eois;
      case "user space":
        return this.#userSpace;
    }
  }

  /** A port write that KVM handles itself (ioeventfd): in a burst of this VCPU. */
  kick(cpu: Processor): void {
    this.#kicks++;
    cpu.charge(NOTIFICATION, HYP, this.costs.kvmKick);
  }

  /** A port access that QEMU handles in user space, on the VCPU's thread. */
  kickUserSpace(cpu: Processor): void {
    this.#userSpace++;
    cpu.charge(NOTIFICATION, HYP, this.costs.qemuExit);
  }

  /** An access to a device register that QEMU handles in user space, on the VCPU's thread. */
  registerAccess(cpu: Processor): void {
    this.#userSpace++;
    cpu.charge(HYPERVISOR, HYP, this.costs.qemuExit);
  }

  /** Makes an interrupt line of this VCPU: one MSI-X vector of a device. */
  line(name: string, handler: (cpu: Processor) => void, message: () => number): InterruptLine {
    return new InterruptLine(this, name, handler, message);
  }

  /**
   * What an injection costs the guest before its handler runs, by what the VCPU does at this instant. `kvmInterruptIn`
   * was measured from signal to handler on an idle machine: the idle exit and the exit that the scheduler charges for
   * waking a halted VCPU are parts of it.
   */
  injectionPs(): number {
    const { kvmInterruptIn, idleExit, vmExit } = this.costs;
    if (this.processor.isBlocked) return Math.max(0, kvmInterruptIn - idleExit - vmExit);
    if (!this.processor.isOnline) return 0; // it waits for a CPU: the interrupt goes in with its next entry
    this.#windows++;
    return vmExit; // an IPI makes it leave, and it comes back with the interrupt
  }

  /** The guest's end-of-interrupt write to its virtual APIC, which exits. */
  endOfInterrupt(cpu: Processor): void {
    this.#eois++;
    cpu.charge(HYPERVISOR, HYP, this.costs.kvmInterruptDone);
  }
}

/** One interrupt vector of a device in a guest (irqfd, or the ioctl of a device model). */
export class InterruptLine {
  readonly #vcpu: Vcpu;
  readonly #interrupt: Interrupt;
  #injectionPs = 0;

  /** `message` names the journey that the interrupt announces, or -1: its costs are that message's. */
  constructor(vcpu: Vcpu, name: string, handler: (cpu: Processor) => void, message: () => number) {
    this.#vcpu = vcpu;
    this.#interrupt = new Interrupt(name, 0, (cpu) => {
      cpu.carry(message(), NOTIFICATION);
      cpu.charge(NOTIFICATION, HYP, this.#injectionPs);
      handler(cpu);
      vcpu.endOfInterrupt(cpu);
      cpu.putDown();
      return false;
    });
  }

  /** Signals the interrupt: from an event handler. */
  signal(): void {
    if (this.#interrupt.pending) {
      this.#vcpu.merged++;
      return;
    }
    this.#vcpu.injected++;
    this.#injectionPs = this.#vcpu.injectionPs();
    this.#vcpu.processor.raise(this.#interrupt);
  }
}
