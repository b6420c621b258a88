import { OWNER_GUEST, OWNER_HOST, PhysicalCpu } from "../../src/hw/cpu.ts";
import { FairScheduler } from "../../src/hw/fair_scheduler.ts";
import { type Costs, resolveCosts } from "../../src/hw/machine_profile.ts";
import { Interrupt } from "../../src/hw/interrupt.ts";
import { Processor } from "../../src/hw/processor.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import { type Process, processThread, type Thread } from "../../src/hw/thread.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { USER } from "../../src/metrics/stage.ts";
import { Engine } from "../../src/sim/engine.ts";

export const COSTS: Costs = resolveCosts(vhpc12);
export const { vmExit, vmSwitchKvm, contextSwitch, idleExit, threadSlice } = COSTS;

/** A Linux host without devices. */
export class Host {
  readonly engine = new Engine(1);
  readonly journeys = new Journeys();
  readonly cpus: PhysicalCpu[];
  readonly scheduler: FairScheduler;
  readonly kernel: Processor[];
  readonly vcpus: Processor[] = [];

  constructor(cpus: number) {
    this.cpus = Array.from({ length: cpus }, (_, i) => new PhysicalCpu(this.engine, i));
    this.scheduler = new FairScheduler(this.engine, "host", this.cpus, COSTS);
    this.kernel = this.cpus.map((cpu) => {
      const processor = this.#processor(`cpu${cpu.index}`, OWNER_HOST);
      this.scheduler.addHost(processor, cpu.index);
      return processor;
    });
  }

  #processor(name: string, owner: number): Processor {
    return new Processor(this.engine, name, owner, COSTS, this.journeys, this.scheduler, null);
  }

  vcpu(weight = 256, pin: number[] | null = null): Processor {
    const processor = this.#processor(`vcpu${this.vcpus.length}`, OWNER_GUEST);
    this.scheduler.add(processor, weight, pin);
    this.vcpus.push(processor);
    return processor;
  }

  at(time: number, run: () => void): void {
    this.engine.at(time, this.engine.handler("test", run));
  }

  start(processor: Processor, program: Process, at = 0): Thread {
    const thread = processThread(`${processor.name} thread`, processor, program);
    this.at(at, () => thread.notify());
    return thread;
  }

  /** One interrupt on a processor. */
  interrupt(processor: Processor, at: number, run: (cpu: Processor) => void): void {
    const interrupt = new Interrupt("test", 0, (cpu) => {
      run(cpu);
      return false;
    });
    this.at(at, () => processor.raise(interrupt));
  }
}

/** What of the time until `now` a processor has run in user mode. */
export function share(processor: Processor, now: number): number {
  processor.settle();
  return processor.time[USER] / now;
}
