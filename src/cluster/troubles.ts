import type { Cluster } from "./cluster.ts";
import type { Host } from "./host.ts";
import type { TroubleSpec } from "./scenario.ts";
import { noBackEnd } from "./scenario_faults.ts";
import { HOG_LIMIT } from "./scenario_schema.ts";
import { Timed, timeProblem } from "./timed.ts";

/** What troubles need of the run that they befall. */
export interface TroubledRun {
  readonly cluster: Cluster;
  /** The guest of this number dies, or is booted again. */
  crash(rank: number): void;
  boot(rank: number): void;
  /** Notes for users what happens at this instant. */
  note(text: string): void;
}

/** Plays what befalls hosts and guests: stalled back ends, hogs, crashes. Any number of them may overlap. */
export class Troubles extends Timed<TroubleSpec> {
  readonly #run: TroubledRun;

  constructor(run: TroubledRun, troubles: readonly TroubleSpec[] = []) {
    super(run.cluster.world.engine, "trouble");
    this.#run = run;
    this.replan(troubles);
  }

  /** A new cluster has booted all of its guests. */
  protected override outlivesCluster({ kind }: TroubleSpec): boolean {
    return kind !== "crash";
  }

  protected override problemOf(spec: TroubleSpec): string | null {
    return timeProblem(spec.kind, spec) ?? this.#placeProblem(spec);
  }

  protected override begin(spec: TroubleSpec, byUser: boolean): () => void {
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

  #hostOf(name: string): Host | undefined {
    return this.#run.cluster.hosts.find((host) => host.name === name);
  }

  #rankOf(name: string): number {
    return this.#run.cluster.guests.findIndex(({ spec }) => spec.name === name);
  }

  #placeProblem(spec: TroubleSpec): string | null {
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

  #crash(guest: string): () => void {
    const rank = this.#rankOf(guest);
    this.#run.crash(rank);
    return () => {
      this.#run.note(`${guest} is booted again`);
      this.#run.boot(rank);
    };
  }
}

function listOf(names: readonly string[]): string {
  return names.join(", ");
}
