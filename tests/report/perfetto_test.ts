import assert from "node:assert/strict";
import fc from "fast-check";
import { microseconds, perfettoParts } from "../../src/report/perfetto.ts";
import { type FlowPoint, TraceLog } from "../../src/report/trace/log.ts";
import { importTrace } from "../support/chrome_trace.ts";

const written = (log: TraceLog) => [...perfettoParts(log, {})].join("");
const newLog = (from = 0, limit = Infinity) => new TraceLog(from, limit, () => {});

Deno.test("perfetto: a time is the same nanosecond to who cuts and to who rounds", () => {
  assert.deepEqual([0, 1, 999, 1000, 1001, 1_234_567].map(microseconds), [
    ...["0.000", "0.001", "0.999", "1.000", "1.0011", "1234.567"],
  ]);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_007_199_254 * 100 }), (ns) => {
      const us = Number(microseconds(ns));
      assert.deepEqual([Math.trunc(us * 1000), Math.round(us * 1000)], [ns, ns]);
    }),
    { numRuns: 2000 },
  );
});

/** Slices of one track: picoseconds of pause before, and of duration, from nothing to some nanoseconds. */
const stretches = fc.array(
  fc.record({
    pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3000 })),
    duration: fc.oneof(fc.integer({ min: 0, max: 1200 }), fc.integer({ min: 500, max: 20_000 })),
    name: fc.constantFrom("copy", "driver"),
  }),
  { maxLength: 30 },
);

/** Two points within a nanosecond, the later one in a slice that ends in the nanosecond of the earlier: once out of order. */
const CLOSE_POINTS = [
  [{ pause: 0, duration: 4916, name: "copy" }, { pause: 2686, duration: 912, name: "copy" }],
  [{ pause: 268, duration: 727, name: "copy" }, { pause: 0, duration: 16770, name: "copy" }],
];

Deno.test("perfetto: slices that do not overlap in picoseconds do not in the file, and flows find theirs", () => {
  const bind = fc.property(fc.array(stretches, { minLength: 1, maxLength: 4 }), fc.nat(), (tracks, seed) => {
    const log = newLog();
    const process = log.process("host a");
    const points: FlowPoint[] = [];
    tracks.forEach((slices, i) => {
      const track = log.track(process, `cpu${i}`);
      let at = 0;
      for (const [n, { pause, duration, name }] of slices.entries()) {
        at += pause;
        track.slice(name, "kernel", at, duration);
        if (duration > 0 && (n * 7 + seed) % 3 === 0) points.push({ track, at: at + (seed % duration) });
        at += duration;
      }
    });
    points.sort((x, y) => x.at - y.at);
    log.flow(points);
    log.close();
    const { slices, flows } = importTrace(written(log));
    const asked = tracks.flat().reduce((sum, { duration }) => sum + duration, 0) / 1000;
    const shown = slices.reduce((sum, { from, to }) => sum + to - from, 0);
    const edges = tracks.flat().length;
    assert.ok(Math.abs(asked - shown) <= edges, "each slice is as long as it was, to a nanosecond");
    for (const flow of flows) {
      const tracksOfFlow = flow.slices.map(({ track }) => track);
      const wanted = points.map(({ track }) => `host a/${track.name}`);
      // In order, and none that was not asked for; points in slices that vanish, or in the slice before, are left out.
      let next = 0;
      for (const track of tracksOfFlow) {
        next = wanted.indexOf(track, next) + 1;
        assert.ok(next > 0);
      }
    }
  });
  fc.assert(bind, { numRuns: 1000, examples: [[CLOSE_POINTS, 797068835]] });
});

Deno.test("perfetto: neighbours that say the same are one slice, those with arguments are not", () => {
  const log = newLog();
  const track = log.track(log.process("host a"), "cpu0");
  track.slice("poll", "user", 0, 1000);
  track.slice("poll", "user", 1000, 2000);
  track.slice("poll", "kernel", 3000, 1000);
  track.slice("poll", "kernel", 5000, 1000);
  track.slice("TINY", "frame", 6000, 1000, { bytes: 60 });
  track.slice("TINY", "frame", 7000, 1000, { bytes: 60 });
  log.close();
  const shown = importTrace(written(log)).slices.map(({ name, cat, from, to }) => [name, cat, from, to]);
  assert.deepEqual(shown, [
    ["poll", "user", 0, 3],
    ["poll", "kernel", 3, 4],
    ["poll", "kernel", 5, 6],
    ["TINY", "frame", 6, 7],
    ["TINY", "frame", 7, 8],
  ]);
});

Deno.test("perfetto: nothing before the log's beginning is kept", () => {
  const log = newLog(5000);
  const track = log.track(log.process("host a"), "cpu0");
  const events = log.track(log.processes[0], "cpu0 events");
  track.slice("spin", "kernel", 0, 4000);
  track.slice("poll", "user", 4000, 3000);
  events.instant("kick", 4999);
  events.instant("kick", 5000);
  log.close();
  const { slices, instants } = importTrace(written(log));
  assert.deepEqual(slices.map(({ name, from, to }) => [name, from, to]), [["poll", 5, 7]]);
  assert.deepEqual(instants.map(({ at }) => at), [5]);
});

Deno.test("perfetto: a curve adds up differences in the order of time, whoever came first", () => {
  const log = newLog();
  let now = 0;
  const counter = log.counter(log.process("guest"), "grants", "active", 2, () => now);
  const change = (at: number, difference: number) => {
    now = at;
    counter.add(difference);
  };
  change(9000, 1); // a burst that runs ahead
  change(4000, -1);
  now = 12_000;
  counter.set(7);
  assert.deepEqual(importTrace(written(log)).counters.get("guest/grants active"), [
    { at: 0, value: 2 },
    { at: 4, value: 1 },
    { at: 9, value: 2 },
    { at: 12, value: 7 },
  ]);
});

Deno.test("perfetto: what has nothing to show has no name, and names are texts of any kind", () => {
  const log = newLog();
  const track = log.track(log.process('host "a"\n'), "c\\pu");
  log.track(log.process("nobody"), "nothing");
  track.slice('say "x"', "user", 0, 1000, { frame: 'name "\\u001b"' });
  log.close();
  const text = written(log);
  assert.equal(importTrace(text).slices[0].track, 'host "a"\n/c\\pu');
  assert.ok(!text.includes("nobody") && !text.includes("nothing"));
  assert.deepEqual(importTrace(written(newLog())).slices, [], "an empty one is a good file");
});
