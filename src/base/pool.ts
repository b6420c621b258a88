import { assert } from "./assert.ts";

/** Indexes that there is memory for at first. */
const FIRST = 16;
const NONE: Int32Array = new Int32Array(0);
const NEVER: Uint8Array = new Uint8Array(0);

/**
 * A free list over the integers [0, capacity): last freed is first reused, so a pool's hot part stays in cache.
 * `take` returns -1 when nothing is left; the caller counts that, as the real thing would.
 * Memory is for as many as have been taken at a time: most of thousands of pools are hardly used.
 */
export class IndexPool {
  readonly capacity: number;
  /** Indexes that have been given back, the last one on top. */
  #free = NONE;
  #freeCount = 0;
  #taken = NEVER;
  /** Indexes from here on have never been taken. */
  #fresh = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** How many indexes are taken. */
  get used(): number {
    return this.#fresh - this.#freeCount;
  }

  take(): number {
    let index = this.#fresh;
    if (this.#freeCount > 0) index = this.#free[--this.#freeCount];
    else if (index === this.capacity) return -1;
    else if (this.#fresh++ === this.#taken.length) this.#grow();
    this.#taken[index] = 1;
    return index;
  }

  /** The indexes that are taken, lowest first. */
  *taken(): Generator<number> {
    for (let index = 0; index < this.#fresh; index++) if (this.#taken[index] === 1) yield index;
  }

  #grow(): void {
    const size = Math.min(Math.max(FIRST, this.#taken.length * 2), this.capacity);
    const free = new Int32Array(size);
    const taken = new Uint8Array(size);
    free.set(this.#free);
    taken.set(this.#taken);
    this.#free = free;
    this.#taken = taken;
  }

  give(index: number): void {
    if (this.#taken[index] !== 1) assert(false, "pool: an index was given back that is not taken");
    this.#taken[index] = 0;
    this.#free[this.#freeCount++] = index;
  }
}
