import * as stages from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { FramePool } from "./frame.ts";
import type { Link } from "./link.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { QUEUEING, WIRE } = stages;

/** What is known of queued frames is fetched from memory for so many of them at a time: see {@link FramePool.fetch}. */
const FETCHED_TOGETHER = 8;

/** A place of the ring, of four doubles: the frame, since when it may leave, and the picoseconds it takes the port. */
const FRAME = 0;
const READY = 1;
const PORT_PS = 2;
const PLACE_BITS = 2; // shifts and bitwise or: V8 checks products and sums for overflow
/** Places at first. */
const FEW = 4;

/**
 * The transmit end of a port: a ring of frames, sent one after another at the link's rate. A frame may leave once it
 * is ready (a NIC has fetched it). One event per frame: the instant its last bit leaves.
 *
 * The ring has memory for as many as have stood in it at a time, not for its capacity: it goes round, and most of hundreds
 * of ports hold a few frames, which are to be where the last ones were.
 */
export class Serialiser {
  readonly capacity: number;
  link: Link | null = null;
  side: 0 | 1 = 0;
  readonly #engine: Engine;
  readonly #frames: FramePool;
  #ring = new Float64Array(FEW << PLACE_BITS);
  #size = FEW;
  #head = 0;
  #count = 0;
  #busy = false;
  #started = 0;
  #untilFetch = 0;
  readonly #sentHandler: number;
  readonly #startHandler: number;
  readonly #setup: (frame: number) => number;
  readonly #sent: (frame: number, readyAt: number) => void;

  /**
   * `setup` gives the picoseconds of sender work that add to a frame's serialisation; `sent` is told when a frame's
   * last bit leaves, before the link takes it, and since when it was ready.
   */
  constructor(
    engine: Engine,
    frames: FramePool,
    name: string,
    capacity: number,
    setup: (frame: number) => number,
    sent: (frame: number, readyAt: number) => void,
  ) {
    this.#engine = engine;
    this.#frames = frames;
    this.capacity = capacity;
    this.#setup = setup;
    this.#sent = sent;
    this.#startHandler = engine.handler(`${name} serialiser start`, Serialiser.#onStart, this);
    this.#sentHandler = engine.handler(`${name} frame sent`, Serialiser.#onSent, this);
  }

  connect(link: Link, side: 0 | 1): void {
    this.link = link;
    this.side = side;
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.capacity;
  }

  /** Picoseconds that a frame takes the port: sender work and serialisation. */
  portPs(frame: number): number {
    return this.link!.serialisation(frame) + this.#setup(frame);
  }

  /**
   * Adds a frame that may leave at `readyAt` (picoseconds, not before now) and takes the port for {@link portPs}, which
   * its sender may have asked for when it had the frame in hand; the caller has checked {@link isFull}.
   */
  push(frame: number, readyAt: number, portPs: number = this.portPs(frame)): void {
    if (this.#count === this.#size) this.#grow();
    const ring = this.#ring;
    const place = this.#placeOf(this.#count);
    ring[place | FRAME] = frame;
    ring[place | READY] = readyAt;
    ring[place | PORT_PS] = portPs;
    this.#count = (this.#count + 1) | 0;
    if (this.#busy) return;
    this.#busy = true;
    this.#engine.at(readyAt, this.#startHandler);
  }

  /** Where the frame is that has so many before it. */
  #placeOf(before: number): number {
    const slot = (this.#head + before) | 0;
    return (slot < this.#size ? slot : slot - this.#size) << PLACE_BITS;
  }

  #grow(): void {
    const old = this.#ring;
    const head = this.#head << PLACE_BITS;
    this.#size = Math.min(2 * this.#size, this.capacity);
    this.#ring = new Float64Array(this.#size << PLACE_BITS);
    this.#ring.set(old.subarray(head)); // the oldest first
    this.#ring.set(old.subarray(0, head), old.length - head);
    this.#head = 0;
  }

  static readonly #onStart = (_a: number, _b: number, of: Serialiser) => of.#start();
  static readonly #onSent = (frame: number, _b: number, of: Serialiser) => of.#frameSent(frame);

  #start(): void {
    const now = this.#engine.now;
    this.#started = now;
    this.link!.directions[this.side].startedAt = now;
    const first = this.#head << PLACE_BITS;
    this.#engine.after(this.#ring[first | PORT_PS], this.#sentHandler, this.#ring[first | FRAME] | 0);
    if (this.#count > 3 * FETCHED_TOGETHER && --this.#untilFetch <= 0) this.#fetchAhead();
  }

  /** Long before their turn: a frame that stands in a queue of thousands has gone from the processor's cache. */
  #fetchAhead(): void {
    this.#untilFetch = FETCHED_TOGETHER;
    for (let i = 1; i <= FETCHED_TOGETHER; i++) {
      const soon = this.#placeOf(FETCHED_TOGETHER + i);
      const later = this.#placeOf(2 * FETCHED_TOGETHER + i);
      this.#frames.fetch(this.#ring[soon | FRAME] | 0, this.#ring[later | FRAME] | 0);
    }
  }

  #frameSent(frame: number): void {
    const now = this.#engine.now;
    const ready = this.#ring[(this.#head << PLACE_BITS) | READY];
    this.#head = this.#head + 1 === this.#size ? 0 : this.#head + 1;
    this.#count = (this.#count - 1) | 0;
    const busy = now - this.#started;
    this.#sent(frame, ready);
    const { journeys } = this.#frames;
    const journey = this.#frames.journeyOf(frame);
    if (journey >= 0) {
      // Booked now, as nobody has looked at the frame while it stood in line.
      journeys.place = this.link!.name;
      journeys.side = this.side;
      journeys.until(journey, QUEUEING, this.#started);
      journeys.work(journey, WIRE, busy);
    }
    this.link!.carry(this.side, frame, busy);
    if (this.#count === 0) {
      this.#busy = false;
      return;
    }
    const next = this.#ring[(this.#head << PLACE_BITS) | READY];
    if (next > now) this.#engine.at(next, this.#startHandler);
    else this.#start();
  }
}
