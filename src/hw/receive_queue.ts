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
const TIMER = 0;
const INTERRUPTED_AT = 1;
const FRAMES = 2;
const INTERRUPTS = 3;
const COALESCED = 4;
const DROPS = 5;
const RING = 6;
/** Places at first. */
const FEW = 10;

/** A receive queue with an interrupt of its own. */
export class ReceiveQueue implements Readonly<QueueCounters> {
  /** Descriptors of its ring. */
  readonly capacity: number;
  /** Frames that no driver has taken yet. */
  count = 0;
  /** Interrupts held off while the driver polls the ring. */
  masked = false;
  readonly #records: Records;
  #record: number;
  // Small integers, which are in the object itself: what is read from the record is a double first.
  #head = 0;
  #size = FEW;

  constructor(records: Records, capacity: number) {
    this.capacity = capacity;
    this.#records = records;
    this.#record = records.take(RING + FEW);
    this.timer = -1;
    records.words[this.#record + INTERRUPTED_AT] = -Infinity;
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
    this.masked = true;
    words[at + INTERRUPTED_AT] = now;
    words[at + INTERRUPTS]++;
  }

  unmask(): void {
    this.masked = false;
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
    if (count === this.#size) this.#grow();
    const { words } = this.#records;
    const at = this.#record;
    const slot = (this.#head + count) | 0;
    const size = this.#size;
    words[(at + RING + (slot < size ? slot : slot - size)) | 0] = frame;
    words[at + FRAMES]++;
    this.count = (count + 1) | 0;
    return true;
  }

  /** The oldest frame, -1 when there is none. */
  take(): number {
    const { count } = this;
    if (count === 0) return -1;
    const head = this.#head;
    const next = (head + 1) | 0;
    this.#head = next === this.#size ? 0 : next;
    this.count = (count - 1) | 0;
    return this.#records.words[(this.#record + RING + head) | 0] | 0;
  }

  /** Twice as many places, the oldest frame first. */
  #grow(): void {
    const old = this.#record;
    const size = this.#size;
    const larger = this.#records.take(RING + 2 * size);
    const { words } = this.#records;
    const oldest = old + RING + this.#head;
    const end = old + RING + size;
    words.copyWithin(larger, old, old + RING);
    words.copyWithin(larger + RING, oldest, end);
    words.copyWithin(larger + RING + end - oldest, old + RING, oldest);
    this.#record = larger;
    this.#head = 0;
    this.#size = 2 * size;
  }
}
