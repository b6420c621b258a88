import { mergeCounts, percentilesOf } from "../metrics/value_counts.ts";

/**
 * What a run did between two looks at it, as sums only: intervals can be added up to any stretch of virtual time that
 * begins and ends at such looks, percentiles included, and two turns of a run compared over the same stretch.
 */
export interface Interval {
  /** Virtual time, picoseconds. */
  readonly fromPs: number;
  readonly toPs: number;
  /** Events that had run, messages complete and inputs done, since the start of the run, at its end. */
  readonly events: number;
  readonly inputs: number;
  /** Lines that the event log had got until then, with those that it has forgotten. */
  readonly said: number;
  readonly completed: number;
  readonly messages: number;
  /** Payload of these, and by how much there is more of messages under way at the end than at the beginning. */
  readonly bytes: number;
  readonly arrived: number;
  readonly retransmits: number;
  /** CPU time of the kernels and driver domains of all hosts, and of all guests, picoseconds. */
  readonly hostCpuPs: number;
  readonly guestCpuPs: number;
  /** Latencies by value: nanoseconds, number of messages, and so on, ascending, as {@link Histogram.counts} gives them. */
  readonly latencies: readonly number[];
}

/** What two turns are compared by. */
export interface Stretch {
  readonly fromPs: number;
  readonly toPs: number;
  readonly messages: number;
  readonly retransmits: number;
  readonly throughput_MBps: number;
  readonly p50_us: number | null;
  readonly p99_us: number | null;
  /** CPUs that were busy on average. */
  readonly hostCpus: number;
  readonly guestCpus: number;
}

/**
 * Figures of the intervals between two looks. Null when nothing lies between them, or when one of the two is not an end
 * of an interval: figures of a part of an interval are not known.
 */
export function stretchOf(intervals: readonly Interval[], fromPs: number, toPs: number): Stretch | null {
  const first = intervals.findIndex((interval) => interval.fromPs === fromPs);
  const last = intervals.findLastIndex((interval) => interval.toPs === toPs);
  if (first < 0 || last < first) return null;
  const sum = intervals.slice(first, last + 1).reduce((a, b) => combine(a, b, 1));
  const elapsed = toPs - fromPs;
  return {
    fromPs,
    toPs,
    messages: sum.messages,
    retransmits: sum.retransmits,
    throughput_MBps: (Math.max(0, sum.bytes + sum.arrived) / elapsed) * 1e6,
    ...percentilesUs(sum.latencies),
    hostCpus: sum.hostCpuPs / elapsed,
    guestCpus: sum.guestCpuPs / elapsed,
  };
}

/**
 * `intervals` with an end at `atPs`. Where there is none, the interval is cut there: what came before is known from
 * `other`, another turn that did the same up to then. Left as it is when `other` does not know either.
 */
export function cutAt(intervals: readonly Interval[], atPs: number, other: readonly Interval[]): readonly Interval[] {
  const index = intervals.findIndex(({ fromPs, toPs }) => fromPs < atPs && atPs < toPs);
  if (index < 0) return intervals;
  const whole = intervals[index];
  const first = other.findIndex(({ fromPs }) => fromPs === whole.fromPs);
  const last = other.findLastIndex(({ toPs }) => toPs === atPs);
  if (first < 0 || last < first) return intervals;
  const before = other.slice(first, last + 1).reduce((a, b) => combine(a, b, 1));
  const { toPs, events, completed, inputs, said } = whole;
  const after = { ...combine(whole, before, -1), fromPs: atPs, toPs, events, completed, inputs, said };
  return intervals.toSpliced(index, 1, before, after);
}

/** Sums of `a` and `sign` times `b`; the time from the start of `a` to the end of `b`. */
function combine(a: Interval, b: Interval, sign: 1 | -1): Interval {
  return {
    fromPs: a.fromPs,
    toPs: b.toPs,
    events: b.events,
    completed: b.completed,
    inputs: b.inputs,
    said: b.said,
    messages: a.messages + sign * b.messages,
    bytes: a.bytes + sign * b.bytes,
    arrived: a.arrived + sign * b.arrived,
    retransmits: a.retransmits + sign * b.retransmits,
    hostCpuPs: a.hostCpuPs + sign * b.hostCpuPs,
    guestCpuPs: a.guestCpuPs + sign * b.guestCpuPs,
    latencies: mergeCounts(a.latencies, b.latencies, sign),
  };
}

/** Microseconds of latencies by value, in nanoseconds; null without any. */
function percentilesUs(latencies: readonly number[]): Pick<Stretch, "p50_us" | "p99_us"> {
  const [p50_us, p99_us] = percentilesOf(latencies, [50, 99]).map((ns) => Number.isNaN(ns) ? null : ns / 1000);
  return { p50_us, p99_us };
}
