import type { Costs } from "./machine_profile.ts";
import type { Entity, ScheduledCpu } from "./run_queues.ts";

/**
 * What a CPU of a KVM host pays to change what it runs: it depends on whose state is loaded, on whether that guest was
 * sent off or halted by itself, and on whether threads of the host ran in between.
 */
export class SwitchCosts {
  /** VM switches that were paid for. */
  switches = 0;
  readonly #costs: Costs;

  constructor(costs: Costs) {
    this.#costs = costs;
  }

  /** The kernel takes over: an exit, with the entry that will follow, when a VCPU was running. Picoseconds. */
  toHost(cpu: ScheduledCpu): number {
    if (cpu.exited === null) return 0;
    cpu.exited = null;
    return this.#costs.vmExit;
  }

  /** A VCPU enters: from another one, from a thread of the host, or back from where it halted or was sent off. */
  toVcpu(cpu: ScheduledCpu, vcpu: Entity): number {
    let cost = 0;
    if (cpu.loaded !== vcpu) {
      cost = this.#costs.vmSwitchKvm; // with the exit of the one and the entry of the other
      this.switches++;
      cpu.loaded = vcpu;
    } else {
      if (cpu.ranThreads) cost += this.#costs.contextSwitch;
      if (vcpu.halted || cpu.exited === vcpu) cost += this.#costs.vmExit;
    }
    vcpu.halted = false;
    cpu.exited = null;
    cpu.ranThreads = false;
    return cost;
  }
}
