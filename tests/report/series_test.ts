import assert from "node:assert/strict";
import fc from "fast-check";
import { MS } from "../../src/base/units.ts";
import { loadChecked } from "../../src/cli/catalogue.ts";
import { parseSet } from "../../src/cluster/scenario_file.ts";
import { Session } from "../../src/cluster/session.ts";
import { SERIES_COLUMNS, seriesRecord } from "../../src/report/csv_series.ts";
import type { IntervalFigures } from "../../src/report/interval_figures.ts";
import { LiveView } from "../../src/report/live.ts";
import { sampledSeries } from "../../src/report/live_series.ts";
import { toIntervalLine } from "../../src/report/ndjson.ts";
import { Series } from "../../src/report/series.ts";
import { POINTS, type Snapshot } from "../../src/report/snapshot.ts";
import { runIdentity, takeSnapshot } from "../../src/report/take_snapshot.ts";
import { templateInterval, templateSnapshot } from "../../src/report/template.ts";
import { scenario, type ScenarioOptions, untilTestEnds } from "../support/scenario.ts";

/* The time series of a run: intervals of virtual time, and how they add up to its result. */

const META = { command: "test", version: "0" };

interface Outcome {
  readonly intervals: IntervalFigures[];
  readonly snapshot: Snapshot;
}

/** Runs a session with a series; `slice` gives the events of each slice, `stopAt` an instant at which it is stopped. */
function follow(session: Session, intervalPs: number, slice = () => Infinity, stopAt = Infinity): Outcome {
  const intervals: IntervalFigures[] = [];
  const series = new Series(session, intervalPs, META, (interval) => intervals.push(interval) % 3 === 0);
  while (!session.finished && session.now < stopAt) {
    series.advance(session, Math.min(session.end, stopAt), slice());
  }
  series.finish(!session.finished);
  const snapshot = takeSnapshot(session, { ...META, wallMs: 0, partial: !session.finished });
  return { intervals, snapshot };
}

const STREAM: ScenarioOptions = {
  path: "xen2mx",
  guests: 4,
  workload: { kind: "stream", size: "16 KiB", outstanding: 4 },
  loss: 0.002,
  warmupPs: MS,
  durationPs: 5 * MS,
};
const ASKING: ScenarioOptions = {
  path: ["xen2mx", "native"],
  workload: { kind: "request-reply", rate: "40 k/s" },
  warmupPs: MS / 2,
  durationPs: 4 * MS,
};

const open = (options: ScenarioOptions) => untilTestEnds(new Session(scenario(options)));

/** Adds up whatever counts there are; what is no count is left out of `names`. */
function sums<T>(parts: readonly T[], names: readonly (keyof T)[]): Record<string, number> {
  return Object.fromEntries(
    names.map((name) => [name, parts.reduce((sum, part) => sum + (part[name] as number ?? 0), 0)]),
  );
}

function pick<T>(whole: T, names: readonly (keyof T)[]): Record<string, number> {
  return sums([whole], names);
}

const COUNTS = ["messages", "bytes", "integrity_errors", "lost", "duplicated", "retransmits"] as const;
const NIC = ["tx_frames", "rx_frames", "tx_bytes", "rx_bytes", "drops", "interrupts", "coalesced"] as const;

/** What intervals of a cluster say together is what its snapshot says. */
function assertAddUp({ intervals, snapshot }: Outcome): void {
  const { totals, guests, hosts, links, measured_ns } = snapshot;
  const measuredPs = intervals.reduce((sum, interval) => sum + Math.round(interval.measured_ns * 1000), 0);
  assert.equal(measuredPs, Math.round(measured_ns * 1000));
  assert.deepEqual(sums(intervals.map((interval) => interval.totals), COUNTS), pick(totals, COUNTS));
  for (const [i, guest] of guests.entries()) {
    const mine = intervals.map((interval) => interval.guests[i]);
    assert.deepEqual(sums(mine, COUNTS), pick(guest, COUNTS));
    assert.deepEqual(
      sums(mine.map(({ sent }) => sent), ["messages", "bytes"]),
      pick(guest.sent, ["messages", "bytes"]),
    );
  }
  for (const [i, { nic }] of hosts.entries()) {
    assert.deepEqual(sums(intervals.map((interval) => interval.hosts[i].nic), NIC), pick(nic, NIC));
  }
  for (const [i, link] of links.entries()) {
    for (const [side, whole] of link.directions.entries()) {
      const mine = intervals.map((interval) => interval.links[i].directions[side]);
      const names = ["frames", "wire_bytes", "lost", "corrupted"] as const;
      assert.deepEqual(sums(mine, names), pick(whole, names));
      assert.equal(mine.reduce((sum, { queue }) => sum + queue.drops, 0), whole.queue.drops);
    }
  }
  const all = intervals.flatMap((interval) => interval.totals.latency_us ?? []);
  assert.deepEqual(
    totals.latency_us && [totals.latency_us.min, totals.latency_us.max],
    all.length === 0 ? null : [Math.min(...all.map(({ min }) => min)), Math.max(...all.map(({ max }) => max))],
  );
  assertShares(intervals, snapshot);
}

/** Shares of time have seven digits, of an interval as of the whole. */
function assertShares(intervals: readonly IntervalFigures[], { totals, hosts, links, measured_ns }: Snapshot): void {
  const near = (whole: number, of: (interval: IntervalFigures) => number) => {
    const sum = intervals.reduce((sum, interval) => sum + of(interval) * interval.measured_ns, 0);
    assert.ok(Math.abs(sum / measured_ns - whole) < 1e-6 * Math.max(1, whole), `${sum / measured_ns} ${whole}`);
  };
  near(totals.throughput_MBps, (interval) => interval.totals.throughput_MBps);
  near(totals.cpu.steal, (interval) => interval.totals.cpu.steal);
  near(totals.cpu.kernel, (interval) => interval.totals.cpu.kernel);
  for (const [i, { cpu }] of hosts.entries()) {
    near(cpu.idle, (interval) => interval.hosts[i].cpu.idle);
    near(cpu.dom0.irq, (interval) => interval.hosts[i].cpu.dom0.irq);
    near(cpu.host.kernel, (interval) => interval.hosts[i].cpu.host.kernel);
  }
  for (const [i, { directions }] of links.entries()) {
    // A frame's bits are all in the interval in which its last one leaves; its port is occupied all the while.
    near(directions[0].port_busy, (interval) => interval.links[i].directions[0].port_busy);
  }
}

Deno.test("intervals add up to the totals, and are the same however the run is sliced, or stopped", () => {
  const options = [STREAM, ASKING].map((options) => ({ ...options, durationPs: 2 * MS }));
  const lengths = fc.integer({ min: MS / 20, max: 3 * MS });
  const stops = fc.oneof(fc.constant(Infinity), fc.integer({ min: 1.5 * MS, max: 2 * MS }));
  const slices = fc.array(fc.integer({ min: 10, max: 4000 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.constantFrom(...options), lengths, slices, stops, (chosen, length, sizes, stopAt) => {
      let turn = 0;
      const session = open(chosen);
      const sliced = follow(session, length, () => sizes[turn++ % sizes.length], stopAt);
      assertAddUp(sliced);
      const whole = open(chosen);
      assert.deepEqual(sliced, follow(whole, length, undefined, stopAt));
      for (const done of [session, whole]) done.release();
    }),
    { numRuns: 4 },
  );
});

Deno.test("intervals begin with measuring and end at multiples of their length; the last one ends with the run", () => {
  const { intervals, snapshot } = follow(open(STREAM), 1.5e9);
  const times = intervals.map(({ from_ns, to_ns, measured_ns, partial }) => [from_ns, to_ns, measured_ns, partial]);
  assert.deepEqual(times, [
    [1e6, 2.5e6, 1.5e6, false],
    [2.5e6, 4e6, 1.5e6, false],
    [4e6, 5.5e6, 1.5e6, false],
    [5.5e6, 6e6, 0.5e6, false],
  ]);
  assert.equal(intervals.at(-1)!.fingerprint, snapshot.fingerprint);
  // Programs that come to their own end: pingpong has done its round trips.
  const short = open({ workload: { kind: "pingpong", sizes: ["16 B"], iterations: 30 } });
  const ended = follow(short, MS / 10);
  assert.equal(ended.intervals.at(-1)!.to_ns, ended.snapshot.measured_ns);
  assert.ok(ended.snapshot.measured_ns % 1e5 > 0);
  assertAddUp(ended);
});

Deno.test("a longer interval than the run is the run; its figures are those of the result", () => {
  const { intervals: [all, ...others], snapshot } = follow(open(ASKING), 100 * MS);
  assert.equal(others.length, 0);
  const { totals, links, stages, offered, hosts, guests } = snapshot;
  assert.deepEqual([all.totals, all.links, all.stages, all.offered], [totals, links, stages, offered]);
  for (const [i, host] of all.hosts.entries()) assert.deepEqual(host, pickKeys(hosts[i], host));
  for (const [i, guest] of all.guests.entries()) assert.deepEqual(guest, pickKeys(guests[i], guest));
});

function pickKeys<T extends object>(from: T, like: object): Partial<T> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => Object.hasOwn(like, name))) as Partial<T>;
}

Deno.test("percentiles of an interval are those of its messages", () => {
  const session = open({ ...STREAM, loss: 0 });
  const mine: number[][] = [[]];
  const { total, guests } = session.cluster;
  total.watch = { received: (_, __, ps) => void mine.at(-1)!.push(ps / 1e6), delivered: () => {} };
  const { intervals } = (() => {
    const intervals: IntervalFigures[] = [];
    const series = new Series(session, MS, META, (interval) => (intervals.push(interval), mine.push([]), true));
    // What comes before has no interval.
    session.advance(session.measuringPs);
    mine[0] = [];
    while (!session.finished) series.advance(session, session.end);
    return { intervals };
  })();
  assert.equal(guests.length, 4);
  for (const [i, { totals: { latency_us } }] of intervals.entries()) {
    const sorted = mine[i].toSorted((a, b) => a - b);
    const mean = sorted.reduce((sum, us) => sum + us, 0) / sorted.length;
    const { p50, p99, min, max, mean: told } = latency_us!;
    const near = (a: number, b: number, within: number) => assert.ok(Math.abs(a / b - 1) < within, `${a} ${b}`);
    near(p50, sorted[Math.ceil(sorted.length * 0.5) - 1], 2e-3);
    near(p99, sorted[Math.ceil(sorted.length * 0.99) - 1], 2e-3);
    near(min, sorted[0], 2e-3);
    near(max, sorted.at(-1)!, 2e-3);
    near(told, mean, 1e-6);
  }
});

Deno.test("a series changes nothing in the run, and only somebody who stops it marks an interval", () => {
  const alone = open(STREAM);
  alone.advance(alone.end);
  const { snapshot, intervals } = follow(open(STREAM), MS / 3);
  assert.deepEqual(snapshot, takeSnapshot(alone, { ...META, wallMs: 0, partial: false }));
  assert.ok(intervals.every(({ partial }) => !partial));
  // At the end of an interval too, and never of a warm-up.
  for (const [stopAt, last] of [[3.2 * MS, 200_000], [3 * MS, 0]]) {
    const { intervals } = follow(open(STREAM), MS, undefined, stopAt);
    assert.deepEqual(intervals.map(({ partial }) => partial), [false, false, true]);
    assert.equal(intervals[2].measured_ns, last);
    assert.ok(!JSON.stringify(seriesRecord(intervals[2], runIdentity(open(STREAM), META))).includes("null"));
  }
  assert.deepEqual(follow(open(STREAM), MS, undefined, MS / 2).intervals, []);
});

Deno.test("a changed cluster ends an interval, and has its own from when it is measured", () => {
  const text =
    "hosts: 2\nguests: 4\npath: xen2mx\nworkload: {kind: stream, size: 4 KiB}\nwarmup: 1 ms\nduration: 4 ms\n";
  const resolve = (more: readonly string[]) => loadChecked(text, "my.yaml", more.map(parseSet));
  const session = untilTestEnds(new Session(resolve([]), { resolve }));
  const intervals: IntervalFigures[] = [];
  const series = new Series(session, MS, META, (interval) => (intervals.push(interval), false));
  series.advance(session, 2.5 * MS);
  assert.equal(session.apply({ kind: "set", assignments: ["guests=6", "path=native"] }), null);
  const { guests } = session.cluster;
  while (!session.finished) series.advance(session, session.end, 1000);
  series.finish(false);
  const [first, second] = [undefined, 1].map((cluster) => intervals.filter((one) => one.cluster === cluster));
  const startNs = session.startPs / 1000;
  assert.equal(first.at(-1)!.to_ns, startNs);
  assert.deepEqual(first.map(({ from_ns }) => from_ns), first.map((_, i) => (i + 1) * 1e6));
  assert.ok(startNs % 1e6 > 0, "between two multiples");
  assert.deepEqual(second.map(({ from_ns }) => Math.round(from_ns - startNs)), [1e6, 2e6, 3e6, 4e6]);
  assert.deepEqual([first[0].guests.length, second[0].guests.length], [4, 6]);
  assertAddUp({ intervals: second, snapshot: takeSnapshot(session, { ...META, wallMs: 0, partial: false }) });
  const messages = guests.reduce((sum, { meter }) => sum + meter.messages, 0);
  assert.deepEqual(sums(first.map(({ totals }) => totals), ["messages"]), { messages });
});

Deno.test("samples of the dashboard's charts have the same form, and say the same", () => {
  const options = { ...STREAM, warmupPs: 0, durationPs: 3 * MS };
  const { intervals } = follow(open(options), MS);
  const session = open(options);
  const view = new LiveView(session, META);
  for (const at of [1, 2, 3]) {
    session.advance(at * MS);
    view.look();
  }
  const series = sampledSeries(view.seen.intervals, view.live().samples);
  assert.equal(series.length, 3);
  for (const [i, { totals, hosts, links, ...when }] of series.entries()) {
    const { latency_us, ...counts } = totals;
    const { latency_us: exact, ...whole } = intervals[i].totals;
    assert.deepEqual(when, pickKeys(intervals[i], when));
    assert.deepEqual(counts, pickKeys(whole, counts));
    assert.deepEqual(hosts, intervals[i].hosts.map((host, j) => pickKeys(host, hosts![j])));
    const told = links!.map((link, j) => ({
      ...link,
      directions: link.directions.map((one, side) => pickKeys(intervals[i].links[j].directions[side], one)),
    }));
    assert.deepEqual(links, told);
    // Recent latencies are kept to two digits.
    for (const point of POINTS) assert.ok(Math.abs(latency_us![point] / exact![point] - 1) < 0.02, point);
  }
});

/** The names of all fields, and of fields in fields. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shape(inner)]));
}

Deno.test("an interval has the fields of a result, in its order, and a table a cell for every column", () => {
  const session = open({ ...ASKING, durationPs: 2 * MS });
  const { intervals: [, interval] } = follow(session, MS);
  const line = JSON.parse(toIntervalLine(interval, runIdentity(session, META).scenario));
  const { type, scenario: of, ...figures } = line;
  assert.deepEqual([type, of.name, JSON.stringify(figures)], ["interval", "test", JSON.stringify(interval)]);
  const known = shape(templateSnapshot()) as Record<string, unknown>;
  for (const [name, inner] of Object.entries(shape(interval) as Record<string, unknown>)) {
    if (/_ns$/.test(name)) continue;
    const whole = name === "guests" || name === "hosts"
      ? [pickKeys((known[name] as object[])[0], (inner as object[])[0])]
      : known[name];
    assert.deepEqual(name === "stages" ? [(inner as unknown[])[0]] : inner, whole, name);
  }
  assert.deepEqual(
    Object.keys(interval),
    Object.keys(templateInterval()).filter((name) => Object.hasOwn(interval, name)),
  );
  assert.equal(seriesRecord(interval, runIdentity(session, META)).length, SERIES_COLUMNS.length);
});
