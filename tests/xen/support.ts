import { PhysicalCpu } from "../../src/hw/cpu.ts";
import { type Costs, resolveCosts } from "../../src/hw/machine_profile.ts";
import { Memory } from "../../src/hw/memory.ts";
import { Processor } from "../../src/hw/processor.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import { type Process, processThread, Thread, WAIT_EXIT } from "../../src/hw/thread.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { Engine } from "../../src/sim/engine.ts";
import { type CreditOptions, CreditScheduler } from "../../src/xen/credit_scheduler.ts";
import type { Domain } from "../../src/xen/domain.ts";
import { ECS_FREE, type EventChannels } from "../../src/xen/event_channel.ts";
import { type DomainLimits, Hypervisor } from "../../src/xen/hypervisor.ts";
import { EVTCHN_PORTS } from "../../src/xen/shared_info.ts";

export const COSTS: Costs = resolveCosts(vhpc12);

/** Ports of a domain that are in use, found by looking at each. Port 0 is nobody's. */
export function openPorts(channels: EventChannels): number[] {
  const ports: number[] = [];
  for (let port = 1; port < EVTCHN_PORTS; port++) if (channels.state(port) !== ECS_FREE) ports.push(port);
  return ports;
}

export interface VcpuOptions {
  owner?: number;
  weight?: number;
  pin?: number[] | null;
}

/** A Xen host without devices. */
export class Host {
  readonly engine: Engine;
  readonly memory = new Memory(1 << 20);
  readonly cpus: PhysicalCpu[] = [];
  readonly journeys = new Journeys();
  readonly scheduler: CreditScheduler;
  readonly xen: Hypervisor;
  readonly processors: Processor[] = [];

  constructor(cpus: number, options: Partial<CreditOptions> = {}, limits: Partial<DomainLimits> = {}, seed = 1) {
    this.engine = new Engine(seed);
    for (let i = 0; i < cpus; i++) this.cpus.push(new PhysicalCpu(this.engine, i));
    this.scheduler = new CreditScheduler(this.engine, "host", this.cpus, COSTS, options);
    this.xen = new Hypervisor(this.engine, "host", this.memory, COSTS, limits);
  }

  vcpu(options: VcpuOptions = {}): Processor {
    const name = `vcpu${this.processors.length}`;
    const owner = options.owner ?? 2;
    const processor = new Processor(this.engine, name, owner, COSTS, this.journeys, this.scheduler, null);
    this.scheduler.add(processor, options.weight, options.pin ?? null);
    this.processors.push(processor);
    return processor;
  }

  /** A domain with `vcpus` VCPUs, each pinned to a CPU of its own while there are enough. */
  domain(name: string, vcpus = 1): Domain {
    const processors = [];
    for (let i = 0; i < vcpus; i++) processors.push(this.vcpu());
    return this.xen.createDomain(name, processors);
  }

  /** Starts a process at `at`. */
  start(processor: Processor, program: Process, at = 0): Thread {
    const thread = processThread(`${processor.name} process`, processor, program);
    this.engine.at(at, this.engine.handler(`${thread.name} start`, () => thread.notify()));
    return thread;
  }

  /** Runs `work` in a burst of a processor at an instant, as a kernel thread would. */
  burst(processor: Processor, at: number, work: (cpu: Processor) => void): void {
    const thread = new Thread(`${processor.name} burst`, processor, (cpu) => {
      work(cpu);
      return WAIT_EXIT;
    });
    this.at(at, () => thread.notify());
  }

  /** Runs an event handler at an instant. */
  at(time: number, work: () => void): void {
    this.engine.at(time, this.engine.handler("test", work));
  }
}
