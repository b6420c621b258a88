import { assert } from "../base/assert.ts";
import { TIME_LIMIT_PS } from "../base/units.ts";
import type { Cluster } from "./cluster.ts";
import type { Host } from "./host.ts";
import type { TroubleSpec } from "./scenario.ts";
import { noBackEnd } from "./scenario_faults.ts";
import { HOG_LIMIT } from "./scenario_schema.ts";

/** What troubles need of the run that they befall. */
export interface TroubledRun {
  readonly cluster: Cluster;
  /** The guest of this number dies, or is booted again. */
  crash(rank: number): void;
  boot(rank: number): void;
  /** Notes for users what happens at this instant. */
  note(text: string): void;
}

interface Trouble {
  readonly spec: TroubleSpec;
  /** A user has done it, not the scenario. */
  readonly byUser: boolean;
  /** How to end it, while it goes on. */
  stop: (() => void) | null;
}

/** Plays what befalls hosts and guests: stalled back ends, hogs, crashes. Any number of them may overlap. */
export class Troubles {
  readonly #run: TroubledRun;
  /** By number; null for what was called off. */
  readonly #troubles: (Trouble | null)[] = [];
  /** Declared with the first trouble: order of declaration is part of a run's identity. */
  #handler = -1;

  constructor(run: TroubledRun, troubles: readonly TroubleSpec[] = []) {
    this.#run = run;
    this.#addAll(troubles);
  }

  /** One more, now or later. Returns null, or why there cannot be one. */
  add(spec: TroubleSpec, byUser = false): string | null {
    const { engine } = this.#run.cluster.world;
    const problem = timeProblem(spec) ?? this.#problemOf(spec);
    if (problem !== null) return problem;
    if (isOver(spec, engine.now)) return null;
    if (this.#handler < 0) {
      this.#handler = engine.handler("trouble", (number, begins) => this.#switch(number, begins === 1));
    }
    const number = this.#troubles.push({ spec, byUser, stop: null }) - 1;
    engine.at(Math.max(spec.atPs, engine.now), this.#handler, number, 1);
    if (spec.forPs !== null) engine.at(spec.atPs + spec.forPs, this.#handler, number, 0);
    return null;
  }

  /** Ends one that a user has done; whether it was not over already. */
  end(spec: TroubleSpec): boolean {
    const number = this.#troubles.findIndex((trouble) => trouble?.spec === spec);
    if (number < 0 || isOver(spec, this.#run.cluster.world.engine.now)) return false;
    this.#callOff(number);
    return true;
  }

  /** Whether one goes on, or is to come. */
  has(spec: TroubleSpec): boolean {
    return this.#troubles.some((trouble) => trouble?.spec === spec) &&
      !isOver(spec, this.#run.cluster.world.engine.now);
  }

  /** What users have done and what is not over. A new cluster has booted all of its guests. */
  lasting(): TroubleSpec[] {
    const { now } = this.#run.cluster.world.engine;
    return this.#troubles.flatMap((trouble) =>
      trouble?.byUser && trouble.spec.kind !== "crash" && !isOver(trouble.spec, now) ? [trouble.spec] : []
    );
  }

  /** Others in the place of the scenario's; those of users stay. */
  replan(troubles: readonly TroubleSpec[]): void {
    for (const number of this.#troubles.keys()) if (this.#troubles[number]?.byUser === false) this.#callOff(number);
    this.#addAll(troubles);
  }

  /** Calls off what has not begun, and ends what has. */
  clear(): void {
    for (const number of this.#troubles.keys()) this.#callOff(number);
  }

  #callOff(number: number): void {
    const trouble = this.#troubles[number];
    this.#troubles[number] = null;
    trouble?.stop?.();
  }

  #addAll(troubles: readonly TroubleSpec[]): void {
    for (const trouble of troubles) {
      const problem = this.add(trouble);
      assert(problem === null, "troubles: the scenario names what exists");
    }
  }

  #hostOf(name: string): Host | undefined {
    return this.#run.cluster.hosts.find((host) => host.name === name);
  }

  #rankOf(name: string): number {
    return this.#run.cluster.guests.findIndex(({ spec }) => spec.name === name);
  }

  #problemOf(spec: TroubleSpec): string | null {
    const { hosts, guests } = this.#run.cluster;
    if (spec.kind === "crash") {
      if (this.#rankOf(spec.guest) >= 0) return null;
      return `no guest ${JSON.stringify(spec.guest)}; wanted ${listOf(guests.map(({ spec }) => spec.name))}`;
    }
    const host = this.#hostOf(spec.host);
    if (host === undefined) {
      return `no host ${JSON.stringify(spec.host)}; wanted ${listOf(hosts.map(({ name }) => name))}`;
    }
    if (spec.kind === "hog") {
      const isCount = Number.isInteger(spec.cpus) && spec.cpus >= 1 && spec.cpus <= HOG_LIMIT;
      return isCount ? null : `hog: found ${spec.cpus} CPUs, wanted 1 to ${HOG_LIMIT}`;
    }
    const paths = new Set(guests.filter((guest) => guest.host === host).map(({ path }) => path));
    if ([...paths].some(({ hasBackEnd = true }) => hasBackEnd)) return null;
    return noBackEnd(host.name, [...paths].map(({ name }) => name));
  }

  #switch(number: number, begins: boolean): void {
    const trouble = this.#troubles[number];
    if (trouble === null) return;
    if (begins) trouble.stop = this.#begin(trouble);
    else {
      trouble.stop?.();
      trouble.stop = null;
    }
  }

  /** Returns how to end it. */
  #begin({ spec, byUser }: Trouble): () => void {
    const { note } = this.#run;
    // Of what a user does he is told when he does it.
    const begins = byUser ? () => {} : note;
    if (spec.kind === "crash") {
      begins(`${spec.guest} crashes`);
      return this.#crash(spec.guest);
    }
    const host = this.#hostOf(spec.host)!;
    if (spec.kind === "stall") {
      begins(`the back end of host ${host.name} stalls`);
      host.stall(true);
      return () => {
        host.stall(false);
        note(`the back end of host ${host.name} goes on`);
      };
    }
    const cpus = `${spec.cpus} ${spec.cpus === 1 ? "CPU" : "CPUs"} of host ${host.name}`;
    begins(`somebody else computes on ${cpus}`);
    const stop = host.hogs.start(spec.cpus);
    return () => {
      stop();
      note(`the computation on ${cpus} is over`);
    };
  }

  #crash(guest: string): () => void {
    const rank = this.#rankOf(guest);
    this.#run.crash(rank);
    return () => {
      this.#run.note(`${guest} is booted again`);
      this.#run.boot(rank);
    };
  }
}

/** Why a trouble cannot last as long as it says; null when it can. */
function timeProblem({ kind, atPs, forPs }: TroubleSpec): string | null {
  if (forPs === null) return null;
  const isTime = Number.isInteger(forPs) && forPs >= 1 && atPs + forPs <= TIME_LIMIT_PS;
  return isTime ? null : `${kind}: found ${forPs} ps, wanted a whole number of picoseconds within virtual time`;
}

function isOver({ atPs, forPs }: TroubleSpec, now: number): boolean {
  return forPs !== null && atPs + forPs <= now;
}

function listOf(names: readonly string[]): string {
  return names.join(", ");
}
