import { type Clock, SLICE_MS } from "../pacer.ts";
import type { DashboardRun } from "../run.ts";
import type { Travel } from "../time.ts";

/** One call into the engine takes about this long, so that a slice ends on time. */
const CALL_MS = 2;
/** Between two reports of how far it is. */
const REPORT_MS = 100;
/** From this share of the way on, the time that is left can be told. */
const TELLING = 0.02;

/** What takes long. */
export interface Work {
  /** At most so many events; whether it has arrived, or the run that has. */
  advance(maxEvents: number): DashboardRun | boolean;
  /** 0 to 1. */
  progress(): number;
  /** How far it is, not more often than anybody can read it. What is there at once is not worth telling of. */
  tell(progress: Omit<Travel, "kind">): void;
  /** `there` is the run that was made, where one was. */
  arrived(there: DashboardRun | null): void;
}

/** Does work in slices on the event loop, one at a time, so that keys are answered meanwhile. */
export class Slices {
  readonly #clock: Clock;
  readonly #fail: (error: unknown) => void;
  #work: Work | null = null;
  #cancel: (() => void) | null = null;
  /** Events per call: adapts to what an event costs on this machine. */
  #batch = 1000;
  #startedAt = 0;
  #reportedAt = 0;

  /** `fail` gets what a slice throws: it must not be lost in a timer. */
  constructor(clock: Clock, fail: (error: unknown) => void) {
    this.#clock = clock;
    this.#fail = fail;
  }

  /** Wall time since the latest work began, milliseconds. */
  get passedMs(): number {
    return this.#clock.now() - this.#startedAt;
  }

  /** Takes the place of what is under way. */
  start(work: Work): void {
    this.#work = work;
    this.#startedAt = this.#clock.now();
    this.#reportedAt = -Infinity;
    this.#schedule();
  }

  /** Gives up what is under way; whether anything was. */
  stop(): boolean {
    const wasWorking = this.#work !== null;
    this.#cancel?.();
    this.#cancel = null;
    this.#work = null;
    return wasWorking;
  }

  #schedule(): void {
    this.#cancel?.();
    this.#cancel = this.#clock.later(() => {
      this.#cancel = null;
      try {
        this.#slice();
      } catch (error) {
        this.#fail(error);
      }
    }, 0);
  }

  /** At most {@link SLICE_MS} of work, then the event loop has its chance. */
  #slice(): void {
    const work = this.#work;
    if (work === null) return;
    const start = this.#clock.now();
    for (let before = start;;) {
      const there = work.advance(this.#batch);
      if (there !== false) {
        this.#work = null;
        return work.arrived(there === true ? null : there);
      }
      const after = this.#clock.now();
      if (after - before > CALL_MS) this.#batch = Math.max(1, this.#batch >> 1);
      else if (after - before < CALL_MS / 2) this.#batch = Math.min(1 << 20, this.#batch * 2);
      if (after - start >= SLICE_MS - CALL_MS) break;
      before = after;
    }
    this.#tell(work);
    this.#schedule();
  }

  #tell(work: Work): void {
    const now = this.#clock.now();
    if (now - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = now;
    const progress = work.progress();
    const passed = now - this.#startedAt;
    const leftMs = progress < TELLING ? null : passed / progress * (1 - progress);
    work.tell({ progress, leftMs });
  }
}
