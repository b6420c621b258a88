import { assert } from "../base/assert.ts";

/** A place of the ring: the frame, when it was handed over, and the picoseconds that it takes the port. The last is free. */
const FRAME = 0;
const HANDED_AT = 1;
const PORT_PS = 2;
const PLACE_BITS = 2; // shifts and bitwise or: V8 checks products and sums for overflow
/** So many places, of which two are a line of the processor's cache, are fetched from memory together. */
const FETCHED_TOGETHER = 8;

/**
 * A kernel's transmit queue in front of a NIC's ring: frames, first in, first out, with what the NIC will want to know
 * of each. A frame stays in here for thousands of others, so it is looked at when it is put in and, next, when it has
 * left, and not in between: its record would have to come from main memory each time.
 *
 * Grows up to its limit as it fills, and allocates nothing once it has grown.
 */
export class TransmitQueue {
  readonly limit: number;
  /** What {@link shift} has taken out: the frame, when it was handed over, and the picoseconds that it takes the port. */
  frame = -1;
  handedAt = 0;
  portPs = 0;
  /** Means nothing: what a compiler cannot leave out. */
  fetched = 0;
  #ring: Float64Array<ArrayBuffer>;
  #size: number;
  #head = 0;
  #count = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.#size = Math.min(limit, 64);
    this.#ring = new Float64Array(this.#size << PLACE_BITS);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.limit;
  }

  /** Adds a frame; the caller has checked {@link isFull}. */
  push(frame: number, handedAt: number, portPs: number): void {
    if (this.#count === this.#size) this.#grow();
    let slot = this.#head + this.#count++;
    if (slot >= this.#size) slot -= this.#size;
    const ring = this.#ring;
    const place = slot << PLACE_BITS;
    ring[place | FRAME] = frame;
    ring[place | HANDED_AT] = handedAt;
    ring[place | PORT_PS] = portPs;
  }

  /** Takes the oldest frame; the caller knows that there is one. */
  shift(): void {
    const ring = this.#ring;
    const place = this.#head << PLACE_BITS;
    if ((this.#head & (FETCHED_TOGETHER - 1)) === 0 && this.#count > 2 * FETCHED_TOGETHER) this.#fetchAhead();
    this.frame = ring[place | FRAME] | 0;
    this.handedAt = ring[place | HANDED_AT];
    this.portPs = ring[place | PORT_PS];
    this.#head = this.#head + 1 === this.#size ? 0 : this.#head + 1;
    this.#count--;
  }

  /** Before their turn: a wait on memory for all of them, instead of one for every second frame. */
  #fetchAhead(): void {
    const ring = this.#ring;
    let all = 0;
    for (let i = FETCHED_TOGETHER; i < 2 * FETCHED_TOGETHER; i += 2) {
      const slot = this.#head + i;
      all += ring[(slot < this.#size ? slot : slot - this.#size) << PLACE_BITS];
    }
    this.fetched = all;
  }

  #grow(): void {
    assert(this.#size < this.limit, "transmit queue: it is full");
    const old = this.#ring;
    const head = this.#head << PLACE_BITS;
    this.#size = Math.min(this.#size * 2, this.limit);
    this.#ring = new Float64Array(this.#size << PLACE_BITS);
    this.#ring.set(old.subarray(head)); // the oldest first
    this.#ring.set(old.subarray(0, head), old.length - head);
    this.#head = 0;
  }
}
