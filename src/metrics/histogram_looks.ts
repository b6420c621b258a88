import type { DistributionUs, Histogram } from "./histogram.ts";
import { mergeCounts, percentilesOf } from "./value_counts.ts";

/**
 * What a histogram gets between one look and the next. The histogram knows nothing of it: recording costs the same, and
 * several may look. The first look is at all that it has.
 */
export class HistogramLooks {
  readonly #histogram: Histogram;
  /** As they were at the latest look. */
  #counts: readonly number[] = [];
  #count = 0;
  #sumPs = 0;
  #minPs = Infinity;
  #maxPs = 0;

  constructor(histogram: Histogram) {
    this.#histogram = histogram;
  }

  /**
   * Of the samples since the latest look; null without any. The mean is exact, percentiles are the histogram's own.
   * Minimum and maximum are exact where they are the least and the greatest of all so far, else to its three digits.
   */
  look(): DistributionUs | null {
    const { count, sumPs, minPs, maxPs } = this.#histogram;
    if (count === this.#count) return null;
    const counts = this.#histogram.counts();
    const news = mergeCounts(counts, this.#counts, -1);
    const [p50, p90, p99, p999] = percentilesOf(news, [50, 90, 99, 99.9]);
    const mean = (sumPs - this.#sumPs) / (count - this.#count) / 1e6;
    const least = minPs < this.#minPs ? minPs / 1e6 : Math.max(this.#histogram.stepStartNs(news[0]) / 1e3, minPs / 1e6);
    const most = maxPs > this.#maxPs ? maxPs / 1e6 : Math.min(news[news.length - 2] / 1e3, maxPs / 1e6);
    const [min, max] = [Math.min(least, mean), Math.max(most, mean)];
    const within = (ns: number) => Math.min(Math.max(ns / 1e3, min), max);
    this.#counts = counts;
    this.#count = count;
    this.#sumPs = sumPs;
    this.#minPs = minPs;
    this.#maxPs = maxPs;
    return { min, mean, p50: within(p50), p90: within(p90), p99: within(p99), p999: within(p999), max };
  }
}
