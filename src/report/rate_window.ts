import { Baseline } from "../cluster/baseline.ts";
import type { Guest } from "../cluster/cluster.ts";
import type { Session } from "../cluster/session.ts";

/**
 * Rates are of at least so much virtual time: in a few microseconds there is either no message at all or one that had
 * been under way for longer, and a rate of that is nothing or far too much. In ten milliseconds a link of 10 Gb/s carries
 * three of the largest messages of the scenarios. Picoseconds.
 */
const RATE_PS = 1e10;
/** Intervals that a rate is of at most: in slow motion, those before are forgotten. */
const RATE_INTERVALS = 16;

/** Of a guest in an interval: bytes and messages that came in and went out. */
const FIELDS = 4;

/** What a guest has received and sent in a window: payload as it arrives, messages when they are complete. */
export interface Carried {
  readonly bytes: number;
  readonly messages: number;
  readonly sentBytes: number;
  readonly sentMessages: number;
}

interface Stretch {
  /** The accounts at its start. */
  readonly before: Baseline;
  /** By guest, {@link FIELDS} each. */
  readonly carried: Float64Array;
}

/** The latest intervals of a view, as many as make a rate: as a rule only the last one. */
export class RateWindow {
  readonly #stretches: Stretch[] = [];

  /** Adds the interval between two accounts, of which the meters of guests still have their sums. */
  add(before: Baseline, after: Baseline, guests: readonly Guest[]): void {
    const carried = new Float64Array(guests.length * FIELDS);
    for (const [i, { meter }] of guests.entries()) {
      const bytes = meter.recentBytes + after.arriving.received[i] - before.arriving.received[i];
      const sentBytes = meter.recentSentBytes + after.arriving.sent[i] - before.arriving.sent[i];
      carried.set([bytes, meter.recentMessages, sentBytes, meter.recentSentMessages], i * FIELDS);
    }
    const stretches = this.#stretches;
    stretches.push({ before, carried });
    while (
      stretches.length > RATE_INTERVALS || (stretches.length > 1 && after.at - stretches[1].before.at >= RATE_PS)
    ) {
      stretches.shift();
    }
  }

  /** The accounts where the window begins. */
  get before(): Baseline {
    return this.#stretches[0].before;
  }

  /** What a guest's meter has had in the window. */
  carried(guest: number): Carried {
    const sums = [0, 0, 0, 0];
    for (const { carried } of this.#stretches) {
      for (let field = 0; field < FIELDS; field++) sums[field] += carried[guest * FIELDS + field];
    }
    const [bytes, messages, sentBytes, sentMessages] = sums;
    return { bytes: Math.max(0, bytes), messages, sentBytes: Math.max(0, sentBytes), sentMessages };
  }

  /** The cluster is another one: nothing of the window is its. */
  clear(): void {
    this.#stretches.length = 0;
  }
}

/** Looks at a run that is made again as a view had looked at it, for the rates alone. */
export class RateMemory {
  readonly window: RateWindow = new RateWindow();
  readonly #session: Session;
  #before: Baseline;
  #generation: number;

  constructor(session: Session) {
    this.#session = session;
    session.settle();
    this.#before = new Baseline(session.cluster);
    this.#generation = session.generation;
    this.#forget();
  }

  look(): void {
    const { cluster, generation, startPs } = this.#session;
    this.#session.settle();
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#before = new Baseline(cluster, startPs);
      this.window.clear();
    }
    const after = new Baseline(cluster);
    this.window.add(this.#before, after, cluster.guests);
    this.#forget();
    this.#before = after;
  }

  /** What meters have had since the last look belongs to the interval that is over. */
  #forget(): void {
    for (const { meter } of this.#session.cluster.guests) meter.resetRecent();
  }
}

/** The first of the intervals that end with number `last` and make up its rates. */
export function firstOfRate(intervals: readonly { fromPs: number; toPs: number }[], last: number): number {
  let first = last;
  while (first > 0 && last - first + 1 < RATE_INTERVALS && intervals[last].toPs - intervals[first].fromPs < RATE_PS) {
    first--;
  }
  return first;
}
