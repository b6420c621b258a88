import { duration, figure } from "../report/number_text.ts";

const encoder = new TextEncoder();
/** Wall milliseconds between two drawings of the line. */
const INTERVAL_MS = 200;

/**
 * One line on a terminal's stderr that says how far a run is: virtual time, pace, and how long it will take at that
 * pace. Elsewhere (a pipe, a CI log) it stays silent.
 */
export class Progress {
  readonly #name: string;
  readonly #endPs: number;
  readonly #startedAt: number;
  #drawnAt = -Infinity;

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
    const wallMs = performance.now();
    if (wallMs - this.#drawnAt < INTERVAL_MS) return;
    this.#drawnAt = wallMs;
    Deno.stderr.writeSync(encoder.encode(`\r\x1b[K${this.text(nowPs, wallMs)}`));
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
    if (this.#drawnAt !== -Infinity) Deno.stderr.writeSync(encoder.encode("\r\x1b[K"));
  }
}
