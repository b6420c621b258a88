import type { Input } from "../cluster/input.ts";
import { type EarlierInstant, type Instant, type Recording, type Replay, replay } from "../cluster/recording.ts";
import type { TourStep } from "../cluster/tour.ts";
import { LiveView } from "../report/live.ts";
import { type Return, returnTo, type Seen } from "../report/seen.ts";
import type { LiveSnapshot } from "../report/snapshot.ts";
import type { DashboardRun, Recorder, Rewinding } from "../tui/run.ts";
import { collectGarbage } from "./garbage.ts";
import { RunRecorders } from "./run_recorders.ts";

type Meta = ConstructorParameters<typeof LiveView>[1];

/** Bytes of emulated memory up to which a run stays while it is made again; two larger ones would be too much. */
const KEEP_BYTES = 64 * 2 ** 20;

/** A run as the dashboard wants it: a recording of a session, and a view that samples it. */
export class LiveRun implements DashboardRun {
  readonly end: number;
  readonly #meta: Meta;
  readonly #warmupPs: number;
  #alive: { readonly recording: Recording; readonly view: LiveView; readonly recorders: RunRecorders } | null;
  readonly tour: readonly TourStep[] | undefined;
  /** How it stood when it was let go, and its last picture. */
  #stand: ReturnType<typeof standOf>;
  #picture: LiveSnapshot | null = null;
  /** Virtual times still to be sampled at, the earliest last. */
  #sampleTimes: number[];

  constructor(recording: Recording, meta: Meta, view = new LiveView(recording.session, meta)) {
    const { end, scenario } = recording.session;
    this.#alive = { recording, view, recorders: new RunRecorders(recording.session, meta.command) };
    this.tour = scenario.tour;
    this.#meta = meta;
    this.end = end;
    this.#warmupPs = scenario.warmupPs;
    // No interval may lie on both sides of the end of warm-up: the counts of the run begin anew there.
    this.#sampleTimes = [scenario.warmupPs];
    this.#stand = standOf(recording, view);
  }

  get #standing() {
    return this.#alive === null ? this.#stand : standOf(this.#alive.recording, this.#alive.view);
  }

  get gone(): boolean {
    return this.#alive === null;
  }

  get now() {
    return this.#alive?.recording.session.now ?? this.#stand.now;
  }

  get finished() {
    return this.#alive?.recording.session.finished ?? this.#stand.finished;
  }

  get events() {
    return this.#standing.events;
  }

  get messages() {
    return this.#standing.messages;
  }

  get lastEvent() {
    return this.#standing.lastEvent;
  }

  get lastMessage() {
    return this.#standing.lastMessage;
  }

  get inputs() {
    return this.#standing.script.inputs;
  }

  get intervals() {
    return this.#standing.seen.intervals;
  }

  /** Stops at times that are to be sampled on the way: then it has not got to `until`. */
  advance(until: number, maxEvents: number): boolean {
    if (this.#alive === null) return true;
    const { recording: { session }, view, recorders } = this.#alive;
    const times = this.#sampleTimes;
    while (times.length > 0 && times[times.length - 1] <= session.now) times.pop();
    const time = times[times.length - 1] ?? Infinity;
    if (time > until) return recorders.advance(until, maxEvents);
    const reached = recorders.advance(time, maxEvents);
    if (reached) view.look();
    return session.finished || (reached && time === until);
  }

  step(): void {
    this.#alive?.recorders.step();
  }

  record(kind: "capture" | "trace", forPs: number): Recorder | string {
    return this.#alive?.recorders.record(kind, forPs) ?? "nothing can be recorded while the run goes back";
  }

  nextMessage(maxEvents: number): boolean {
    return this.#alive?.recording.session.nextMessage(maxEvents) ?? false;
  }

  live(): LiveSnapshot {
    if (this.#alive !== null) this.#picture = this.#alive.view.live();
    return this.#picture!;
  }

  sampleAt(times: readonly number[]): void {
    this.#sampleTimes = [...new Set([this.#warmupPs, ...times])].sort((a, b) => b - a);
  }

  /** Figures of before and after are kept apart. */
  apply(input: Input): string | null {
    if (this.#alive === null) return "nothing can be done while the run goes back";
    this.#alive.view.look();
    return this.#alive.recording.apply(input);
  }

  async rewind(toPs: number, earlier: EarlierInstant = {}): Promise<Rewinding> {
    const { script, seen, usedBytes } = this.#standing;
    const to = { ...earlier, atPs: toPs };
    const back = returnTo(seen, to);
    if (usedBytes > KEEP_BYTES) {
      this.release();
      // Letting go of one cluster and building another each take half of the time that a key may wait.
      await new Promise((resolve) => setTimeout(resolve));
    }
    return new LiveRewinding(await replay(script, back.start), back, to, seen, this.#meta);
  }

  release(): void {
    if (this.#alive === null) return;
    this.live();
    this.#stand = this.#standing;
    const { session } = this.#alive.recording;
    this.#alive = null;
    session.release();
    collectGarbage();
  }
}

/** What is asked of a run that has nothing to do with its session, once it is gone. */
function standOf(recording: Recording, view: LiveView) {
  const { session, script } = recording;
  const { now, finished, events, messages, lastEvent, lastMessage, cluster } = session;
  const { usedBytes } = cluster.world.memory;
  return { now, finished, events, messages, lastEvent, lastMessage, usedBytes, script, seen: view.seen };
}

/** First to where its view begins, then to where that has to look, then to the instant. */
class LiveRewinding implements Rewinding {
  readonly #all: Seen;
  readonly #meta: Meta;
  #to: Instant;
  /** What its view knows when it begins. */
  #seen: Seen;
  /** Instants still to go to, the next one first. */
  #legs: Instant[];
  #replay: Replay;
  #view: LiveView | null = null;

  constructor(replay: Replay, { seen, look }: Return, to: Instant, all: Seen, meta: Meta) {
    this.#replay = replay;
    this.#legs = look === null ? [to] : [look, to];
    this.#to = to;
    this.#seen = seen;
    this.#all = all;
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

  onTo(toPs: number, earlier: EarlierInstant = {}): void {
    this.#to = { ...earlier, atPs: toPs };
    const { session } = this.#replay;
    const { seen, start, look } = returnTo(this.#all, this.#to);
    const late = session.now > start.atPs;
    this.#seen = seen;
    this.#view = null;
    this.#legs = look === null || late ? [this.#to] : [look, this.#to];
    this.#replay = this.#replay.onwards(late ? { atPs: session.now, events: session.events } : start);
  }

  release(): void {
    this.#replay.session.release();
    collectGarbage();
  }
}
