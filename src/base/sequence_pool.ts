import { assert } from "./assert.ts";

/** What a pool begins with, and the least that it goes round in. */
const LEAST = 64;

/**
 * Free places among the integers from 0 on, given out in rising order, round and round. What is taken one after
 * another therefore lies one after another, and whoever later goes through a long queue of it goes through memory in
 * order, which processors foresee; a free list would hand out places all over. The round is at least twice as long as
 * what is taken, so that the next place is nearly always free, and no longer than needed, so that little stays little.
 */
export class SequencePool {
  /** Places that there can be. */
  readonly limit: number;
  /** Places that are taken. */
  used = 0;
  #taken: Uint8Array;
  #next = 0;
  /** Where a round ends. */
  #end: number;

  constructor(limit: number) {
    this.limit = limit;
    this.#end = Math.min(limit, LEAST);
    this.#taken = new Uint8Array(this.#end);
  }

  /** The next free place; -1 when all are taken. */
  take(): number {
    if (this.used >= this.#end && !this.#lengthen()) return -1;
    const taken = this.#taken;
    let place = this.#next;
    for (;; place++) {
      if (place >= this.#end) return this.#turn();
      if (taken[place] === 0) break;
    }
    taken[place] = 1;
    this.#next = place + 1;
    this.used++;
    return place;
  }

  give(place: number): void {
    if (this.#taken[place] !== 1) assert(false, "pool: a place was given back that is not taken");
    this.#taken[place] = 0;
    this.used--;
  }

  /** A round is over: the next place is found in a longer one, or in another from the start on. */
  #turn(): number {
    const isCrowded = this.used * 2 > this.#end;
    this.#next = isCrowded && this.#lengthen() ? this.#next : 0;
    if (!isCrowded && this.used * 8 < this.#end && this.#end > LEAST) this.#end >>>= 1;
    return this.take();
  }

  /** Doubles the round; false when it is at its limit. */
  #lengthen(): boolean {
    if (this.#end === this.limit) return false;
    this.#end = Math.min(this.#end * 2, this.limit);
    if (this.#end > this.#taken.length) {
      const longer = new Uint8Array(this.#end);
      longer.set(this.#taken);
      this.#taken = longer;
    }
    return true;
  }
}
