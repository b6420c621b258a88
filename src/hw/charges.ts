import { STEAL } from "../metrics/stage.ts";

/** Classes that a physical CPU is charged for; steal and idle are what is left. */
export const CHARGED = STEAL;

/** Pieces that most bursts have at most. */
const FEW = 8;

/**
 * What a burst has been charged that is not in the accounts yet: CPU classes in the order of time, and how long each. A
 * burst executes at once when it begins; its time passes later, and only what has passed may be booked.
 */
export class Charges {
  #classes = new Uint8Array(FEW);
  #durations = new Float64Array(FEW);
  #count = 0;

  /** Adds a stretch of `duration` picoseconds. */
  add(cls: number, duration: number): void {
    if (duration === 0) return;
    if (this.#count === this.#classes.length) this.#grow();
    this.#classes[this.#count] = cls;
    this.#durations[this.#count++] = duration;
  }

  /** Moves all of it to an account by class, and to that of a physical CPU from `at` on, which has no idle time. */
  bookAll(time: Float64Array, physical: Float64Array, at: number): void {
    for (let i = 0; i < this.#count; i++) {
      const cls = this.#classes[i];
      time[cls] += this.#durations[i];
      if (cls < CHARGED) physical[at + cls] += this.#durations[i];
    }
    this.#count = 0;
  }

  /** The same for the first `elapsed` picoseconds of it, and keeps the rest. */
  book(elapsed: number, time: Float64Array, physical: Float64Array, at: number): void {
    let left = elapsed;
    let kept = 0;
    for (let i = 0; i < this.#count; i++) {
      const cls = this.#classes[i];
      const part = Math.min(left, this.#durations[i]);
      time[cls] += part;
      if (cls < CHARGED) physical[at + cls] += part;
      left -= part;
      if (part === this.#durations[i]) continue;
      this.#classes[kept] = cls;
      this.#durations[kept++] = this.#durations[i] - part;
    }
    this.#count = kept;
  }

  #grow(): void {
    const classes = new Uint8Array(this.#count * 2);
    const durations = new Float64Array(this.#count * 2);
    classes.set(this.#classes);
    durations.set(this.#durations);
    this.#classes = classes;
    this.#durations = durations;
  }
}
