import type { Paced } from "../pacer.ts";

/** Shares are of this much wall time, milliseconds. */
const WINDOW_MS = 2000;

/** What CPU time was used for. */
export type Use = "draw" | "sample" | "engine";

/**
 * What the program itself costs: CPU time for drawing (views, the screen's cells, their sequences), for sampling (the
 * snapshot) and for the engine, as shares of one core. CPU time, because on a busy machine wall time says how much the
 * others take. Two readings for each stretch of work, a microsecond each.
 */
export class Timings {
  readonly #now: () => number;
  readonly #cpu: () => number;
  #since: number;
  #cpuSince: number;
  #spent: Record<Use, number> = { draw: 0, sample: 0, engine: 0 };
  #pictures = 0;
  #slowest = 0;
  #text = "measuring";

  /** `now` gives wall time, `cpu` the CPU time of the process, in milliseconds. */
  constructor(now: () => number, cpu: () => number) {
    this.#now = now;
    this.#cpu = cpu;
    this.#since = now();
    this.#cpuSince = cpu();
  }

  #on = false;

  /** Whether somebody looks: to ask the system for CPU time costs more than many a call into the engine. */
  look(on: boolean): void {
    if (on && !this.#on) this.#begin();
    this.#on = on;
  }

  /** Does `work`, and books its time. */
  measure<T>(use: Use, work: () => T): T {
    if (!this.#on) return work();
    const start = this.#cpu();
    try {
      return work();
    } finally {
      const ms = this.#cpu() - start;
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

  /**
   * The latest window in one line: a picture (and the slowest one), pictures a second, shares of one core. The same text
   * until the next window is full.
   */
  report(): string {
    const wall = this.#now() - this.#since;
    if (wall < WINDOW_MS) return this.#text;
    const percent = (ms: number) => `${(ms / wall * 100).toFixed(1)} %`;
    const { draw, sample, engine } = this.#spent;
    const each = this.#pictures === 0 ? 0 : draw / this.#pictures;
    const cpu = this.#cpu() - this.#cpuSince;
    const rate = (this.#pictures / wall * 1000).toFixed(1);
    this.#text = `draw ${each.toFixed(1)} (${this.#slowest.toFixed(1)}) ms x${rate}/s ${percent(draw)}  ` +
      `sample ${percent(sample)}  engine ${percent(engine)}  all ${percent(cpu)}`;
    this.#begin();
    return this.#text;
  }

  /** A window begins. */
  #begin(): void {
    this.#since = this.#now();
    this.#cpuSince = this.#cpu();
    this.#spent = { draw: 0, sample: 0, engine: 0 };
    this.#pictures = 0;
    this.#slowest = 0;
  }
}
