import { assert } from "../base/assert.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { Memory } from "../hw/memory.ts";
import type { Processor } from "../hw/processor.ts";
import type { Engine } from "../sim/engine.ts";
import { Domain } from "./domain.ts";
import { Xenstore } from "./xenstore.ts";

/** Ids from here on name no domain (xen.h). */
export const DOMID_FIRST_RESERVED = 0x7ff0;

/** Capacities of a domain; the defaults are those of Xen 4.2. */
export interface DomainLimits {
  /** Pages of grant entries that a domain may have (gnttab_max_nr_frames). */
  readonly grantFrames: number;
  /** Foreign pages that a domain may have mapped at a time (8 maptrack frames for each grant frame). */
  readonly maptrackEntries: number;
}

export const DEFAULT_LIMITS: DomainLimits = { grantFrames: 32, maptrackEntries: 32 * 8 * 512 };

/** Xen on one host: its domains by id, and the xenstore that they share. Domain 0 is created first. */
export class Hypervisor {
  readonly engine: Engine;
  readonly memory: Memory;
  readonly costs: Costs;
  readonly name: string;
  readonly limits: DomainLimits;
  readonly xenstore: Xenstore;
  readonly #domains: Domain[] = [];

  constructor(engine: Engine, name: string, memory: Memory, costs: Costs, limits: Partial<DomainLimits> = {}) {
    this.engine = engine;
    this.name = name;
    this.memory = memory;
    this.costs = costs;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.xenstore = new Xenstore(engine, name);
  }

  /** Creates the next domain, with its VCPUs in order; ids count up from 0. */
  createDomain(name: string, processors: readonly Processor[]): Domain {
    assert(this.#domains.length < DOMID_FIRST_RESERVED, "hypervisor: no domain id is left");
    const domain = new Domain(this, this.#domains.length, name, processors);
    this.#domains.push(domain);
    return domain;
  }

  /** The domain with this id, as a guest names it in a hypercall; undefined when there is none. */
  domain(id: number): Domain | undefined {
    return this.#domains[id];
  }

  get domains(): readonly Domain[] {
    return this.#domains;
  }
}
