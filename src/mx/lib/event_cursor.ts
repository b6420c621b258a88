import * as events from "../driver/events.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { EV_ID, EVENT_BYTES, eventId } = events;

/**
 * Where a library stands in one of its event queues. It looks there some dozen times for each message, so that what a look
 * needs is kept, not worked out.
 */
export class Cursor {
  /** Slot of the next event, and the address of that slot. */
  slot = 0;
  address: number;
  /** Events consumed, free-running, and up to where their slots were given back. */
  #consumed = 0;
  #released = 0;
  /** What the id byte of the next event will be. */
  #id = eventId(0);
  readonly #first: number;
  readonly #entries: number;

  /** `first` is the address of the queue. */
  constructor(first: number, entries: number) {
    this.#first = this.address = first;
    this.#entries = entries;
  }

  /** Whether there is an event. */
  isFresh(memory: Uint8Array): boolean {
    return memory[this.address + EV_ID] === this.#id;
  }

  /** The event is consumed. */
  next(): void {
    this.#id = eventId(++this.#consumed);
    this.slot = this.slot + 1 === this.#entries ? 0 : this.slot + 1;
    this.address = this.#first + this.slot * EVENT_BYTES;
  }

  /** A quarter of the queue is to be given back. */
  get isDue(): boolean {
    return this.#consumed - this.#released >= this.#entries / 4;
  }

  /** Up to where slots are given back now. */
  giveBack(): number {
    return this.#released = this.#consumed;
  }
}
