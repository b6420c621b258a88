import type { TrappingVcpu } from "../hw/device_model.ts";
import { InterruptLine, type InterruptTarget } from "../hw/interrupt_line.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { Processor } from "../hw/processor.ts";
import * as stages from "../metrics/stage.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { HYP, HYPERVISOR, NOTIFICATION } = stages;

/** Why a guest leaves guest mode. Halts and exits for the host's interrupts are counted by the processor itself. */
export const EXIT_REASONS = ["kick", "hlt", "host interrupt", "interrupt window", "eoi", "user space"] as const;
export type ExitReason = typeof EXIT_REASONS[number];

/** The reasons that a device accounts for: those of the whole VCPU belong to the first of a guest's devices. */
function exitReasonsOf(device: number): readonly ExitReason[] {
  return device === 0 ? EXIT_REASONS : EXIT_REASONS.filter((reason) => reason !== "hlt" && reason !== "host interrupt");
}

/** Exits of some VCPUs that `device` accounts for, in the order of {@link EXIT_REASONS}. */
export function exitsOf(vcpus: readonly Vcpu[], device: number): number[] {
  const mine = exitReasonsOf(device);
  return EXIT_REASONS.map((reason) =>
    mine.includes(reason) ? vcpus.reduce((sum, vcpu) => sum + vcpu.exits(reason), 0) : 0
  );
}

/**
 * What KVM adds to a VCPU: exits, counted by reason, and interrupts that it injects. The scheduler has charged what
 * belongs to halting, to being sent off for the host's interrupts, and to being switched to.
 */
export class Vcpu implements TrappingVcpu, InterruptTarget {
  readonly processor: Processor;
  readonly costs: Costs;
  /** The ioctl of QEMU that sets an interrupt pin. */
  readonly pinPs: number;
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
    this.pinPs = costs.ioctl;
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
    cpu.mark("kick");
    cpu.charge(NOTIFICATION, HYP, this.costs.kvmKick);
  }

  /** A port access that QEMU handles in user space, on the VCPU's thread. */
  kickUserSpace(cpu: Processor): void {
    this.#userSpace++;
    cpu.mark("kick");
    cpu.charge(NOTIFICATION, HYP, this.costs.qemuExit);
  }

  /** An access to a device register that QEMU handles in user space, on the VCPU's thread. */
  registerAccess(cpu: Processor): void {
    this.#userSpace++;
    cpu.charge(HYPERVISOR, HYP, this.costs.qemuExit);
  }

  /** The exit's cost has the way back in it. */
  resume(): void {}

  /** Makes an interrupt line of this VCPU: one MSI-X vector of a device. */
  line(name: string, handler: (cpu: Processor) => void, message: () => number): InterruptLine {
    return new InterruptLine(this, name, handler, message);
  }

  /**
   * What an injection costs the guest before its handler runs, by what the VCPU does at this instant. For a halted one
   * the scheduler has charged the CPU's idle exit and the exit that the halt was; `kvmInterruptIn` is what comes on top.
   */
  injectionPs(): number {
    const { kvmInterruptIn, vmExit } = this.costs;
    if (this.processor.isBlocked) return kvmInterruptIn;
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
