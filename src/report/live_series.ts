import { percentilesOf } from "../metrics/value_counts.ts";
import type { Interval } from "./interval.ts";
import type { IntervalFigures } from "./interval_figures.ts";
import type { Sample } from "./live_snapshot.ts";
import { machineFigures, type SampledHost, type SampledLink } from "./machine_sums.ts";
import type { Distribution, TotalFigures } from "./snapshot.ts";
import { ratesOf, roundedAll } from "./tally.ts";

/** What is kept of an interval of the dashboard: an {@link IntervalFigures} without what nobody draws. */
export interface SampledInterval extends Pick<IntervalFigures, "from_ns" | "to_ns" | "measured_ns"> {
  totals: Pick<
    TotalFigures,
    "messages" | "bytes" | "latency_us" | "throughput_MBps" | "messages_per_s" | "retransmits"
  >;
  /** Left out where they were not kept. */
  hosts?: SampledHost[];
  links?: SampledLink[];
}

/** The samples of the charts as `run --interval` writes its intervals. Both lists are of the same looks. */
export function sampledSeries(intervals: readonly Interval[], samples: readonly Sample[]): SampledInterval[] {
  const sampleAt = new Map(samples.map((sample) => [sample.at_ns, sample]));
  return intervals.map((interval) => {
    const { fromPs, toPs, messages, bytes, arrived, retransmits, latencies } = interval;
    const elapsed = toPs - fromPs;
    const sums = sampleAt.get(toPs / 1000)?.sums;
    return {
      from_ns: fromPs / 1000,
      to_ns: toPs / 1000,
      measured_ns: elapsed / 1000,
      totals: {
        messages,
        bytes,
        latency_us: distributionOf(latencies),
        ...ratesOf(bytes + arrived, messages, elapsed),
        retransmits,
      },
      ...(sums === undefined ? {} : machineFigures(sums, elapsed)),
    };
  });
}

/** Of latencies by value, nanoseconds; all of it to the steps of their histogram. */
function distributionOf(counts: readonly number[]): Distribution | null {
  if (counts.length === 0) return null;
  let sum = 0;
  let count = 0;
  for (let i = 0; i < counts.length; i += 2) {
    sum += counts[i] * counts[i + 1];
    count += counts[i + 1];
  }
  const [p50, p90, p99, p999] = percentilesOf(counts, [50, 90, 99, 99.9]).map((ns) => ns / 1000);
  const [min, max] = [counts[0] / 1000, counts[counts.length - 2] / 1000];
  return roundedAll({ min, mean: sum / count / 1000, p50, p90, p99, p999, max });
}
