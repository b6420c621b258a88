import type { Input } from "../cluster/input.ts";
import type { InputLog } from "../cluster/input_log.ts";
import { LogPlayer, type Verdict } from "../cluster/log_player.ts";
import { type EarlierInstant, type Recording, replay } from "../cluster/recording.ts";
import type { Session } from "../cluster/session.ts";
import type { TourStep } from "../cluster/tour.ts";
import { LiveView } from "../report/live.ts";
import { returnTo } from "../report/seen.ts";
import type { LiveSnapshot } from "../report/live_snapshot.ts";
import { type Summary, SummaryView } from "../report/summary.ts";
import type { DashboardRun, Following, Recorder, Rewinding } from "../tui/run.ts";
import type { AnatomySource } from "../tui/drive/anatomy.ts";
import type { Setting } from "../tui/settings.ts";
import { anatomyOf } from "./anatomy.ts";
import { collectGarbage } from "./v8.ts";
import { LiveRewinding } from "./live_rewinding.ts";
import { logText } from "./log_file.ts";
import type { RunInput } from "./run_input.ts";
import { RunRecorders } from "./run_recorders.ts";
import { settingsOf } from "./settings.ts";

/** What is said of a run, and what it is made from. */
export interface RunMeta {
  readonly command: string;
  readonly version: string;
  /** Where it is known, the run can be written as a log, and be told what to change. */
  readonly source?: { readonly input: RunInput; readonly endless: boolean };
  /** The log that the run follows, and who is told at its end how it compares. */
  readonly log?: InputLog | null;
  readonly tell?: (verdict: Verdict) => void;
}

/** Bytes of emulated memory up to which a run stays while it is made again; two larger ones would be too much. */
const KEEP_BYTES = 64 * 2 ** 20;

/** A run as the dashboard wants it: a recording of a session, and a view that samples it. */
export class LiveRun implements DashboardRun {
  readonly #meta: RunMeta;
  #alive: { readonly recording: Recording; readonly view: LiveView; readonly recorders: RunRecorders } | null;
  readonly #player: LogPlayer | null;
  readonly replay?: Following;
  readonly tour: readonly TourStep[] | undefined;
  /** How it stood when it was let go, and its last picture. */
  #stand: ReturnType<typeof standOf>;
  #picture: LiveSnapshot | null = null;
  /** Its log, once it is gone. */
  #log = "";
  #summary: SummaryView | null = null;
  #figures: Summary | null = null;
  /** Virtual times that are to be sampled at, the earliest last; those that have passed may be among them. */
  #sampleTimes: number[] = [];

  constructor(recording: Recording, meta: RunMeta, view = new LiveView(recording.session, meta)) {
    const { end, scenario } = recording.session;
    const { session } = recording;
    this.#player = meta.log ? new LogPlayer(recording, meta.log) : null;
    this.#alive = { recording, view, recorders: new RunRecorders(session, meta.command, this.#player ?? session) };
    if (this.#player !== null) this.replay = followingOf(this.#player, meta.tell);
    this.tour = scenario.tour;
    this.#meta = meta;
    this.#end = end;
    session.stopsAtChange = true;
    this.#stand = standOf(recording, view);
  }

  readonly #end: number;

  get end(): number {
    return this.#player?.isFollowing ? this.#player.endPs : this.#alive?.recording.session.end ?? this.#end;
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

  get lasting() {
    return this.#alive?.recording.session.lasting ?? [];
  }

  get intervals() {
    return this.#standing.seen.intervals;
  }

  /** Stops at times that are to be sampled on the way: then it has not got to `until`. */
  advance(until: number, maxEvents: number): boolean {
    if (this.#alive === null) return true;
    const { recording: { session }, view, recorders } = this.#alive;
    const time = this.#nextSample(session);
    if (time > until) return recorders.advance(until, maxEvents);
    const reached = recorders.advance(time, maxEvents);
    if (reached) view.look();
    return session.finished || (reached && time === until);
  }

  /** The next virtual time to sample at, picoseconds; Infinity when there is none. */
  #nextSample({ now, measuringPs }: Session): number {
    const times = this.#sampleTimes;
    while (times.length > 0 && times[times.length - 1] <= now) times.pop();
    const time = times[times.length - 1] ?? Infinity;
    // No interval may lie on both sides of the end of warm-up: counts begin anew there, of a changed cluster too.
    return now < measuringPs ? Math.min(time, measuringPs) : time;
  }

  step(): void {
    this.#alive?.recorders.step();
  }

  record(kind: "capture" | "trace", forPs: number): Recorder | string {
    return this.#alive?.recorders.record(kind, forPs) ?? "nothing can be recorded while the run goes back";
  }

  nextMessage(maxEvents: number): boolean {
    return this.#alive?.recording.session.nextMessage(maxEvents, this) ?? false;
  }

  live(guest?: string | null): LiveSnapshot {
    if (this.#alive !== null) {
      if (guest !== undefined) this.#alive.view.follow(guest);
      this.#picture = this.#alive.view.live();
    }
    return this.#picture!;
  }

  summary(): Summary {
    if (this.#alive !== null) {
      this.#summary ??= new SummaryView(this.#alive.recording.session);
      this.#figures = this.#summary.look();
    }
    return this.#figures!;
  }

  sampleAt(times: readonly number[]): void {
    this.#sampleTimes = [...new Set(times)].sort((a, b) => b - a);
  }

  /** Figures of before and after are kept apart. */
  apply(input: Input): string | null {
    if (this.#alive === null) return "nothing can be done while the run goes back";
    this.#alive.view.look();
    const problem = this.#alive.recording.apply(input);
    if (problem === null) this.#player?.letGo();
    return problem;
  }

  check(input: Input): string | null {
    return this.#alive?.recording.session.check(input) ?? null;
  }

  /** The log of the run so far; empty where it is not known what it was made from. */
  inputLog(): string {
    const { source } = this.#meta;
    if (this.#alive === null || source === undefined) return this.#log;
    const { session, inputs } = this.#alive.recording;
    return logText(source.input, { session, inputs, endless: source.endless });
  }

  settings(): readonly Setting[] {
    if (this.#alive === null) return [];
    return settingsOf(this.#alive.recording.session.scenario, this.inputs);
  }

  /** One message of each class on a path, with what was set in this run; null once it is gone. */
  anatomy(path: string): AnatomySource | null {
    return this.#alive === null ? null : anatomyOf(this.#alive.recording.session, path);
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
    const meta = this.#player?.isFollowing ? this.#meta : { ...this.#meta, log: null };
    const made = (recording: Recording, view: LiveView) => new LiveRun(recording, meta, view);
    return new LiveRewinding({ replay: await replay(script, back.start), back, to, all: seen, meta, made });
  }

  release(): void {
    if (this.#alive === null) return;
    this.live();
    this.#log = this.inputLog();
    this.#stand = this.#standing;
    const { session } = this.#alive.recording;
    this.#alive = null;
    session.release();
    collectGarbage();
  }
}

function followingOf(player: LogPlayer, tell?: (verdict: Verdict) => void): Following {
  return {
    get isFollowing() {
      return player.isFollowing;
    },
    takeVerdict() {
      const { verdict } = player;
      if (verdict === null || !player.isFollowing) return null;
      player.letGo();
      tell?.(verdict);
      return { level: verdict.same === false ? "error" : "info", text: verdict.text };
    },
  };
}

/** What is asked of a run that has nothing to do with its session, once it is gone. */
function standOf(recording: Recording, view: LiveView) {
  const { session, script } = recording;
  const { now, finished, events, messages, lastEvent, lastMessage, cluster } = session;
  const { usedBytes } = cluster.world.memory;
  return { now, finished, events, messages, lastEvent, lastMessage, usedBytes, script, seen: view.seen };
}
