import type { InterruptLine } from "./interrupt_line.ts";
import type { Processor } from "./processor.ts";

/*
 * What is between a guest and the model of a device that it drives, whichever hypervisor that is.
 */

/** A VCPU whose accesses to a device's registers go to a device model. */
export interface TrappingVcpu {
  /** An access leaves the guest: charges what passes until the device model has it, in a burst of the VCPU. */
  registerAccess(cpu: Processor): void;
  /** Charges what passes from there until the guest goes on. */
  resume(cpu: Processor): void;
  /** What the device model's call costs that tells the hypervisor of the interrupt pin, beyond the system call. */
  readonly pinPs: number;
  /** Makes an interrupt line of this VCPU. */
  line(name: string, handler: (cpu: Processor) => void, message: () => number): InterruptLine;
}

/** Accesses as they reach a device model that is not on the VCPU's own thread. */
export interface IoRequests {
  /** Called on the device model's processor when there are requests. */
  onRequest: () => void;
  /** Charges what answering one costs the device model. */
  answer(cpu: Processor): void;
}
