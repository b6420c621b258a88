import assert from "node:assert/strict";
import { measureMicro, MICROS } from "../../bench/micro/mod.ts";

for (const micro of MICROS) {
  Deno.test(`micro-benchmark ${micro.name} runs, and the same work has the same hash`, () => {
    const first = micro.run(24_000);
    assert.deepEqual(micro.run(24_000), first);
    assert.equal(first.operations, 24_000);
    assert.notEqual(micro.run(28_000).hash, first.hash);
    const { nsPerOp, bestNsPerOp } = measureMicro(micro, 3, 0.002);
    assert.ok(bestNsPerOp > 0 && bestNsPerOp <= nsPerOp, `${bestNsPerOp} ${nsPerOp}`);
  });
}
