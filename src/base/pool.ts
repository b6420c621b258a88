import { assert } from "./assert.ts";
import { grown } from "./grown.ts";

/** Indexes that there is memory for at first. */
const FIRST = 16;
const NOTHING: Int32Array = new Int32Array(0);
/** Ends the list of free indexes. */
const NONE = -1;
/** In place of the next free index: it is taken. */
const TAKEN = -2;

/**
 * A free list over the integers [0, capacity): last freed is first reused, so a pool's hot part stays in cache.
 * `take` returns -1 when nothing is left; the caller counts that, as the real thing would.
 * Memory is for as many as have been taken at a time: most of thousands of pools are hardly used.
 */
export class IndexPool {
  readonly capacity: number;
  /** How many indexes are taken. */
  used = 0;
  /** The one given back last, and for each the one before it. */
  #free = NONE;
  #next = NOTHING;
  /** Indexes from here on have never been taken. */
  #fresh = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  take(): number {
    let index = this.#free;
    if (index !== NONE) this.#free = this.#next[index];
    else {
      index = this.#fresh;
      if (index === this.capacity) return -1;
      if (index === this.#next.length) this.#grow();
      this.#fresh = index + 1;
    }
    this.#next[index] = TAKEN;
    this.used++;
    return index;
  }

  #grow(): void {
    const size = Math.min(Math.max(FIRST, this.#next.length * 2), this.capacity);
    this.#next = grown(this.#next, new Int32Array(size));
  }

  give(index: number): void {
    if (this.#next[index] !== TAKEN) assert(false, "pool: an index was given back that is not taken");
    this.#next[index] = this.#free;
    this.#free = index;
    this.used--;
  }
}
