import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import type { Input } from "../../src/cluster/input.ts";
import { Recording } from "../../src/cluster/recording.ts";
import type { Scenario } from "../../src/cluster/scenario.ts";
import { Session } from "../../src/cluster/session.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { scenario, type ScenarioOptions } from "../support/scenario.ts";

/* What is done to a run while it goes on: it happens, it passes, and it can be done again. */

const META = { command: "test", version: "0", wallMs: 0, partial: false };
const STREAM: ScenarioOptions = {
  path: "xen2mx",
  workload: { kind: "stream", size: "64 KiB", outstanding: 4 },
  cpus: 4,
  durationPs: 400 * MS,
};

/** `path=...` and `guests=...` are what these scenarios can be told. */
function resolve(options: ScenarioOptions): (assignments: readonly string[]) => Scenario {
  return (assignments) => {
    let changed = options;
    for (const assignment of assignments) {
      const [key, value] = assignment.split("=");
      if (key === "path") changed = { ...changed, path: value };
      else if (key === "guests") changed = { ...changed, guests: Number(value) };
      else throw new Error(`unknown key "${key}"`);
    }
    return scenario(changed);
  };
}

const make = (options: ScenarioOptions) => () =>
  new Session(scenario(options), { resolve: resolve(options), endless: true });

/** Megabytes received in the next `ms` of virtual time, per second. */
function rate(session: Session, ms: number): number {
  const bytes = () => session.cluster.guests.reduce((sum, { meter }) => sum + meter.bytes, 0);
  const before = bytes();
  session.advance(session.now + ms * MS);
  return (bytes() - before) / ms / 1000;
}

for (const path of ["xen2mx", "xen2mx-plain", "bridged", "virtio", "virtio-user", "emulated"]) {
  Deno.test(`a stalled back end: nothing passes, then everything goes on (${path})`, () => {
    const session = make({ ...STREAM, path })();
    session.advance(20 * MS);
    const before = rate(session, 20);
    assert.equal(session.apply({ kind: "stall", host: "b", forPs: 20 * MS }), null);
    session.advance(session.now + 2 * MS); // what is in the guest already
    const during = rate(session, 17);
    session.advance(session.now + 20 * MS);
    const after = rate(session, 20);
    assert.ok(
      before > 50 && during < before / 100 && after > before * 0.8,
      `${path}: ${before}, ${during}, ${after} MB/s`,
    );
    const { totals } = takeSnapshot(session, META);
    assert.deepEqual([totals.integrity_errors, totals.lost, totals.duplicated], [0, 0, 0]);
    assert.deepEqual(session.drain(), []);
  });
}

Deno.test("stalls may overlap; where there is no back end nothing can stall", () => {
  const session = make(STREAM)();
  session.advance(20 * MS);
  session.apply({ kind: "stall", host: "a", forPs: 5 * MS });
  session.apply({ kind: "stall", host: "a", forPs: 30 * MS });
  session.advance(session.now + 7 * MS);
  assert.equal(rate(session, 20), 0);
  for (const path of ["native", "iov"]) {
    assert.match(
      make({ ...STREAM, path })().apply({ kind: "stall", host: "a", forPs: MS })!,
      /^host a has no back end/,
    );
  }
  assert.equal(session.apply({ kind: "stall", host: "z", forPs: MS }), 'no host "z"; wanted a, b');
});

for (const path of ["native", "xen2mx", "virtio"]) {
  Deno.test(`hogs take CPUs from the cluster while they last (${path})`, () => {
    // Two CPUs a host: dom0 or the kernel, the guest, and whoever else comes.
    const session = make({ ...STREAM, path, cpus: 2 })();
    session.advance(20 * MS);
    const before = rate(session, 40);
    assert.equal(session.apply({ kind: "hog", host: "b", cpus: 4, forPs: 100 * MS }), null);
    const during = rate(session, 100);
    session.advance(session.now + 5 * MS);
    const after = rate(session, 40);
    const { per_cpu } = takeSnapshot(session, META).hosts[1];
    assert.ok(during < before * 0.97, `${path}: ${before}, ${during}`);
    assert.ok(after > before * 0.8, `${path}: ${before}, ${after}`);
    // 100 ms of about 185 that are measured.
    assert.ok(per_cpu.every(({ idle }) => idle < 0.6), JSON.stringify(per_cpu));
    assert.deepEqual(session.drain(), []);
  });
}

Deno.test("corrupted frames are dropped for their checksum, counted apart, and sent again", () => {
  const session = make({ ...STREAM, path: "native" })();
  session.advance(20 * MS);
  assert.equal(session.apply({ kind: "fault", link: "a-b", corrupt: 0.02, forPs: 20 * MS }), null);
  session.advance(1500 * MS);
  const [there] = session.cluster.links[0].directions;
  assert.ok(there.corrupted > 0 && there.lost === there.corrupted, `${there.corrupted} of ${there.frames}`);
  const { totals } = takeSnapshot(session, META);
  assert.deepEqual([totals.integrity_errors, totals.lost], [0, 0]);
});

Deno.test("a change: programs end, the changed cluster starts at that time, and figures are those of a fresh run", () => {
  const session = make({ ...STREAM, path: "bridged" })();
  session.advance(50 * MS);
  const events = session.events;
  assert.equal(session.apply({ kind: "set", assignments: ["path=native", "guests=4"] }), null);
  assert.match(session.apply({ kind: "hog", host: "a", cpus: 1, forPs: MS })!, /^the cluster is being changed/);
  session.advance(60 * MS);
  assert.deepEqual([session.generation, session.cluster.guests.length, session.scenario.path], [1, 4, "native"]);
  assert.ok(session.events > events && session.baseline.at > 50 * MS && session.baseline.at < 60 * MS);
  session.advance(260 * MS);
  const changed = takeSnapshot(session, META);
  const fresh = make({ ...STREAM, path: "native", guests: 4 })();
  fresh.advance(200 * MS);
  const wanted = takeSnapshot(fresh, META);
  // The same cluster at another time: its programs start at other microseconds.
  assert.ok(Math.abs(changed.totals.throughput_MBps / wanted.totals.throughput_MBps - 1) < 0.02);
  assert.ok(Math.abs(changed.totals.latency_us!.p50 / wanted.totals.latency_us!.p50 - 1) < 0.05);
  const sum = Object.values(changed.guests[0].cpu).reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum - 1) < 1e-3, `accounts of ${sum} CPU`);
  assert.deepEqual(session.drain(), []);
});

Deno.test("a bad assignment changes nothing and says why; faults outlive a change", () => {
  const session = make(STREAM)();
  session.advance(10 * MS);
  assert.equal(session.apply({ kind: "set", assignments: ["colour=red"] }), 'unknown key "colour"');
  session.apply({ kind: "fault", link: "a-b", cut: true, forPs: null });
  session.apply({ kind: "set", assignments: ["path=native"] });
  // Programs cannot end while the link is cut: they get their time, then the cluster is changed all the same.
  session.advance(5300 * MS);
  assert.deepEqual([session.generation, session.cluster.links[0].cut], [1, true]);
});

Deno.test("what was done can be done again, in slices of any size, over several generations", async () => {
  const original = new Recording(make(STREAM)(), make(STREAM));
  const { session } = original;
  const inputs: [number, Input][] = [
    [8, { kind: "stall", host: "a", forPs: 3 * MS }],
    [15, { kind: "hog", host: "b", cpus: 2, forPs: 10 * MS }],
    [20, { kind: "set", assignments: ["path=bridged"] }],
    [40, { kind: "fault", link: "a-b", delayPs: MS / 10, forPs: 5 * MS }],
    [60, { kind: "set", assignments: ["guests=6", "path=xen2mx"] }],
    [80, { kind: "stall", host: "b", forPs: MS }],
    [85, { kind: "fault", link: "a-b", corrupt: 0.01, forPs: 5 * MS }],
  ];
  for (const [ms, input] of inputs) {
    session.advance(ms * MS);
    while (original.apply(input) !== null) session.advance(session.now + MS);
  }
  session.advance(Math.max(100 * MS, session.now + 10 * MS));
  assert.equal(session.generation, 2);
  for (const slice of [777, 20_000]) {
    const replay = await original.rewind(session.now);
    let again = replay.advance(slice);
    while (again === null) again = replay.advance(slice);
    assert.equal(again.session.fingerprint, session.fingerprint);
  }
});
