import { counted } from "../base/counted.ts";
import { formatTime } from "../base/quantity.ts";
import type { InputLog, LogEnd } from "./input_log.ts";
import type { InputRecord } from "./input.ts";
import type { Recording } from "./recording.ts";

/** How a run compares with its log at the end of it. */
export interface Verdict {
  /** Null where the log has no end mark and the run has not left it: there is nothing to compare with. */
  readonly same: boolean | null;
  /** In one line. */
  readonly text: string;
}

/** The part of a log that the player needs. */
export type Played = Pick<InputLog, "inputs" | "end">;

/**
 * Does again what a log says, at the log's instants, while the run goes on in slices of any size. A run that leaves the
 * log (another program version, a file that was edited) goes on by the log's times alone, and the verdict says where it
 * left. The player holds at the end of the log until it is told to let go.
 */
export class LogPlayer {
  readonly recording: Recording;
  /** Where the log ends, or where a log without an end mark is given up, picoseconds. */
  readonly endPs: number;
  readonly #inputs: readonly InputRecord[];
  readonly #end: LogEnd | null;
  #done: number;
  /** Where the run was first seen elsewhere than the log. */
  #left: string | null = null;
  #verdict: Verdict | null = null;
  #isFollowing = true;

  /** A recording that was made again from a part of the log (see {@link Recording.rewind}) goes on with the rest. */
  constructor(recording: Recording, log: Played) {
    this.recording = recording;
    this.#inputs = log.inputs;
    this.#end = log.end;
    const last = recording.inputs.at(-1);
    // Those that could not be done are not in the recording.
    this.#done = last === undefined ? 0 : log.inputs.findIndex(({ input }) => input === last.input) + 1;
    this.endPs = log.end?.atPs ?? ownEnd(recording, log);
  }

  /** What came out at the end of the log; null before. */
  get verdict(): Verdict | null {
    return this.#verdict;
  }

  /** Whether the log says what happens: until its end, or until somebody takes another turn. */
  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  /** From here on the run is its own: what is left of the log is not done. */
  letGo(): void {
    this.#isFollowing = false;
  }

  /** As {@link Session.advance}; goes no further than the end of the log as long as it is followed. */
  advance(until: number, maxEvents = Infinity): boolean {
    const { session } = this.recording;
    if (!this.#isFollowing) return session.advance(until, maxEvents);
    const limit = session.events + maxEvents;
    while (this.#verdict === null) {
      const next = this.#next();
      const stop = this.#left === null ? Math.min(limit, next.events) : limit;
      const reached = session.advance(Math.min(until, next.atPs), stop - session.events);
      if (this.#isAt(next)) this.#take();
      else if (session.finished) this.#judge();
      else if (reached && session.now < next.atPs) return true;
      else if (!reached && (session.events >= limit || this.#isHeld)) return false;
      else this.#leave(`after ${session.events} events at ${formatTime(session.now)}; the log has ${placeText(next)}`);
      if (this.#isHeld) return false;
    }
    return true;
  }

  /** Whether the session has stopped where somebody waits for it, wherever the log goes on. */
  get #isHeld(): boolean {
    const { session } = this.recording;
    return session.isAtMessage || session.isAtChange;
  }

  /** Runs exactly one event. */
  step(): void {
    this.advance(this.recording.session.end, 1);
  }

  /** The place in the log that the run is on its way to. */
  #next(): { readonly atPs: number; readonly events: number } {
    return this.#inputs[this.#done] ?? this.#end ?? { atPs: this.endPs, events: Infinity };
  }

  /** Between the two events of the log; by its time alone once the run has left it, or where it does not say. */
  #isAt({ atPs, events }: { readonly atPs: number; readonly events: number }): boolean {
    const { session } = this.recording;
    if (this.#left !== null || events === Infinity) return session.now >= atPs;
    return session.now === atPs && session.events === events;
  }

  /** Does what the log says here. */
  #take(): void {
    const record = this.#inputs[this.#done];
    if (record === undefined) return this.#judge();
    this.#done++;
    const problem = this.recording.apply(record.input);
    if (problem !== null) this.#leave(`at input ${this.#done}: ${problem}`);
  }

  /** The first place says most: what comes later may be a consequence. */
  #leave(where: string): void {
    this.#left ??= where;
  }

  #judge(): void {
    const { now, events, fingerprint } = this.recording.session;
    const end = this.#end;
    const where = `${events} events, ${formatTime(now)}, ${counted(this.recording.inputs.length, "input")}`;
    const undone = this.#inputs.length - this.#done;
    const left = this.#left === null ? "" : ` (it left the log ${this.#left})`;
    if (end === null) {
      const late = undone === 0 ? "" : `; after the run's end the log has ${counted(undone, "input")} more`;
      const text = `the log has no end mark, it was cut off: fingerprint ${fingerprint} after ${where}${late}${left}`;
      this.#verdict = { same: undone === 0 && left === "" ? null : false, text };
    } else if (end.fingerprint === fingerprint && end.events === events && undone === 0) {
      // An input that could not be done, and changed nothing for that.
      const text = `the same fingerprint as in the log: ${fingerprint} after ${where}${left}`;
      this.#verdict = { same: this.#left === null, text };
    } else {
      const text =
        `another fingerprint than in the log: ${fingerprint} after ${where}; the log has ${end.fingerprint} ` +
        `after ${end.events} events, ${formatTime(end.atPs)}, ${counted(this.#inputs.length, "input")}${left}`;
      this.#verdict = { same: false, text };
    }
  }
}

/** Without an end mark: as far as the scenario itself goes, or until the last input. */
function ownEnd({ session }: Recording, { inputs }: Played): number {
  const { warmupPs, durationPs } = session.scenario;
  return Math.min(session.end, Math.max(warmupPs + durationPs, inputs.at(-1)?.atPs ?? 0));
}

function placeText({ atPs, events }: { readonly atPs: number; readonly events: number }): string {
  return `${events} events at ${formatTime(atPs)}`;
}
