import { assert } from "../base/assert.ts";
import { TIME_LIMIT_PS } from "../base/units.ts";
import type { Engine } from "../sim/engine.ts";

/** When something befalls a cluster. */
export interface Timing {
  readonly atPs: number;
  /** How long it lasts; null for good. */
  readonly forPs: number | null;
}

interface Entry<Spec> {
  readonly spec: Spec;
  /** A user has done it, not the scenario. */
  readonly byUser: boolean;
  isGoing: boolean;
  /** Null before it has begun. */
  stop: (() => void) | null;
}

/**
 * What befalls a cluster at a time, until its time is over or somebody ends it. Each begins once, and is stopped once if
 * it has begun; any number of them may overlap. What they are, and what several at a time come to, the subclasses know.
 */
export abstract class Timed<Spec extends Timing> {
  readonly #engine: Engine;
  readonly #name: string;
  /** By number; null for what was called off. */
  readonly #entries: (Entry<Spec> | null)[] = [];
  /** Declared with the first of them: order of declaration is part of a run's identity. */
  #handler = -1;

  /** `name` is that of their handler. */
  constructor(engine: Engine, name: string) {
    this.#engine = engine;
    this.#name = name;
  }

  /** Why there cannot be such a one; null when there can. */
  protected abstract problemOf(spec: Spec): string | null;

  /** Has it begin, and returns how to stop it. It is among `going()` already, and no more when it is stopped. */
  protected abstract begin(spec: Spec, byUser: boolean): () => void;

  /** Whether one that a user has done befalls the next cluster too. */
  protected outlivesCluster(_spec: Spec): boolean {
    return true;
  }

  /** One more, now or later. Returns null, or why there cannot be one. */
  add(spec: Spec, byUser = false): string | null {
    const { now } = this.#engine;
    const problem = this.problemOf(spec);
    if (problem !== null) return problem;
    if (this.#isOver(spec)) return null;
    if (this.#handler < 0) {
      this.#handler = this.#engine.handler(this.#name, (number, begins) => this.#switch(number, begins === 1));
    }
    const number = this.#entries.push({ spec, byUser, isGoing: false, stop: null }) - 1;
    this.#engine.at(Math.max(spec.atPs, now), this.#handler, number, 1);
    if (spec.forPs !== null) this.#engine.at(spec.atPs + spec.forPs, this.#handler, number, 0);
    return null;
  }

  /** Ends one that a user has done; whether it was not over already. */
  end(spec: Spec): boolean {
    const number = this.#entries.findIndex((entry) => entry?.spec === spec);
    if (number < 0 || this.#isOver(spec)) return false;
    this.#callOff(number);
    return true;
  }

  /** Whether one goes on, or is to come. */
  has(spec: Spec): boolean {
    return this.#entries.some((entry) => entry?.spec === spec) && !this.#isOver(spec);
  }

  /** What users have done, is not over and befalls the next cluster too. */
  lasting(): Spec[] {
    return this.#entries.flatMap((entry) =>
      entry?.byUser && this.outlivesCluster(entry.spec) && !this.#isOver(entry.spec) ? [entry.spec] : []
    );
  }

  /** Others in the place of the scenario's; those of users stay. They have been checked with the scenario. */
  replan(specs: readonly Spec[]): void {
    for (const number of this.#entries.keys()) if (this.#entries[number]?.byUser === false) this.#callOff(number);
    for (const spec of specs) {
      const problem = this.add(spec);
      assert(problem === null, `${this.#name}: the scenario names what exists`);
    }
  }

  /** Calls off what has not begun, and ends what has. */
  clear(): void {
    for (const number of this.#entries.keys()) this.#callOff(number);
  }

  /** What goes on, in the order in which it was added. */
  protected going(): Spec[] {
    return this.#entries.flatMap((entry) => entry?.isGoing ? [entry.spec] : []);
  }

  #isOver({ atPs, forPs }: Spec): boolean {
    return forPs !== null && atPs + forPs <= this.#engine.now;
  }

  #callOff(number: number): void {
    const entry = this.#entries[number];
    this.#entries[number] = null;
    if (entry?.isGoing) entry.stop!();
  }

  #switch(number: number, begins: boolean): void {
    const entry = this.#entries[number];
    if (entry === null) return;
    entry.isGoing = begins;
    if (begins) entry.stop = this.begin(entry.spec, entry.byUser);
    else entry.stop!();
  }
}

/** What is wrong with how long one lasts; null when nothing is. A scenario's have been checked by its schema. */
export function timeProblem(kind: string, { atPs, forPs }: Timing): string | null {
  if (forPs === null) return null;
  const isTime = Number.isInteger(forPs) && forPs >= 1 && atPs + forPs <= TIME_LIMIT_PS;
  return isTime ? null : `${kind}: found ${forPs} ps, wanted a whole number of picoseconds within virtual time`;
}
