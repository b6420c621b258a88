import assert from "node:assert/strict";
import fc from "fast-check";
import { Histogram } from "../../src/metrics/histogram.ts";

const DIGITS = fc.constantFrom(1, 2, 3);
/** Picoseconds from a nanosecond to minutes, as often small as large. */
const DURATIONS = fc.array(fc.double({ min: Math.log(1e3), max: Math.log(1e14), noNaN: true }).map(Math.exp), {
  minLength: 1,
  maxLength: 200,
});

Deno.test("percentiles are those of the sorted samples, as exact as the digits say", () => {
  fc.assert(
    fc.property(DIGITS, DURATIONS, fc.double({ min: 0.1, max: 100, noNaN: true }), (digits, samples, percent) => {
      const histogram = new Histogram(digits as 1 | 2 | 3);
      for (const ps of samples) histogram.record(ps);
      const sorted = samples.toSorted((a, b) => a - b);
      const rank = Math.max(1, Math.ceil((percent / 100) * samples.length * (1 - Number.EPSILON)));
      const exactUs = sorted[rank - 1] / 1e6;
      const us = histogram.percentileUs(percent);
      assert.ok(Math.abs(us - exactUs) <= exactUs * 10 ** -digits + 1e-3, `${us} for ${exactUs}`);
      assert.ok(us >= sorted[0] / 1e6 && us <= sorted.at(-1)! / 1e6);
    }),
    { numRuns: 200 },
  );
});

Deno.test("a percentile is the smallest sample that so many do not exceed, also where the rank is a whole number", () => {
  // Nanoseconds: what is below a thousand of them is known exactly.
  const of = (samples: number) => {
    const histogram = new Histogram();
    for (let ns = 1; ns <= samples; ns++) histogram.record(ns * 1e3);
    const { p50, p90, p99, p999 } = histogram.distribution()!;
    const rank = (percent: number) => histogram.percentileUs(percent) * 1e3;
    return { named: [p50, p90, p99, p999].map((us) => us * 1e3), rank };
  };
  assert.deepEqual(of(1000).named, [500, 900, 990, 999]);
  // In floating point 7 % of 100 is a little more than 7, and 28 % of 25 than 7 too.
  assert.deepEqual([of(100).rank(7), of(25).rank(28), of(100).rank(7.1)], [7, 7, 8]);
  assert.deepEqual([of(3).rank(0), of(3).rank(50), of(3).rank(100)], [1, 2, 3]);
});

Deno.test("a distribution is that of now, however often it was asked for", () => {
  const histogram = new Histogram();
  assert.equal(histogram.distribution(), null);
  histogram.record(5e6);
  assert.equal(histogram.distribution()!.max, 5);
  histogram.record(9e6);
  assert.equal(histogram.distribution()!.max, 9);
  assert.equal(histogram.distribution()!.p50, histogram.percentileUs(50));
  histogram.reset();
  histogram.record(1e6);
  histogram.record(2e6);
  assert.equal(histogram.distribution()!.max, 2);
});

Deno.test("buckets have every sample in its place, and are never more than asked for", () => {
  fc.assert(
    fc.property(DURATIONS, fc.integer({ min: 8, max: 120 }), (samples, most) => {
      const histogram = new Histogram();
      for (const ps of samples) histogram.record(ps);
      const { perOctave, first, counts } = histogram.logBuckets(most)!;
      assert.ok(counts.length <= Math.max(most, Math.log2(1e14 / 1e3) + 2), `${counts.length}`);
      assert.equal(counts.reduce((sum, count) => sum + count, 0), samples.length);
      const edge = (i: number) => 2 ** ((first + i) / perOctave);
      // The histogram itself knows a sample to a part in a thousand, and to a nanosecond.
      const near = (us: number) => us * 2e-3 + 1e-3;
      let passed = 0;
      for (let i = 0; i < counts.length; i++) {
        passed += counts[i];
        const sure = samples.filter((ps) => ps / 1e6 < edge(i + 1) - near(edge(i + 1))).length;
        const possible = samples.filter((ps) => ps / 1e6 < edge(i + 1) + near(edge(i + 1))).length;
        assert.ok(passed >= sure && passed <= possible, `${passed} of ${sure} to ${possible}`);
      }
    }),
    { numRuns: 100 },
  );
  assert.equal(new Histogram().logBuckets(10), null);
});

Deno.test("histograms of few samples and of many are apart, and one that is reset begins anew", () => {
  const SAMPLES = fc.array(fc.integer({ min: 1e3, max: 1e13 }), { maxLength: 40 });
  const figures = (samples: readonly number[]) => {
    const histogram = new Histogram();
    for (const ps of samples) histogram.record(ps);
    return { histogram, counts: histogram.counts() };
  };
  fc.assert(
    fc.property(SAMPLES, SAMPLES, (some, others) => {
      const a = figures(some);
      const b = figures(others);
      assert.deepEqual(a.histogram.counts(), a.counts); // nothing of those that were looked at in between
      for (const ps of others) a.histogram.record(ps);
      assert.deepEqual(a.histogram.counts(), figures([...some, ...others]).counts);
      assert.deepEqual(b.histogram.counts(), b.counts);
      a.histogram.reset();
      for (const ps of others) a.histogram.record(ps);
      assert.deepEqual(a.histogram.counts(), b.counts);
    }),
    { numRuns: 200 },
  );
});
