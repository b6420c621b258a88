import { assert } from "../base/assert.ts";

/*
 * A calendar queue over typed arrays. Events live in slots; a slot's fields are parallel arrays:
 *
 *   #time[slot]  #handler[slot]  #a[slot]  #b[slot]  #next[slot]  #prev[slot]  #generation[slot]
 *
 *   near:  BUCKETS lists, each BUCKET_PS wide and sorted by time, a ring that starts at bucket number #current
 *          #ends[2 b] is the first of bucket b, #ends[2 b + 1] the last; one bit per non-empty bucket in #bits, one bit
 *          per non-zero word of #bits in #summary
 *   far:   everything a full turn or more ahead, in a 4-ary heap #heap ordered by (time, #order); it moves near as
 *          soon as #current has come close enough, always before anything newer at the same time can be inserted
 *
 * The total order of events is stated here and nowhere else: by time, and at one time in order of insertion.
 */
const BUCKET_BITS = 17;
const BUCKET_PS = 1 << BUCKET_BITS; // 131 ns
// One turn is 134 us: longer than most waits, and short enough that all buckets stay in the nearest caches.
const BUCKETS = 1024;
const NONE = -1;
const CANCELLED = -1;
const GENERATION_STEP = 1 << 22; // at most 4 Mi pending events

export class EventQueue {
  #time: Float64Array = new Float64Array(1024);
  #order: Float64Array = new Float64Array(1024);
  #handler: Int32Array = new Int32Array(1024);
  #a: Int32Array = new Int32Array(1024);
  #b: Int32Array = new Int32Array(1024);
  #next: Int32Array = new Int32Array(1024);
  #prev: Int32Array = new Int32Array(1024);
  /** Bucket index while near, -2 while far, -1 while free. */
  #where: Int32Array = new Int32Array(1024).fill(-1);
  #generation: Int32Array = new Int32Array(1024);
  #freeHead = NONE;
  #slots = 0;

  #current = 0; // absolute number of the bucket that holds "now" or the last popped event
  readonly #ends = new Int32Array(2 * BUCKETS).fill(NONE);
  #bits = new Int32Array(BUCKETS / 32);
  #summary = new Int32Array(BUCKETS / 1024);
  #nearCount = 0;

  #heap: Int32Array = new Int32Array(256);
  #heapSize = 0;
  #inserted = 0;

  #first = NONE; // the earliest slot when known
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
    this.#current = Math.floor(time / BUCKET_PS);
  }

  /** Adds an event and returns an id for {@link cancel}. `time` must not lie before the last popped event. */
  push(time: number, handler: number, a: number, b: number): number {
    assert(time >= this.time, "event queue: an event was scheduled in the past");
    const slot = this.#takeSlot();
    this.#time[slot] = time;
    this.#handler[slot] = handler;
    this.#a[slot] = a;
    this.#b[slot] = b;
    this.#live++;
    if (Math.floor(time / BUCKET_PS) - this.#current < BUCKETS) {
      this.#insertNear(slot, time);
    } else {
      this.#order[slot] = this.#inserted++;
      this.#insertFar(slot);
    }
    const first = this.#first;
    if (first !== NONE && time < this.#time[first]) this.#first = slot;
    return this.#generation[slot] * GENERATION_STEP + slot;
  }

  /** Removes a waiting event; false when it has run or was cancelled before. */
  cancel(id: number): boolean {
    const slot = id % GENERATION_STEP;
    if (slot >= this.#slots || this.#where[slot] === -1 || this.#handler[slot] === CANCELLED) return false;
    if (this.#generation[slot] !== (id - slot) / GENERATION_STEP) return false;
    this.#live--;
    if (this.#first === slot) this.#first = NONE;
    if (this.#where[slot] >= 0) {
      this.#unlinkNear(slot);
      this.#freeSlot(slot);
    } else {
      this.#handler[slot] = CANCELLED; // leaves the heap when its time comes near
    }
    return true;
  }

  /** Time of the earliest event, Infinity when there is none. */
  nextTime(): number {
    if (this.#live === 0) return Infinity;
    if (this.#first === NONE) this.#first = this.#find();
    return this.#time[this.#first];
  }

  /** Takes the earliest event into {@link time}, {@link handler}, {@link a} and {@link b}; false when there is none. */
  pop(): boolean {
    if (this.#live === 0) return false;
    let slot = this.#first;
    if (slot === NONE) slot = this.#find();
    const time = this.#time[slot];
    assert(time >= this.time, "event queue: time ran backwards");
    const bucket = Math.floor(time / BUCKET_PS);
    if (bucket !== this.#current) this.#advance(bucket);
    // An event that was far is near now, and in the same slot.
    this.#unlinkNear(slot);
    this.time = time;
    this.handler = this.#handler[slot];
    this.a = this.#a[slot];
    this.b = this.#b[slot];
    this.#freeSlot(slot);
    this.#live--;
    this.#first = NONE;
    return true;
  }

  #advance(bucket: number): void {
    this.#current = bucket;
    while (this.#heapSize > 0) {
      const slot = this.#heap[0];
      const time = this.#time[slot];
      if (Math.floor(time / BUCKET_PS) - bucket >= BUCKETS) break;
      this.#popHeap();
      if (this.#handler[slot] === CANCELLED) this.#freeSlot(slot);
      else this.#insertNear(slot, time);
    }
  }

  #find(): number {
    if (this.#nearCount > 0) return this.#ends[2 * this.#firstBucket()];
    while (this.#handler[this.#heap[0]] === CANCELLED) {
      const slot = this.#heap[0];
      this.#popHeap();
      this.#freeSlot(slot);
    }
    return this.#heap[0];
  }

  /** Index of the first non-empty bucket at or after the current one, going round. */
  #firstBucket(): number {
    const start = this.#current & (BUCKETS - 1);
    const word = start >> 5;
    const here = this.#bits[word] & (-1 << (start & 31));
    if (here !== 0) return (word << 5) + lowestBit(here);
    let group = (word + 1) >> 5;
    let mask = ((word + 1) & 31) === 0 ? -1 : -1 << ((word + 1) & 31);
    for (let i = 0; i <= this.#summary.length; i++) {
      if (group === this.#summary.length) group = 0;
      const words = this.#summary[group] & mask;
      if (words !== 0) {
        const found = (group << 5) + lowestBit(words);
        return (found << 5) + lowestBit(this.#bits[found]);
      }
      group++;
      mask = -1;
    }
    // Only buckets below `start` in its own word are left: a full turn ahead.
    return (word << 5) + lowestBit(this.#bits[word]);
  }

  #insertNear(slot: number, time: number): void {
    const bucket = Math.floor(time / BUCKET_PS) & (BUCKETS - 1);
    const ends = this.#ends;
    let after = ends[2 * bucket + 1];
    while (after !== NONE && this.#time[after] > time) after = this.#prev[after];
    const before = after === NONE ? ends[2 * bucket] : this.#next[after];
    this.#prev[slot] = after;
    this.#next[slot] = before;
    if (after === NONE) ends[2 * bucket] = slot;
    else this.#next[after] = slot;
    if (before === NONE) ends[2 * bucket + 1] = slot;
    else this.#prev[before] = slot;
    this.#where[slot] = bucket;
    const word = bucket >> 5;
    this.#bits[word] |= 1 << (bucket & 31);
    this.#summary[word >> 5] |= 1 << (word & 31);
    this.#nearCount++;
  }

  #unlinkNear(slot: number): void {
    const bucket = this.#where[slot];
    const next = this.#next[slot];
    const prev = this.#prev[slot];
    if (prev === NONE) this.#ends[2 * bucket] = next;
    else this.#next[prev] = next;
    if (next === NONE) this.#ends[2 * bucket + 1] = prev;
    else this.#prev[next] = prev;
    if (prev === NONE && next === NONE) {
      const word = bucket >> 5;
      this.#bits[word] &= ~(1 << (bucket & 31));
      if (this.#bits[word] === 0) this.#summary[word >> 5] &= ~(1 << (word & 31));
    }
    this.#nearCount--;
  }

  #takeSlot(): number {
    const slot = this.#freeHead;
    if (slot !== NONE) {
      this.#freeHead = this.#next[slot];
      return slot;
    }
    if (this.#slots === this.#time.length) this.#growSlots();
    return this.#slots++;
  }

  #freeSlot(slot: number): void {
    this.#where[slot] = -1;
    this.#generation[slot] = (this.#generation[slot] + 1) & 0x3fffffff;
    this.#next[slot] = this.#freeHead;
    this.#freeHead = slot;
  }

  #growSlots(): void {
    const size = this.#time.length * 2;
    assert(size <= GENERATION_STEP, "event queue: more than four million events wait");
    this.#time = grown(this.#time, new Float64Array(size));
    this.#order = grown(this.#order, new Float64Array(size));
    this.#handler = grown(this.#handler, new Int32Array(size));
    this.#a = grown(this.#a, new Int32Array(size));
    this.#b = grown(this.#b, new Int32Array(size));
    this.#next = grown(this.#next, new Int32Array(size));
    this.#prev = grown(this.#prev, new Int32Array(size));
    this.#where = grown(this.#where, new Int32Array(size).fill(-1));
    this.#generation = grown(this.#generation, new Int32Array(size));
  }

  #earlier(x: number, y: number): boolean {
    const dx = this.#time[x];
    const dy = this.#time[y];
    return dx < dy || (dx === dy && this.#order[x] < this.#order[y]);
  }

  #insertFar(slot: number): void {
    if (this.#heapSize === this.#heap.length) this.#heap = grown(this.#heap, new Int32Array(this.#heapSize * 2));
    let i = this.#heapSize++;
    while (i > 0) {
      const parent = (i - 1) >> 2;
      if (!this.#earlier(slot, this.#heap[parent])) break;
      this.#heap[i] = this.#heap[parent];
      i = parent;
    }
    this.#heap[i] = slot;
    this.#where[slot] = -2;
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
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function grown<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
