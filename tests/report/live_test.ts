import assert from "node:assert/strict";
import { openScenario, overridesOf } from "../../src/cli/catalogue.ts";
import { MS, US } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { LiveView } from "../../src/report/live.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { MAX_BUCKETS } from "../../src/report/live_snapshot.ts";
import { scenario, untilTestEnds } from "../support/scenario.ts";

const META = { command: "test", version: "0" };
const TINY = () => openScenario("pingpong-tiny", overridesOf({ set: ["workload.iterations=40"] }));

Deno.test("the histogram has every measured message, in few buckets, from the smallest to the largest latency", () => {
  const session = untilTestEnds(new Session(TINY()));
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
  assert.equal(new LiveView(untilTestEnds(new Session(TINY())), META).live().published?.latency_us, 7);
  const other = openScenario("latency-16k", overridesOf({}));
  assert.equal(new LiveView(untilTestEnds(new Session(other)), META).live().published, undefined);
});

Deno.test("the snapshot that goes with a picture is the one of a run without any", () => {
  const session = untilTestEnds(new Session(openScenario("throughput-4m", overridesOf({ set: ["warmup=0"] }))));
  const view = new LiveView(session, META);
  for (const at of [5, 10, 20]) {
    session.advance(at * MS);
    view.live();
  }
  const { snapshot, bottleneck } = view.live();
  assert.deepEqual(snapshot, takeSnapshot(session, { ...META, wallMs: 0, partial: true }));
  assert.notDeepEqual(bottleneck, snapshot.bottleneck, "that of the latest interval is beside it");
});

Deno.test("the interval that ends with the warm-up has what it carried: charts have no gap there", () => {
  const session = untilTestEnds(new Session(openScenario("throughput-4m", overridesOf({ set: ["warmup=30 ms"] }))));
  const view = new LiveView(session, META);
  for (const at of [15, 30, 45]) {
    session.advance(at * MS);
    view.live();
  }
  const [, ends, begins] = view.live().samples;
  assert.deepEqual([ends.at_ns, begins.at_ns], [30e6, 45e6]);
  for (const { p50_us, throughput_MBps, link_MBps } of [ends, begins]) {
    assert.ok(p50_us !== null && throughput_MBps > link_MBps / 2, `${p50_us} us, ${throughput_MBps} MB/s`);
  }
});

Deno.test("looking often, at histograms too, does not change a run", () => {
  const watched = untilTestEnds(new Session(TINY()));
  const view = new LiveView(watched, META);
  while (!watched.finished) {
    watched.advance(watched.now + 3e8);
    view.live();
  }
  const alone = untilTestEnds(new Session(TINY()));
  while (!alone.finished) alone.advance(alone.end);
  assert.equal(watched.fingerprint, alone.fingerprint);
});

Deno.test("looks that are microseconds apart make no rate that a link cannot carry, nor a CPU less than idle", () => {
  const workload = { kind: "stream", size: "64 KiB", outstanding: 4 };
  const session = untilTestEnds(new Session(scenario({ path: "xen2mx", guests: 4, workload })));
  const view = new LiveView(session, META);
  session.advance(20 * MS);
  const limit = view.live().link_limit_MBps;
  for (let i = 1; i <= 100; i++) {
    session.advance(session.now + (i % 7 === 0 ? 40_000 : 10 * US));
    const { recent, recent_hosts, recent_links, samples } = view.live();
    const sum = recent.reduce((all, { throughput_MBps }) => all + throughput_MBps, 0);
    const sample = samples.at(-1)!;
    assert.equal(samples.length, i + 1, "each look is a sample");
    // A message of 64 KiB counts when it is complete: at most that of each pair is over the line in a window.
    for (const MBps of [sum, sample.throughput_MBps, sample.link_MBps, recent_links[0][0].MBps]) {
      assert.ok(MBps < limit * 3, `${MBps} MB/s`);
    }
    assert.ok(sample.throughput_MBps > limit / 4, `${sample.throughput_MBps} MB/s`);
    for (const { idle, host, dom0, guest, hypervisor } of recent_hosts.flatMap(({ per_cpu }) => per_cpu)) {
      assert.ok(Math.min(idle, host, dom0, guest, hypervisor) >= 0);
    }
  }
});
