import { assert } from "../base/assert.ts";

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
  #frames: Int32Array<ArrayBuffer>;
  #handedAt: Float64Array<ArrayBuffer>;
  #portPs: Float64Array<ArrayBuffer>;
  #head = 0;
  #count = 0;

  constructor(limit: number) {
    this.limit = limit;
    const size = Math.min(limit, 64);
    this.#frames = new Int32Array(size);
    this.#handedAt = new Float64Array(size);
    this.#portPs = new Float64Array(size);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.limit;
  }

  /** Adds a frame; the caller has checked {@link isFull}. */
  push(frame: number, handedAt: number, portPs: number): void {
    if (this.#count === this.#frames.length) this.#grow();
    let slot = this.#head + this.#count++;
    if (slot >= this.#frames.length) slot -= this.#frames.length;
    this.#frames[slot] = frame;
    this.#handedAt[slot] = handedAt;
    this.#portPs[slot] = portPs;
  }

  /** Takes the oldest frame; the caller knows that there is one. */
  shift(): void {
    const slot = this.#head;
    this.frame = this.#frames[slot];
    this.handedAt = this.#handedAt[slot];
    this.portPs = this.#portPs[slot];
    this.#head = slot + 1 === this.#frames.length ? 0 : slot + 1;
    this.#count--;
  }

  #grow(): void {
    const old = this.#frames.length;
    assert(old < this.limit, "transmit queue: it is full");
    const size = Math.min(old * 2, this.limit);
    this.#frames = unrolled(this.#frames, new Int32Array(size), this.#head);
    this.#handedAt = unrolled(this.#handedAt, new Float64Array(size), this.#head);
    this.#portPs = unrolled(this.#portPs, new Float64Array(size), this.#head);
    this.#head = 0;
  }
}

/** Copies a full ring into a longer one, its oldest entry first. */
function unrolled<T extends Int32Array | Float64Array>(ring: T, longer: T, head: number): T {
  longer.set(ring.subarray(head));
  longer.set(ring.subarray(0, head), ring.length - head);
  return longer;
}
