import assert from "node:assert/strict";
import { allReduce } from "../../src/workload/all_reduce.ts";
import { run, totals } from "../support/scenario.ts";

const rows = (hosts: number, workload: Record<string, unknown>) =>
  run({ hosts, guests: hosts, workload: { kind: "all-reduce", wait: "poll", iterations: 3, ...workload } }).rows.rows;

Deno.test("vectors are of doubles, and there are several", () => {
  const check = (sizes: number[], ranks: number) =>
    allReduce.check(allReduce.params.parse({ sizes }), { ranks, boards: 1, hostIndexOf: () => 0 });
  check([8, 4096], 2);
  const name = "WorkloadError";
  assert.throws(() => check([8], 1), { name, message: "guests: all-reduce wants 2 or more, found 1" });
  const message = "sizes: found 12 B, wanted multiples of 8 B, which a double takes";
  assert.throws(() => check([8, 12], 2), { name, message });
});

Deno.test("recursive doubling wins with few numbers, the ring with many", () => {
  const sizes = ["8 B", "1 MiB"];
  const doubling = rows(8, { sizes });
  const ring = rows(8, { sizes, algorithm: "ring" });
  assert.ok(doubling[0].rttUs < ring[0].rttUs / 2, `${doubling[0].rttUs} and ${ring[0].rttUs} us`);
  assert.ok(ring[1].rttUs < doubling[1].rttUs, `${ring[1].rttUs} and ${doubling[1].rttUs} us`);
  // A step of doubling moves the vector over each link, the ring 2 (n - 1) / n of it in all; then there is arithmetic.
  const vectorUs = (1048576 * 8) / 10e3;
  const additionUs = 131072 / 1e3;
  assert.ok(doubling[1].rttUs > 3 * (vectorUs + additionUs) && doubling[1].rttUs < 4.5 * (vectorUs + additionUs));
  assert.ok(ring[1].rttUs > 1.75 * vectorUs + 0.875 * additionUs && ring[1].rttUs < 5 * vectorUs);
});

Deno.test("each link carries what the algorithm says", () => {
  for (const [algorithm, vectors] of [["ring", 2 * 4], ["recursive-doubling", 4 * 2 + 2]] as const) {
    const workload = { kind: "all-reduce", sizes: ["80 KiB"], algorithm, iterations: 5, warmup_iterations: 0 };
    const session = run({ hosts: 5, guests: 5, workload });
    assert.equal(totals(session).bytes, 5 * vectors * 81920, algorithm);
    assert.equal(session.rows.rows[0].size, 81920);
  }
});

Deno.test("additions take their time", () => {
  const [none, some] = ["0 ns", "100 ns"].map((flop_time) => rows(4, { sizes: ["8 KiB"], flop_time })[0].rttUs);
  // Two steps of 1024 additions.
  assert.ok(Math.abs(some - none - 204.8) < 20, `${none} and ${some} us`);
});
