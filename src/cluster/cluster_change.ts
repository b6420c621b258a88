import { canonicalJson } from "../base/hash.ts";
import { SECOND } from "../base/units.ts";
import type { Workload } from "../workload/workload.ts";
import type { Generation } from "./generation.ts";
import type { Scenario } from "./scenario.ts";

/** Virtual time that programs get to finish what they have begun before the cluster is changed: a user waits for it. */
const CHANGE_LIMIT = SECOND;

/** A change of a session's cluster that is under way: its programs have been told to stop. */
export class ClusterChange {
  /** What comes next: another change before this one is due takes its place. */
  scenario: Scenario;
  workload: Workload;
  /** No later than this instant programs are ended. */
  #timeIsUp = false;
  #isGivenUp = false;

  constructor(scenario: Scenario, workload: Workload) {
    this.scenario = scenario;
    this.workload = workload;
  }

  /** Tells the programs of the present cluster to stop, and has its engine stop when they have had their time for it. */
  begin({ processes, cluster }: Generation): void {
    processes.stop();
    const { engine } = cluster.world;
    const limit = engine.handler("change is due", () => {
      if (this.#isGivenUp) return;
      this.#timeIsUp = true;
      engine.stop();
    });
    engine.after(CHANGE_LIMIT, limit);
  }

  /** Nothing is changed any more. */
  giveUp(): void {
    this.#isGivenUp = true;
  }

  /** Whether `present` is to make room for the next cluster now. */
  isDue(present: Generation): boolean {
    return this.#timeIsUp || present.processes.running === 0;
  }
}

/** Whether another scenario means another cluster, or programs that are built otherwise. */
export function isOtherCluster(a: Scenario, b: Scenario): boolean {
  return canonicalJson(clusterOf(a)) !== canonicalJson(clusterOf(b));
}

/** What a cluster and its programs are built from: all but the words for people, the faults and the verdict. */
function clusterOf(scenario: Scenario): unknown {
  const { name: _n, title: _t, description: _d, thresholds: _th, faults: _f, troubles: _tr, ...what } = scenario;
  return what;
}
