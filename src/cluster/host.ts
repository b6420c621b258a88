import { assert } from "../base/assert.ts";
import { OWNER_DOM0, OWNER_GUEST, OWNER_HOST, PhysicalCpu } from "../hw/cpu.ts";
import { Nic } from "../hw/nic.ts";
import { Processor, type ProcessorCosts } from "../hw/processor.ts";
import type { GuestSite, HostKind, HostSite, Path, PathHost, World } from "../path/path.ts";
import { CreditScheduler } from "../xen/credit_scheduler.ts";
import { FairScheduler } from "../hw/fair_scheduler.ts";
import { Hypervisor } from "../xen/hypervisor.ts";
import type { GuestSpec, HostSpec } from "./scenario.ts";

/** High 16 bits of every emulated MAC address: locally administered. */
const MAC_HIGH = 0x024d;

export interface HostOptions {
  readonly kind: HostKind;
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
  readonly kind: HostKind;
  readonly paths = new Map<string, PathHost>();
  readonly #world: World;
  readonly #costs: ProcessorCosts;
  readonly #scheduler: CreditScheduler | FairScheduler | null = null;
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
    this.kind = options.kind;
    this.hypervisor = null;
    switch (options.kind) {
      case "native":
        this.kernel = this.cpus.map((cpu) => this.#processor(`cpu${cpu.index}`, OWNER_HOST, cpu.index, cpu));
        break;
      case "kvm": {
        // The host's kernel has a processor on each CPU, which shares it with the VCPUs that run there.
        const scheduler = new FairScheduler(engine, spec.name, this.cpus, costs);
        this.#scheduler = scheduler;
        this.kernel = this.cpus.map((cpu) => {
          const processor = this.#processor(`cpu${cpu.index}`, OWNER_HOST, cpu.index, null);
          scheduler.addHost(processor, cpu.index);
          return processor;
        });
        break;
      }
      case "xen":
        this.#scheduler = new CreditScheduler(engine, spec.name, this.cpus, costs, { boost: options.boost });
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
      kind: this.kind,
      hypervisor: this.hypervisor,
    };
    const attached = path.attach(site);
    this.paths.set(path.name, attached);
    return attached;
  }

  /** A place for a guest: VCPUs, in a domain or a virtual machine, or a CPU of the native kernel. */
  site(spec: GuestSpec): GuestSite {
    const index = this.#guests++;
    const { name } = spec;
    const mac = { macHigh: MAC_HIGH, macLow: 0x57000000 + this.index * 0x10000 + index };
    if (this.kind === "native") {
      const processor = this.kernel[index % this.kernel.length];
      return { name, index, processor, vcpus: [], domain: null, ...mac };
    }
    const vcpus = this.#vcpus(name, OWNER_GUEST, spec.vcpus, spec.weight, spec.pin);
    const domain = this.hypervisor?.createDomain(name, vcpus) ?? null;
    return { name, index, processor: vcpus[0], vcpus, domain, ...mac };
  }

  #vcpus(name: string, owner: number, count: number, weight: number, pin: readonly number[] | null): Processor[] {
    assert(this.#scheduler !== null, "host: only a hypervisor has VCPUs");
    const vcpus: Processor[] = [];
    for (let i = 0; i < count; i++) {
      const vcpu = this.#processor(`${name} vcpu${i}`, owner, i, null);
      this.#scheduler.add(vcpu, weight, pin);
      vcpus.push(vcpu);
    }
    return vcpus;
  }

  #processor(name: string, owner: number, index: number, cpu: PhysicalCpu | null): Processor {
    const { engine, journeys } = this.#world;
    const title = `${this.name} ${name}`;
    const processor = new Processor(engine, title, owner, this.#costs, journeys, this.#scheduler, cpu);
    processor.index = index;
    return processor;
  }
}
