import { assert } from "../base/assert.ts";
import { MS, SECOND, US } from "../base/units.ts";
import { OWNER_GUEST } from "../hw/cpu.ts";
import { guestLibrary } from "../guest/library.ts";
import { RunOutput } from "../guest/output.ts";
import { type GuestProgram, programWorkload } from "../guest/program.ts";
import { processThread } from "../hw/thread.ts";
import { Mx } from "../mx/api.ts";
import { RowMeter } from "../workload/meter.ts";
import { Pattern } from "../workload/payload.ts";
import { WORKLOADS } from "../workload/registry.ts";
import type { Crew, ProcessContext, Workload } from "../workload/workload.ts";
import { Baseline } from "./baseline.ts";
import { Cluster, type Guest } from "./cluster.ts";
import { FaultPlayer } from "./faults.ts";
import type { Host } from "./host.ts";
import type { Input } from "./input.ts";
import type { Scenario } from "./scenario.ts";

/** Programs start within this time of each other, picoseconds. */
const START_SPREAD = 20 * US;
/** How long a run without an end goes on: virtual time cannot be named exactly for much longer. */
const ENDLESS = 7200 * SECOND;
/** Virtual time that programs get to finish what they have begun, after the end. */
const DRAIN_LIMIT = 5 * SECOND;
/** What a hog computes between two looks at whether its time is over. */
const HOG_CHUNK = MS;
/** Paths without a back end. */
const DIRECT: readonly string[] = ["native", "iov"];

export interface SessionOptions {
  /**
   * The scenario with these assignments (`path=virtio`) in addition to what it was made from; all those of a run, in
   * order. Throws an Error whose message can be shown. Without it the cluster cannot be changed while it runs.
   */
  readonly resolve?: (assignments: readonly string[]) => Scenario;
  /** Goes on past the scenario's duration, and a workload that would end by itself starts over: something to watch. */
  readonly endless?: boolean;
  /** The program of a scenario that names one, loaded for this session alone. */
  readonly program?: GuestProgram;
}

/**
 * One run of a scenario: build it, advance it in slices of any size, look at it at any time. The same scenario gives
 * the same event stream however it is sliced.
 */
export class Session {
  /** Latest end, picoseconds. */
  readonly end: number;
  // The present generation: a change of the cluster takes it down and starts the next one.
  scenario: Scenario;
  cluster: Cluster;
  workload: Workload;
  rows: RowMeter;
  /** The accounts when measuring began. */
  baseline: Baseline;
  /** How many times the cluster has been changed. */
  generation = 0;
  /** What was assigned so far, in order. */
  readonly assignments: string[] = [];
  /** What guest programs have said; null where a workload runs. */
  readonly output: RunOutput | null;
  /** Why a guest program has ended the run, in one line. */
  failure: string | null = null;
  finished = false;
  #running = 0;
  #stopping = false;
  #endedAt = -1;
  #retransmitsBefore: number[] = [];
  #badChecksumsBefore: number[] = [];

  readonly #endless: boolean;
  readonly #resolve: SessionOptions["resolve"];
  #faults: FaultPlayer;
  /** What the cluster is to become when its programs have ended, at the latest by `#changeBy`. */
  #next: Scenario | null = null;
  #changeBy = Infinity;
  #hogs = 0;

  /** Builds the cluster; programs start within the first microseconds of virtual time. */
  constructor(scenario: Scenario, options: SessionOptions = {}) {
    this.#endless = options.endless ?? false;
    this.#resolve = options.resolve;
    this.end = this.#endless ? ENDLESS : scenario.warmupPs + scenario.durationPs;
    this.output = scenario.program === undefined ? null : new RunOutput();
    const workload = this.#workloadOf(scenario, options.program);
    assert(workload !== undefined, "session: the scenario names a workload that exists");
    this.scenario = scenario;
    this.workload = workload;
    this.cluster = new Cluster(scenario, workload);
    this.baseline = new Baseline(this.cluster);
    this.rows = new RowMeter(() => this.#cpuReading());
    this.#faults = new FaultPlayer(this.cluster, scenario.faults, scenario.link.loss);
    this.#begin();
  }

  /** Programs start, and measuring after warm-up, both from the present instant on. */
  #begin(): void {
    this.#startPrograms();
    const { engine } = this.cluster.world;
    const { warmupPs } = this.scenario;
    if (warmupPs > 0) engine.after(warmupPs, engine.handler("warm-up ends", () => this.#measure()));
  }

  /** The next generation starts where the last one has ended: same clock, same event count, a cluster of its own. */
  #startNext(): void {
    const scenario = this.#next!;
    const workload = this.#workloadOf(scenario, undefined)!;
    const faults = this.#faults.remaining();
    this.#next = null;
    this.#changeBy = Infinity;
    this.#stopping = false;
    this.#running = 0;
    this.#endedAt = -1;
    this.generation++;
    this.scenario = scenario;
    this.workload = workload;
    this.cluster = new Cluster(scenario, workload, this.cluster.world.engine.successor());
    this.settle();
    this.baseline = new Baseline(this.cluster);
    this.cluster.world.journeys.countFrom(this.now);
    this.#retransmitsBefore = [];
    this.#badChecksumsBefore = [];
    this.rows = new RowMeter(() => this.#cpuReading());
    this.#faults = new FaultPlayer(this.cluster, [], scenario.link.loss);
    for (const fault of faults) this.#faults.add(fault); // a link may be gone
    this.#begin();
  }

  /** Present virtual time, picoseconds. */
  get now(): number {
    return this.cluster.world.engine.now;
  }

  /** Virtual time that the figures cover: since measuring began, until now or the end of the programs. */
  get measuredPs(): number {
    const until = this.#endedAt >= 0 ? this.#endedAt : this.now;
    return until - this.baseline.at;
  }

  get events(): number {
    return this.cluster.world.engine.events;
  }

  get fingerprint(): string {
    return this.cluster.world.engine.fingerprint;
  }

  /**
   * Runs until virtual time `until` (picoseconds), at most `maxEvents` events; returns whether it got there. Sets
   * {@link finished} when all programs have ended or {@link end} is reached.
   */
  advance(until: number, maxEvents = Infinity): boolean {
    if (this.finished) return true;
    const target = Math.min(until, this.end);
    for (let left = maxEvents;;) {
      const { engine } = this.cluster.world;
      const before = engine.events;
      const reached = engine.run(Math.min(target, this.#changeBy), left);
      left -= engine.events - before;
      const isChange = this.#next !== null && (this.#running === 0 || (reached && engine.now >= this.#changeBy));
      if (isChange) {
        this.#startNext();
        continue;
      }
      if (engine.now >= this.end && reached) this.finished = true;
      return reached || this.finished;
    }
  }

  /**
   * Does something to the world at this instant, between two events. Returns null, or why it cannot be done: then nothing
   * has changed.
   */
  apply(input: Input): string | null {
    if (this.finished) return "the run is over";
    if (this.#next !== null) return "the cluster is being changed: its programs finish what they have begun";
    switch (input.kind) {
      case "fault": {
        const { link, loss = 0, corrupt, delayPs = 0, cut = false, forPs } = input;
        const more = corrupt === undefined ? {} : { corrupt };
        return this.#faults.add({ atPs: this.now, forPs, link, loss, delayPs, cut, ...more });
      }
      case "stall":
        return this.#stall(input.host, input.forPs);
      case "hog":
        return this.#hog(input.host, input.cpus, input.forPs);
      case "crash":
        return "crash: not possible yet";
      case "set":
        return this.#change(input.assignments);
    }
  }

  #hostNamed(name: string): Host | string {
    const { hosts } = this.cluster;
    const host = hosts.find((known) => known.name === name);
    return host ?? `no host ${JSON.stringify(name)}; wanted ${hosts.map((known) => known.name).join(", ")}`;
  }

  /** The processors that back ends run on, dom0's VCPUs or the host kernel's, are paused. */
  #stall(name: string, forPs: number): string | null {
    const host = this.#hostNamed(name);
    if (typeof host === "string") return host;
    const split = this.cluster.guests.some((guest) => guest.host === host && !DIRECT.includes(guest.path.name));
    if (!split) return `host ${name} has no back end: its guests drive their NIC themselves`;
    const { engine } = this.cluster.world;
    for (const processor of host.kernel) processor.pause();
    engine.after(forPs, engine.handler("stall ends", () => host.kernel.forEach((processor) => processor.resume())));
    return null;
  }

  /** So many guests more, with nothing but a loop in them: they compete for the CPUs as guests do. */
  #hog(name: string, cpus: number, forPs: number | null): string | null {
    const host = this.#hostNamed(name);
    if (typeof host === "string") return host;
    const { engine } = this.cluster.world;
    const until = forPs === null ? Infinity : this.now + forPs;
    for (let i = 0; i < cpus; i++) {
      const spec = { name: `hog${++this.#hogs}`, host: host.index, path: "", vcpus: 1, weight: 256, pin: null };
      const { processor } = host.site(spec);
      const loop = function* () {
        while (engine.now < until) yield HOG_CHUNK;
      };
      processThread(spec.name, processor, loop()).notify();
    }
    return null;
  }

  /** Programs are told to end; when they have, the changed cluster takes the place of this one. */
  #change(assignments: readonly string[]): string | null {
    if (this.#resolve === undefined || this.scenario.program !== undefined) return "this cluster cannot be changed";
    let next: Scenario;
    try {
      next = this.#resolve([...this.assignments, ...assignments]);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    this.assignments.push(...assignments);
    this.#next = next;
    this.#changeBy = this.now + DRAIN_LIMIT;
    this.#stopping = true;
    return null;
  }

  /** Runs exactly one event. */
  step(): void {
    this.advance(this.end, 1);
  }

  /** Runs until one more message is complete, at most `maxEvents` events; whether one is. */
  nextMessage(maxEvents: number): boolean {
    const { total } = this.cluster;
    const before = total.completed;
    for (let left = maxEvents; left > 0 && !this.finished; left--) {
      this.step();
      if (total.completed > before) return true;
    }
    return false;
  }

  /**
   * After the run: lets programs finish what they have begun and close, then looks for anything that was not given
   * back. Figures and fingerprint are to be taken before. Returns what is wrong, in words.
   */
  drain(): string[] {
    const { engine } = this.cluster.world;
    this.#stopping = true;
    const limit = engine.now + DRAIN_LIMIT;
    while (this.#running > 0 && this.failure === null && engine.now < limit && engine.pending > 0) {
      engine.run(Math.min(limit, engine.now + SECOND / 100));
    }
    if (this.failure !== null) return [];
    if (this.#running > 0) return [`${this.#running} programs did not end`];
    this.cluster.stopDaemons();
    // What is still on its way arrives, and answers to it.
    engine.run(engine.now + SECOND / 10);
    return this.cluster.leaks();
  }

  /** Messages that a guest's library has sent again since measuring began. */
  retransmits(rank: number): number {
    return retransmitsOf(this.cluster.guests[rank]) - (this.#retransmitsBefore[rank] ?? 0);
  }

  /** Messages since measuring began whose checksum was wrong, where they have one. */
  badChecksums(rank: number): number {
    return badChecksumsOf(this.cluster.guests[rank]) - (this.#badChecksumsBefore[rank] ?? 0);
  }

  /** Brings every account up to the present instant. */
  settle(): void {
    for (const host of this.cluster.hosts) for (const processor of host.kernel) processor.settle();
    for (const guest of this.cluster.guests) {
      for (const vcpu of guest.site.vcpus) vcpu.settle();
    }
  }

  /** A program makes the workload of its session alone. */
  #workloadOf({ program: spec, workload }: Scenario, program: GuestProgram | undefined): Workload | undefined {
    if (spec === undefined) return WORKLOADS.find(({ kind }) => kind === workload.kind);
    assert(program !== undefined, "session: the scenario's program has been loaded");
    return programWorkload(program, {
      args: spec.args,
      memoryBytes: spec.memoryBytes,
      output: this.output!,
      fail: (text) => this.#fail(text),
      library: guestLibrary,
    });
  }

  /** A guest program cannot go on: neither can the run. */
  #fail(text: string): void {
    this.failure ??= text;
    this.finished = true;
    this.#endedAt = this.now;
    this.cluster.world.engine.stop();
  }

  #measure(): void {
    this.settle();
    this.baseline.take();
    for (const guest of this.cluster.guests) guest.meter.reset();
    this.cluster.total.reset();
    this.#retransmitsBefore = this.cluster.guests.map((guest) => retransmitsOf(guest));
    this.#badChecksumsBefore = this.cluster.guests.map((guest) => badChecksumsOf(guest));
    this.cluster.world.journeys.countFrom(this.now);
  }

  #startPrograms(): void {
    const { cluster } = this;
    const { engine, memory } = cluster.world;
    const pattern = new Pattern(memory);
    const crew: Crew = {
      ranks: cluster.guests.length,
      boards: this.scenario.boards,
      hostIndexOf: (rank) => cluster.guests[rank].host.index,
    };
    const random = engine.random("program starts");
    const start = engine.handler("program starts", (rank) => cluster.guests[rank].thread!.notify());
    for (const [rank, guest] of cluster.guests.entries()) {
      this.#running++;
      const context = this.#context(rank, guest, pattern);
      const program = this.workload.program(this.scenario.workload.params, crew, context);
      guest.thread = processThread(guest.spec.name, guest.site.processor, program, () => this.#ended());
      context.mx.bind(guest.thread);
      guest.mx = context.mx;
      engine.after(US + random.below(START_SPREAD), start, rank);
    }
  }

  #context(rank: number, guest: Guest, pattern: Pattern): ProcessContext {
    const { cluster } = this;
    const { world } = cluster;
    const { domain, processor } = guest.site;
    const name = guest.spec.name;
    const mx = new Mx({
      engine: world.engine,
      memory: world.memory,
      costs: world.costs,
      name,
      boards: guest.ports.length,
      attach: (board) => guest.ports[board].attach(),
      debugChecksum: world.mechanisms.debugChecksum,
      environment: this.scenario.environment,
    });
    return {
      rank,
      ranks: cluster.guests.length,
      name,
      mx,
      memory: world.memory,
      meter: guest.meter,
      meterOf: (other) => cluster.guests[other].meter,
      rows: this.rows,
      pattern,
      random: world.engine.random(`${name} program`),
      now: () => processor.now,
      alloc: (bytes) => domain === null ? world.memory.alloc(bytes) : domain.allocPages(Math.ceil(bytes / 4096)),
      boards: guest.ports.length,
      hostOf: (other, board = 0) => cluster.guests[other].ports[board].hostname,
      endpointOf: (other) => cluster.guests[other].port.endpoint,
      stopping: () => this.#stopping,
      endless: this.#endless,
    };
  }

  #ended(): void {
    this.#running--;
    if (this.#running > 0) return;
    if (this.#next !== null) this.cluster.world.engine.stop();
    if (this.#stopping) return;
    this.#endedAt = this.now;
    this.finished = true;
    this.cluster.world.engine.stop();
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

function retransmitsOf(guest: Guest): number {
  let sum = 0;
  for (const endpoint of guest.mx?.endpoints ?? []) sum += endpoint.counters.retransmits;
  return sum;
}

function badChecksumsOf(guest: Guest): number {
  let sum = 0;
  for (const endpoint of guest.mx?.endpoints ?? []) sum += endpoint.counters.badChecksums;
  return sum;
}
