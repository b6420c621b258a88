import { duration, figure } from "../report/number_text.ts";

const encoder = new TextEncoder();
/** Wall milliseconds between two drawings of the line. */
const INTERVAL_MS = 200;

/** A line on a terminal's stderr that is drawn over itself. */
export class StatusLine {
  #drawnAt = -Infinity;

  /** Draws what `text` gives, if it is time to. */
  show(text: (wallMs: number) => string): void {
    const wallMs = performance.now();
    if (wallMs - this.#drawnAt < INTERVAL_MS) return;
    this.#drawnAt = wallMs;
    Deno.stderr.writeSync(encoder.encode(`\r\x1b[K${text(wallMs)}`));
  }

  /** Takes the line away; it can be drawn again at once. */
  clear(): void {
    if (this.#drawnAt !== -Infinity) Deno.stderr.writeSync(encoder.encode("\r\x1b[K"));
    this.#drawnAt = -Infinity;
  }
}

/**
 * One line on a terminal's stderr that says how far a run is: virtual time, pace, and how long it will take at that
 * pace. Elsewhere (a pipe, a CI log) it stays silent.
 */
export class Progress {
  readonly #name: string;
  readonly #endPs: number;
  readonly #startedAt: number;
  readonly #line = new StatusLine();

  constructor(name: string, endPs: number, wallMs: number) {
    this.#name = name;
    this.#endPs = endPs;
    this.#startedAt = wallMs;
  }

  /** A progress line when stderr is a terminal. */
  static onTerminal(name: string, endPs: number): Progress | null {
    return Deno.stderr.isTerminal() ? new Progress(name, endPs, performance.now()) : null;
  }

  /** Draws the line for virtual time `nowPs`, if it is time to. */
  show(nowPs: number): void {
    this.#line.show((wallMs) => this.text(nowPs, wallMs));
  }

  /** The line's text at a wall time in milliseconds. */
  text(nowPs: number, wallMs: number): string {
    const pace = nowPs / 1e9 / Math.max(1, wallMs - this.#startedAt);
    const leftS = pace > 0 ? (this.#endPs - nowPs) / 1e12 / pace : Infinity;
    const left = Number.isFinite(leftS) ? `at most ${Math.ceil(leftS)} s left` : "";
    return `${this.#name}  t ${duration(nowPs / 1000)} of ${duration(this.#endPs / 1000)}  x${figure(pace)}  ${left}`
      .slice(0, 79);
  }

  /** Takes the line away. */
  clear(): void {
    this.#line.clear();
  }

  /** Writes a line that stays, above this one. */
  say(text: string): void {
    this.#line.clear();
    Deno.stderr.writeSync(encoder.encode(`mxtop: ${text}\n`));
  }
}

/**
 * The same for many runs, of which several may go on at once: how many are through, how much virtual time that is, at
 * what pace, and how long the rest will take if it is like what was done.
 */
export class ManyProgress {
  readonly #name: string;
  readonly #startedAt: number;
  readonly #line = new StatusLine();
  /** Virtual time of the runs that are through, and of those that go on, picoseconds. */
  #donePs = 0;
  readonly #end: string;
  readonly #now = new Map<number, { readonly nowPs: number; readonly part: number }>();
  #done = 0;

  /** `endPs`: the virtual time of all runs together, at most; 0 where that is not known. */
  constructor(name: string, wallMs: number, endPs = 0) {
    this.#name = name;
    this.#startedAt = wallMs;
    this.#end = endPs > 0 ? ` of ${duration(endPs / 1000)}` : "";
  }

  static onTerminal(name: string, endPs = 0): ManyProgress | null {
    return Deno.stderr.isTerminal() ? new ManyProgress(name, performance.now(), endPs) : null;
  }

  /** Run number `run` is at `nowPs` of at most `endPs`; there are `runs` in all. */
  at(run: number, nowPs: number, endPs: number, runs: number): void {
    this.#now.set(run, { nowPs, part: Math.min(1, nowPs / endPs) });
    this.#line.show((wallMs) => this.text(runs, wallMs));
  }

  /** Run number `run` is through, at `nowPs`. */
  through(run: number, nowPs: number, runs: number): void {
    this.#now.delete(run);
    this.#done++;
    this.#donePs += nowPs;
    this.#line.show((wallMs) => this.text(runs, wallMs));
  }

  text(runs: number, wallMs: number): string {
    const passedMs = Math.max(1, wallMs - this.#startedAt);
    let nowPs = this.#donePs;
    let runsDone = this.#done;
    for (const run of this.#now.values()) {
      nowPs += run.nowPs;
      runsDone += run.part;
    }
    const leftS = runsDone > 0 ? (passedMs / 1000) * (runs / runsDone - 1) : Infinity;
    const left = Number.isFinite(leftS) ? `about ${Math.ceil(leftS)} s left` : "";
    const pace = figure(nowPs / 1e9 / passedMs);
    const at = `t ${duration(nowPs / 1000)}${this.#end}`;
    return `${this.#name}  ${this.#done} of ${runs} runs  ${at}  x${pace}  ${left}`.slice(0, 79);
  }

  clear(): void {
    this.#line.clear();
  }
}
