import * as hdr from "hdr-histogram-js";
import { assert } from "../base/assert.ts";

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
  /** Built with the first sample: most of a cluster's histograms never get one. */
  #histogram: hdr.JsHistogram | null = null;
  readonly #digits: 1 | 2 | 3;
  count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;

  constructor(digits: 1 | 2 | 3 = 3) {
    this.#digits = digits;
  }

  record(picoseconds: number): void {
    this.count++;
    this.#sum += picoseconds;
    if (picoseconds < this.#min) this.#min = picoseconds;
    if (picoseconds > this.#max) this.#max = picoseconds;
    (this.#histogram ??= build(this.#digits)).recordValue(Math.round(picoseconds / 1000));
  }

  /** A percentile in microseconds; NaN without samples. */
  percentileUs(percent: number): number {
    if (this.count === 0) return NaN;
    const us = this.#histogram!.getValueAtPercentile(percent) / 1000;
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

  /** The samples by value: upper end of a step of the resolution in nanoseconds, number, and so on, values ascending. */
  counts(): number[] {
    const histogram = this.#histogram;
    if (this.count === 0 || histogram === null) return [];
    const counts: number[] = [];
    let left = this.count;
    for (let index = 0; left > 0; index++) {
      const count = histogram.getCountAtIndex(index);
      if (count === 0) continue;
      counts.push(histogram.highestEquivalentValue(histogram.valueFromIndex(index)), count);
      left -= count;
    }
    return counts;
  }

  add(other: Histogram): void {
    if (other.count === 0) return;
    (this.#histogram ??= build(this.#digits)).add(other.#histogram!);
    this.count += other.count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  reset(): void {
    if (this.count === 0) return;
    this.#histogram!.reset();
    this.count = 0;
    this.#sum = 0;
    this.#min = Infinity;
    this.#max = 0;
  }
}

function build(digits: 1 | 2 | 3): hdr.JsHistogram {
  const histogram = hdr.build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 2_000_000_000,
    numberOfSignificantValueDigits: digits,
    autoResize: true,
  });
  assert(histogram instanceof hdr.JsHistogram, "histogram: made without WebAssembly unless that is asked for");
  return histogram;
}
