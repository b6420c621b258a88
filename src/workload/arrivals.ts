import { Prng } from "../base/prng.ts";
import { SECOND } from "../base/units.ts";

/** How requests come: at random and independently of each other, or evenly spaced. */
export type ArrivalLaw = "poisson" | "uniform";

/** A time drawn from the exponential distribution, in whole picoseconds. */
export function exponentialPs(random: Prng, meanPs: number): number {
  return Math.round(-Math.log(1 - random.unit()) * meanPs); // 1 - unit() is never 0
}

/** When requests come, one after another. Two of the same seed are the same. */
class Instants {
  /** The next one, picoseconds of virtual time. */
  next: number;
  readonly #law: ArrivalLaw;
  readonly #meanPs: number;
  readonly #random: Prng;

  constructor(law: ArrivalLaw, perSecond: number, seed: number, startPs: number) {
    this.#law = law;
    this.#meanPs = SECOND / perSecond;
    this.#random = new Prng(seed, "arrivals");
    // Evenly spaced ones begin anywhere in a gap: clients that start together do not send together for ever.
    const first = law === "poisson" ? exponentialPs(this.#random, this.#meanPs) : this.#random.unit() * this.#meanPs;
    this.next = startPs + Math.round(first);
  }

  advance(): void {
    const gap = this.#law === "poisson" ? exponentialPs(this.#random, this.#meanPs) : Math.round(this.#meanPs);
    this.next += gap;
  }
}

export interface OfferedOptions {
  readonly law: ArrivalLaw;
  readonly perSecond: number;
  /** Of its random numbers. */
  readonly seed: number;
  /** When the client begins, picoseconds. */
  readonly startPs: number;
  /** Requests in all. */
  readonly limit: number;
}

/**
 * What an open-loop client is asked for. Requests become due at instants that no reply can move; those that the client
 * cannot send yet wait, however many. A client that sent its next request only after a reply would leave out those that
 * a slow server delays most ("coordinated omission": Gil Tene, wrk2).
 *
 * Nothing is kept of the requests that wait: their instants are drawn once more when it is their turn.
 */
export class OfferedLoad {
  /** Of the oldest request that the client has not taken. */
  readonly #oldest: Instants;
  /** Of the first request that has not been counted. */
  readonly #ahead: Instants;
  readonly #limit: number;
  /** When requests under way were due, by number, picoseconds of virtual time: for who receives them. */
  readonly due: Map<number, number> = new Map();
  #counted = 0;
  #taken = 0;
  #over = 0;
  #isAbandoned = false;

  constructor({ law, perSecond, seed, startPs, limit }: OfferedOptions) {
    this.#oldest = new Instants(law, perSecond, seed, startPs);
    this.#ahead = new Instants(law, perSecond, seed, startPs);
    this.#limit = limit;
  }

  /** When the next request that is not taken is due, picoseconds: maybe long ago. Infinity after the last one. */
  get nextPs(): number {
    return this.#taken < this.#limit ? this.#oldest.next : Infinity;
  }

  /** Takes that request to send it; returns when it was due. */
  take(): number {
    const due = this.#oldest.next;
    this.#oldest.advance();
    this.#taken++;
    return due;
  }

  /** `count` of the requests that were taken have been replied to, or are lost. */
  close(count = 1): void {
    this.#over += count;
  }

  /** The client has died: what waits will never be sent, and no more become due. */
  abandon(at: number): void {
    this.dueBy(at);
    this.#isAbandoned = true;
  }

  /** Requests that have become due until `at`, which is no earlier than when this was asked before. */
  dueBy(at: number): number {
    while (!this.#isAbandoned && this.#counted < this.#limit && this.#ahead.next <= at) {
      this.#ahead.advance();
      this.#counted++;
    }
    return this.#counted;
  }

  /** Of these, those that the client has not sent. A client's burst may be a little ahead of `at`. */
  waitingAt(at: number): number {
    return this.#isAbandoned ? 0 : Math.max(0, this.dueBy(at) - this.#taken);
  }

  /** Of these, those without a reply: not sent, or under way. */
  unansweredAt(at: number): number {
    return this.#isAbandoned ? 0 : Math.max(0, this.dueBy(at) - this.#over);
  }
}
