import * as hdr from "hdr-histogram-js";

/** Percentiles of a set of durations, in microseconds. */
export interface DistributionUs {
  min: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

/**
 * Durations in picoseconds, kept at a resolution of a nanosecond and three significant digits, or as many as asked for
 * (an HDR histogram); minimum, maximum and mean are exact.
 */
export class Histogram {
  readonly #histogram: hdr.Histogram;
  count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;

  constructor(digits: 1 | 2 | 3 = 3) {
    this.#histogram = hdr.build({
      bitBucketSize: 32,
      lowestDiscernibleValue: 1,
      highestTrackableValue: 2_000_000_000,
      numberOfSignificantValueDigits: digits,
      autoResize: true,
    });
  }

  record(picoseconds: number): void {
    this.count++;
    this.#sum += picoseconds;
    if (picoseconds < this.#min) this.#min = picoseconds;
    if (picoseconds > this.#max) this.#max = picoseconds;
    this.#histogram.recordValue(Math.round(picoseconds / 1000));
  }

  /** A percentile in microseconds; NaN without samples. */
  percentileUs(percent: number): number {
    if (this.count === 0) return NaN;
    const us = this.#histogram.getValueAtPercentile(percent) / 1000;
    return Math.min(Math.max(us, this.#min / 1e6), this.#max / 1e6);
  }

  distribution(): DistributionUs | null {
    if (this.count === 0) return null;
    return {
      min: this.#min / 1e6,
      mean: this.#sum / this.count / 1e6,
      p50: this.percentileUs(50),
      p90: this.percentileUs(90),
      p99: this.percentileUs(99),
      p999: this.percentileUs(99.9),
      max: this.#max / 1e6,
    };
  }

  add(other: Histogram): void {
    if (other.count === 0) return;
    this.#histogram.add(other.#histogram);
    this.count += other.count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  reset(): void {
    if (this.count === 0) return;
    this.#histogram.reset();
    this.count = 0;
    this.#sum = 0;
    this.#min = Infinity;
    this.#max = 0;
  }
}
