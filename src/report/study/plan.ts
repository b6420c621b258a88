import { canonicalJson } from "../../base/hash.ts";
import type { Snapshot } from "../snapshot.ts";
import { templateSnapshot } from "../template.ts";
import { type Experiment, Lab } from "./lab.ts";
import { reproduce, type Reproduction, type StudyParts } from "./reproduce.ts";

/**
 * A lab that makes no experiment itself: it notes what it is asked for and answers with a guess, so that one walk
 * through the study tells of nearly all experiments. A later walk, with some of them known, tells of those that depend on
 * what others come to. A wrong guess can only ask for a run that nobody needs.
 */
class PlanningLab extends Lab {
  readonly missing = new Map<string, Experiment>();
  #guesses = 0;

  override get guesses(): number {
    return this.#guesses;
  }

  protected override make(experiment: Experiment): Snapshot {
    this.#guesses++;
    this.missing.set(canonicalJson(experiment), experiment);
    return guess(experiment);
  }
}

/** The shape of an experiment's snapshot. Its throughput ends whoever looks for the point at which a link is full. */
function guess({ guests = 2, workload }: Experiment): Snapshot {
  const template = templateSnapshot();
  const repeat = <Entry>(entry: Entry, times: number) => Array.from({ length: times }, () => entry);
  return {
    ...template,
    totals: { ...template.totals, throughput_MBps: Infinity },
    guests: repeat(template.guests[0], guests),
    hosts: repeat(template.hosts[0], 2),
    rows: repeat(template.rows[0], Array.isArray(workload.sizes) ? workload.sizes.length : 1),
  };
}

/** The study as a list of experiments that somebody else makes, in any order, and the report of those that are made. */
export class StudyPlan {
  readonly #lab: PlanningLab;
  readonly #parts: StudyParts;
  readonly #taken = new Set<string>();
  /** Experiments that are made. */
  done = 0;

  /** `command` as of a {@link Lab}. */
  constructor(version: string, parts: StudyParts, command?: string) {
    this.#lab = new PlanningLab(version, command);
    this.#parts = parts;
  }

  /** Experiments still to be made, as far as is known; those that are under way are among them. */
  get left(): number {
    return this.#lab.missing.size;
  }

  /** The next experiment that nobody has taken, null when there is none at the moment. */
  take(): Experiment | null {
    this.report();
    for (const [key, experiment] of this.#lab.missing) {
      if (this.#taken.has(key)) continue;
      this.#taken.add(key);
      return experiment;
    }
    return null;
  }

  /** What a taken experiment has come to. */
  learn(experiment: Experiment, snapshot: Snapshot): void {
    this.#lab.learn(experiment, snapshot);
    this.#lab.missing.delete(canonicalJson(experiment));
    this.done++;
  }

  /** What is known so far; partial as long as an experiment is missing. */
  report(): Reproduction {
    this.#lab.missing.clear();
    return reproduce(this.#lab, this.#parts);
  }
}
