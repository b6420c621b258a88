import type { Engine } from "../sim/engine.ts";
import type { PhysicalCpu } from "./cpu.ts";
import type { Costs } from "./machine_profile.ts";
import type { CpuScheduler, Processor } from "./processor.ts";

/**
 * A Linux host's scheduler for its physical CPUs: the kernel's own processors, one pinned to each CPU, and the VCPUs
 * of its virtual machines.
 */
export class FairScheduler implements CpuScheduler {
  constructor(_engine: Engine, _name: string, _cpus: readonly PhysicalCpu[], _costs: Costs) {}

  /** Takes charge of the kernel's processor of one CPU. */
  addHost(_processor: Processor, _cpu: number): void {}

  /** Takes charge of a VCPU; `pin` lists the CPUs that it may run on, null allows all. */
  add(_processor: Processor, _weight: number, _pin: readonly number[] | null): void {}

  wake(_processor: Processor): void {}

  block(_processor: Processor): void {}

  left(_processor: Processor): void {}
}
