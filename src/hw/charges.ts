import { STEAL } from "../metrics/stage.ts";

/** Classes that a physical CPU is charged for; steal and idle are what is left. */
export const CHARGED = STEAL;
// Again, because V8 reads what is exported or imported each time.
const CLASSES = CHARGED;

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
    const count = this.#count;
    if (count === this.#classes.length) this.#grow();
    this.#classes[count] = cls;
    this.#durations[count] = duration;
    this.#count = (count + 1) | 0;
  }

  /** Moves all of it to an account by class, and to that of a physical CPU from `at` on, which has no idle time. */
  bookAll(time: Float64Array, physical: Float64Array, at: number): void {
    const count = this.#count;
    const classes = this.#classes;
    const durations = this.#durations;
    for (let i = 0; i < count; i++) {
      const cls = classes[i];
      const duration = durations[i];
      time[cls] += duration;
      if (cls < CLASSES) physical[(at + cls) | 0] += duration;
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
      if (cls < CLASSES) physical[at + cls] += part;
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
