import { CPU_CLASSES, STEAL } from "../metrics/stage.ts";

/** Classes that a physical CPU is charged for; steal and idle are what is left. */
export const CHARGED = STEAL;
// Again, because V8 reads what is exported or imported each time.
const OF_PHYSICAL = CHARGED;

const CLASSES = CPU_CLASSES.length;
/** Pieces that most bursts have at most. */
const FEW = 8;

/**
 * A processor's account, and what a burst has been charged that is not in it yet. A burst executes at once when it
 * begins; its time passes later, and only what has passed may be booked. All of it is one array: of thousands of
 * processors each has left the cache when its turn comes, and an array of its own is three lines of that.
 *
 *   [0, CLASSES)          picoseconds that have passed, by class
 *   [CLASSES + 2 i]       class of the i-th piece that waits, in the order of time
 *   [CLASSES + 2 i + 1]   how long it takes, picoseconds
 */
export class Charges {
  #account = new Float64Array(CLASSES + 2 * FEW);
  #end: number = CLASSES;

  /** What has passed, by class; for reading. */
  get time(): Float64Array {
    return this.#account.subarray(0, CLASSES);
  }

  /** What has passed of a class: an array of {@link time} would cost more than all else that is done with it. */
  timeIn(cls: number): number {
    return this.#account[cls];
  }

  /** Books what has passed without waiting. */
  passed(cls: number, duration: number): void {
    this.#account[cls] += duration;
  }

  /** Adds a stretch of `duration` picoseconds that waits. */
  add(cls: number, duration: number): void {
    if (duration === 0) return;
    const end = this.#end;
    if (end === this.#account.length) this.#grow();
    this.#account[end] = cls;
    this.#account[end + 1] = duration;
    this.#end = (end + 2) | 0;
  }

  /** Books all that waits, also to the account of a physical CPU from `at` on, which has no idle time. */
  bookAll(physical: Float64Array, at: number): void {
    const account = this.#account;
    const end = this.#end;
    for (let i: number = CLASSES; i < end; i = (i + 2) | 0) {
      const cls = account[i] | 0;
      const duration = account[i + 1];
      account[cls] += duration;
      if (cls < OF_PHYSICAL) physical[at + cls] += duration;
    }
    this.#end = CLASSES;
  }

  /** The same for the first `elapsed` picoseconds of it, and keeps the rest. */
  book(elapsed: number, physical: Float64Array, at: number): void {
    const account = this.#account;
    let left = elapsed;
    let kept: number = CLASSES;
    for (let i = CLASSES; i < this.#end; i += 2) {
      const cls = account[i];
      const duration = account[i + 1];
      const part = Math.min(left, duration);
      account[cls] += part;
      if (cls < OF_PHYSICAL) physical[at + cls] += part;
      left -= part;
      if (part === duration) continue;
      account[kept++] = cls;
      account[kept++] = duration - part;
    }
    this.#end = kept;
  }

  #grow(): void {
    const account = new Float64Array(this.#account.length * 2);
    account.set(this.#account);
    this.#account = account;
  }
}
