import { assert } from "../base/assert.ts";
import { Prng } from "../base/prng.ts";
import { TIME_LIMIT_PS } from "../base/units.ts";
import { EventQueue } from "./event_queue.ts";

/**
 * Events that run in one call. V8 makes better code of a function that is called again and again than of a loop that has
 * been entered once and goes on; called too often, it is put into its caller, and the queue no longer into it.
 */
const AT_ONCE = 2048;

/**
 * What runs when an event comes due: two integer arguments, meaning as the handler declares, and what was declared with
 * it.
 */
export type Handler<T = unknown> = (a: number, b: number, of: T) => void;

/**
 * Virtual time. Components declare handlers once, at construction, and schedule them by number with two integer
 * arguments; nothing is allocated per event. Handlers run one at a time, in the order that {@link EventQueue} states.
 *
 * The same construction, seed and calls give the same event stream, in one run or in slices. The stream is hashed into
 * {@link fingerprint} as it runs: two runs that differ in one event differ there.
 */
export class Engine {
  readonly seed: number;
  /** The present instant, picoseconds. */
  now = 0;
  /** Events run so far. */
  events = 0;

  #queue = new EventQueue();
  /** Of handler h its function at 2 h, and what that runs for behind it: both on one line of the cache. */
  #handlers: unknown[] = [];
  #names: string[] = [];
  #hashA = 0x2545f491 | 0;
  #hashB = 0x9e3779b9 | 0;
  #stopRequested = false;

  constructor(seed = 1) {
    this.seed = seed;
  }

  /**
   * An engine without handlers or events that carries on where this one stands: its clock, its count of events and its
   * fingerprint. Two runs whose second part differs differ in the fingerprint as if one engine had run it all.
   */
  successor(seed: number): Engine {
    const next = new Engine(seed);
    next.now = this.now;
    next.events = this.events;
    next.#hashA = this.#hashA;
    next.#hashB = this.#hashB;
    next.#queue.begin(this.now);
    return next;
  }

  /**
   * Declares a handler. Order of declaration is part of a run's identity. Of components that there are thousands of, all
   * declare one function, and each itself as what it runs `of`: a closure for each, with its context, is two more objects
   * on the way to the component, which have left the cache when their turn comes.
   */
  handler(name: string, run: Handler<undefined>): number;
  handler<T>(name: string, run: Handler<T>, of: T): number;
  handler(name: string, run: Handler<never>, of?: unknown): number {
    this.#handlers.push(run, of);
    return this.#names.push(name) - 1;
  }

  handlerName(handler: number): string {
    return this.#names[handler];
  }

  /** A stream of random numbers that depends on the seed and this name alone. */
  random(stream: string): Prng {
    return new Prng(this.seed, stream);
  }

  /**
   * Schedules a handler at an absolute time, picoseconds. Where V8 does not inline this it allocates a number for the
   * time: what schedules for each frame or burst says {@link after} how long it is to be.
   */
  at(timePs: number, handler: number, a = 0, b = 0): void {
    this.#queue.push(timePs, handler, a, b);
  }

  /** Schedules a handler `delayPs` from now. */
  after(delayPs: number, handler: number, a = 0, b = 0): void {
    this.#queue.push(this.now + delayPs, handler, a, b);
  }

  /** The same as {@link at} for what may be called off: returns an id for {@link cancel}. */
  timer(timePs: number, handler: number, a = 0, b = 0): number {
    this.#queue.push(timePs, handler, a, b);
    return this.#queue.latest;
  }

  /** The same `delayPs` from now. */
  timerAfter(delayPs: number, handler: number, a = 0, b = 0): number {
    this.#queue.push(this.now + delayPs, handler, a, b);
    return this.#queue.latest;
  }

  /** Calls a timer off; false when it has run or was called off before. */
  cancel(id: number): boolean {
    return this.#queue.cancel(id);
  }

  /** The handler of the event that ran last; meaningless before the first. */
  get lastHandler(): number {
    return this.#queue.handler;
  }

  get pending(): number {
    return this.#queue.size;
  }

  /** Time of the next event, Infinity when nothing is left to do. */
  get nextTime(): number {
    return this.#queue.nextTime();
  }

  /** Makes {@link run} return after the handler that is running now. */
  stop(): void {
    this.#stopRequested = true;
  }

  /**
   * Runs every event up to and including `until`, then sets the clock to `until`. Returns earlier, with the clock at
   * the last event, after `maxEvents` events or a call of {@link stop}; returns whether `until` was reached.
   */
  run(until: number, maxEvents = Infinity): boolean {
    assert(until <= TIME_LIMIT_PS, "engine: virtual time would pass 2^53 picoseconds");
    this.#stopRequested = false;
    let left = maxEvents;
    let reached = true;
    for (;;) {
      const most = Math.min(left, AT_ONCE);
      const ran = this.#runSome(until, most);
      left -= ran;
      if (this.#stopRequested) return false; // also after the last event of all
      if (ran < most) break;
      if (left <= 0) {
        reached = this.#queue.nextTime() > until;
        break;
      }
    }
    if (reached && until > this.now) this.now = until;
    return reached;
  }

  /** Runs `most` events; fewer if that is all up to `until`, or one of them has asked to stop. Returns how many. */
  #runSome(until: number, most: number): number {
    const queue = this.#queue;
    const handlers = this.#handlers;
    let hashA = this.#hashA;
    let hashB = this.#hashB;
    let ran = 0;
    while (ran < most && queue.pop(until)) {
      const { time, handler, a, b } = queue;
      this.now = time;
      this.events++;
      ran = (ran + 1) | 0;
      hashA = Math.imul((hashA ^ (time | 0)) + handler, 0x9e3779b1) ^ (hashA >>> 15);
      hashB = Math.imul((hashB ^ a) + Math.imul(b, 0x85ebca6b), 0xc2b2ae35) ^ (hashB >>> 13) ^ hashA;
      (handlers[handler << 1] as Handler)(a, b, handlers[(handler << 1) | 1]);
      if (this.#stopRequested) break;
    }
    this.#hashA = hashA;
    this.#hashB = hashB;
    return ran;
  }

  /** 64 bits, in hexadecimal, of every event's time, handler and arguments so far. */
  get fingerprint(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, "0");
    return hex(this.#hashA) + hex(this.#hashB);
  }
}
