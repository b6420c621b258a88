import * as stages from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { FramePool } from "./frame.ts";
import type { Link, LinkDirection } from "./link.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { QUEUEING } = stages;

/** What is known of queued frames is fetched from memory for so many of them at a time: see {@link FramePool.fetch}. */
const FETCHED_TOGETHER = 8;

/**
 * The transmit end of a port: a ring of frames, sent one after another at the link's rate. A frame may leave once it
 * is ready (a NIC has fetched it). One event per frame: the instant its last bit leaves.
 */
export class Serialiser {
  readonly capacity: number;
  link: Link | null = null;
  side: 0 | 1 = 0;
  /** Since when the frame was ready whose last bit has left: for who is told of that. */
  readyAt = 0;
  #direction: LinkDirection | null = null;
  readonly #engine: Engine;
  readonly #frames: FramePool;
  readonly #pagePs: number;
  readonly #ring: Int32Array;
  readonly #ready: Float64Array;
  readonly #portPs: Float64Array;
  #head = 0;
  #count = 0;
  #busy = false;
  #started = 0;
  #untilFetch = 0;
  readonly #sentHandler: number;
  readonly #startHandler: number;
  readonly #sent: (frame: number) => void;

  /**
   * `pagePs` is what each page of payload adds to a frame's serialisation, picoseconds: work of its sender. `sent` is
   * told when a frame's last bit leaves, before the link takes it.
   */
  constructor(
    engine: Engine,
    frames: FramePool,
    name: string,
    capacity: number,
    pagePs: number,
    sent: (frame: number) => void,
  ) {
    this.#engine = engine;
    this.#frames = frames;
    this.capacity = capacity;
    this.#ring = new Int32Array(capacity);
    this.#ready = new Float64Array(capacity);
    this.#portPs = new Float64Array(capacity);
    this.#pagePs = pagePs;
    this.#sent = sent;
    this.#startHandler = engine.handler(`${name} serialiser start`, () => this.#start());
    this.#sentHandler = engine.handler(`${name} frame sent`, (frame) => this.#frameSent(frame));
  }

  connect(link: Link, side: 0 | 1): void {
    this.link = link;
    this.side = side;
    this.#direction = link.directions[side];
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.capacity;
  }

  /** Picoseconds that a frame takes the port: sender work and serialisation. */
  portPs(frame: number): number {
    const wirePs = this.link!.serialisation(frame);
    return this.#pagePs === 0 ? wirePs : wirePs + this.#frames.payloadPages(frame) * this.#pagePs;
  }

  /**
   * Adds a frame that may leave at `readyAt` (picoseconds, not before now) and takes the port for {@link portPs}, which
   * its sender may have asked for when it had the frame in hand; the caller has checked {@link isFull}.
   */
  push(frame: number, readyAt: number, portPs: number = this.portPs(frame)): void {
    let slot = this.#head + this.#count++;
    if (slot >= this.capacity) slot -= this.capacity;
    this.#ring[slot] = frame;
    this.#ready[slot] = readyAt;
    this.#portPs[slot] = portPs;
    if (this.#busy) return;
    this.#busy = true;
    this.#engine.at(readyAt, this.#startHandler);
  }

  #start(): void {
    const now = this.#engine.now;
    this.#started = now;
    this.#direction!.startedAt = now;
    this.#engine.after(this.#portPs[this.#head], this.#sentHandler, this.#ring[this.#head]);
    if (this.#count > 3 * FETCHED_TOGETHER && --this.#untilFetch <= 0) this.#fetchAhead();
  }

  /** Long before their turn: a frame that stands in a queue of thousands has gone from the processor's cache. */
  #fetchAhead(): void {
    this.#untilFetch = FETCHED_TOGETHER;
    this.#frames.fetchOfRing(this.#ring, this.#head + FETCHED_TOGETHER + 1, FETCHED_TOGETHER);
  }

  #frameSent(frame: number): void {
    const now = this.#engine.now;
    this.readyAt = this.#ready[this.#head];
    this.#head = this.#head + 1 === this.capacity ? 0 : this.#head + 1;
    this.#count--;
    const busy = now - this.#started;
    this.#sent(frame);
    const link = this.link!;
    const { journeys } = this.#frames;
    if (journeys.isRecording) {
      journeys.place = link.name;
      journeys.side = this.side;
    }
    // Booked now, as nobody has looked at the frame while it stood in line.
    journeys.until(this.#frames.journeyOf(frame), QUEUEING, this.#started);
    link.carry(this.side, frame, busy);
    if (this.#count === 0) {
      this.#busy = false;
      return;
    }
    const next = this.#ready[this.#head];
    if (next > now) this.#engine.at(next, this.#startHandler);
    else this.#start();
  }
}
