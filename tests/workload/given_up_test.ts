import assert from "node:assert/strict";
import { MS, SECOND } from "../../src/base/units.ts";
import { run, totals } from "../support/scenario.ts";

/** MX gives a message up after one resend, and the link is cut for longer than that. */
const IMPATIENT = {
  environment: { OMX_RESENDS_MAX: "1" },
  faults: [{ atPs: 3 * MS, forPs: 3 * SECOND, link: "a-b", loss: 0, delayPs: 0, cut: true }],
  durationPs: 10 * SECOND,
};

Deno.test("a message that MX has given up ends the run with the reason, before the time is up", () => {
  for (const path of ["native", "xen2mx", "virtio"]) {
    for (const [size, direction] of [["16 B", "one-way"], ["256 KiB", "one-way"], ["256 KiB", "both-ways"]]) {
      const session = run({ ...IMPATIENT, path, workload: { kind: "stream", size, direction } });
      const reason =
        /^vm0[12] at [\d.]+ us: MX has given up a message (to|from) rank [01]: (endpoint unreachable|timeout)$/;
      assert.match(session.failure ?? "none", reason, `${path} ${size} ${direction}`);
      assert.ok(session.finished && session.now < 3 * SECOND, path);
      assert.equal(totals(session).integrityErrors, 0, path);
      assert.deepEqual(session.drain(), [], path);
    }
  }
});

Deno.test("who waits for a small message that was given up after its send was complete waits for ever, and is named", () => {
  const session = run({
    ...IMPATIENT,
    path: "native",
    workload: { kind: "pingpong", sizes: ["16 B"], iterations: 1e5 },
  });
  assert.equal(session.failure, null);
  assert.deepEqual(session.drain(), ["2 programs can only wait for ever: nothing is left to happen"]);
});
