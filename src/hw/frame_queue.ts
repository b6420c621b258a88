import { assert } from "../base/assert.ts";

/**
 * A first-in, first-out queue of frames with a limit. It grows up to the limit as it fills, so that a guest that sends
 * little takes little memory, and allocates nothing once it has grown.
 */
export class FrameQueue {
  readonly limit: number;
  #ring: Int32Array;
  #head = 0;
  #count = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.#ring = new Int32Array(Math.min(limit, 64));
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.limit;
  }

  /** The oldest frame, -1 when there is none. */
  get first(): number {
    return this.#count === 0 ? -1 : this.#ring[this.#head];
  }

  /** The frame that `places` others stand before; the caller knows that there is one. */
  at(places: number): number {
    const slot = this.#head + places;
    return this.#ring[slot < this.#ring.length ? slot : slot - this.#ring.length];
  }

  /** Adds a frame; the caller has checked {@link isFull}. */
  push(frame: number): void {
    if (this.#count === this.#ring.length) this.#grow();
    const slot = this.#head + this.#count++;
    this.#ring[slot < this.#ring.length ? slot : slot - this.#ring.length] = frame;
  }

  /** Takes the oldest frame; the caller knows that there is one. */
  shift(): number {
    const frame = this.#ring[this.#head];
    this.#head = this.#head + 1 === this.#ring.length ? 0 : this.#head + 1;
    this.#count--;
    return frame;
  }

  #grow(): void {
    const old = this.#ring;
    assert(old.length < this.limit, "frame queue: it is full");
    this.#ring = new Int32Array(Math.min(old.length * 2, this.limit));
    for (let i = 0; i < this.#count; i++) this.#ring[i] = old[(this.#head + i) % old.length];
    this.#head = 0;
  }
}
