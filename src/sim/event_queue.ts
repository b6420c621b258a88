import { assert } from "../base/assert.ts";
import { grown } from "../base/grown.ts";

/*
 * A calendar queue over typed arrays. An event is one record of WORDS words, so that looking at it takes one line of the
 * cache (the last 16 bytes are free: a runtime may lay the array that far off a line):
 *
 *   doubles [TIME]        picoseconds
 *           [ORDER]       of insertion, while far
 *   words   [HANDLER]  [A]  [B]
 *           [NEXT]  [PREV]   records of the same bucket, -1 for none; NEXT also of free ones
 *           [WHERE]       bucket index while near, -2 while far, -1 while free
 *           [GENERATION]  how often it has been used
 *
 *   near:  BUCKETS lists, each BUCKET_PS wide and sorted by time, a ring that starts at bucket number #current
 *          #ends[2 b] is the first of bucket b, #ends[2 b + 1] the last; one bit per non-empty bucket in #bits, one bit
 *          per non-zero word of #bits in #summary
 *   far:   everything a full turn or more ahead, in a 4-ary heap #heap ordered by (time, order); it moves near as
 *          soon as #current has come close enough, always before anything newer at the same time can be inserted
 *
 * The total order of events is stated here and nowhere else: by time, and at one time in order of insertion.
 */
const WORDS = 16;
const DOUBLES = WORDS / 2;
const TIME = 0;
const ORDER = 1;
const HANDLER = 4;
const A = 5;
const B = 6;
const NEXT = 7;
const PREV = 8;
const WHERE = 9;
const GENERATION = 10;

const BUCKET_BITS = 17;
const BUCKET_PS = 1 << BUCKET_BITS; // 131 ns
// One turn is 134 us: longer than most waits, and short enough that all buckets stay in the nearest caches. As many as one
// word of 32 bits can tell the words of bits of.
const BUCKETS = 32 * 32;
const NONE = -1;
const FAR = -2;
const CANCELLED = -1;
const GENERATION_STEP = 1 << 22; // at most 4 Mi pending events

export class EventQueue {
  #words: Int32Array = new Int32Array(1024 * WORDS);
  #doubles: Float64Array = new Float64Array(this.#words.buffer);
  #freeHead = NONE;
  #slots = 0;

  #current = 0; // absolute number of the bucket that holds "now" or the last popped event
  #place = 0; // its index
  readonly #ends: Int32Array = new Int32Array(2 * BUCKETS).fill(NONE);
  readonly #bits: Int32Array = new Int32Array(BUCKETS / 32);
  #summary = 0;

  #heap: Int32Array = new Int32Array(256);
  #heapSize = 0;
  #nearest = Infinity; // bucket number of the first far event
  #inserted = 0;

  #first = NONE; // the earliest slot when known
  #latest = NONE; // the slot pushed last
  #live = 0;

  /** Fields of the event that {@link pop} returned last. */
  time = 0;
  handler = 0;
  a = 0;
  b = 0;

  /** Events waiting, cancelled ones not counted. */
  get size(): number {
    return this.#live;
  }

  /** An empty queue begins at a time, which is 0 unless this says otherwise. */
  begin(time: number): void {
    assert(this.#live === 0, "event queue: it begins empty");
    this.time = time;
    this.#advance(Math.floor(time / BUCKET_PS));
  }

  /** Adds an event. `time` must not lie before the last popped event. */
  push(time: number, handler: number, a: number, b: number): void {
    assert(time >= this.time, "event queue: an event was scheduled in the past");
    const slot = this.#takeSlot();
    const words = this.#words;
    const record = slot * WORDS;
    this.#doubles[slot * DOUBLES + TIME] = time;
    words[record + HANDLER] = handler;
    words[record + A] = a;
    words[record + B] = b;
    this.#live++;
    const bucket = Math.floor(time / BUCKET_PS);
    if (bucket - this.#current < BUCKETS) {
      this.#insertNear(slot, time, bucket & (BUCKETS - 1));
    } else {
      this.#doubles[slot * DOUBLES + ORDER] = this.#inserted++;
      this.#insertFar(slot);
    }
    const first = this.#first;
    if (first !== NONE && time < this.#doubles[first * DOUBLES + TIME]) this.#first = slot;
    this.#latest = slot;
  }

  /** Names the event that was added last, for {@link cancel}. */
  get latest(): number {
    return this.#words[this.#latest * WORDS + GENERATION] * GENERATION_STEP + this.#latest;
  }

  /** Removes a waiting event; false when it has run or was cancelled before. */
  cancel(id: number): boolean {
    // As a word: a double would make doubles of all slots that are kept.
    const slot = (id % GENERATION_STEP) | 0;
    const words = this.#words;
    const record = slot * WORDS;
    if (slot >= this.#slots || words[record + WHERE] === NONE || words[record + HANDLER] === CANCELLED) return false;
    if (words[record + GENERATION] !== (id - slot) / GENERATION_STEP) return false;
    this.#live--;
    if (this.#first === slot) this.#first = NONE;
    if (words[record + WHERE] >= 0) {
      this.#unlinkNear(slot);
      this.#freeSlot(slot);
    } else {
      words[record + HANDLER] = CANCELLED; // leaves the heap when its time comes near
    }
    return true;
  }

  /** Time of the earliest event, Infinity when there is none. */
  nextTime(): number {
    if (this.#live === 0) return Infinity;
    if (this.#first === NONE) this.#first = this.#find();
    return this.#doubles[this.#first * DOUBLES + TIME];
  }

  /**
   * Takes the earliest event into {@link time}, {@link handler}, {@link a} and {@link b}; false when there is none up
   * to and including `until`.
   */
  pop(until = Infinity): boolean {
    if (this.#live === 0) return false;
    let slot = this.#first;
    if (slot === NONE) slot = this.#find();
    const time = this.#doubles[slot * DOUBLES + TIME];
    if (time > until) {
      this.#first = slot;
      return false;
    }
    assert(time >= this.time, "event queue: time ran backwards");
    // A near event in the current bucket's place is in that bucket: everything near is less than a turn ahead.
    const words = this.#words;
    const record = slot * WORDS;
    if (words[record + WHERE] !== this.#place) this.#advance(Math.floor(time / BUCKET_PS));
    // An event that was far is near now, and in the same slot.
    this.#unlinkNear(slot);
    this.time = time;
    this.handler = words[record + HANDLER];
    this.a = words[record + A];
    this.b = words[record + B];
    this.#freeSlot(slot);
    this.#live--;
    this.#first = NONE;
    return true;
  }

  #advance(bucket: number): void {
    this.#current = bucket;
    this.#place = bucket & (BUCKETS - 1);
    if (this.#nearest - bucket < BUCKETS) this.#bringNear(bucket);
  }

  #bringNear(bucket: number): void {
    while (this.#nearest - bucket < BUCKETS) {
      const slot = this.#heap[0];
      const place = this.#nearest & (BUCKETS - 1);
      this.#popHeap();
      if (this.#words[slot * WORDS + HANDLER] === CANCELLED) this.#freeSlot(slot);
      else this.#insertNear(slot, this.#doubles[slot * DOUBLES + TIME], place);
    }
  }

  /** The bucket number of the first far event, Infinity when there is none. */
  #lookFar(): number {
    return this.#heapSize === 0 ? Infinity : Math.floor(this.#doubles[this.#heap[0] * DOUBLES + TIME] / BUCKET_PS);
  }

  #find(): number {
    if (this.#summary !== 0) return this.#ends[2 * this.#firstBucket()];
    while (this.#words[this.#heap[0] * WORDS + HANDLER] === CANCELLED) {
      const slot = this.#heap[0];
      this.#popHeap();
      this.#freeSlot(slot);
    }
    return this.#heap[0];
  }

  /** Index of the first non-empty bucket at or after the current one, going round. */
  #firstBucket(): number {
    const start = this.#place;
    const word = start >> 5;
    const here = this.#bits[word] & (-1 << (start & 31));
    if (here !== 0) return (word << 5) + lowestBit(here);
    // Words after its own, else from the first one on: of its own, only buckets a full turn ahead are left.
    const after = this.#summary & (-2 << word);
    const found = lowestBit(after !== 0 ? after : this.#summary);
    return (found << 5) + lowestBit(this.#bits[found]);
  }

  #insertNear(slot: number, time: number, bucket: number): void {
    const ends = this.#ends;
    const words = this.#words;
    let after = ends[2 * bucket + 1];
    while (after !== NONE && this.#doubles[after * DOUBLES + TIME] > time) after = words[after * WORDS + PREV];
    const before = after === NONE ? ends[2 * bucket] : words[after * WORDS + NEXT];
    const record = slot * WORDS;
    words[record + PREV] = after;
    words[record + NEXT] = before;
    words[record + WHERE] = bucket;
    if (after === NONE) ends[2 * bucket] = slot;
    else words[after * WORDS + NEXT] = slot;
    if (before === NONE) ends[2 * bucket + 1] = slot;
    else words[before * WORDS + PREV] = slot;
    const word = bucket >> 5;
    this.#bits[word] |= 1 << (bucket & 31);
    this.#summary |= 1 << word;
  }

  #unlinkNear(slot: number): void {
    const words = this.#words;
    const record = slot * WORDS;
    const bucket = words[record + WHERE];
    const next = words[record + NEXT];
    const prev = words[record + PREV];
    if (prev === NONE) this.#ends[2 * bucket] = next;
    else words[prev * WORDS + NEXT] = next;
    if (next === NONE) this.#ends[2 * bucket + 1] = prev;
    else words[next * WORDS + PREV] = prev;
    if (prev === NONE && next === NONE) {
      const word = bucket >> 5;
      this.#bits[word] &= ~(1 << (bucket & 31));
      if (this.#bits[word] === 0) this.#summary &= ~(1 << word);
    }
  }

  #takeSlot(): number {
    const slot = this.#freeHead;
    if (slot !== NONE) {
      this.#freeHead = this.#words[slot * WORDS + NEXT];
      return slot;
    }
    if (this.#slots * WORDS === this.#words.length) this.#growSlots();
    return this.#slots++;
  }

  #freeSlot(slot: number): void {
    const words = this.#words;
    const record = slot * WORDS;
    words[record + WHERE] = NONE;
    words[record + GENERATION] = (words[record + GENERATION] + 1) & 0x3fffffff;
    words[record + NEXT] = this.#freeHead;
    this.#freeHead = slot;
  }

  #growSlots(): void {
    assert(this.#slots * 2 <= GENERATION_STEP, "event queue: more than four million events wait");
    this.#words = grown(this.#words, new Int32Array(2 * this.#words.length));
    this.#doubles = new Float64Array(this.#words.buffer);
  }

  #earlier(x: number, y: number): boolean {
    const doubles = this.#doubles;
    const dx = doubles[x * DOUBLES + TIME];
    const dy = doubles[y * DOUBLES + TIME];
    return dx < dy || (dx === dy && doubles[x * DOUBLES + ORDER] < doubles[y * DOUBLES + ORDER]);
  }

  #insertFar(slot: number): void {
    if (this.#heapSize === this.#heap.length) this.#heap = grown(this.#heap, new Int32Array(2 * this.#heapSize));
    let i = this.#heapSize++;
    while (i > 0) {
      const parent = (i - 1) >> 2;
      if (!this.#earlier(slot, this.#heap[parent])) break;
      this.#heap[i] = this.#heap[parent];
      i = parent;
    }
    this.#heap[i] = slot;
    this.#words[slot * WORDS + WHERE] = FAR;
    if (i === 0) this.#nearest = this.#lookFar();
  }

  #popHeap(): void {
    const last = this.#heap[--this.#heapSize];
    const size = this.#heapSize;
    let i = 0;
    for (;;) {
      let child = i * 4 + 1;
      if (child >= size) break;
      const end = Math.min(child + 4, size);
      for (let c = child + 1; c < end; c++) if (this.#earlier(this.#heap[c], this.#heap[child])) child = c;
      if (!this.#earlier(this.#heap[child], last)) break;
      this.#heap[i] = this.#heap[child];
      i = child;
    }
    if (size > 0) this.#heap[i] = last;
    this.#nearest = this.#lookFar();
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
