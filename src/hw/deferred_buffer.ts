import { grown } from "../base/grown.ts";
import type { PacketHeads } from "./packet_heads.ts";

/** Of a piece: the bytes stand in the buffer itself. */
export const HERE = -1;

/** Of a stretch: its begin and end in the buffer, and where its first byte stands. The fourth place is free. */
const START = 0;
const END = 1;
const SOURCE = 2;
const STRETCH_BITS = 2; // shifts and bitwise or: V8 checks products and sums for overflow
const FIELDS = 1 << STRETCH_BITS;

/** Stretches that are looked at around a guess, before it is a search: leftovers lie between those of a ring's packets. */
const NEAR = 4;

/**
 * Which bytes of a buffer stand elsewhere, in stretches that ascend without overlaps. Messages arrive in order nearly
 * always, so that there are two in their buffers: of the message that arrives, and the rest of the one before. In a ring
 * of packets there is one of each packet.
 */
export class DeferredBuffer {
  readonly address: number;
  count = 0;
  /** Where the first byte of the latest {@link piece} really is, or {@link HERE}. */
  place = HERE;
  /** Where the heads of its packets stand that are here; null in a buffer of anything else. */
  readonly heads: PacketHeads | null;
  #stretches: Float64Array = new Float64Array(2 * FIELDS);
  /** The latest to have been put or to have grown: what is put next lies there or behind it. */
  #latest = 0;
  /** The latest to have been read: so does what is read next. */
  #read = 0;

  constructor(address: number, heads: PacketHeads | null) {
    this.address = address;
    this.heads = heads;
  }

  startOf(at: number): number {
    return this.#stretches[(at << STRETCH_BITS) | START];
  }

  endOf(at: number): number {
    return this.#stretches[(at << STRETCH_BITS) | END];
  }

  sourceOf(at: number): number {
    return this.#stretches[(at << STRETCH_BITS) | SOURCE];
  }

  /** The bytes [from, to) are those from `source` on. */
  put(from: number, to: number, source: number): void {
    const stretches = this.#stretches;
    const latest = this.#latest;
    const place = latest << STRETCH_BITS;
    if (
      latest < this.count && stretches[place | END] === from &&
      stretches[place | SOURCE] + from - stretches[place | START] === source
    ) {
      stretches[place | END] = to;
      this.#trim((latest + 1) | 0, to);
      return;
    }
    let at = this.#after(from, latest);
    if (at < this.count && this.startOf(at) < from) at = this.#shorten(at, from, to);
    if (at < this.count && this.endOf(at) <= to) {
      // Takes the place of what was here the time before.
      this.#trim((at + 1) | 0, to);
    } else {
      this.#trim(at, to);
      this.#insert(at);
    }
    this.#set(at, from, to, source);
    this.#latest = at;
  }

  /** The bytes [from, to) stand here. */
  cut(from: number, to: number): void {
    if (this.count === 0) return;
    let at = this.#after(from, this.#latest);
    if (at < this.count && this.startOf(at) < from) at = this.#shorten(at, from, to);
    this.#trim(at, to);
  }

  /** Takes [from, to) out of a stretch that begins before it and reaches into it; returns the index of what follows. */
  #shorten(at: number, from: number, to: number): number {
    const rest = (at + 1) | 0;
    if (this.endOf(at) > to) {
      this.#insert(rest);
      this.#set(rest, this.startOf(at), this.endOf(at), this.sourceOf(at));
      this.#advance(rest, to);
    }
    this.#stretches[(at << STRETCH_BITS) | END] = from;
    return rest;
  }

  /** How many of `length` bytes from `offset` on are together, and, in {@link place}, where: in a stretch or here. */
  piece(offset: number, length: number): number {
    const at = this.#after(offset, this.#read);
    this.#read = at;
    this.place = HERE;
    if (at === this.count) return length;
    const stretches = this.#stretches;
    const stretch = at << STRETCH_BITS;
    const start = stretches[stretch | START];
    let end = start;
    if (start <= offset) {
      this.place = stretches[stretch | SOURCE] + offset - start;
      end = stretches[stretch | END];
    }
    // As the small integer that it is: `Math.min` would make a double of it.
    const rest = end - offset;
    return length < rest ? length : rest | 0;
  }

  /** Index of the first stretch that ends after `offset`; it is near `guess` more often than not. */
  #after(offset: number, guess: number): number {
    const stretches = this.#stretches;
    const { count } = this;
    let at = guess < count ? guess : count;
    let steps = NEAR;
    while (at > 0 && stretches[((at - 1) << STRETCH_BITS) | END] > offset) {
      at = (at - 1) | 0;
      if (steps-- === 0) return this.#search(offset, 0, at);
    }
    while (at < count && stretches[(at << STRETCH_BITS) | END] <= offset) {
      at = (at + 1) | 0;
      if (steps-- === 0) return this.#search(offset, at, count);
    }
    return at;
  }

  /** The same, where it is `low` or more and `high` or less. */
  #search(offset: number, low: number, high: number): number {
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.endOf(middle) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What lies before `end`, from stretch `at` on, goes. */
  #trim(at: number, end: number): void {
    // Most often there is nothing: what is put where nothing was ends before the next one begins.
    if (at < this.count && this.startOf(at) < end) this.#trimOverlap(at, end);
  }

  #trimOverlap(at: number, end: number): void {
    let covered = at;
    while (covered < this.count && this.endOf(covered) <= end) covered++;
    if (covered > at) {
      moveDown(this.#stretches, at << STRETCH_BITS, covered << STRETCH_BITS, this.count << STRETCH_BITS);
      this.count -= covered - at;
    }
    if (at < this.count && this.startOf(at) < end) this.#advance(at, end);
  }

  #advance(at: number, start: number): void {
    const stretches = this.#stretches;
    const place = at << STRETCH_BITS;
    stretches[place | SOURCE] += start - stretches[place | START];
    stretches[place | START] = start;
  }

  #set(at: number, start: number, end: number, source: number): void {
    const stretches = this.#stretches;
    const place = at << STRETCH_BITS;
    stretches[place | START] = start;
    stretches[place | END] = end;
    stretches[place | SOURCE] = source;
  }

  #insert(at: number): void {
    if ((this.count + 1) << STRETCH_BITS > this.#stretches.length) {
      this.#stretches = grown(this.#stretches, new Float64Array(2 * this.#stretches.length));
    }
    moveUp(this.#stretches, (at + 1) << STRETCH_BITS, at << STRETCH_BITS, this.count << STRETCH_BITS);
    this.count++;
  }
}

/** Moving fewer elements than this by hand is faster than to call the runtime. */
const MANY = 48;

/** The elements [from, end) go to `to`, before `from`. */
function moveDown(array: Float64Array, to: number, from: number, end: number): void {
  if (end - from > MANY) array.copyWithin(to, from, end);
  else while (from < end) array[to++] = array[from++];
}

/** The elements [from, end) go to `to`, after `from`. */
function moveUp(array: Float64Array, to: number, from: number, end: number): void {
  if (end - from > MANY) array.copyWithin(to, from, end);
  else for (let i = end - from - 1; i >= 0; i--) array[to + i] = array[from + i];
}
