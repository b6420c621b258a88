import { assert } from "./assert.ts";

/**
 * A free list over the integers [0, capacity): last freed is first reused, so a pool's hot part stays in cache.
 * `take` returns -1 when nothing is left; the caller counts that, as the real thing would.
 */
export class IndexPool {
  readonly capacity: number;
  #free: Int32Array;
  #freeCount: number;
  #taken: Uint8Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#free = new Int32Array(capacity);
    this.#taken = new Uint8Array(capacity);
    for (let i = 0; i < capacity; i++) this.#free[i] = capacity - 1 - i;
    this.#freeCount = capacity;
  }

  /** How many indexes are taken. */
  get used(): number {
    return this.capacity - this.#freeCount;
  }

  take(): number {
    if (this.#freeCount === 0) return -1;
    const index = this.#free[--this.#freeCount];
    this.#taken[index] = 1;
    return index;
  }

  give(index: number): void {
    assert(this.#taken[index] === 1, "pool: an index was given back that is not taken");
    this.#taken[index] = 0;
    this.#free[this.#freeCount++] = index;
  }
}
