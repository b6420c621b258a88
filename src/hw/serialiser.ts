import * as stages from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { FramePool } from "./frame.ts";
import type { Link, LinkDirection } from "./link.ts";
import { type Records, recordsOf } from "./records.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { NIC, QUEUEING } = stages;

/** What is known of queued frames is fetched from memory for so many of them at a time: see {@link FramePool.fetch}. */
const FETCHED_TOGETHER = 8;

/**
 * A place of the ring, of four doubles: the frame, since when it may leave, the picoseconds it takes the port, and since
 * when it does.
 */
const FRAME = 0;
const READY = 1;
const PORT_PS = 2;
const STARTED = 3;
const PLACE_BITS = 2;
/** Places at first: a line of the cache. */
const FEW = 2;

/** Whose port it is. */
export interface Sender {
  /** A frame's last bit leaves, before the link takes it: {@link Serialiser.readyAt} says since when it was ready. */
  frameSent(frame: number): void;
}

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
  /** Since when the frame was ready whose last bit has left: for who is told of that. */
  readyAt = 0;
  #direction: LinkDirection | null = null;
  readonly #engine: Engine;
  readonly #frames: FramePool;
  readonly #records: Records;
  #ring: number;
  #size = FEW;
  #head = 0;
  #count = 0;
  #busy = false;
  #untilFetch = 0;
  readonly #sentHandler: number;
  readonly #startHandler: number;
  readonly #pagePs: number;
  readonly #sender: Sender;

  /** `pagePs` is what each page of payload adds to a frame's serialisation, picoseconds: work of its sender. */
  constructor(
    engine: Engine,
    frames: FramePool,
    name: string,
    capacity: number,
    pagePs: number,
    sender: Sender,
  ) {
    this.#engine = engine;
    this.#frames = frames;
    this.capacity = capacity;
    this.#pagePs = pagePs;
    this.#sender = sender;
    this.#records = recordsOf(engine);
    this.#ring = this.#records.take(FEW << PLACE_BITS);
    this.#startHandler = engine.handler(`${name} serialiser start`, Serialiser.#onStart, this);
    this.#sentHandler = engine.handler(`${name} frame sent`, Serialiser.#onSent, this);
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
   * Adds a frame that may leave `delayPs` from now and takes the port for {@link portPs}, which its sender may
   * have asked for when it had the frame in hand; the caller has checked {@link isFull}.
   */
  push(frame: number, delayPs: number, portPs: number = this.portPs(frame)): void {
    if (this.#count === this.#size) this.#grow();
    const { words } = this.#records;
    const place = this.#placeOf(this.#count);
    words[place + FRAME] = frame;
    words[place + READY] = this.#engine.now + delayPs;
    words[place + PORT_PS] = portPs;
    this.#count = (this.#count + 1) | 0;
    if (this.#busy) return;
    this.#busy = true;
    this.#engine.after(delayPs, this.#startHandler);
  }

  /** Where the frame is that has so many before it. */
  #placeOf(before: number): number {
    const slot = (this.#head + before) | 0;
    return (this.#ring + ((slot < this.#size ? slot : slot - this.#size) << PLACE_BITS)) | 0;
  }

  #grow(): void {
    const larger = this.#records.take(2 * this.#size << PLACE_BITS);
    const { words } = this.#records;
    const middle = this.#placeOf(0);
    const end = this.#ring + (this.#size << PLACE_BITS);
    words.copyWithin(larger, middle, end); // the oldest first
    words.copyWithin(larger + end - middle, this.#ring, middle);
    this.#ring = larger;
    this.#size = 2 * this.#size;
    this.#head = 0;
  }

  static readonly #onStart = (_a: number, _b: number, of: Serialiser) => of.#start();
  static readonly #onSent = (frame: number, _b: number, of: Serialiser) => of.#frameSent(frame);

  #start(): void {
    const now = this.#engine.now;
    const { words } = this.#records;
    const first = this.#placeOf(0);
    words[first + STARTED] = now;
    this.#direction!.startedAt = now;
    this.#engine.after(words[first + PORT_PS], this.#sentHandler, words[first + FRAME] | 0);
    if (this.#count > 3 * FETCHED_TOGETHER && --this.#untilFetch <= 0) this.#fetchAhead();
  }

  /** Long before their turn: a frame that stands in a queue of thousands has gone from the processor's cache. */
  #fetchAhead(): void {
    this.#untilFetch = FETCHED_TOGETHER;
    for (let i = 1; i <= FETCHED_TOGETHER; i++) {
      const soon = this.#placeOf(FETCHED_TOGETHER + i) + FRAME;
      const later = this.#placeOf(2 * FETCHED_TOGETHER + i) + FRAME;
      this.#frames.fetch(this.#records.words[soon] | 0, this.#records.words[later] | 0);
    }
  }

  #frameSent(frame: number): void {
    const now = this.#engine.now;
    const { words } = this.#records;
    const first = this.#placeOf(0);
    const started = words[first + STARTED];
    this.readyAt = words[first + READY];
    this.#head = this.#head + 1 === this.#size ? 0 : this.#head + 1;
    this.#count = (this.#count - 1) | 0;
    this.#sender.frameSent(frame);
    const link = this.link!;
    // Booked now, as nobody has looked at the frame while it stood in line.
    const busyPs = now - started;
    const workPs = this.#pagePs === 0 ? 0 : busyPs - link.serialisation(frame);
    const { journeys } = this.#frames;
    const journey = this.#frames.journeyOf(frame);
    if (journeys.isRecording) {
      journeys.place = link.name;
      journeys.side = this.side;
    }
    journeys.until(journey, QUEUEING, started);
    if (workPs > 0 && journey >= 0) this.#bookWork(journey, workPs);
    link.carry(this.side, frame, busyPs, workPs);
    if (this.#count === 0) {
      this.#busy = false;
      return;
    }
    const next = this.#records.words[this.#placeOf(0) + READY];
    if (next > now) this.#engine.after(next - now, this.#startHandler);
    else this.#start();
  }

  /** The wire is idle while its sender works on a frame. */
  #bookWork(journey: number, workPs: number): void {
    const { journeys } = this.#frames;
    if (journeys.isRecording) journeys.place = this.#direction!.from.name;
    journeys.work(journey, NIC, workPs);
    if (journeys.isRecording) journeys.place = this.link!.name;
  }
}
