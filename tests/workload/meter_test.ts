import assert from "node:assert/strict";
import { OfferedLoad } from "../../src/workload/arrivals.ts";
import { RowMeter, SequenceCheck } from "../../src/workload/meter.ts";

Deno.test("a stream that is over has lost what was not seen, not what came out of order", () => {
  const check = new SequenceCheck();
  for (const n of [0, 2, 3, 2]) check.saw(n);
  check.ended(5);
  assert.deepEqual([check.lost, check.duplicated, check.seen], [2, 1, 3]);
});

Deno.test("a message that is later than any can be is lost, and what comes after it is counted on from there", () => {
  const check = new SequenceCheck();
  for (let n = 1; n <= (1 << 18) + 1; n++) check.saw(n);
  assert.deepEqual([check.lost, check.duplicated], [1, 0]);
  check.saw(0);
  check.ended((1 << 18) + 2);
  assert.deepEqual([check.lost, check.duplicated], [1, 1]);
});

Deno.test("an endless sweep has one row for each size, the latest", () => {
  const rows = new RowMeter(() => ({ at: 0, host: 0, guest: 0 }));
  for (const ps of [2e6, 4e6]) {
    rows.begin();
    rows.roundTrip(ps);
    rows.end(64, 64);
  }
  assert.deepEqual(rows.rows.map(({ size, rttUs }) => [size, rttUs]), [[64, 4]]);
});

Deno.test("what a client that has died was asked for until then counts, and nothing after", () => {
  const load = new OfferedLoad({ law: "uniform", perSecond: 1e6, seed: 1, startPs: 0, limit: Infinity });
  load.abandon(10e6);
  assert.deepEqual([load.dueBy(20e6), load.waitingAt(20e6), load.unansweredAt(20e6)], [10, 0, 0]);
});
