import type { Paced } from "../pacer.ts";

/** Shares are of this much wall time, milliseconds. */
const WINDOW_MS = 2000;

/** What a stretch of wall time was used for. */
export type Use = "draw" | "sample" | "engine";

/**
 * Where the process's one thread spends its wall time: drawing (views, the screen's cells, their sequences), sampling (the
 * snapshot) and the engine. Two readings of the clock for each stretch, which takes a millisecond or more.
 */
export class Timings {
  readonly #now: () => number;
  #since: number;
  #spent: Record<Use, number> = { draw: 0, sample: 0, engine: 0 };
  #pictures = 0;
  #slowest = 0;
  #text = "measuring";

  /** `now` gives wall time in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  /** Does `work`, and books its time. */
  measure<T>(use: Use, work: () => T): T {
    const start = this.#now();
    try {
      return work();
    } finally {
      const ms = this.#now() - start;
      this.#spent[use] += ms;
      if (use === "draw") {
        this.#pictures++;
        this.#slowest = Math.max(this.#slowest, ms);
      }
    }
  }

  /** The run as the pacer drives it, with the engine's time booked. */
  paced(run: Paced): Paced {
    return {
      get now() {
        return run.now;
      },
      get end() {
        return run.end;
      },
      get finished() {
        return run.finished;
      },
      advance: (until, maxEvents) => this.measure("engine", () => run.advance(until, maxEvents)),
    };
  }

  /** The latest window in one line; the same text until the next one is full. */
  report(): string {
    const wall = this.#now() - this.#since;
    if (wall < WINDOW_MS) return this.#text;
    const share = (use: Use) => `${(this.#spent[use] / wall * 100).toFixed(1)} %`;
    const each = this.#pictures === 0 ? 0 : this.#spent.draw / this.#pictures;
    this.#text = `draw ${each.toFixed(1)} ms, worst ${this.#slowest.toFixed(1)}, ` +
      `${(this.#pictures / wall * 1000).toFixed(1)}/s, ${share("draw")}  sample ${share("sample")}  ` +
      `engine ${share("engine")}`;
    this.#since += wall;
    this.#spent = { draw: 0, sample: 0, engine: 0 };
    this.#pictures = 0;
    this.#slowest = 0;
    return this.#text;
  }
}
