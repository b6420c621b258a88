import { assert } from "../base/assert.ts";
import type { Link } from "../hw/link.ts";
import type { Cluster } from "./cluster.ts";
import type { FaultSpec } from "./scenario.ts";

/**
 * Plays a scenario's timed faults. What a link suffers is worked out anew from the faults that are active on it, so that
 * any number of them may overlap: losses and delays add up (a loss to 1 at most), and a link is cut while any cut lasts.
 */
export class FaultPlayer {
  #cluster: Cluster;
  readonly #faults: FaultSpec[] = [];
  /** The link of each fault; null where it is gone since. */
  readonly #links: (Link | null)[] = [];
  readonly #active = new Set<number>();
  /** Ended by hand, before their time. */
  readonly #ended = new Set<number>();
  #baseLoss: number;
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
    const link = this.#cluster.links.find(({ name }) => name === fault.link);
    if (link === undefined) {
      return `no link ${JSON.stringify(fault.link)}; wanted ${this.#cluster.links.map(({ name }) => name).join(", ")}`;
    }
    this.#links.push(link);
    this.#schedule(this.#faults.push(fault) - 1);
    return null;
  }

  /** Goes on with the links of another cluster, whose engine has taken the place of the one before. */
  moveTo(cluster: Cluster, baseLoss: number): void {
    this.#cluster = cluster;
    this.#baseLoss = baseLoss;
    this.#handler = -1;
    this.#active.clear();
    const { now } = cluster.world.engine;
    for (const [number, { link, atPs, forPs }] of this.#faults.entries()) {
      this.#links[number] = cluster.links.find(({ name }) => name === link) ?? null;
      const isOver = this.#ended.has(number) || (forPs !== null && atPs + forPs <= now);
      if (!isOver && this.#links[number] !== null) this.#schedule(number);
    }
  }

  #schedule(number: number): void {
    const { engine } = this.#cluster.world;
    const { atPs, forPs } = this.#faults[number];
    if (this.#handler < 0) {
      this.#handler = engine.handler("fault", (number, begins) => this.#switch(number, begins === 1));
    }
    engine.at(Math.max(atPs, engine.now), this.#handler, number, 1);
    if (forPs !== null) engine.at(atPs + forPs, this.#handler, number, 0);
  }

  /** How many there are: the number of the next one that is added. */
  get count(): number {
    return this.#faults.length;
  }

  /** Ends a fault now, whether it has begun or not; whether it was not over already. */
  end(number: number): boolean {
    const { atPs, forPs } = this.#faults[number];
    const isOver = forPs !== null && atPs + forPs <= this.#cluster.world.engine.now;
    if (isOver || this.#ended.has(number)) return false;
    this.#ended.add(number);
    this.#switch(number, false);
    return true;
  }

  #switch(number: number, begins: boolean): void {
    if (begins && !this.#ended.has(number)) this.#active.add(number);
    else this.#active.delete(number);
    const link = this.#links[number];
    if (link !== null) this.#apply(link);
  }

  #apply(link: Link): void {
    const here = this.#faults.filter((_, number) => this.#active.has(number) && this.#links[number] === link);
    link.loss = Math.min(1, here.reduce((sum, { loss }) => sum + loss, this.#baseLoss));
    link.corrupt = Math.min(1, here.reduce((sum, { corrupt = 0 }) => sum + corrupt, 0));
    link.extraDelayPs = here.reduce((sum, { delayPs }) => sum + delayPs, 0);
    link.cut = here.some(({ cut }) => cut);
  }
}
