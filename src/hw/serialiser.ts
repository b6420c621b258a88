import { QUEUEING, WIRE } from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { FramePool } from "./frame.ts";
import type { Link } from "./link.ts";

/**
 * The transmit end of a port: a ring of frames, sent one after another at the link's rate. A frame may leave once it
 * is ready (a NIC has fetched it). One event per frame: the instant its last bit leaves.
 */
export class Serialiser {
  readonly capacity: number;
  link: Link | null = null;
  side: 0 | 1 = 0;
  readonly #engine: Engine;
  readonly #frames: FramePool;
  readonly #ring: Int32Array;
  readonly #ready: Float64Array;
  #head = 0;
  #count = 0;
  #busy = false;
  #started = 0;
  readonly #sentHandler: number;
  readonly #startHandler: number;
  readonly #setup: (frame: number) => number;
  readonly #sent: (frame: number) => void;

  /**
   * `setup` gives the picoseconds of sender work that add to a frame's serialisation; `sent` is told when a frame's
   * last bit leaves, before the link takes it.
   */
  constructor(
    engine: Engine,
    frames: FramePool,
    name: string,
    capacity: number,
    setup: (frame: number) => number,
    sent: (frame: number) => void,
  ) {
    this.#engine = engine;
    this.#frames = frames;
    this.capacity = capacity;
    this.#ring = new Int32Array(capacity);
    this.#ready = new Float64Array(capacity);
    this.#setup = setup;
    this.#sent = sent;
    this.#startHandler = engine.handler(`${name} serialiser start`, () => this.#start());
    this.#sentHandler = engine.handler(`${name} frame sent`, (frame) => this.#frameSent(frame));
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

  /** Adds a frame that may leave at `readyAt` (picoseconds, not before now); the caller has checked {@link isFull}. */
  push(frame: number, readyAt: number): void {
    const slot = (this.#head + this.#count++) % this.capacity;
    this.#ring[slot] = frame;
    this.#ready[slot] = readyAt;
    if (this.#busy) return;
    this.#busy = true;
    this.#engine.at(readyAt, this.#startHandler);
  }

  #start(): void {
    const frame = this.#ring[this.#head];
    const now = this.#engine.now;
    this.#started = now;
    this.link!.directions[this.side].startedAt = now;
    const duration = this.link!.serialisation(frame) + this.#setup(frame);
    const journey = this.#frames.journeyOf(frame);
    this.#frames.journeys.place = this.link!.name;
    this.#frames.journeys.side = this.side;
    this.#frames.journeys.until(journey, QUEUEING, now);
    if (journey >= 0) this.#frames.journeys.work(journey, WIRE, duration);
    this.#engine.after(duration, this.#sentHandler, frame);
  }

  #frameSent(frame: number): void {
    this.#head = (this.#head + 1) % this.capacity;
    this.#count--;
    const busy = this.#engine.now - this.#started;
    this.#sent(frame);
    this.link!.carry(this.side, frame, busy);
    if (this.#count === 0) {
      this.#busy = false;
      return;
    }
    const ready = this.#ready[this.#head];
    if (ready > this.#engine.now) this.#engine.at(ready, this.#startHandler);
    else this.#start();
  }
}
