import { OWNER_GUEST } from "../hw/cpu.ts";
import type { CostRead } from "../hw/machine_profile.ts";
import type { Engine } from "../sim/engine.ts";
import { RowMeter } from "../workload/meter.ts";
import type { Workload } from "../workload/workload.ts";
import { Baseline } from "./baseline.ts";
import { Cluster } from "./cluster.ts";
import { FaultPlayer } from "./faults.ts";
import { libraryCount } from "./guest_counts.ts";
import { Processes } from "./processes.ts";
import type { FaultSpec, Scenario, TroubleSpec } from "./scenario.ts";
import { Troubles } from "./troubles.ts";

/** What a generation is built from, and who is told of it. */
export interface GenerationParts {
  readonly scenario: Scenario;
  readonly workload: Workload;
  readonly endless: boolean;
  /** Several sessions go on at the same time: see Memory. */
  readonly oneOfMany: boolean;
  /** Told of each cost that the cluster reads, once. */
  readonly costRead?: CostRead;
  /** Goes on with the virtual time of the generation before; null begins at 0. */
  readonly engine: Engine | null;
  /** The last of its programs has ended. */
  ended(): void;
  /** A program cannot go on: neither can the run, for this reason. */
  fail(text: string): void;
  /** Notes for users what happens at this instant. */
  note(text: string): void;
}

/** What a user has done to the world and what is not over: it befalls the next generation too. */
export interface Lasting {
  readonly faults: readonly FaultSpec[];
  readonly troubles: readonly TroubleSpec[];
}

/**
 * One cluster of a session with its programs and the figures that are taken of it. A session has one, until a user
 * changes the cluster: then the next one is built, and all of this one can be forgotten.
 */
export class Generation {
  scenario: Scenario;
  readonly cluster: Cluster;
  readonly rows: RowMeter;
  /** The accounts when measuring began. */
  readonly baseline: Baseline;
  readonly processes: Processes;
  readonly faults: FaultPlayer;
  readonly troubles: Troubles;
  /** When it began, and when it is over at the latest, picoseconds. */
  readonly startPs: number;
  readonly endPs: number;
  /** When its programs had ended by themselves; below 0 before. */
  endedAt = -1;
  readonly #note: (text: string) => void;
  #retransmitsBefore: number[] = [];
  #badChecksumsBefore: number[] = [];

  /** `endlessPs` is when a run without an end is over. */
  constructor(parts: GenerationParts, endlessPs: number) {
    const { scenario, workload, endless } = parts;
    this.scenario = scenario;
    this.cluster = new Cluster(scenario, workload, parts);
    const { engine } = this.cluster.world;
    this.startPs = engine.now;
    this.endPs = endless ? endlessPs : this.startPs + scenario.warmupPs + scenario.durationPs;
    this.baseline = new Baseline(this.cluster);
    this.rows = new RowMeter(() => this.#cpuReading());
    this.#note = parts.note;
    this.faults = new FaultPlayer(this.cluster, scenario.faults, scenario.link.loss, parts.note);
    this.processes = new Processes({ ...parts, cluster: this.cluster, rows: this.rows });
    if (scenario.warmupPs > 0) engine.after(scenario.warmupPs, engine.handler("warm-up ends", () => this.#measure()));
    this.troubles = new Troubles({
      cluster: this.cluster,
      note: parts.note,
      crash: (rank) => this.processes.crash(rank),
      boot: (rank) => this.processes.boot(rank),
    }, scenario.troubles);
  }

  get now(): number {
    return this.cluster.world.engine.now;
  }

  /** Virtual time that the figures cover: since measuring began, until now or the end of the programs. */
  get measuredPs(): number {
    return (this.endedAt >= 0 ? this.endedAt : this.now) - this.baseline.at;
  }

  /** What befalls the world by a user's doing, now or later. */
  lasting(): Lasting {
    return { faults: this.faults.lasting(), troubles: this.troubles.lasting() };
  }

  /** Lets what befell the generation before befall this one, as far as it still has what is named. */
  inherit({ faults, troubles }: Lasting): void {
    const problems = [
      ...faults.map((fault) => this.faults.add(fault, true)),
      ...troubles.map((trouble) => this.troubles.add(trouble, true)),
    ];
    for (const problem of problems) {
      if (problem !== null) this.#note(`what was done before has no place here: ${problem}`);
    }
  }

  /** The scenario says other faults now, and nothing else that matters to the cluster; those of users stay. */
  replan(scenario: Scenario): void {
    this.scenario = scenario;
    this.faults.replan(scenario.faults);
    this.troubles.replan(scenario.troubles ?? []);
  }

  /** Brings every account up to the present instant. */
  settle(): void {
    for (const { cpus, kernel, hogs } of this.cluster.hosts) {
      for (const cpu of cpus) cpu.settle(this.now);
      for (const processor of kernel) processor.settle();
      hogs.settle();
    }
    for (const guest of this.cluster.guests) {
      for (const vcpu of guest.site.vcpus) vcpu.settle();
    }
  }

  /** Messages that a guest's library has sent again since measuring began. */
  retransmits(rank: number): number {
    return libraryCount(this.cluster.guests[rank], "retransmits") - (this.#retransmitsBefore[rank] ?? 0);
  }

  /** Messages since measuring began whose checksum was wrong, where they have one. */
  badChecksums(rank: number): number {
    return libraryCount(this.cluster.guests[rank], "badChecksums") - (this.#badChecksumsBefore[rank] ?? 0);
  }

  #measure(): void {
    this.settle();
    this.baseline.take();
    const { guests, total, world } = this.cluster;
    for (const guest of guests) guest.meter.reset(this.now);
    total.reset();
    this.#retransmitsBefore = guests.map((guest) => libraryCount(guest, "retransmits"));
    this.#badChecksumsBefore = guests.map((guest) => libraryCount(guest, "badChecksums"));
    world.journeys.countFrom(this.now);
  }

  #cpuReading() {
    this.settle();
    let host = 0;
    let guest = 0;
    for (const { cpus } of this.cluster.hosts) {
      for (const cpu of cpus) {
        let mine = 0;
        for (let cls = 0; cls < 4; cls++) mine += cpu.charged(OWNER_GUEST, cls);
        guest += mine;
        host += cpu.busy - mine;
      }
    }
    return { at: this.now, host, guest };
  }
}
