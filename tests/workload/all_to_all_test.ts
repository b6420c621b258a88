import assert from "node:assert/strict";
import { allToAll } from "../../src/workload/all_to_all.ts";
import { run } from "../support/scenario.ts";

Deno.test("it wants somebody to send to", () => {
  const crew = { ranks: 1, boards: 1, hostIndexOf: () => 0 };
  const message = "guests: all-to-all wants 2 or more, found 1";
  assert.throws(() => allToAll.check(allToAll.params.parse({}), crew), { name: "WorkloadError", message });
});

Deno.test("a row for each size: a round takes as long as a rank's link needs for its blocks, and not much longer", () => {
  const sizes = ["16 B", "32 KiB", "256 KiB"];
  for (const algorithm of ["pairwise", "linear"]) {
    const workload = { kind: "all-to-all", sizes, algorithm, iterations: 5, wait: "poll" };
    const session = run({ hosts: 4, guests: 4, workload });
    const rows = session.rows.rows;
    assert.deepEqual(rows.map(({ size }) => size), [16, 32768, 262144]);
    for (const { size, rttUs, latencyUs, throughputMBps } of rows) {
      const wireUs = (3 * size * 8) / 10e3;
      const what = `${algorithm}, ${size} B: ${rttUs} us of ${wireUs}`;
      // At once, pull requests and replies of all wait for each other in the ports.
      assert.ok(rttUs > wireUs && rttUs < (algorithm === "linear" ? 2.5 : 1.5) * wireUs + 60, what);
      assert.ok(latencyUs > 5 && latencyUs < rttUs, `${what}, messages ${latencyUs}`);
      const MBps = (4 * 3 * size) / rttUs;
      assert.ok(Math.abs(throughputMBps / MBps - 1) < 0.1, `${what}: ${throughputMBps} of ${MBps} MB/s`);
    }
  }
});

Deno.test("small blocks sent all at once spare the steps of pairwise exchange", () => {
  const [pairwise, linear] = ["pairwise", "linear"].map((algorithm) => {
    const workload = { kind: "all-to-all", sizes: ["16 B"], algorithm, iterations: 20, wait: "poll" };
    return run({ path: "xen2mx", hosts: 8, guests: 8, workload }).rows.rows[0].rttUs;
  });
  assert.ok(linear < pairwise / 1.5, `${linear} us against ${pairwise}`);
});
