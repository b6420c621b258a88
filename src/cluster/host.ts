import { assert } from "../base/assert.ts";
import { OWNER_DOM0, OWNER_GUEST, OWNER_HOST, PhysicalCpu } from "../hw/cpu.ts";
import { Nic } from "../hw/nic.ts";
import { Processor, type ProcessorCosts } from "../hw/processor.ts";
import type { GuestSite, HostSite, Path, PathHost, World } from "../path/path.ts";
import { CreditScheduler } from "../xen/credit_scheduler.ts";
import { Hypervisor } from "../xen/hypervisor.ts";
import type { GuestSpec, HostSpec } from "./scenario.ts";

/** High 16 bits of every emulated MAC address: locally administered. */
const MAC_HIGH = 0x024d;

export interface HostOptions {
  readonly boost: boolean;
}

/** One machine of the cluster: its CPUs, its NIC, its kernel or its hypervisor with dom0, and the paths set up on it. */
export class Host {
  readonly spec: HostSpec;
  readonly index: number;
  readonly cpus: readonly PhysicalCpu[];
  readonly nic: Nic;
  /** CPUs of the kernel that drives the NIC: the native kernel's, or dom0's VCPUs. */
  readonly kernel: readonly Processor[];
  readonly hypervisor: Hypervisor | null;
  readonly scheduler: CreditScheduler | null;
  readonly paths = new Map<string, PathHost>();
  readonly #world: World;
  readonly #costs: ProcessorCosts;
  #guests = 0;

  constructor(world: World, spec: HostSpec, index: number, options: HostOptions) {
    this.#world = world;
    this.spec = spec;
    this.index = index;
    const { engine, costs, limits } = world;
    const count = spec.cpus ?? limits.cpusPerHost;
    this.cpus = Array.from({ length: count }, (_, i) => new PhysicalCpu(i));
    this.#costs = { contextSwitch: costs.contextSwitch, idleExit: costs.idleExit, threadSlice: costs.threadSlice };
    this.nic = new Nic(engine, world.frames, `${spec.name} nic`, costs, limits);
    if (spec.native) {
      this.scheduler = null;
      this.hypervisor = null;
      this.kernel = this.cpus.map((cpu) =>
        this.#processor(`${spec.name} cpu${cpu.index}`, OWNER_HOST, cpu.index, null, cpu)
      );
    } else {
      this.scheduler = new CreditScheduler(engine, spec.name, this.cpus, costs, { boost: options.boost });
      this.hypervisor = new Hypervisor(engine, spec.name, world.memory, costs);
      this.kernel = this.#vcpus("dom0", OWNER_DOM0, spec.dom0Vcpus ?? count, 256, null);
      this.hypervisor.createDomain("Domain-0", this.kernel);
    }
  }

  get name(): string {
    return this.spec.name;
  }

  get macLow(): number {
    return 0x58000000 + this.index + 1;
  }

  /** Sets a path up on this host, once. */
  path(path: Path): PathHost {
    const known = this.paths.get(path.name);
    if (known !== undefined) return known;
    const site: HostSite = {
      world: this.#world,
      name: this.name,
      nic: this.nic,
      macHigh: MAC_HIGH,
      macLow: this.macLow,
      processors: this.kernel,
      hypervisor: this.hypervisor,
    };
    const attached = path.attach(site);
    this.paths.set(path.name, attached);
    return attached;
  }

  /** A place for a guest: a domain with VCPUs, or a CPU of the native kernel. */
  site(spec: GuestSpec): GuestSite {
    const index = this.#guests++;
    if (this.hypervisor === null) {
      return { name: spec.name, index, processor: this.kernel[index % this.kernel.length], domain: null };
    }
    const vcpus = this.#vcpus(spec.name, OWNER_GUEST, spec.vcpus, spec.weight, spec.pin);
    const domain = this.hypervisor.createDomain(spec.name, vcpus);
    return { name: spec.name, index, processor: vcpus[0], domain };
  }

  #vcpus(
    name: string,
    owner: number,
    count: number,
    weight: number,
    pin: readonly number[] | null,
  ): Processor[] {
    assert(this.scheduler !== null, "host: only a hypervisor has VCPUs");
    const vcpus: Processor[] = [];
    for (let i = 0; i < count; i++) {
      const vcpu = this.#processor(`${this.name} ${name} vcpu${i}`, owner, i, this.scheduler, null);
      this.scheduler.add(vcpu, weight, pin);
      vcpus.push(vcpu);
    }
    return vcpus;
  }

  #processor(
    name: string,
    owner: number,
    index: number,
    scheduler: CreditScheduler | null,
    cpu: PhysicalCpu | null,
  ): Processor {
    const { engine, journeys } = this.#world;
    const processor = new Processor(engine, name, owner, this.#costs, journeys, scheduler, cpu);
    processor.index = index;
    return processor;
  }
}
