import assert from "node:assert/strict";
import { openScenario, overridesOf } from "../../src/cli/catalogue.ts";
import { Session } from "../../src/cluster/session.ts";
import { LiveView } from "../../src/report/live.ts";
import { MAX_BUCKETS } from "../../src/report/snapshot.ts";

const META = { command: "test", version: "0" };
const TINY = () => openScenario("pingpong-tiny", overridesOf({ set: ["workload.iterations=40"] }));

Deno.test("the histogram has every measured message, in few buckets, from the smallest to the largest latency", () => {
  const session = new Session(TINY());
  const view = new LiveView(session, META);
  assert.equal(view.live().latency_histogram, null);
  while (!session.finished) session.advance(session.end);
  const { latency_histogram: histogram, snapshot } = view.live();
  const { per_octave, first, counts } = histogram!;
  assert.ok(counts.length <= MAX_BUCKETS);
  assert.ok(counts[0] > 0 && counts.at(-1)! > 0);
  // Seven sizes, forty round trips each; both ends do not count the same round trip twice.
  assert.equal(counts.reduce((sum, count) => sum + count, 0), 7 * 40);
  const { min, max } = snapshot.totals.latency_us!;
  const edge = (i: number) => 2 ** ((first + i) / per_octave);
  assert.ok(edge(0) <= min * 1.001 && edge(1) >= min, `${edge(0)} ${min}`);
  assert.ok(edge(counts.length - 1) <= max * 1.001 && edge(counts.length) >= max * 0.999, `${max}`);
});

Deno.test("the published value of what runs goes with the picture, and only of that", () => {
  assert.equal(new LiveView(new Session(TINY()), META).live().published?.latency_us, 7);
  const other = openScenario("latency-16k", overridesOf({}));
  assert.equal(new LiveView(new Session(other), META).live().published, undefined);
});

Deno.test("looking often, at histograms too, does not change a run", () => {
  const watched = new Session(TINY());
  const view = new LiveView(watched, META);
  while (!watched.finished) {
    watched.advance(watched.now + 3e8);
    view.live();
  }
  const alone = new Session(TINY());
  while (!alone.finished) alone.advance(alone.end);
  assert.equal(watched.fingerprint, alone.fingerprint);
});
