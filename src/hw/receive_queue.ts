import type { Records } from "./records.ts";

/** What a receive queue has counted: `interrupts` are those of its vector, transmit completions too. */
export interface QueueCounters {
  frames: number;
  drops: number;
  interrupts: number;
  /** Frames without an interrupt of their own: it was masked while the driver polls, or one was due already. */
  coalesced: number;
}

/*
 * A queue's record, two lines of the cache: of thousands of queues each has left the caches when its turn comes. The ring
 * has places for as many frames as have stood in it at a time: it goes round, and the next frames are to be where the
 * last ones were.
 */
const COUNT = 0;
const HEAD = 1;
/** Places of the ring. */
const SIZE = 2;
const TIMER = 3;
const INTERRUPTED_AT = 4;
const IS_MASKED = 5;
const FRAMES = 6;
const INTERRUPTS = 7;
const COALESCED = 8;
const DROPS = 9;
const RING = 10;
/** Places at first. */
const FEW = 6;

/** A receive queue with an interrupt of its own. */
export class ReceiveQueue implements Readonly<QueueCounters> {
  /** Descriptors of its ring. */
  readonly capacity: number;
  readonly #records: Records;
  #record: number;

  constructor(records: Records, capacity: number) {
    this.capacity = capacity;
    this.#records = records;
    this.#record = records.take(RING + FEW);
    records.words[this.#record + SIZE] = FEW;
    this.timer = -1;
    records.words[this.#record + INTERRUPTED_AT] = -Infinity;
  }

  /** Frames that no driver has taken yet. */
  get count(): number {
    return this.#records.words[this.#record + COUNT];
  }

  /** Coalescing: an interrupt is due when this timer fires. */
  get timer(): number {
    return this.#records.words[this.#record + TIMER];
  }

  set timer(id: number) {
    this.#records.words[this.#record + TIMER] = id;
  }

  /** When the latest interrupt fired. */
  get interruptedAt(): number {
    return this.#records.words[this.#record + INTERRUPTED_AT];
  }

  /** Interrupts held off while the driver polls the ring. */
  get masked(): boolean {
    return this.#records.words[this.#record + IS_MASKED] !== 0;
  }

  get frames(): number {
    return this.#records.words[this.#record + FRAMES];
  }

  get drops(): number {
    return this.#records.words[this.#record + DROPS];
  }

  get interrupts(): number {
    return this.#records.words[this.#record + INTERRUPTS];
  }

  get coalesced(): number {
    return this.#records.words[this.#record + COALESCED];
  }

  /** It interrupts at the instant `now`, and not again until {@link unmask}. */
  interrupted(now: number): void {
    const { words } = this.#records;
    const at = this.#record;
    words[at + IS_MASKED] = 1;
    words[at + INTERRUPTED_AT] = now;
    words[at + INTERRUPTS]++;
  }

  unmask(): void {
    this.#records.words[this.#record + IS_MASKED] = 0;
  }

  /** A frame came without an interrupt of its own. */
  coalesce(): void {
    this.#records.words[this.#record + COALESCED]++;
  }

  /** Puts a frame into the ring; false when it is full, and the frame is counted as dropped. */
  push(frame: number): boolean {
    const { count } = this;
    if (count === this.capacity) {
      this.#records.words[this.#record + DROPS]++;
      return false;
    }
    if (count === this.#records.words[this.#record + SIZE]) this.#grow();
    const { words } = this.#records;
    const at = this.#record;
    const slot = words[at + HEAD] + count;
    const size = words[at + SIZE];
    words[(at + RING + (slot < size ? slot : slot - size)) | 0] = frame;
    words[at + COUNT] = count + 1;
    words[at + FRAMES]++;
    return true;
  }

  /** The oldest frame, -1 when there is none. */
  take(): number {
    const { words } = this.#records;
    const at = this.#record;
    const count = words[at + COUNT];
    if (count === 0) return -1;
    const head = words[at + HEAD];
    words[at + HEAD] = head + 1 === words[at + SIZE] ? 0 : head + 1;
    words[at + COUNT] = count - 1;
    return words[(at + RING + head) | 0] | 0;
  }

  /** Twice as many places, the oldest frame first. */
  #grow(): void {
    const old = this.#record;
    const size = this.#records.words[old + SIZE];
    const larger = this.#records.take(RING + 2 * size);
    const { words } = this.#records;
    const oldest = old + RING + words[old + HEAD];
    const end = old + RING + size;
    words.copyWithin(larger, old, old + RING);
    words.copyWithin(larger + RING, oldest, end);
    words.copyWithin(larger + RING + end - oldest, old + RING, oldest);
    words[larger + HEAD] = 0;
    words[larger + SIZE] = 2 * size;
    this.#record = larger;
  }
}
