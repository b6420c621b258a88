import { grown } from "../base/grown.ts";
import { IndexPool } from "../base/pool.ts";
import { pagesSpanned } from "../base/units.ts";
import { type Journeys, NO_JOURNEY } from "../metrics/journey.ts";
import type { Memory } from "./memory.ts";
import type { Processor } from "./processor.ts";

/*
 * Frames, as socket buffers are: a linear part with the headers and small payloads, and at most one stretch of
 * payload that is referred to where it lies. One integer names a frame. What is known of it is one record of 64 bytes,
 * because thousands of frames stand in a queue: the next to leave has long gone from the processor's cache, and comes
 * back as one line of it. (A runtime may lay the array 16 bytes off a line: the last 16 are therefore left free.)
 *
 *   doubles [PAYLOAD]         address of the payload referred to
 *           [HANDED_AT]       when its sender handed it to a port that several share, picoseconds
 *           [BUFFER]          address of copied payload that this frame owns, or 0
 *   words   [LINEAR]          bytes used of the linear part    } length = linear + payload: whole frame, without FCS
 *           [PAYLOAD_LENGTH]  bytes referred to                }
 *           [JOURNEY]         the message it belongs to, or -1
 *           [DONE]            what its sender wants to be told when it has left the NIC, or -1
 *           [LENT]            1 while its pages are lent: the lender is told `done` however the frame ends
 *           [STAYS]           1 while the payload is as good as the frame's own: it lies where it stays as it is
 *
 * The linear part itself, LINEAR_BYTES with the Ethernet header first, is in emulated memory: see {@link FramePool.at}.
 */
const RECORD_BITS = 4; // 16 words
const WORDS = 1 << RECORD_BITS;
const DOUBLE_BITS = RECORD_BITS - 1; // shifts and bitwise or: V8 checks products and sums for overflow
const PAYLOAD = 0;
const HANDED_AT = 1;
const BUFFER = 2;
const LINEAR = 6;
const PAYLOAD_LENGTH = 7;
const JOURNEY = 8;
const DONE = 9;
const LENT = 10;
const STAYS = 11;
/** As a constant of this file, which V8 folds. */
const NONE = NO_JOURNEY;

/** Records that there is memory for at first. */
const FEW = 256;

/** Largest linear part: 60 bytes of header and an 80-byte host name, or 40 and 128 bytes of small message. */
export const LINEAR_BYTES = 192;
/** Frames on one wire carry at least this much, FCS excluded. */
export const MIN_FRAME = 60;
/** Preamble, FCS and inter-frame gap: what each frame takes on the wire beyond its bytes. */
const WIRE_OVERHEAD = 24;
/** What a frame takes for payload of its own. */
export const PAYLOAD_BUFFER_BYTES = 9216;
/** Tokens that one lender may use. */
const TOKENS = 65536;

/**
 * Says how many of a frame's bytes belong into its linear part, headers above all, as a NIC's header split or a driver's
 * copy threshold does. Who makes a frame of a guest's bytes asks the owner of the protocol, who knows where payload
 * begins: at most {@link LINEAR_BYTES}, and all of a frame that is not longer. It looks at {@link SPLIT_BYTES} at most.
 */
export type HeaderSplit = (view: DataView, at: number, length: number) => number;
/** An Ethernet header, and what says of an MX frame which one it is. */
export const SPLIT_BYTES = 32;

/** Who lends frames their pages, as a backend does with pages of a guest that it has mapped. */
export interface PageLender {
  /** The frame that was lent for with this token needs nothing more. `cpu` has ended it in its burst, if that is known. */
  returned(token: number, cpu: Processor | null): void;
}

/** Memory for payload that a kernel copies into frames: of its own, which its devices reach. Never given back. */
export class PayloadBuffers {
  readonly #memory: Memory;
  readonly #alloc: (bytes: number) => number;
  readonly #free: number[] = [];

  /** `alloc` gives whole pages. */
  constructor(memory: Memory, alloc: (bytes: number) => number) {
    this.#memory = memory;
    this.#alloc = alloc;
  }

  take(): number {
    if (this.#free.length > 0) return this.#free.pop()!;
    const buffer = this.#alloc(PAYLOAD_BUFFER_BYTES);
    this.#memory.defer(buffer, PAYLOAD_BUFFER_BYTES);
    return buffer;
  }

  give(address: number): void {
    this.#free.push(address);
  }
}

export class FramePool {
  readonly memory: Memory;
  readonly journeys: Journeys;
  /** Frames that could not be had because all were in use. */
  exhausted = 0;
  readonly #base: number;
  /** Means nothing: what a compiler cannot leave out. */
  fetched = 0;
  readonly #pool: IndexPool;
  /** Records of as many as have been taken at a time, and as many again at most. */
  #words: Int32Array = new Int32Array(FEW * WORDS);
  #doubles: Float64Array = new Float64Array(this.#words.buffer);
  /** Where a frame's own payload comes from: the machine's memory, or some kernel's. */
  readonly #buffers: PayloadBuffers;
  readonly #from: (PayloadBuffers | null)[] = [];
  readonly #lenders: PageLender[] = [];

  constructor(memory: Memory, journeys: Journeys, capacity = 65536) {
    this.memory = memory;
    this.journeys = journeys;
    this.#base = memory.alloc(capacity * LINEAR_BYTES);
    this.#pool = new IndexPool(capacity);
    this.#buffers = new PayloadBuffers(memory, (bytes) => memory.alloc(bytes));
  }

  get used(): number {
    return this.#pool.used;
  }

  /** Where the linear parts of all frames lie, and how many bytes they take: what devices of a guest must reach. */
  get slab(): { readonly address: number; readonly bytes: number } {
    return { address: this.#base, bytes: this.#pool.capacity * LINEAR_BYTES };
  }

  /** A frame with `linear` bytes of header and inline payload; -1 when there is none left. */
  take(linear: number): number {
    const id = this.#pool.take();
    if (id < 0) {
      this.exhausted++;
      return -1;
    }
    const record = id << RECORD_BITS;
    if (record === this.#words.length) this.#grow(); // a new one is the next behind all that there were
    const words = this.#words;
    words[record | LINEAR] = linear;
    words[record | PAYLOAD_LENGTH] = 0;
    words[record | DONE] = -1;
    words[record | JOURNEY] = NONE;
    words[record | STAYS] = 0;
    return id;
  }

  #grow(): void {
    this.#words = grown(this.#words, new Int32Array(2 * this.#words.length));
    this.#doubles = new Float64Array(this.#words.buffer);
  }

  /**
   * Brings what is known of two frames that stand in a long queue into the processor's cache before they are wanted: of
   * `later` record and header, of `soon`, which has had that, the journey. The three reads do not depend on each other:
   * one wait on memory serves for all.
   */
  fetch(soon: number, later: number): void {
    const booked = this.journeys.fetch(this.journeyOf(soon));
    this.fetched ^= this.linearOf(later) ^ this.memory.u8[this.at(later)] ^ booked;
  }

  /** Address of the frame's first byte. */
  at(id: number): number {
    return this.#base + id * LINEAR_BYTES;
  }

  /** Bytes used of the linear part. */
  linearOf(id: number): number {
    return this.#words[(id << RECORD_BITS) | LINEAR];
  }

  setLinear(id: number, bytes: number): void {
    this.#words[(id << RECORD_BITS) | LINEAR] = bytes;
  }

  /** Address and bytes of the payload that it refers to. */
  payloadOf(id: number): number {
    return this.#doubles[(id << DOUBLE_BITS) | PAYLOAD];
  }

  payloadLengthOf(id: number): number {
    return this.#words[(id << RECORD_BITS) | PAYLOAD_LENGTH];
  }

  /** Pages of its payload, of which a NIC fetches each by itself. What is the frame's own begins with a page. */
  payloadPages(id: number): number {
    const isOwn = this.#words[(id << RECORD_BITS) | STAYS] === 1;
    return pagesSpanned(isOwn ? 0 : this.payloadOf(id), this.payloadLengthOf(id));
  }

  /** What its sender wants to be told when it has left the NIC, -1 for nothing. */
  doneOf(id: number): number {
    return this.#words[(id << RECORD_BITS) | DONE];
  }

  setDone(id: number, cookie: number): void {
    this.#words[(id << RECORD_BITS) | DONE] = cookie;
  }

  /** The message that it belongs to, -1 for none. */
  journeyOf(id: number): number {
    return this.#words[(id << RECORD_BITS) | JOURNEY];
  }

  setJourney(id: number, journey: number): void {
    this.#words[(id << RECORD_BITS) | JOURNEY] = journey;
  }

  /** When its sender handed it to a port that several share, picoseconds. */
  handedAtOf(id: number): number {
    return this.#doubles[(id << DOUBLE_BITS) | HANDED_AT];
  }

  setHandedAt(id: number, now: number): void {
    this.#doubles[(id << DOUBLE_BITS) | HANDED_AT] = now;
  }

  /** Whole frame from the Ethernet header on, without FCS, bytes. */
  frameLength(id: number): number {
    const record = id << RECORD_BITS;
    return this.#words[record | LINEAR] + this.#words[record | PAYLOAD_LENGTH];
  }

  /** Bytes of wire time, with preamble, padding, FCS and gap. */
  wireLength(id: number): number {
    return Math.max(this.frameLength(id), MIN_FRAME) + WIRE_OVERHEAD;
  }

  /** Attaches payload by reference: it must stay as it is until the frame is freed, or be {@link own}ed. */
  attach(id: number, address: number, length: number): void {
    this.#doubles[(id << DOUBLE_BITS) | PAYLOAD] = address;
    this.#words[(id << RECORD_BITS) | PAYLOAD_LENGTH] = length;
  }

  /** Copies the attached payload, so that its place may be written again: what a NIC's DMA read does. */
  own(id: number): void {
    const length = this.payloadLengthOf(id);
    if (length === 0 || this.#isOwn(id)) return;
    this.#words[(id << RECORD_BITS) | PAYLOAD_LENGTH] = 0;
    this.addCopy(id, this.payloadOf(id), length);
  }

  /**
   * Adds a copy of these bytes to a frame whose payload, if it has any, is its own; a frame's worth at most altogether.
   * Bytes that stay as they are nobody can tell from a copy of them: the frame refers to those as long as what it has
   * lies in one stretch.
   */
  addCopy(id: number, source: number, length: number): void {
    const had = this.payloadLengthOf(id);
    const isFirst = had === 0;
    if (isFirst || this.#words[(id << RECORD_BITS) | STAYS] === 1) {
      const place = this.memory.placeOfKept(source, length);
      if (place >= 0 && (isFirst || place === this.payloadOf(id) + had)) {
        if (isFirst) this.#doubles[(id << DOUBLE_BITS) | PAYLOAD] = place;
        this.#words[(id << RECORD_BITS) | PAYLOAD_LENGTH] = (had + length) | 0;
        this.#words[(id << RECORD_BITS) | STAYS] = 1;
        return;
      }
      if (isFirst) this.attachOwn(id, 0);
      else this.#moveToBuffer(id);
    }
    this.memory.copy(this.payloadOf(id) + had, source, length);
    this.#words[(id << RECORD_BITS) | PAYLOAD_LENGTH] = (had + length) | 0;
  }

  #isOwn(id: number): boolean {
    return this.#doubles[(id << DOUBLE_BITS) | BUFFER] !== 0 || this.#words[(id << RECORD_BITS) | STAYS] === 1;
  }

  /** Copies a payload that lies where it stays into a buffer. */
  #moveToBuffer(id: number): void {
    const place = this.payloadOf(id);
    const length = this.payloadLengthOf(id);
    this.memory.copy(this.attachOwn(id, length), place, length);
  }

  /** Attaches a buffer of the frame's own for `length` bytes of payload, a frame's worth at most; returns its address. */
  attachOwn(id: number, length: number, buffers: PayloadBuffers = this.#buffers): number {
    const buffer = buffers.take();
    this.attach(id, buffer, length);
    this.#doubles[(id << DOUBLE_BITS) | BUFFER] = buffer;
    this.#words[(id << RECORD_BITS) | STAYS] = 0;
    while (id >= this.#from.length) this.#from.push(null); // never a hole: V8 would look for them ever after
    this.#from[id] = buffers;
    return buffer;
  }

  /** A copy of a frame with its payload, for another receiver; it belongs to no message. -1 when there is none left. */
  copy(id: number): number {
    const linear = this.linearOf(id);
    const copy = this.take(linear);
    if (copy < 0) return -1;
    this.memory.copy(this.at(copy), this.at(id), linear);
    const length = this.payloadLengthOf(id);
    if (length > 0) this.addCopy(copy, this.payloadOf(id), length);
    return copy;
  }

  /** Makes a lender known; returns what its tokens count from, for {@link lend}. */
  addLender(lender: PageLender): number {
    this.#lenders.push(lender);
    return (this.#lenders.length - 1) * TOKENS;
  }

  /** The frame refers to pages that are lent: `cookie` is a lender's base and its token. */
  lend(id: number, cookie: number): void {
    this.#words[(id << RECORD_BITS) | DONE] = cookie;
    this.#words[(id << RECORD_BITS) | LENT] = 1;
  }

  /** The pages are no longer lent: the lender gets the cookie in another way than by {@link free}. */
  endLoan(id: number): void {
    this.#words[(id << RECORD_BITS) | LENT] = 0;
  }

  /** Tells the lender: the NIC driver does when the frame has left, {@link free} when it ended before. */
  giveBack(cookie: number, cpu: Processor | null = null): void {
    this.#lenders[Math.floor(cookie / TOKENS)].returned(cookie % TOKENS, cpu);
  }

  /** Ends the frame and drops its journey, if it still has one. `cpu` is the burst that does it, where somebody waits. */
  free(id: number, cpu: Processor | null = null): void {
    const words = this.#words;
    const record = id << RECORD_BITS;
    if (words[record | LENT] === 1) {
      words[record | LENT] = 0;
      this.giveBack(words[record | DONE], cpu);
    }
    if (words[record | JOURNEY] >= 0) {
      this.journeys.drop(words[record | JOURNEY]);
      words[record | JOURNEY] = NONE;
    }
    const buffer = this.#doubles[(id << DOUBLE_BITS) | BUFFER];
    if (buffer !== 0) {
      this.#from[id]!.give(buffer);
      this.#doubles[(id << DOUBLE_BITS) | BUFFER] = 0;
    }
    this.#pool.give(id);
  }

  /** Takes the journey out of a frame: the caller owns it. */
  takeJourney(id: number): number {
    const journey = this.#words[(id << RECORD_BITS) | JOURNEY];
    this.#words[(id << RECORD_BITS) | JOURNEY] = NONE;
    return journey;
  }
}
