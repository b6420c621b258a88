import type { Input } from "../cluster/input.ts";
import type { EarlierInstant, Instant, Recording, Replay } from "../cluster/recording.ts";
import { LiveView } from "../report/live.ts";
import { type Return, returnTo, type Seen } from "../report/seen.ts";
import type { DashboardRun, Rewinding } from "../tui/run.ts";

type Meta = ConstructorParameters<typeof LiveView>[1];

/** A run as the dashboard wants it: a recording of a session, and a view that samples it. */
export class LiveRun implements DashboardRun {
  readonly end: number;
  readonly #recording: Recording;
  readonly #meta: Meta;
  readonly #view: LiveView;
  /** Virtual times still to be sampled at, the earliest last. */
  #sampleTimes: number[];

  constructor(recording: Recording, meta: Meta, view = new LiveView(recording.session, meta)) {
    this.#recording = recording;
    this.#meta = meta;
    this.#view = view;
    this.end = recording.session.end;
    // No interval may lie on both sides of the end of warm-up: the counts of the run begin anew there.
    this.#sampleTimes = [recording.session.scenario.warmupPs];
  }

  get #session() {
    return this.#recording.session;
  }

  get now() {
    return this.#session.now;
  }

  get finished() {
    return this.#session.finished;
  }

  get events() {
    return this.#session.events;
  }

  get messages() {
    return this.#session.messages;
  }

  get lastEvent() {
    return this.#session.lastEvent;
  }

  get lastMessage() {
    return this.#session.lastMessage;
  }

  get inputs() {
    return this.#recording.inputs;
  }

  get intervals() {
    return this.#view.seen.intervals;
  }

  /** Stops at times that are to be sampled on the way: then it has not got to `until`. */
  advance(until: number, maxEvents: number): boolean {
    const session = this.#session;
    const times = this.#sampleTimes;
    while (times.length > 0 && times[times.length - 1] <= session.now) times.pop();
    const time = times[times.length - 1] ?? Infinity;
    if (time > until) return session.advance(until, maxEvents);
    const reached = session.advance(time, maxEvents);
    if (reached) this.#view.look();
    return session.finished || (reached && time === until);
  }

  step(): void {
    this.#session.step();
  }

  nextMessage(maxEvents: number): boolean {
    return this.#session.nextMessage(maxEvents);
  }

  live() {
    return this.#view.live();
  }

  sampleAt(times: readonly number[]): void {
    const { warmupPs } = this.#session.scenario;
    this.#sampleTimes = [...new Set([warmupPs, ...times])].sort((a, b) => b - a);
  }

  /** Figures of before and after are kept apart. */
  apply(input: Input): string | null {
    this.#view.look();
    return this.#recording.apply(input);
  }

  async rewind(toPs: number, earlier: EarlierInstant = {}): Promise<Rewinding> {
    const to = { ...earlier, atPs: toPs };
    const back = returnTo(this.#view.seen, to);
    return new LiveRewinding(await this.#recording.rewind(back.start.atPs, back.start), back, to, this.#meta);
  }

  release(): void {
    this.#session.release();
  }
}

/** First to where its view begins, then to where that has to look, then to the instant. */
class LiveRewinding implements Rewinding {
  readonly #to: Instant;
  readonly #seen: Seen;
  readonly #meta: Meta;
  /** Instants still to go to, the next one first. */
  readonly #legs: Instant[];
  #replay: Replay;
  #view: LiveView | null = null;

  constructor(replay: Replay, { seen, look }: Return, to: Instant, meta: Meta) {
    this.#replay = replay;
    this.#legs = look === null ? [to] : [look, to];
    this.#to = to;
    this.#seen = seen;
    this.#meta = meta;
  }

  get progress(): number {
    return this.#to.atPs <= 0 ? 1 : Math.min(1, this.#replay.session.now / this.#to.atPs);
  }

  advance(maxEvents: number): DashboardRun | null {
    const there = this.#replay.advance(maxEvents);
    if (there === null) return null;
    if (this.#view === null) this.#view = new LiveView(there.session, this.#meta, this.#seen);
    else this.#view.look();
    const next = this.#legs.shift();
    if (next === undefined) return new LiveRun(there, this.#meta, this.#view);
    this.#replay = this.#replay.onwards(next);
    return null;
  }

  release(): void {
    this.#replay.session.release();
  }
}
