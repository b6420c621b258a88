import { assert } from "../base/assert.ts";
import { grown } from "../base/grown.ts";

/*
 * A calendar queue in one typed array, seen as words and as doubles: of each further array V8 would look up place and
 * length at every use.
 *
 *   words [0]        ends of buckets: [2 b] is the first event of bucket b, [2 b + 1] the last
 *         [BITS]     one bit per non-empty bucket; one bit per non-zero word of these is in #summary
 *         [RECORDS]  an event is one record of 2^RECORD_BITS words:
 *
 *   double  [0]           time, picoseconds
 *   words   [HANDLER]     or CANCELLED
 *           [A]  [B]
 *           [NEXT]        record after it: of the same bucket, or of the free ones; -1 for none. While far: [ORDER] of
 *                         insertion, counted round 2^32
 *           [GENERATION]  how often it has been used
 *
 *   near:  BUCKETS lists, each BUCKET_PS wide and sorted by time, a ring that starts at index #place
 *   far:   everything from #turnEnd on, where the ring is once round, in a 4-ary heap #heap ordered by (time, order); it
 *          moves near as soon as the ring has come close enough, always before anything newer at the same time can be
 *          inserted
 *
 * What is called off stays where it is until its turn comes.
 *
 * The total order of events is stated here and nowhere else: by time, and at one time in order of insertion.
 *
 * Everything passes through here, so the instructions are counted. Shifts and bitwise or instead of products and sums:
 * V8 checks the latter for overflow. `| 0` of an argument: without it V8 takes what it stores as a word for any number,
 * and goes by way of a double.
 */
const RECORD_BITS = 3;
const RECORD = 1 << RECORD_BITS;
const TIME_BITS = RECORD_BITS - 1; // in doubles
const HANDLER = 2;
const A = 3;
const B = 4;
const NEXT = 5;
const ORDER = NEXT;
const GENERATION = 6;

const BUCKET_PS = 1 << 17; // 131 ns
// One turn is 134 us: longer than most waits, and short enough that all buckets stay in the nearest caches. As many as one
// word of 32 bits can tell the words of bits of.
const BUCKETS = 32 * 32;
const BITS = 2 * BUCKETS;
const RECORDS = BITS + BUCKETS / 32;
/** Slots at first; the first of them has the number of its place. */
const FEW = 1024;
const FIRST_SLOT = RECORDS >> RECORD_BITS;
const NONE = -1;
const CANCELLED = -1;
const GENERATION_STEP = 1 << 22; // at most 4 Mi pending events

export class EventQueue {
  #words: Int32Array = new Int32Array(RECORDS + FEW * RECORD).fill(NONE, 0, BITS);
  #doubles: Float64Array = new Float64Array(this.#words.buffer);
  #freeHead = NONE;
  /** The next slot that was never used. */
  #slots = FIRST_SLOT;

  /** Index of the bucket that holds "now" or the event popped last. */
  #place = 0;
  /** A turn after the beginning of that bucket: what lies before is near. */
  #turnEnd = BUCKETS * BUCKET_PS;
  #summary = 0;

  #heap: Int32Array = new Int32Array(256);
  #heapSize = 0;
  #nearest = Infinity; // time of the first far event
  #inserted = 0;

  #latest = NONE; // the slot pushed last
  #live = 0;

  /**
   * When the event comes due that {@link push} adds. A field of its own: a number of that size that is passed on to a
   * function which V8 does not put into its caller becomes an object on the heap, here one for each event.
   */
  due = 0;
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
    this.#advance(time);
  }

  /** Adds an event at {@link due}, which must not lie before the last popped event; the rest are words. */
  push(handler: number, a: number, b: number): void {
    const time = this.due;
    if (!(time >= this.time)) assert(false, "event queue: an event was scheduled in the past");
    let slot = this.#freeHead;
    if (slot === NONE) slot = this.#newSlot();
    else this.#freeHead = this.#words[(slot << RECORD_BITS) | NEXT];
    const words = this.#words;
    const record = slot << RECORD_BITS;
    this.#doubles[slot << TIME_BITS] = time;
    words[record | HANDLER] = handler | 0;
    words[record | A] = a | 0;
    words[record | B] = b | 0;
    this.#live = (this.#live + 1) | 0;
    this.#latest = slot;
    if (time < this.#turnEnd) this.#insertNear(slot, time);
    else this.#insertFar(slot);
  }

  /** Names the event that was added last, for {@link cancel}. */
  get latest(): number {
    return this.#words[(this.#latest << RECORD_BITS) | GENERATION] * GENERATION_STEP + this.#latest;
  }

  /** Removes a waiting event; false when it has run or was cancelled before. */
  cancel(id: number): boolean {
    // As a word: a double would make doubles of all slots that are kept.
    const slot = (id % GENERATION_STEP) | 0;
    const words = this.#words;
    const record = slot << RECORD_BITS;
    if (slot < FIRST_SLOT || slot >= this.#slots) return false;
    if (words[record | GENERATION] !== (id - slot) / GENERATION_STEP) return false;
    if (words[record | HANDLER] === CANCELLED) return false;
    words[record | HANDLER] = CANCELLED;
    this.#live = (this.#live - 1) | 0;
    return true;
  }

  /** Time of the earliest event, Infinity when there is none. */
  nextTime(): number {
    while (this.#summary !== 0) {
      const bucket = this.#firstBucket();
      const slot = this.#words[bucket << 1];
      if (this.#words[(slot << RECORD_BITS) | HANDLER] !== CANCELLED) return this.#doubles[slot << TIME_BITS];
      this.#dropFirst(bucket, slot);
      this.#freeSlot(slot);
    }
    this.#dropCancelled();
    return this.#nearest;
  }

  /**
   * Takes the earliest event into {@link time}, {@link handler}, {@link a} and {@link b}; false when there is none up
   * to and including `until`.
   */
  pop(until: number): boolean {
    for (;;) {
      if (this.#summary === 0 && !this.#bringFirst(until)) return false;
      const bucket = this.#firstBucket();
      const slot = this.#words[bucket << 1];
      const time = this.#doubles[slot << TIME_BITS];
      if (time > until) return false;
      this.#dropFirst(bucket, slot);
      this.#freeSlot(slot);
      const words = this.#words;
      const record = slot << RECORD_BITS;
      const handler = words[record | HANDLER];
      if (handler === CANCELLED) continue;
      // A near event in the current bucket's place is in that bucket: everything near is less than a turn ahead.
      const ahead = (bucket - this.#place) & (BUCKETS - 1);
      if (ahead !== 0) {
        this.#place = bucket;
        this.#turnEnd += ahead * BUCKET_PS;
        if (this.#nearest < this.#turnEnd) this.#bringNear();
      }
      this.time = time;
      this.handler = handler;
      this.a = words[record | A];
      this.b = words[record | B];
      this.#live = (this.#live - 1) | 0;
      return true;
    }
  }

  /** Goes on to the bucket of `time`. */
  #advance(time: number): void {
    const bucket = Math.floor(time / BUCKET_PS);
    this.#place = bucket & (BUCKETS - 1);
    this.#turnEnd = (bucket + BUCKETS) * BUCKET_PS;
    this.#bringNear();
  }

  /** Moves what a turn has come to from far to near. */
  #bringNear(): void {
    while (this.#nearest < this.#turnEnd) {
      const slot = this.#heap[0];
      const near = this.#nearest;
      this.#popHeap();
      if (this.#words[(slot << RECORD_BITS) | HANDLER] === CANCELLED) this.#freeSlot(slot);
      else this.#insertNear(slot, near);
    }
  }

  /** With nothing near: goes on to the first far event. False when there is none up to and including `until`. */
  #bringFirst(until: number): boolean {
    this.#dropCancelled();
    if (this.#heapSize === 0 || this.#nearest > until) return false;
    this.#advance(this.#nearest);
    return true;
  }

  /** Makes the first far event one that has not been cancelled. */
  #dropCancelled(): void {
    while (this.#heapSize > 0) {
      const slot = this.#heap[0];
      if (this.#words[(slot << RECORD_BITS) | HANDLER] !== CANCELLED) return;
      this.#popHeap();
      this.#freeSlot(slot);
    }
  }

  /** Index of the first non-empty bucket at or after the current one, going round. */
  #firstBucket(): number {
    const start = this.#place;
    const word = start >> 5;
    const words = this.#words;
    const here = words[BITS | word] & (-1 << (start & 31));
    if (here !== 0) return (word << 5) | (31 - Math.clz32(here & -here));
    // Words after its own, else from the first one on: of its own, only buckets a full turn ahead are left.
    const after = this.#summary & (-2 << word);
    const summary = after !== 0 ? after : this.#summary;
    const found = 31 - Math.clz32(summary & -summary);
    const there = words[BITS | found];
    return (found << 5) | (31 - Math.clz32(there & -there)); // the lowest bit
  }

  #insertNear(slot: number, time: number): void {
    const words = this.#words;
    const record = slot << RECORD_BITS;
    const bucket = (time / BUCKET_PS) & (BUCKETS - 1);
    const first = bucket << 1;
    const last = words[first | 1];
    if (last === NONE) {
      words[first] = slot;
      const word = bucket >> 5;
      words[BITS | word] |= 1 << (bucket & 31);
      this.#summary |= 1 << word;
    } else if (this.#doubles[last << TIME_BITS] <= time) {
      words[(last << RECORD_BITS) | NEXT] = slot;
    } else {
      this.#insertWithin(slot, time, first);
      return;
    }
    words[first | 1] = slot;
    words[record | NEXT] = NONE;
  }

  /** Puts an event before the last one of a bucket, whose first one `first` is the place of. */
  #insertWithin(slot: number, time: number, first: number): void {
    const words = this.#words;
    const doubles = this.#doubles;
    let before = NONE;
    let after = words[first];
    while (doubles[after << TIME_BITS] <= time) {
      before = after;
      after = words[(after << RECORD_BITS) | NEXT];
    }
    words[(slot << RECORD_BITS) | NEXT] = after;
    if (before === NONE) words[first] = slot;
    else words[(before << RECORD_BITS) | NEXT] = slot;
  }

  /** Takes the first event of a bucket out of it. */
  #dropFirst(bucket: number, slot: number): void {
    const words = this.#words;
    const next = words[(slot << RECORD_BITS) | NEXT];
    words[bucket << 1] = next;
    if (next !== NONE) return;
    words[(bucket << 1) | 1] = NONE;
    const word = bucket >> 5;
    const bits = words[BITS | word] & ~(1 << (bucket & 31));
    words[BITS | word] = bits;
    if (bits === 0) this.#summary &= ~(1 << word);
  }

  #newSlot(): number {
    if (this.#slots << RECORD_BITS === this.#words.length) this.#growSlots();
    return this.#slots++;
  }

  #freeSlot(slot: number): void {
    const words = this.#words;
    const record = slot << RECORD_BITS;
    words[record | GENERATION] = (words[record | GENERATION] + 1) & 0x3fffffff;
    words[record | NEXT] = this.#freeHead;
    this.#freeHead = slot;
  }

  #growSlots(): void {
    assert(this.#slots * 2 <= GENERATION_STEP, "event queue: more than four million events wait");
    this.#words = grown(this.#words, new Int32Array(2 * this.#words.length));
    this.#doubles = new Float64Array(this.#words.buffer);
  }

  #earlier(x: number, y: number): boolean {
    const dx = this.#doubles[x << TIME_BITS];
    const dy = this.#doubles[y << TIME_BITS];
    if (dx !== dy) return dx < dy;
    const words = this.#words;
    return ((words[(x << RECORD_BITS) | ORDER] - words[(y << RECORD_BITS) | ORDER]) | 0) < 0;
  }

  #insertFar(slot: number): void {
    if (this.#heapSize === this.#heap.length) this.#heap = grown(this.#heap, new Int32Array(2 * this.#heapSize));
    this.#words[(slot << RECORD_BITS) | ORDER] = this.#inserted;
    this.#inserted = (this.#inserted + 1) | 0;
    let i = this.#heapSize++;
    while (i > 0) {
      const parent = (i - 1) >> 2;
      if (!this.#earlier(slot, this.#heap[parent])) break;
      this.#heap[i] = this.#heap[parent];
      i = parent;
    }
    this.#heap[i] = slot;
    if (i === 0) this.#lookFar();
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
    this.#lookFar();
  }

  #lookFar(): void {
    this.#nearest = this.#heapSize === 0 ? Infinity : this.#doubles[this.#heap[0] << TIME_BITS];
  }
}
