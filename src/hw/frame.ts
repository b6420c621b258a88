import { IndexPool } from "../base/pool.ts";
import { type Journeys, NO_JOURNEY } from "../metrics/journey.ts";
import type { Memory } from "./memory.ts";
import type { Processor } from "./processor.ts";

/*
 * Frames, as socket buffers are: a linear part with the headers and small payloads, and at most one stretch of
 * payload that is referred to where it lies. One integer names a frame; its fields are parallel arrays:
 *
 *   at(id)             address of LINEAR_BYTES bytes in memory: Ethernet header first
 *   linear[id]         bytes used there          } length(id) = linear + payloadLength: whole frame, without FCS
 *   payloadLength[id]  bytes referred to         }
 *   payload[id]        their address
 *   buffer[id]         copied payload that this frame owns, or 0
 *   done[id]           what its sender wants to be told when it has left the NIC, or -1
 *   lent[id]           1 while its pages are lent: the lender is told `done` however the frame ends
 *   journey[id]        the message it belongs to, or -1
 *   handedAt[id]       when its sender handed it to the NIC, picoseconds
 */

/** Largest linear part: 60 bytes of header and an 80-byte host name, or 40 and 128 bytes of small message. */
export const LINEAR_BYTES = 192;
/** Frames on one wire carry at least this much, FCS excluded. */
export const MIN_FRAME = 60;
/** Preamble, FCS and inter-frame gap: what each frame takes on the wire beyond its bytes. */
export const WIRE_OVERHEAD = 24;
const BUFFER_BYTES = 9216;
/** Tokens that one lender may use. */
const TOKENS = 65536;

/** Who lends frames their pages, as a backend does with pages of a guest that it has mapped. */
export interface PageLender {
  /** The frame that was lent for with this token needs nothing more. `cpu` has ended it in its burst, if that is known. */
  returned(token: number, cpu: Processor | null): void;
}

/** Memory for payload that a kernel copies into frames: of its own, which its devices reach. Never given back. */
export class PayloadBuffers {
  readonly #alloc: (bytes: number) => number;
  readonly #free: number[] = [];

  constructor(alloc: (bytes: number) => number) {
    this.#alloc = alloc;
  }

  take(): number {
    return this.#free.length > 0 ? this.#free.pop()! : this.#alloc(BUFFER_BYTES);
  }

  give(address: number): void {
    this.#free.push(address);
  }
}

export class FramePool {
  readonly memory: Memory;
  readonly journeys: Journeys;
  readonly linear: Int32Array;
  readonly payloadLength: Int32Array;
  readonly payload: Float64Array;
  readonly done: Int32Array;
  readonly lent: Uint8Array;
  readonly journey: Int32Array;
  readonly handedAt: Float64Array;
  /** Frames that could not be had because all were in use. */
  exhausted = 0;
  readonly #base: number;
  readonly #pool: IndexPool;
  readonly #buffer: Float64Array;
  /** Where a frame's own payload comes from: the machine's memory, or some kernel's. */
  readonly #buffers: PayloadBuffers;
  readonly #from: PayloadBuffers[] = [];
  readonly #lenders: PageLender[] = [];

  constructor(memory: Memory, journeys: Journeys, capacity = 65536) {
    this.memory = memory;
    this.journeys = journeys;
    this.#base = memory.alloc(capacity * LINEAR_BYTES);
    this.#pool = new IndexPool(capacity);
    this.linear = new Int32Array(capacity);
    this.payloadLength = new Int32Array(capacity);
    this.payload = new Float64Array(capacity);
    this.done = new Int32Array(capacity);
    this.lent = new Uint8Array(capacity);
    this.journey = new Int32Array(capacity);
    this.handedAt = new Float64Array(capacity);
    this.#buffer = new Float64Array(capacity);
    this.#buffers = new PayloadBuffers((bytes) => memory.alloc(bytes));
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
    this.linear[id] = linear;
    this.payloadLength[id] = 0;
    this.done[id] = -1;
    this.journey[id] = NO_JOURNEY;
    return id;
  }

  /** Address of the frame's first byte. */
  at(id: number): number {
    return this.#base + id * LINEAR_BYTES;
  }

  /** Whole frame from the Ethernet header on, without FCS, bytes. */
  frameLength(id: number): number {
    return this.linear[id] + this.payloadLength[id];
  }

  /** Bytes of wire time, with preamble, padding, FCS and gap. */
  wireLength(id: number): number {
    return Math.max(this.frameLength(id), MIN_FRAME) + WIRE_OVERHEAD;
  }

  /** Attaches payload by reference: it must stay as it is until the frame is freed, or be {@link own}ed. */
  attach(id: number, address: number, length: number): void {
    this.payload[id] = address;
    this.payloadLength[id] = length;
  }

  /** Copies the attached payload, so that its place may be written again: what a NIC's DMA read does. */
  own(id: number): void {
    if (this.payloadLength[id] === 0 || this.#buffer[id] !== 0) return;
    const source = this.payload[id];
    const length = this.payloadLength[id];
    this.memory.copy(this.attachOwn(id, length), source, length);
  }

  /** Attaches a buffer of the frame's own for `length` bytes of payload, a frame's worth at most; returns its address. */
  attachOwn(id: number, length: number, buffers: PayloadBuffers = this.#buffers): number {
    const buffer = buffers.take();
    this.attach(id, buffer, length);
    this.#buffer[id] = buffer;
    this.#from[id] = buffers;
    return buffer;
  }

  /** A copy of a frame with its payload, for another receiver; it belongs to no message. -1 when there is none left. */
  copy(id: number): number {
    const copy = this.take(this.linear[id]);
    if (copy < 0) return -1;
    this.memory.copy(this.at(copy), this.at(id), this.linear[id]);
    const length = this.payloadLength[id];
    if (length > 0) this.memory.copy(this.attachOwn(copy, length), this.payload[id], length);
    return copy;
  }

  /** Makes a lender known; returns what its tokens count from, for {@link lend}. */
  addLender(lender: PageLender): number {
    this.#lenders.push(lender);
    return (this.#lenders.length - 1) * TOKENS;
  }

  /** The frame refers to pages that are lent: `cookie` is a lender's base and its token. */
  lend(id: number, cookie: number): void {
    this.done[id] = cookie;
    this.lent[id] = 1;
  }

  /** Tells the lender: the NIC driver does when the frame has left, {@link free} when it ended before. */
  giveBack(cookie: number, cpu: Processor | null = null): void {
    this.#lenders[Math.floor(cookie / TOKENS)].returned(cookie % TOKENS, cpu);
  }

  /** Ends the frame and drops its journey, if it still has one. `cpu` is the burst that does it, where somebody waits. */
  free(id: number, cpu: Processor | null = null): void {
    if (this.lent[id] === 1) {
      this.lent[id] = 0;
      this.giveBack(this.done[id], cpu);
    }
    if (this.journey[id] >= 0) {
      this.journeys.drop(this.journey[id]);
      this.journey[id] = NO_JOURNEY;
    }
    if (this.#buffer[id] !== 0) {
      this.#from[id].give(this.#buffer[id]);
      this.#buffer[id] = 0;
    }
    this.#pool.give(id);
  }

  /** Takes the journey out of a frame: the caller owns it. */
  takeJourney(id: number): number {
    const journey = this.journey[id];
    this.journey[id] = NO_JOURNEY;
    return journey;
  }
}
