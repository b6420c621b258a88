import type { Costs } from "./machine_profile.ts";

const NONE = -1;

/**
 * What a CPU of a KVM host pays to change what it runs: it depends on whose state is loaded, on whether that guest was
 * sent off or halted by itself, and on whether threads of the host ran in between.
 */
export class SwitchCosts {
  /** VM switches that were paid for. */
  switches = 0;
  readonly #costs: Costs;
  readonly #loaded: Int32Array; // the VCPU whose state a CPU has
  readonly #exited: Int32Array; // the VCPU that has just been sent off: what comes next pays its exit
  readonly #ranThreads: Uint8Array; // the kernel ran threads since a VCPU last did

  constructor(cpus: number, costs: Costs) {
    this.#costs = costs;
    this.#loaded = new Int32Array(cpus).fill(NONE);
    this.#exited = new Int32Array(cpus).fill(NONE);
    this.#ranThreads = new Uint8Array(cpus);
  }

  /** The VCPU whose state a CPU has, -1 when it has none's. */
  loaded(cpu: number): number {
    return this.#loaded[cpu];
  }

  /** A VCPU goes to another CPU, which takes its state along. */
  unload(cpu: number, vcpu: number): void {
    if (this.#loaded[cpu] === vcpu) this.#loaded[cpu] = NONE;
  }

  /** A VCPU was sent off with work left. */
  exited(cpu: number, vcpu: number): void {
    this.#exited[cpu] = vcpu;
  }

  ranThreads(cpu: number): void {
    this.#ranThreads[cpu] = 1;
  }

  /** A CPU has nothing to run: the exit belongs to whoever comes back. */
  rested(cpu: number): void {
    this.#exited[cpu] = NONE;
  }

  /** The kernel takes over: an exit, with the entry that will follow, when a VCPU was running. Picoseconds. */
  toHost(cpu: number): number {
    const wasRunning = this.#exited[cpu] !== NONE;
    this.#exited[cpu] = NONE;
    return wasRunning ? this.#costs.vmExit : 0;
  }

  /** A VCPU enters: from another one, from a thread of the host, or back from where it halted or was sent off. */
  toVcpu(cpu: number, vcpu: number, wasHalted: boolean): number {
    const { vmSwitchKvm, contextSwitch, vmExit } = this.#costs;
    let cost = 0;
    if (this.#loaded[cpu] !== vcpu) {
      cost = vmSwitchKvm; // with the exit of the one and the entry of the other
      this.switches++;
      this.#loaded[cpu] = vcpu;
    } else {
      if (this.#ranThreads[cpu] === 1) cost += contextSwitch;
      if (wasHalted || this.#exited[cpu] === vcpu) cost += vmExit;
    }
    this.#exited[cpu] = NONE;
    this.#ranThreads[cpu] = 0;
    return cost;
  }
}
