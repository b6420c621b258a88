import { SparseHistogram } from "./sparse_histogram.ts";

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
 * Counts of durations in buckets whose edges grow by a constant factor: bucket `i` holds those from
 * `2 ** ((first + i) / perOctave)` microseconds up to the next edge.
 */
export interface LogBuckets {
  readonly perOctave: number;
  readonly first: number;
  readonly counts: readonly number[];
}

/** What a histogram has places for from the start, nanoseconds; it grows beyond. */
const HIGHEST_NS = 2_000_000_000;

/** Samples that are kept as they are. Many of thousands of guests' histograms never get more: 4 KB each otherwise. */
const FEW = 16;

/** By digits: where few samples are put to be looked at. */
const views: (SparseHistogram | undefined)[] = [];

/** Finest buckets that {@link Histogram.logBuckets} makes: 0.3 % wide, little more than the histogram itself tells. */
const FINEST_PER_OCTAVE = 256;

/**
 * Durations in picoseconds, kept at a resolution of a nanosecond and three significant digits, or as many as asked for
 * (an HDR histogram); minimum, maximum and mean are exact.
 */
export class Histogram {
  /** The first samples, nanoseconds, until there are more than {@link FEW}; then all samples are in the other. */
  #few: number[] | null = null;
  #built: SparseHistogram | null = null;
  readonly #digits: 1 | 2 | 3;
  count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;
  /** What was last asked for, until something is recorded. */
  #distribution: { readonly count: number; readonly value: DistributionUs } | null = null;

  constructor(digits: 1 | 2 | 3 = 3) {
    this.#digits = digits;
  }

  /** All samples, to be read at once: few ones are in a histogram that the next to be looked at are put into. */
  get #histogram(): SparseHistogram {
    if (this.#built !== null) return this.#built;
    const view = views[this.#digits] ??= new SparseHistogram(HIGHEST_NS, this.#digits);
    view.reset();
    return this.#putFewInto(view);
  }

  /** Of all samples; minimum and maximum are Infinity and 0 without any. Picoseconds. */
  get sumPs(): number {
    return this.#sum;
  }

  get minPs(): number {
    return this.#min;
  }

  get maxPs(): number {
    return this.#max;
  }

  /** The lower end of the step of the resolution that a value is in; both nanoseconds. */
  stepStartNs(ns: number): number {
    return this.#histogram.lowestEquivalentValue(ns);
  }

  #build(): SparseHistogram {
    this.#built = this.#putFewInto(new SparseHistogram(HIGHEST_NS, this.#digits));
    this.#few = null;
    return this.#built;
  }

  #putFewInto(histogram: SparseHistogram): SparseHistogram {
    for (const sample of this.#few ?? []) histogram.recordValue(sample);
    return histogram;
  }

  #keep(sample: number): void {
    const few = this.#few ??= [];
    if (few.length < FEW) few.push(sample);
    else this.#build().recordValue(sample);
  }

  record(picoseconds: number): void {
    this.count++;
    this.#sum += picoseconds;
    if (picoseconds < this.#min) this.#min = picoseconds;
    if (picoseconds > this.#max) this.#max = picoseconds;
    const sample = Math.round(picoseconds / 1000);
    if (this.#built !== null) this.#built.recordValue(sample);
    else this.#keep(sample);
  }

  /** A percentile in microseconds; NaN without samples. */
  percentileUs(percent: number): number {
    return this.#percentilesUs([percent])[0];
  }

  distribution(): DistributionUs | null {
    if (this.count === 0) return null;
    // A dashboard asks ten times a second for the figures of guests that have been silent since.
    if (this.#distribution?.count === this.count) return this.#distribution.value;
    const [p50, p90, p99, p999] = this.#percentilesUs([50, 90, 99, 99.9]);
    const value = {
      min: this.#min / 1e6,
      mean: this.#sum / this.count / 1e6,
      p50,
      p90,
      p99,
      p999,
      max: this.#max / 1e6,
    };
    this.#distribution = { count: this.count, value };
    return value;
  }

  /** All samples in at most `most` buckets of a logarithmic scale, as fine as that allows; null without samples. */
  logBuckets(most: number): LogBuckets | null {
    if (this.count === 0) return null;
    // Nothing is shorter than the histogram can tell apart: a nanosecond.
    const edges = [this.#min, this.#max].map((ps) => Math.log2(Math.max(ps / 1e6, 1e-3)));
    let perOctave = FINEST_PER_OCTAVE;
    while (perOctave > 1 && Math.floor(edges[1] * perOctave) - Math.floor(edges[0] * perOctave) >= most) perOctave /= 2;
    const first = Math.floor(edges[0] * perOctave);
    const counts = new Array<number>(Math.floor(edges[1] * perOctave) - first + 1).fill(0);
    const histogram = this.#histogram;
    const end = indexOf(histogram, this.#max);
    for (let i = indexOf(histogram, this.#min); i <= end; i++) {
      const count = histogram.getCountAtIndex(i);
      if (count === 0) continue;
      const us = Math.max(histogram.medianEquivalentValue(histogram.valueFromIndex(i)) / 1e3, 1e-3);
      const bucket = Math.floor(Math.log2(us) * perOctave) - first;
      counts[Math.min(Math.max(bucket, 0), counts.length - 1)] += count;
    }
    return { perOctave, first, counts };
  }

  /** Percentiles in rising order, in one walk that begins at the smallest sample; as `getValueAtPercentile` has them. */
  #percentilesUs(percents: readonly number[]): number[] {
    if (this.count === 0) return percents.map(() => NaN);
    const histogram = this.#histogram;
    let index = indexOf(histogram, this.#min) - 1;
    let passed = 0;
    return percents.map((percent) => {
      // Rounded up, but not because of an error in the last digit.
      const wanted = Math.max(1, Math.ceil((percent / 100) * this.count * (1 - Number.EPSILON)));
      while (passed < wanted) passed += histogram.getCountAtIndex(++index);
      const us = histogram.highestEquivalentValue(histogram.valueFromIndex(index)) / 1000;
      return Math.min(Math.max(us, this.#min / 1e6), this.#max / 1e6);
    });
  }

  /** The samples by value: upper end of a step of the resolution in nanoseconds, number, and so on, values ascending. */
  counts(): number[] {
    if (this.count === 0) return [];
    const histogram = this.#histogram;
    const counts: number[] = [];
    let left = this.count;
    for (let index = indexOf(histogram, this.#min); left > 0; index++) {
      const count = histogram.getCountAtIndex(index);
      if (count === 0) continue;
      counts.push(histogram.highestEquivalentValue(histogram.valueFromIndex(index)), count);
      left -= count;
    }
    return counts;
  }

  reset(): void {
    if (this.count === 0) return;
    this.#distribution = null;
    this.#built?.reset();
    if (this.#few !== null) this.#few.length = 0;
    this.count = 0;
    this.#sum = 0;
    this.#min = Infinity;
    this.#max = 0;
  }
}

function indexOf(histogram: SparseHistogram, picoseconds: number): number {
  return histogram.countsArrayIndex(Math.round(picoseconds / 1000));
}
