import { RunOutput } from "../guest/output.ts";
import { describe, type GuestProgram } from "../guest/program.ts";
import type { CostRead } from "../hw/machine_profile.ts";
import type { Engine } from "../sim/engine.ts";
import type { RowMeter } from "../workload/meter.ts";
import type { Baseline } from "./baseline.ts";
import type { Cluster } from "./cluster.ts";
import { drain } from "./drain.ts";
import type { Generation } from "./generation.ts";
import { Generations } from "./generations.ts";
import type { Input } from "./input.ts";
import { inputText } from "./input_text.ts";
import { Inputs, type Resolver } from "./inputs.ts";
import type { CompleteMessage } from "./message_stop.ts";
import { type Note, Notes } from "./notes.ts";
import type { Scenario } from "./scenario.ts";

/** How a scenario is run, beside what it says. */
export interface SessionOptions {
  /** Goes on past the scenario's duration, and a workload that would end by itself starts over: something to watch. */
  readonly endless?: boolean;
  /** Several sessions go on at the same time: see Memory. What happens in it is the same. */
  readonly oneOfMany?: boolean;
  /** Told of each cost that the cluster reads, once: what is never read does not matter to the run. */
  readonly costRead?: CostRead;
  /** The program of a scenario that names one, loaded for this session alone. */
  readonly program?: GuestProgram;
  /** For inputs of kind `set`. An error's message is what is told; anything that is no plain Error is thrown on. */
  readonly resolve?: Resolver;
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
  /** Ends the run for an error of its guest program that the runtime alone has seen; null where a workload runs. */
  readonly stray: ((error: unknown) => void) | null;
  /**
   * Set by who looks at instants that go by the cluster, such as the end of its warm-up: {@link advance} stops where a
   * changed one has begun.
   */
  stopsAtChange = false;
  readonly #inputs: Inputs;
  readonly #generations: Generations;
  readonly #notes = new Notes();

  /** Builds the cluster; programs start within the first microseconds of virtual time. */
  constructor(scenario: Scenario, options: SessionOptions = {}) {
    const { endless = false, oneOfMany = false, costRead, program, resolve } = options;
    this.output = scenario.program === undefined ? null : new RunOutput();
    this.stray = program === undefined
      ? null
      : (error) => this.#fail(`${describe(program, error)} (outside of its ranks)`);
    this.#generations = new Generations(scenario, {
      endless,
      oneOfMany,
      costRead,
      program,
      output: this.output,
      ended: () => this.#finish(),
      fail: (text) => this.#fail(text),
      note: (text) => this.#notes.add(this.now, text),
    });
    this.#inputs = new Inputs({
      resolve,
      present: () => this.#present,
      isChanging: () => this.#generations.isChanging,
      changeTo: (scenario) => this.#changeTo(scenario),
    });
  }

  /** Clusters that this session has had before the present one. */
  get generation(): number {
    return this.#generations.count;
  }

  get scenario(): Scenario {
    return this.#present.scenario;
  }

  get cluster(): Cluster {
    return this.#present.cluster;
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
    return this.#generations.messages;
  }

  /** What users have done and what has come of it, in order: the latest of {@link noted}. */
  get notes(): readonly Note[] {
    return this.#notes.latest;
  }

  get noted(): number {
    return this.#notes.count;
  }

  /** The latest message that somebody has waited for. */
  get lastMessage(): CompleteMessage | null {
    return this.#generations.messageWait.last;
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
    return this.#generations.isAtBeginning ? "" : engine.handlerName(engine.lastHandler);
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
        this.#generations.renew();
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
    this.#notes.addCause(noted, this.now, inputText(input));
    return null;
  }

  /** Why {@link apply} would refuse a change of the cluster; null where it would not, and for any other input. */
  check(input: Input): string | null {
    return this.#inputs.check(input);
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
    this.#generations.waitForMessage(before + 1);
    while (!this.isAtMessage && this.events < limit && !driver.advance(this.end, limit - this.events));
    this.#generations.endMessageWait();
    return this.messages > before;
  }

  /** The message that is waited for has just come, and whoever moves the session is to leave it here. */
  get isAtMessage(): boolean {
    return this.#generations.messageWait.isOver;
  }

  /** A changed cluster begins here, and whoever moves the session is to leave it here: see {@link stopsAtChange}. */
  get isAtChange(): boolean {
    return this.stopsAtChange && this.generation > 0 && this.#generations.isAtBeginning;
  }

  /**
   * As {@link advance}, but stops after the event that completes message number `count` of the run; returns whether it
   * got there or to `until`.
   */
  advanceToMessage(count: number, until: number, maxEvents: number): boolean {
    if (this.messages >= count) return true;
    this.#generations.waitForMessage(count);
    const reached = this.advance(until, maxEvents);
    this.#generations.endMessageWait();
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
    const { processes, troubles, cluster } = this.#present;
    this.#generations.giveUpChange();
    troubles.clear();
    processes.stop();
    return drain(this.#engine, processes, cluster, () => this.failure !== null);
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

  get #present(): Generation {
    return this.#generations.present;
  }

  get #engine(): Engine {
    return this.#present.cluster.world.engine;
  }

  #fail(text: string): void {
    this.failure ??= text;
    this.#finish();
  }

  #finish(): void {
    this.finished = true;
    this.#present.endedAt = this.now;
    this.#engine.stop();
  }

  #changeTo(scenario: Scenario): void {
    // Not later: what is due after no event must not depend on how the run is sliced.
    if (this.#generations.changeTo(scenario) && this.#changeIsDue) this.#generations.renew();
  }

  get #changeIsDue(): boolean {
    return !this.finished && this.#generations.isDue;
  }
}
