import { canonicalJson } from "../base/hash.ts";
import { SECOND } from "../base/units.ts";
import { RunOutput } from "../guest/output.ts";
import type { GuestProgram } from "../guest/program.ts";
import type { Engine } from "../sim/engine.ts";
import type { RowMeter } from "../workload/meter.ts";
import type { Workload } from "../workload/workload.ts";
import type { Baseline } from "./baseline.ts";
import type { Cluster } from "./cluster.ts";
import { drain } from "./drain.ts";
import { Generation } from "./generation.ts";
import type { Input } from "./input.ts";
import { inputText } from "./input_text.ts";
import { Inputs, type Resolver } from "./inputs.ts";
import { type CompleteMessage, MessageStop } from "./message_stop.ts";
import type { Scenario } from "./scenario.ts";
import { endpointShortage } from "./scenario_tables.ts";
import { workloadOf } from "./workload_of.ts";

/** How long a run without an end goes on: virtual time cannot be named exactly for much longer. */
const ENDLESS = 7200 * SECOND;
/** Virtual time that programs get to finish what they have begun before the cluster is changed: a user waits for it. */
const CHANGE_LIMIT = SECOND;

export interface SessionOptions {
  /** Goes on past the scenario's duration, and a workload that would end by itself starts over: something to watch. */
  readonly endless?: boolean;
  /** Several sessions go on at the same time: see Memory. What happens in it is the same. */
  readonly oneOfMany?: boolean;
  /** The program of a scenario that names one, loaded for this session alone. */
  readonly program?: GuestProgram;
  /** For inputs of kind `set`. An error's message is what is told; anything that is no plain Error is thrown on. */
  readonly resolve?: Resolver;
}

/** Something that was done to the run, or has come of it. */
export interface Note {
  readonly atPs: number;
  readonly text: string;
}

/** Notes that are kept: the latest. */
const NOTES = 500;

/** A change of the cluster that is under way: its programs have been told to stop. */
interface Change {
  scenario: Scenario;
  workload: Workload;
  /** No later than this instant programs are ended, picoseconds. */
  isDue: boolean;
}

/**
 * One run of a scenario: build it, advance it in slices of any size, look at it at any time, do something to its world.
 * The same scenario and inputs give the same event stream however it is sliced.
 *
 * A user who changes the cluster gets another one, which goes on at the same virtual time: the next generation of the
 * session. Scenario, cluster, workload and all figures are those of the present one.
 */
export class Session {
  /** What guest programs have said; null where a workload runs. */
  readonly output: RunOutput | null;
  /** Why a program has ended the run, in one line. */
  failure: string | null = null;
  finished = false;
  /** Clusters that this session has had before the present one. */
  generation = 0;
  /** What users have done and what has come of it, in order: the latest of {@link noted}. */
  readonly notes: Note[] = [];
  noted = 0;
  /**
   * Set by who looks at instants that go by the cluster, such as the end of its warm-up: {@link advance} stops where a
   * changed one has begun.
   */
  stopsAtChange = false;
  /** The latest message that somebody has waited for. */
  lastMessage: CompleteMessage | null = null;
  readonly #options: SessionOptions;
  readonly #endless: boolean;
  readonly #inputs: Inputs;
  #present: Generation;
  #change: Change | null = null;
  /** Messages and events of the generations before this one. */
  #messagesBefore = 0;
  #eventsBefore = 0;
  #stopAtMessage = Infinity;
  #messageStop: MessageStop | null = null;

  /** Builds the cluster; programs start within the first microseconds of virtual time. */
  constructor(scenario: Scenario, options: SessionOptions = {}) {
    this.#options = options;
    this.#endless = options.endless ?? false;
    this.output = scenario.program === undefined ? null : new RunOutput();
    this.#present = this.#build(scenario, this.#workloadOf(scenario), null);
    this.#inputs = new Inputs({
      resolve: options.resolve,
      present: () => this.#present,
      isChanging: () => this.#change !== null,
      changeTo: (scenario) => this.#changeTo(scenario),
    });
  }

  get scenario(): Scenario {
    return this.#present.scenario;
  }

  get cluster(): Cluster {
    return this.#present.cluster;
  }

  get workload(): Workload {
    return this.#present.workload;
  }

  get rows(): RowMeter {
    return this.#present.rows;
  }

  /** The accounts when measuring began. */
  get baseline(): Baseline {
    return this.#present.baseline;
  }

  /** Latest end, picoseconds. A changed cluster has all of its scenario's time from its own beginning. */
  get end(): number {
    return this.#present.endPs;
  }

  /** When the present cluster began, picoseconds: 0 for the first one. */
  get startPs(): number {
    return this.#present.startPs;
  }

  /** When warm-up is over, and figures begin, picoseconds. */
  get measuringPs(): number {
    return this.startPs + this.scenario.warmupPs;
  }

  /** Present virtual time, picoseconds. */
  get now(): number {
    return this.#engine.now;
  }

  /** Virtual time that the figures cover: since measuring began, until now or the end of the programs. */
  get measuredPs(): number {
    return this.#present.measuredPs;
  }

  get events(): number {
    return this.#engine.events;
  }

  /** Messages complete since the start, warm-up included. */
  get messages(): number {
    return this.#messagesBefore + this.cluster.total.completed;
  }

  /** Inputs that were done. */
  get inputs(): number {
    return this.#inputs.count;
  }

  /** Numbers (from 1) of the inputs whose effect goes on: they can be ended. */
  get lasting(): number[] {
    return this.finished ? [] : this.#inputs.lasting;
  }

  /** What ran last, by the name of its handler; empty before the first event of a cluster. */
  get lastEvent(): string {
    const engine = this.#engine;
    return engine.events === this.#eventsBefore ? "" : engine.handlerName(engine.lastHandler);
  }

  get fingerprint(): string {
    return this.#engine.fingerprint;
  }

  /**
   * Runs until virtual time `until` (picoseconds), at most `maxEvents` events; returns whether it got there. Sets
   * {@link finished} when all programs have ended or {@link end} is reached. May stop earlier: see {@link isAtMessage},
   * {@link isAtChange}.
   */
  advance(until: number, maxEvents = Infinity): boolean {
    const first = this.events;
    while (!this.finished) {
      const reached = this.#engine.run(Math.min(until, this.end), maxEvents - (this.events - first));
      // However the run is sliced, the cluster is changed right after the event that makes the change due.
      if (this.#changeIsDue) {
        this.#renew();
        if (this.isAtChange) return false;
        continue;
      }
      if (reached && this.now >= this.end) this.finished = true;
      return reached || this.finished;
    }
    return true;
  }

  /**
   * Does something to the world at this instant, between two events. Returns null, or why it cannot be done: then nothing
   * has changed. What is to come of a `set` comes later: programs first finish what they have begun.
   */
  apply(input: Input): string | null {
    if (this.finished) return "the run is over: nothing can be done to it any more";
    const { noted } = this;
    const problem = this.#inputs.apply(input);
    if (problem !== null) return problem;
    // Before what has come of it already.
    const caused = noted < this.noted ? this.notes.splice(noted - this.noted) : [];
    this.#note(inputText(input));
    this.notes.push(...caused);
    return null;
  }

  /** Runs exactly one event. */
  step(): void {
    this.advance(this.end, 1);
  }

  /**
   * Runs until one more message is complete, at most `maxEvents` events; whether one is. `driver` moves the session,
   * where that is not its own affair: a log's player, or what has to stop on the way.
   */
  nextMessage(maxEvents: number, driver: Pick<Session, "advance"> = this): boolean {
    const before = this.messages;
    const limit = this.events + maxEvents;
    this.#watchFor(before + 1);
    while (!this.isAtMessage && this.events < limit && !driver.advance(this.end, limit - this.events));
    this.#endWatch();
    return this.messages > before;
  }

  /** The message that is waited for has just come, and whoever moves the session is to leave it here. */
  get isAtMessage(): boolean {
    return (this.#messageStop?.message ?? null) !== null;
  }

  /** A changed cluster begins here, and whoever moves the session is to leave it here: see {@link stopsAtChange}. */
  get isAtChange(): boolean {
    return this.stopsAtChange && this.generation > 0 && this.events === this.#eventsBefore;
  }

  /**
   * As {@link advance}, but stops after the event that completes message number `count` of the run; returns whether it
   * got there or to `until`.
   */
  advanceToMessage(count: number, until: number, maxEvents: number): boolean {
    if (this.messages >= count) return true;
    this.#watchFor(count);
    const reached = this.advance(until, maxEvents);
    this.#endWatch();
    return reached || this.messages >= count;
  }

  /** Gives the memory of the emulated world back at once; the session cannot be used after it. */
  release(): void {
    this.finished = true;
    this.cluster.world.memory.release();
  }

  /**
   * After the run: lets programs finish what they have begun and close, then looks for anything that was not given
   * back. Figures and fingerprint are to be taken before. Returns what is wrong, in words.
   */
  drain(): string[] {
    const engine = this.#engine;
    const { processes, troubles, cluster } = this.#present;
    this.#change = null;
    troubles.clear();
    processes.stop();
    return drain(engine, processes, cluster, () => this.failure !== null);
  }

  /** Messages that a guest's library has sent again since measuring began. */
  retransmits(rank: number): number {
    return this.#present.retransmits(rank);
  }

  /** Messages since measuring began whose checksum was wrong, where they have one. */
  badChecksums(rank: number): number {
    return this.#present.badChecksums(rank);
  }

  /** Brings every account up to the present instant. */
  settle(): void {
    this.#present.settle();
  }

  // ---- inside

  get #engine(): Engine {
    return this.#present.cluster.world.engine;
  }

  /** Has the present cluster stop at message number `count` of the run; Infinity: at none. */
  #endWatch(): void {
    this.lastMessage = this.#messageStop?.message ?? this.lastMessage;
    this.#watchFor(Infinity);
  }

  #watchFor(count: number): void {
    const { cluster } = this;
    this.#stopAtMessage = count;
    this.#messageStop = count === Infinity ? null : new MessageStop(cluster, count - this.#messagesBefore);
    cluster.total.watch = this.#messageStop;
  }

  #note(text: string): void {
    this.noted++;
    this.notes.push({ atPs: this.now, text });
    if (this.notes.length > NOTES) this.notes.shift();
  }

  #build(scenario: Scenario, workload: Workload, engine: Engine | null): Generation {
    return new Generation({
      scenario,
      workload,
      endless: this.#endless,
      oneOfMany: this.#options.oneOfMany ?? false,
      engine,
      ended: () => this.#programsEnded(),
      fail: (text) => this.#fail(text),
      note: (text) => this.#note(text),
    }, ENDLESS);
  }

  #workloadOf(scenario: Scenario): Workload {
    const noEndpoint = (rank: number) => endpointShortage(this.cluster, rank, this.scenario);
    return workloadOf(scenario, this.#options.program, this.output, (text) => this.#fail(text), noEndpoint);
  }

  #fail(text: string): void {
    this.failure ??= text;
    this.#finish();
  }

  #programsEnded(): void {
    if (this.#change !== null) this.#engine.stop();
    else if (!this.#present.processes.stopping) this.#finish();
  }

  #finish(): void {
    this.finished = true;
    this.#present.endedAt = this.now;
    this.#engine.stop();
  }

  // ---- changing the cluster

  #changeTo(scenario: Scenario): void {
    const change = this.#change;
    if (change === null && !isOther(clusterOf(scenario), clusterOf(this.scenario))) {
      this.#present.replan(scenario);
      return;
    }
    const workload = this.#workloadOf(scenario);
    if (change !== null) {
      change.scenario = scenario;
      change.workload = workload;
      return;
    }
    this.#change = { scenario, workload, isDue: false };
    this.#present.processes.stop();
    const engine = this.#engine;
    const limit = engine.handler("change is due", () => {
      if (this.#change === null) return;
      this.#change.isDue = true;
      engine.stop();
    });
    engine.after(CHANGE_LIMIT, limit);
    // Not later: what is due after no event must not depend on how the run is sliced.
    if (this.#changeIsDue) this.#renew();
  }

  get #changeIsDue(): boolean {
    return this.#change !== null && !this.finished &&
      (this.#change.isDue || this.#present.processes.running === 0);
  }

  /** Takes the cluster down as it is, and begins with the next one at this instant. */
  #renew(): void {
    const { scenario, workload } = this.#change!;
    const { running } = this.#present.processes;
    const cut = running === 0 ? "" : `; ${running} programs were cut off`;
    const lasting = this.#present.lasting();
    const engine = this.#engine.successor(scenario.seed);
    const { isWatched } = this.cluster.total;
    this.#messagesBefore = this.messages;
    this.#eventsBefore = this.events;
    this.cluster.world.memory.release();
    this.#change = null;
    this.#present = this.#build(scenario, workload, engine);
    this.#watchFor(this.#stopAtMessage);
    this.cluster.total.isWatched = isWatched;
    this.#present.inherit(lasting);
    this.generation++;
    this.#note(`the changed cluster begins: ${scenario.guests.length} guests on ${scenario.path}${cut}`);
  }
}

/** What a cluster and its programs are built from: all but the words for people, the faults and the verdict. */
function clusterOf(scenario: Scenario): unknown {
  const { name: _n, title: _t, description: _d, thresholds: _th, faults: _f, troubles: _tr, ...what } = scenario;
  return what;
}

function isOther(a: unknown, b: unknown): boolean {
  return canonicalJson(a ?? null) !== canonicalJson(b ?? null);
}
