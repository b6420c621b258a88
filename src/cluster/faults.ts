import { assert } from "../base/assert.ts";
import type { Link } from "../hw/link.ts";
import type { Cluster } from "./cluster.ts";
import type { FaultSpec } from "./scenario.ts";

/**
 * Plays a scenario's timed faults. What a link suffers is worked out anew from the faults that are active on it, so that
 * any number of them may overlap: losses and delays add up (a loss to 1 at most), and a link is cut while any cut lasts.
 */
export class FaultPlayer {
  readonly #cluster: Cluster;
  readonly #faults: FaultSpec[] = [];
  /** The link of each fault. */
  readonly #links: Link[] = [];
  readonly #active = new Set<number>();
  readonly #baseLoss: number;
  /** Declared with the first fault: order of declaration is part of a run's identity. */
  #handler = -1;

  constructor(cluster: Cluster, faults: readonly FaultSpec[], baseLoss: number) {
    this.#cluster = cluster;
    this.#baseLoss = baseLoss;
    for (const fault of faults) {
      const problem = this.add(fault);
      assert(problem === null, "faults: the scenario names links that exist");
    }
  }

  /** One more fault, now or later. Returns null, or why there cannot be one. */
  add(fault: FaultSpec): string | null {
    const { engine } = this.#cluster.world;
    const link = this.#cluster.links.find(({ name }) => name === fault.link);
    if (link === undefined) {
      return `no link ${JSON.stringify(fault.link)}; wanted ${this.#cluster.links.map(({ name }) => name).join(", ")}`;
    }
    if (this.#handler < 0) {
      this.#handler = engine.handler("fault", (number, begins) => this.#switch(number, begins === 1));
    }
    const number = this.#faults.push(fault) - 1;
    this.#links.push(link);
    engine.at(fault.atPs, this.#handler, number, 1);
    if (fault.forPs !== null) engine.at(fault.atPs + fault.forPs, this.#handler, number, 0);
    return null;
  }

  /** Faults that last, or are to come, as a player built at this instant has to be told of them. */
  remaining(): FaultSpec[] {
    const { now } = this.#cluster.world.engine;
    return this.#faults.flatMap((fault) => {
      const end = fault.forPs === null ? Infinity : fault.atPs + fault.forPs;
      if (end <= now) return [];
      const atPs = Math.max(now, fault.atPs);
      return [{ ...fault, atPs, forPs: fault.forPs === null ? null : end - atPs }];
    });
  }

  #switch(number: number, begins: boolean): void {
    if (begins) this.#active.add(number);
    else this.#active.delete(number);
    this.#apply(this.#links[number]);
  }

  #apply(link: Link): void {
    const here = this.#faults.filter((_, number) => this.#active.has(number) && this.#links[number] === link);
    link.loss = Math.min(1, here.reduce((sum, { loss }) => sum + loss, this.#baseLoss));
    link.corrupt = Math.min(1, here.reduce((sum, { corrupt = 0 }) => sum + corrupt, 0));
    link.extraDelayPs = here.reduce((sum, { delayPs }) => sum + delayPs, 0);
    link.cut = here.some(({ cut }) => cut);
  }
}
