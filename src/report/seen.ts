import { MS } from "../base/units.ts";
import type { Instant } from "../cluster/recording.ts";
import type { Interval } from "./interval.ts";
import { firstOfRate } from "./rate_window.ts";
import type { GuestHistory, LogLine, Sample } from "./live_snapshot.ts";

/** Shorter stretches of virtual time than this do not make a sample worth drawing. */
export const SHORTEST_PS = 10_000;
/** Length of the first interval of a view that begins at a time of which nothing is kept. */
const UNSEEN_PS = 100 * MS;

/** What a view has seen: bounded, the oldest goes first. Samples and intervals are of the same looks. */
export interface Seen {
  readonly samples: readonly Sample[];
  readonly intervals: readonly Interval[];
  readonly log: readonly LogLine[];
  /** Lines that were said, with those that the log has forgotten. */
  readonly said: number;
  /** Of the latest samples only. */
  readonly history: readonly GuestHistory[];
}

/** How a view of a run that is made again comes to see what another view saw at an instant. */
export interface Return {
  /** What it knows when it begins. */
  readonly seen: Seen;
  /** Where a {@link RateMemory} begins, and looks; where that looks last, or begins if it need not, the view begins. */
  readonly start: Instant;
  readonly rates: readonly Instant[];
  /** Where the view has to look on the way: the picture at the instant is of the interval that ended last. */
  readonly look: Instant | null;
}

/** The way back to `to`, which is before the end of what was seen. */
export function returnTo({ samples, intervals, log, said, history }: Seen, to: Instant): Return {
  const { atPs, events = Infinity, messages = Infinity } = to;
  const last = intervals.findLastIndex((interval) =>
    interval.toPs <= atPs && interval.events <= events && interval.completed < messages
  );
  const first = firstOfRate(intervals, last);
  // Of a time of which nothing is kept, the latest stretch must do.
  const unseen = { atPs: Math.max(0, atPs - UNSEEN_PS) };
  const startAt = (index: number) => index > 0 ? endOf(intervals[index - 1]) : startOf(intervals[0]);
  const start = first < 0 ? unseen : startAt(first);
  const viewPs = first < 0 ? unseen.atPs : startAt(last).atPs;
  const known = last > 0 ? intervals[last - 1].said : 0;
  return {
    seen: {
      samples: samples.slice(0, Math.max(0, last)),
      intervals: intervals.slice(0, Math.max(0, last)),
      history: history.filter(({ at_ns }) => at_ns * 1000 <= viewPs),
      log: log.filter(({ at_ns }, i) => last > 0 ? said - log.length + i < known : at_ns * 1000 <= viewPs),
      said: known,
    },
    start: { ...start, messages },
    rates: last < 0 ? [] : intervals.slice(first, last).map(endOf),
    look: last < 0 ? null : endOf(intervals[last]),
  };
}

/** Inputs at that instant came after the look at it. */
function endOf({ toPs, events, inputs }: Interval): Instant {
  return { atPs: toPs, events, inputs };
}

/** Events of the very first instant have not come when a view begins. */
function startOf({ fromPs }: Interval): Instant {
  return fromPs === 0 ? { atPs: 0, events: 0 } : { atPs: fromPs };
}
