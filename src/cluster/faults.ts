import type { Link } from "../hw/link.ts";
import type { Cluster } from "./cluster.ts";
import type { FaultSpec } from "./scenario.ts";

/** Plays a scenario's timed faults. Faults that overlap on a link add up; each ends by taking back what it did. */
export class FaultPlayer {
  readonly #cluster: Cluster;
  readonly #faults: readonly FaultSpec[];

  constructor(cluster: Cluster, faults: readonly FaultSpec[]) {
    this.#cluster = cluster;
    this.#faults = faults;
    if (faults.length === 0) return;
    const { engine } = cluster.world;
    const handler = engine.handler("fault", (number, begins) => this.#apply(this.#faults[number], begins === 1));
    for (const [number, fault] of faults.entries()) {
      engine.at(fault.atPs, handler, number, 1);
      if (fault.forPs !== null) engine.at(fault.atPs + fault.forPs, handler, number, 0);
    }
  }

  #apply(fault: FaultSpec, begins: boolean): void {
    const link = this.#find(fault.link);
    if (link === undefined) return;
    const sign = begins ? 1 : -1;
    link.loss = Math.max(0, link.loss + sign * fault.loss);
    link.extraDelayPs += sign * fault.delayPs;
    if (fault.cut) link.cut = begins;
  }

  /** A link by the names of its ends, in either order. */
  #find(name: string): Link | undefined {
    return this.#cluster.links.find((link) => link.name === name || link.name === name.split("-").reverse().join("-"));
  }
}
