import { assert } from "../base/assert.ts";
import type { Link } from "../hw/link.ts";
import type { Cluster } from "./cluster.ts";
import type { FaultSpec } from "./scenario.ts";

/**
 * Plays a scenario's timed faults. What a link suffers is worked out anew from the faults that are active on it, so that
 * any number of them may overlap: losses and delays add up (a loss to 1 at most), and a link is cut while any cut lasts.
 */
export class FaultPlayer {
  readonly #faults: readonly FaultSpec[];
  /** The link of each fault. */
  readonly #links: readonly Link[];
  readonly #active = new Set<number>();
  readonly #baseLoss: number;

  constructor(cluster: Cluster, faults: readonly FaultSpec[], baseLoss: number) {
    this.#faults = faults;
    this.#baseLoss = baseLoss;
    this.#links = faults.map(({ link }) => {
      const found = cluster.links.find(({ name }) => name === link);
      assert(found !== undefined, "faults: the scenario names links that exist");
      return found;
    });
    if (faults.length === 0) return;
    const { engine } = cluster.world;
    const handler = engine.handler("fault", (number, begins) => {
      if (begins === 1) this.#active.add(number);
      else this.#active.delete(number);
      this.#apply(this.#links[number]);
    });
    for (const [number, fault] of faults.entries()) {
      engine.at(fault.atPs, handler, number, 1);
      if (fault.forPs !== null) engine.at(fault.atPs + fault.forPs, handler, number, 0);
    }
  }

  #apply(link: Link): void {
    const here = this.#faults.filter((_, number) => this.#active.has(number) && this.#links[number] === link);
    link.loss = Math.min(1, here.reduce((sum, { loss }) => sum + loss, this.#baseLoss));
    link.extraDelayPs = here.reduce((sum, { delayPs }) => sum + delayPs, 0);
    link.cut = here.some(({ cut }) => cut);
  }
}
