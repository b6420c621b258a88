import assert from "node:assert/strict";
import fc from "fast-check";
import { Histogram } from "../../src/metrics/histogram.ts";
import { HistogramLooks } from "../../src/metrics/histogram_looks.ts";

const samples = fc.array(fc.integer({ min: 1000, max: 5_000_000 }).map((ns) => ns * 1000), { maxLength: 60 });

Deno.test("a look has what a histogram of the news alone has; mean exact, the rest to three digits", () => {
  fc.assert(fc.property(fc.array(samples, { maxLength: 5 }), (stretches) => {
    const all = new Histogram();
    const looks = new HistogramLooks(all);
    const seen = stretches.map((stretch) => {
      const alone = new Histogram();
      for (const ps of stretch) for (const histogram of [all, alone]) histogram.record(ps);
      const [told, expected] = [looks.look(), alone.distribution()];
      assert.deepEqual(Object.keys(told ?? {}), Object.keys(expected ?? {}));
      for (const [point, us] of Object.entries(expected ?? {})) {
        const within = point === "mean" ? 1e-9 : 2e-3;
        assert.ok(Math.abs(told![point as "mean"] / us - 1) <= within, `${point}: ${told![point as "mean"]} ${us}`);
      }
      return told;
    });
    const of = (point: "min" | "max") => seen.flatMap((told) => told?.[point] ?? []);
    const whole = all.distribution();
    if (whole === null) return;
    assert.deepEqual([Math.min(...of("min")), Math.max(...of("max"))], [whole.min, whole.max]);
  }));
});
