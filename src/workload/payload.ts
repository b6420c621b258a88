import * as units from "../base/units.ts";
import { Prng } from "../base/prng.ts";
import type { Memory } from "../hw/memory.ts";
import * as limits from "../mx/limits.ts";
import type { ProcessContext } from "./workload.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { roundUp } = units;
const { RNDV_THRESHOLD } = limits;

/** Elements of the pattern: 512 KiB. */
const ELEMENTS = 65536;
const BYTES = ELEMENTS * 8;
/** Windows of a sender begin a page apart. */
const STEP = 4096;

/**
 * Payload that is really there and really checked. The pattern is a table of random doubles, no two alike, none zero,
 * none a NaN. A sender's buffer is a stretch of the table that depends on its rank; message n is sent from window
 * n mod `windows` of it, each a page further on. A receiver with fewer buffers than windows therefore never expects
 * what its buffer held before, so that a byte that was not delivered, or was delivered to the wrong place, is seen.
 *
 * Buffers that large messages are sent from share the table's memory until somebody writes into them, as copy on write
 * does it: thousands of guests would fill gigabytes with the same 512 KiB.
 *
 * Filling and checking are the observer's and take no virtual time: mx_pingpong and mx_stream do neither in their
 * timed loops.
 */
export class Pattern {
  readonly #memory: Memory;
  readonly #table: number; // address
  /** The table from its beginning on, as far as it has been needed. */
  #elements = 0;
  readonly #random = patternRandom();
  /** Whether buffers share the table's memory: it stays as it is then. */
  #isShared = false;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#table = memory.alloc(BYTES);
  }

  /** Makes the table up to its byte `end`. Small messages of a few ranks need little of it. */
  #make(end: number): void {
    const { f64 } = this.#memory;
    const first = this.#table / 8;
    for (; this.#elements * 8 < end; this.#elements++) {
      f64[first + this.#elements] = elementOf(this.#elements, this.#random);
    }
  }

  /** Bytes to allocate, and to fill, for messages of up to `size` bytes sent from `windows` windows. */
  static bufferBytes(size: number, windows: number): number {
    return Math.max(roundUp(size, 8) + (windows - 1) * STEP, 8);
  }

  /**
   * A buffer for messages of up to `size` bytes, which nobody reads but {@link check}. Large ones are not copied there:
   * they are pulled from where they were sent, and that does not change.
   */
  static receiveBuffer({ memory, alloc }: Pick<ProcessContext, "memory" | "alloc">, size: number): number {
    const buffer = alloc(size + 8);
    if (size > RNDV_THRESHOLD) memory.defer(buffer, size + 8);
    return buffer;
  }

  /** Fills a sender's buffer, whole pages of its own. */
  fill(buffer: number, bytes: number, rank: number): void {
    const memory = this.#memory;
    // Else nothing of it is large enough to be sent from here: it is copied when it is sent.
    if (bytes > RNDV_THRESHOLD) {
      this.#share();
      memory.defer(buffer, bytes);
    }
    let done = 0;
    while (done < bytes) {
      const from = (this.#start(rank) + done / 8) % ELEMENTS;
      const length = Math.min(bytes - done, (ELEMENTS - from) * 8);
      this.#make(from * 8 + length);
      memory.copy(buffer + done, this.#table + from * 8, length);
      done += length;
    }
  }

  #share(): void {
    if (this.#isShared) return;
    this.#isShared = true;
    this.#make(BYTES);
    this.#memory.keep(this.#table, BYTES);
  }

  /** Address of message `n`. */
  static window(buffer: number, n: number, windows: number): number {
    return buffer + (n % windows) * STEP;
  }

  /** Whether `length` bytes at `address` are message `n` of `rank`. */
  check(address: number, length: number, rank: number, n: number, windows: number): boolean {
    let from = (this.#start(rank) * 8 + (n % windows) * STEP) % BYTES;
    let done = 0;
    while (done < length) {
      const run = Math.min(length - done, BYTES - from);
      if (from + run > this.#elements * 8) this.#make(from + run);
      if (!this.#memory.equal(address + done, this.#table + from, run)) return false;
      done += run;
      from = 0;
    }
    return true;
  }

  /**
   * Makes the table again and compares: false if a byte of it has changed since. What a buffer shares with the table
   * {@link check} finds by its place, and does not read.
   */
  isAsMade(): boolean {
    const { f64 } = this.#memory;
    const random = patternRandom();
    const first = this.#table / 8;
    for (let i = 0; i < this.#elements; i++) if (f64[first + i] !== elementOf(i, random)) return false;
    return true;
  }

  #start(rank: number): number {
    return (rank * 7919) % ELEMENTS;
  }
}

function patternRandom(): Prng {
  return new Prng(0x6d78, "payload pattern");
}

/** An element of the table; they are drawn in ascending order. */
function elementOf(index: number, random: Prng): number {
  return 1 + index + random.unit();
}
