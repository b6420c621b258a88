import { assert } from "../base/assert.ts";
import { OWNER_DOM0, OWNER_GUEST, OWNER_HOST, PhysicalCpu } from "../hw/cpu.ts";
import { Nic } from "../hw/nic.ts";
import { HOLD_ALL, HOLD_NOTHING, HOLD_THREADS, Processor, type ProcessorCosts } from "../hw/processor.ts";
import {
  boardName,
  type GuestSite,
  type HostKind,
  type HostSite,
  type Path,
  type PathHost,
  type World,
} from "../path/path.ts";
import { CreditScheduler } from "../xen/credit_scheduler.ts";
import { FairScheduler } from "../hw/fair_scheduler.ts";
import { Hypervisor } from "../xen/hypervisor.ts";
import { Hogs } from "./hogs.ts";
import type { GuestSpec, HostSpec } from "./scenario.ts";

/** High 16 bits of every emulated MAC address: locally administered. */
const MAC_HIGH = 0x024d;
/** The addresses of a host, and of a guest, on one board and on the next are so far apart: more than there are of each. */
const MACS_PER_BOARD = 0x1000;

/** Weight of a hog's VCPU for the scheduler: that of a guest that names none. */
const HOG_WEIGHT = 256;

export interface HostOptions {
  readonly kind: HostKind;
  /** How many boards (NICs) it has. */
  readonly boards: number;
  readonly boost: boolean;
}

/** A NIC of a host, with the paths that are set up on it. */
export interface HostBoard {
  readonly index: number;
  /** As Open-MX names it where the host's kernel drives it. */
  readonly name: string;
  readonly nic: Nic;
  readonly macHigh: number;
  readonly macLow: number;
  readonly paths: PathHost[];
}

/** One machine of the cluster: its CPUs, its NICs, its kernel or its hypervisor with dom0, and the paths set up on it. */
export class Host {
  readonly spec: HostSpec;
  readonly index: number;
  readonly cpus: readonly PhysicalCpu[];
  readonly boards: readonly HostBoard[];
  /** CPUs of the kernel that drives the NICs: the native kernel's, or dom0's VCPUs. */
  readonly kernel: readonly Processor[];
  readonly hypervisor: Hypervisor | null;
  readonly kind: HostKind;
  /** By name; for another board than the first one, with its number after a colon, as in {@link boardName}. */
  readonly paths = new Map<string, PathHost>();
  /** Somebody else's computation. */
  readonly hogs: Hogs;
  readonly #world: World;
  readonly #costs: ProcessorCosts;
  readonly #scheduler: CreditScheduler | FairScheduler | null = null;
  #guests = 0;
  #stalls = 0;

  constructor(world: World, spec: HostSpec, index: number, options: HostOptions) {
    this.#world = world;
    this.spec = spec;
    this.index = index;
    const { engine, costs, limits } = world;
    const count = spec.cpus ?? limits.cpusPerHost;
    this.cpus = Array.from({ length: count }, (_, i) => new PhysicalCpu(engine, i));
    this.#costs = { contextSwitch: costs.contextSwitch, idleExit: costs.idleExit, threadSlice: costs.threadSlice };
    this.boards = Array.from({ length: options.boards }, (_, board) => ({
      index: board,
      name: boardName(spec.name, board),
      nic: new Nic(engine, world.frames, `${spec.name} nic${board === 0 ? "" : board}`, costs, limits),
      macHigh: MAC_HIGH,
      macLow: 0x58000000 + board * MACS_PER_BOARD + index + 1,
      paths: [],
    }));
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
    this.hogs = new Hogs(spec.name, (index) => this.#hogCpu(index));
  }

  get name(): string {
    return this.spec.name;
  }

  /** The first board's NIC. */
  get nic(): Nic {
    return this.boards[0].nic;
  }

  /**
   * Begins or ends a stall of the back end. Xen pauses dom0: none of its VCPUs runs, and what comes for it stays
   * pending. A host of KVM's freezes the threads of its kernel, which are vhost's and QEMU's; its interrupts, bridge and
   * guests go on. Stalls may overlap: the last one to end ends it.
   */
  stall(begins: boolean): void {
    const before = this.#stalls;
    this.#stalls += begins ? 1 : -1;
    if ((before > 0) === (this.#stalls > 0)) return;
    const held = this.kind === "xen" ? HOLD_ALL : HOLD_THREADS;
    for (const processor of this.kernel) processor.hold(this.#stalls > 0 ? held : HOLD_NOTHING);
  }

  /** Sets a path up on a board of this host, once. */
  path(path: Path, board = 0): PathHost {
    const key = boardName(path.name, board);
    const known = this.paths.get(key);
    if (known !== undefined) return known;
    const { nic, macHigh, macLow, paths } = this.boards[board];
    const site: HostSite = {
      world: this.#world,
      name: this.name,
      board,
      boards: this.boards.length,
      nic,
      macHigh,
      macLow,
      processors: this.kernel,
      kind: this.kind,
      hypervisor: this.hypervisor,
    };
    const attached = path.attach(site);
    this.paths.set(key, attached);
    paths.push(attached);
    return attached;
  }

  /** A place for a guest: VCPUs, in a domain or a virtual machine, or a CPU of the native kernel. On the first board. */
  site(spec: GuestSpec): GuestSite {
    const index = this.#guests++;
    const { name } = spec;
    const mac = { macHigh: MAC_HIGH, macLow: 0x57000000 + this.index * 0x10000 + index };
    if (this.kind === "native") {
      return { name, index, board: 0, processor: this.#processCpu(index), vcpus: [], domain: null, ...mac };
    }
    const vcpus = this.#vcpus(name, OWNER_GUEST, spec.vcpus, spec.weight, spec.pin);
    const domain = this.hypervisor?.createDomain(name, vcpus) ?? null;
    return { name, index, board: 0, processor: vcpus[0], vcpus, domain, ...mac };
  }

  /** The same place as another board knows it. */
  onBoard(site: GuestSite, board: number): GuestSite {
    return { ...site, board, macLow: site.macLow + board * MACS_PER_BOARD };
  }

  /** Where its first board's interrupts are too; those of the others follow, and the next process comes after them. */
  #processCpu(index: number): Processor {
    const boards = this.boards.length;
    const { length } = this.kernel;
    const round = Math.floor(index * boards / length);
    return this.kernel[(index * boards + round % boards) % length];
  }

  /** On a native host they come from the last CPU downwards: the others are more likely to have something to do. */
  #hogCpu(index: number): Processor {
    const { length } = this.kernel;
    if (this.kind === "native") return this.kernel[length - 1 - index % length];
    const vcpu = this.#processor(`hog vcpu${index}`, OWNER_GUEST, index, null);
    this.#scheduler!.add(vcpu, HOG_WEIGHT, null);
    return vcpu;
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
