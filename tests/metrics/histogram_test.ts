import assert from "node:assert/strict";
import fc from "fast-check";
import * as hdr from "hdr-histogram-js";
import { Histogram } from "../../src/metrics/histogram.ts";

Deno.test("percentiles are those of the package, which looks from zero", () => {
  const durations = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 90_000_000_000 })),
    { minLength: 1, maxLength: 60 },
  );
  fc.assert(
    fc.property(durations, fc.double({ min: 0.01, max: 100, noNaN: true }), (picoseconds, percent) => {
      const ours = new Histogram();
      const slow = hdr.build({
        bitBucketSize: 32,
        lowestDiscernibleValue: 1,
        highestTrackableValue: 2_000_000_000,
        numberOfSignificantValueDigits: 3,
        autoResize: true,
      });
      for (const one of picoseconds) {
        ours.record(one);
        slow.recordValue(Math.round(one / 1000));
      }
      for (const at of [percent, 50, 90, 99, 99.9, 100]) {
        const us = slow.getValueAtPercentile(at) / 1000;
        const least = Math.min(...picoseconds) / 1e6;
        const most = Math.max(...picoseconds) / 1e6;
        assert.equal(ours.percentileUs(at), Math.min(Math.max(us, least), most), `${at} %`);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("a histogram without samples has no percentiles, also after a reset", () => {
  const histogram = new Histogram();
  assert.ok(Number.isNaN(histogram.percentileUs(50)));
  histogram.record(7_000_000);
  assert.equal(histogram.percentileUs(50), 7);
  histogram.reset();
  assert.equal(histogram.distribution(), null);
});
