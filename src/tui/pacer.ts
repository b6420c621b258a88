/** The part of a run that the pacer drives. */
export interface Paced {
  readonly now: number;
  readonly end: number;
  readonly finished: boolean;
  advance(until: number, maxEvents: number): boolean;
}

/** Wall time and the event loop, so that tests can bring their own. Milliseconds. */
export interface Clock {
  now(): number;
  /** Calls `action` once, at the earliest after `ms`, when the event loop has done what else is waiting. */
  later(action: () => void, ms: number): () => void;
}

/** The real ones. */
export const WALL_CLOCK: Clock = {
  now: () => performance.now(),
  later: (action, ms) => {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};

/** Wall time of one slice. Keys wait for at most one slice and one drawing: far below 100 ms. */
export const SLICE_MS = 12;
/** When the run is on time: how long to wait until the next slice. Shorter than a frame, so motion is even. */
const REST_MS = 8;
/** How much lateness is made up for. What is older is given up, and the pace says so. */
const DEBT_MS = 100;
/** The pace is measured over this much wall time. */
const PACE_WINDOW_MS = 1000;
const PS_PER_MS = 1e9;
/** One call into the engine should take about this long, or the slice cannot end on time. */
const CALL_MS = 2;

/**
 * Drives a run in slices on the event loop, so that virtual time keeps to `speed` times wall time as long as the machine
 * can, and never makes keys wait. What the run computes does not depend on how it is sliced; only when does.
 */
export class Pacer {
  #clock: Clock;
  #run: Paced | null = null;
  #speed = 1;
  #running = false;
  #cancel: (() => void) | null = null;
  /** Events per call: adapts to what an event costs on this machine. */
  #batch = 1000;
  /** Where virtual time was when wall time was. */
  #anchor = { wall: 0, virtual: 0 };
  #history: { wall: number; virtual: number }[] = [];
  #onError: (error: unknown) => void;

  /** `onError` gets what a slice throws: it must not be lost in a timer. */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Drives `run` from now on; the pace starts afresh. */
  attach(run: Paced): void {
    this.#run = run;
    this.#history = [{ wall: this.#clock.now(), virtual: run.now }];
    this.#reanchor();
  }

  /** Sets what is wanted; does nothing when it is so already. `speed` may be Infinity: as fast as it goes. */
  drive(running: boolean, speed: number): void {
    const changed = running !== this.#running || speed !== this.#speed;
    this.#running = running;
    this.#speed = speed;
    if (changed) this.#reanchor();
    if (!running) this.stop();
    else if (this.#cancel === null) this.#schedule(0);
  }

  /** No slice runs after this until {@link drive} asks for it. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#running = false;
  }

  /** Virtual time per wall time over the last second: what was reached, not what was wanted. */
  pace(): number {
    if (this.#run === null) return 0;
    this.#record();
    const first = this.#history[0];
    const last = this.#history[this.#history.length - 1];
    const wall = last.wall - first.wall;
    return wall > 0 ? (last.virtual - first.virtual) / (wall * PS_PER_MS) : 0;
  }

  #schedule(ms: number): void {
    this.#cancel = this.#clock.later(() => {
      this.#cancel = null;
      try {
        this.#slice();
      } catch (error) {
        this.#running = false;
        this.#onError(error);
      }
    }, ms);
  }

  /** One turn: at most {@link SLICE_MS} of work, then the event loop has its chance. */
  #slice(): void {
    const run = this.#run;
    if (run === null || !this.#running || run.finished) return;
    const start = this.#clock.now();
    const target = this.#target(start, run);
    const reached = this.#advance(run, target, start);
    this.#record();
    if (run.finished) return;
    this.#schedule(reached ? REST_MS : 0);
  }

  /** Calls the engine until `target`, the end or the end of the slice; whether it got to `target`. */
  #advance(run: Paced, target: number, start: number): boolean {
    let before = start;
    for (;;) {
      const reached = run.advance(target, this.#batch);
      const after = this.#clock.now();
      if (reached || run.finished) return reached;
      if (after - before > CALL_MS) this.#batch = Math.max(1, this.#batch >> 1);
      else if (after - before < CALL_MS / 2) this.#batch = Math.min(1 << 20, this.#batch * 2);
      if (after - start >= SLICE_MS - CALL_MS) return false;
      before = after;
    }
  }

  /** Where virtual time should be at this wall time, lateness beyond {@link DEBT_MS} given up. */
  #target(wall: number, run: Paced): number {
    if (this.#speed === Infinity) return run.end;
    const passed = (wall - this.#anchor.wall) * PS_PER_MS * this.#speed;
    const tooLate = this.#anchor.virtual + passed - run.now - DEBT_MS * PS_PER_MS * this.#speed;
    if (tooLate > 0) this.#anchor.virtual -= tooLate;
    return Math.min(run.end, Math.floor(this.#anchor.virtual + passed));
  }

  /** From here on, speed counts from now: what was before a pause or another speed does not matter. */
  #reanchor(): void {
    this.#anchor = { wall: this.#clock.now(), virtual: this.#run?.now ?? 0 };
  }

  /** Notes where the run is; keeps one note older than the window, so that the window is always full. */
  #record(): void {
    const wall = this.#clock.now();
    const virtual = this.#run?.now ?? 0;
    const history = this.#history;
    const last = history[history.length - 1];
    // Notes closer than 20 ms are moved on instead of added, or a second would be hundreds of them.
    if (history.length > 1 && wall - history[history.length - 2].wall < 20) {
      last.wall = wall;
      last.virtual = virtual;
    } else history.push({ wall, virtual });
    while (history.length > 2 && wall - history[1].wall >= PACE_WINDOW_MS) history.shift();
  }
}
