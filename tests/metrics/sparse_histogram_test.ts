import assert from "node:assert/strict";
import fc from "fast-check";
import * as hdr from "hdr-histogram-js";
import { SparseHistogram } from "../../src/metrics/sparse_histogram.ts";

const LIMIT = 1_000_000;

Deno.test("a sparse histogram answers as one with a place for every value", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20 * LIMIT }), { minLength: 1, maxLength: 60 }),
      fc.array(fc.integer({ min: 0, max: LIMIT }), { maxLength: 20 }),
      fc.constantFrom(1, 2, 3),
      (samples, more, digits) => {
        const make = (values: number[]) => {
          const sparse = new SparseHistogram(LIMIT, digits as 1 | 2 | 3);
          const dense = hdr.build({ highestTrackableValue: LIMIT, numberOfSignificantValueDigits: digits as 3 });
          for (const value of values) for (const histogram of [sparse, dense]) histogram.recordValue(value);
          return { sparse, dense: dense as hdr.JsHistogram };
        };
        const { sparse, dense } = make(samples);
        const other = make(more);
        sparse.add(other.sparse);
        dense.add(other.dense);
        assert.equal(sparse.totalCount, dense.totalCount);
        assert.equal(sparse.countsArrayLength, dense.countsArrayLength);
        for (let i = 0; i < dense.countsArrayLength; i++) {
          assert.ok(sparse.getCountAtIndex(i) === dense.getCountAtIndex(i), `count ${i}`);
        }
        for (const percent of [0, 50, 99, 100]) {
          assert.equal(sparse.getValueAtPercentile(percent), dense.getValueAtPercentile(percent));
        }
        sparse.reset();
        assert.equal(sparse.getCountAtIndex(sparse.countsArrayIndex(samples[0])), 0);
      },
    ),
    { numRuns: 50 },
  );
});
