import assert from "node:assert/strict";
import { MS, US } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { LiveView } from "../../src/report/live.ts";
import { returnTo } from "../../src/report/seen.ts";
import { scenario } from "../support/scenario.ts";

const META = { command: "test", version: "0" };

function session(): Session {
  return new Session(scenario({ workload: { kind: "pingpong", size: 32 }, durationPs: 100 * MS }));
}

Deno.test("what a view keeps is bounded: samples, intervals and log, the oldest goes first", () => {
  const run = session();
  const view = new LiveView(run, META);
  for (let i = 1; i <= 700; i++) {
    run.advance(i * 20 * US);
    view.look();
  }
  const { samples, intervals, log, said } = view.seen;
  assert.deepEqual([samples.length, intervals.length], [600, 600]);
  assert.ok(log.length <= 500 && said >= log.length);
  assert.deepEqual([intervals[0].fromPs, intervals.at(-1)!.toPs], [2000 * US, 14_000 * US]);
  assert.ok(intervals.every(({ toPs }, i) => toPs === samples[i].at_ns * 1000));
  assert.ok(intervals.every(({ fromPs }, i) => i === 0 || fromPs === intervals[i - 1].toPs));
});

Deno.test("the way back begins two looks before the instant and looks once on the way", () => {
  const run = session();
  const view = new LiveView(run, META);
  for (let i = 1; i <= 10; i++) {
    run.advance(i * MS);
    view.look();
  }
  const { intervals } = view.seen;
  const back = returnTo(view.seen, { atPs: 5.5 * MS });
  assert.deepEqual([back.start.atPs, back.start.events], [4 * MS, intervals[3].events]);
  assert.deepEqual(back.look, { atPs: 5 * MS, events: intervals[4].events, inputs: 0 });
  assert.equal(back.seen.intervals.length, 4);
  // An instant that was looked at is the last look; an event before it, it is not yet.
  assert.equal(returnTo(view.seen, { atPs: 5 * MS }).look!.atPs, 5 * MS);
  assert.equal(returnTo(view.seen, { atPs: 5 * MS, events: intervals[4].events - 1 }).look!.atPs, 4 * MS);
  assert.equal(returnTo(view.seen, { atPs: 9 * MS, messages: intervals[4].completed }).look!.atPs, 4 * MS);
});

Deno.test("of a time before everything that is kept, the latest stretch is looked at", () => {
  const run = session();
  const view = new LiveView(run, META);
  for (let i = 1; i <= 700; i++) {
    run.advance(i * 20 * US);
    view.look();
  }
  const back = returnTo(view.seen, { atPs: 1000 * US });
  assert.deepEqual([back.start.atPs, back.look, back.seen.intervals], [0, null, []]);
});
