import { assert } from "../base/assert.ts";
import { TIME_LIMIT_PS, US } from "../base/units.ts";
import type { Link } from "../hw/link.ts";
import type { Cluster } from "./cluster.ts";
import type { FaultSpec } from "./scenario.ts";

interface Fault {
  readonly spec: FaultSpec;
  readonly link: Link;
  /** A user has done it, not the scenario. */
  readonly byUser: boolean;
  isActive: boolean;
}

/**
 * Plays timed faults. What a link suffers is worked out anew from the faults that are active on it, so that any number
 * of them may overlap: losses, corruption and delays add up (probabilities to 1 at most), and a link is cut while any
 * cut lasts.
 */
export class FaultPlayer {
  readonly #cluster: Cluster;
  /** By number; null for what was called off. */
  readonly #faults: (Fault | null)[] = [];
  readonly #baseLoss: number;
  readonly #note: (text: string) => void;
  /** Declared with the first fault: order of declaration is part of a run's identity. */
  #handler = -1;

  /** `note` is told in words what a link suffers from now on. */
  constructor(cluster: Cluster, faults: readonly FaultSpec[], baseLoss: number, note: (text: string) => void) {
    this.#cluster = cluster;
    this.#baseLoss = baseLoss;
    this.#note = note;
    this.#addAll(faults);
  }

  /** One more fault, now or later. Returns null, or why there cannot be one. */
  add(spec: FaultSpec, byUser = false): string | null {
    const { engine } = this.#cluster.world;
    const link = this.#cluster.links.find(({ name }) => name === spec.link);
    if (link === undefined) {
      const names = this.#cluster.links.map(({ name }) => name).join(", ");
      return `no link ${JSON.stringify(spec.link)}; wanted ${names === "" ? "none: one host has no link" : names}`;
    }
    const problem = problemOf(spec);
    if (problem !== null) return problem;
    if (isOver(spec, engine.now)) return null;
    if (this.#handler < 0) {
      this.#handler = engine.handler("fault", (number, begins) => this.#switch(number, begins === 1));
    }
    const number = this.#faults.push({ spec, link, byUser, isActive: false }) - 1;
    engine.at(Math.max(spec.atPs, engine.now), this.#handler, number, 1);
    if (spec.forPs !== null) engine.at(spec.atPs + spec.forPs, this.#handler, number, 0);
    return null;
  }

  /** Ends one that a user has done; whether it was not over already. */
  end(spec: FaultSpec): boolean {
    const number = this.#faults.findIndex((fault) => fault?.spec === spec);
    if (number < 0 || isOver(spec, this.#cluster.world.engine.now)) return false;
    this.#callOff(number);
    return true;
  }

  /** Whether one goes on, or is to come. */
  has(spec: FaultSpec): boolean {
    return this.#faults.some((fault) => fault?.spec === spec) && !isOver(spec, this.#cluster.world.engine.now);
  }

  /** What users have done and what is not over. */
  lasting(): FaultSpec[] {
    const { now } = this.#cluster.world.engine;
    return this.#faults.flatMap((fault) => fault?.byUser && !isOver(fault.spec, now) ? [fault.spec] : []);
  }

  /** Other faults in the place of the scenario's; those of users stay. */
  replan(faults: readonly FaultSpec[]): void {
    for (const number of this.#faults.keys()) if (this.#faults[number]?.byUser === false) this.#callOff(number);
    this.#addAll(faults);
  }

  #callOff(number: number): void {
    const { link, isActive } = this.#faults[number]!;
    this.#faults[number] = null;
    if (isActive) this.#apply(link);
  }

  #addAll(faults: readonly FaultSpec[]): void {
    for (const fault of faults) {
      const problem = this.add(fault);
      assert(problem === null, "faults: the scenario names links that exist");
    }
  }

  #switch(number: number, begins: boolean): void {
    const fault = this.#faults[number];
    if (fault === null) return;
    fault.isActive = begins;
    this.#apply(fault.link, begins && fault.byUser);
  }

  /** `isTold`: what it suffers is known to whoever is told of it. */
  #apply(link: Link, isTold = false): void {
    const here = this.#faults.flatMap((fault) => fault?.isActive && fault.link === link ? [fault.spec] : []);
    link.loss = Math.min(1, here.reduce((sum, { loss }) => sum + loss, this.#baseLoss));
    link.corruption = Math.min(1, here.reduce((sum, { corrupt = 0 }) => sum + corrupt, 0));
    link.extraDelayPs = here.reduce((sum, { delayPs }) => sum + delayPs, 0);
    link.cut = here.some(({ cut }) => cut);
    if (!isTold) this.#note(`link ${link.name}: ${here.length === 0 ? "no fault any more" : sufferingOf(link)}`);
  }
}

function sufferingOf({ cut, loss, corruption, extraDelayPs }: Link): string {
  if (cut) return "cut";
  const percent = (fraction: number) => `${Number((100 * fraction).toPrecision(3))} %`;
  const parts = [
    loss > 0 ? `${percent(loss)} of frames lost` : "",
    corruption > 0 ? `${percent(corruption)} of frames corrupted` : "",
    extraDelayPs > 0 ? `${extraDelayPs / US} us of delay` : "",
  ];
  return parts.filter((part) => part !== "").join(", ") || "a fault that does nothing";
}

function isOver({ atPs, forPs }: FaultSpec, now: number): boolean {
  return forPs !== null && atPs + forPs <= now;
}

/** What is wrong with a fault's figures; null when nothing is. A scenario's have been checked by its schema. */
function problemOf({ atPs, forPs, loss, corrupt = 0, delayPs }: FaultSpec): string | null {
  for (const [what, value] of [["loss", loss], ["corrupt", corrupt]] as const) {
    if (!(value >= 0 && value <= 1)) return `fault: found ${what} ${value}, wanted 0 to 1`;
  }
  const isTime = (value: number, min: number) => Number.isInteger(value) && value >= min && value <= TIME_LIMIT_PS;
  if (!isTime(delayPs, 0)) return `fault: found a delay of ${delayPs} ps, wanted a whole number of picoseconds`;
  if (forPs === null || isTime(forPs, 1) && isTime(atPs + forPs, 1)) return null;
  return `fault: found ${forPs} ps, wanted a whole number of picoseconds within virtual time`;
}
