import assert from "node:assert/strict";
import { openScenario, overridesOf } from "../../src/cli/catalogue.ts";
import { Session } from "../../src/cluster/session.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";

/* What the built-in noisy-neighbour says of itself, on a stretch of it. */

function totals(...settings: string[]) {
  const sets = ["warmup=30 ms", "duration=30 ms", ...settings];
  const session = new Session(openScenario("noisy-neighbour", overridesOf({ set: sets })));
  session.advance(Infinity);
  const snapshot = takeSnapshot(session, { command: "", version: "", wallMs: 0, partial: false });
  session.release();
  return { rate: snapshot.totals.throughput_MBps, steal: snapshot.guests.map(({ cpu }) => cpu.steal) };
}

Deno.test("noisy: on CPUs of their own the two that stream fill the link; beside hogs BOOST leaves them most of it", () => {
  const alone = totals("guests[2].pin=[1]", "guests[3].pin=[1]");
  const boosted = totals();
  const waiting = totals("mechanisms.boost=false");
  assert.ok(alone.rate > 1190, `alone ${alone.rate}`);
  assert.ok(boosted.rate > 0.85 * alone.rate && boosted.rate < alone.rate, `with BOOST ${boosted.rate}`);
  assert.ok(waiting.rate < 0.1 * alone.rate, `without ${waiting.rate}`);
  // Who computes pays for those that go first, and for nobody else.
  for (const hog of [2, 3]) {
    assert.equal(alone.steal[hog], 0);
    assert.ok(boosted.steal[hog] > 0.3 && waiting.steal[hog] < 0.05, `${boosted.steal}; ${waiting.steal}`);
  }
});
