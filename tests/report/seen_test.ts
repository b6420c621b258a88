import assert from "node:assert/strict";
import { MS, US } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { LiveView } from "../../src/report/live.ts";
import { RateMemory } from "../../src/report/rate_window.ts";
import { returnTo } from "../../src/report/seen.ts";
import { scenario, untilTestEnds } from "../support/scenario.ts";

const META = { command: "test", version: "0" };

function session(): Session {
  return untilTestEnds(new Session(scenario({ workload: { kind: "pingpong", size: 32 }, durationPs: 100 * MS })));
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
    run.advance(i * 10 * MS);
    view.look();
  }
  const { intervals } = view.seen;
  const back = returnTo(view.seen, { atPs: 55 * MS });
  assert.deepEqual([back.start.atPs, back.start.events], [40 * MS, intervals[3].events]);
  assert.deepEqual(back.look, { atPs: 50 * MS, events: intervals[4].events, inputs: 0 });
  assert.equal(back.seen.intervals.length, 4);
  // An instant that was looked at is the last look; an event before it, it is not yet.
  assert.equal(returnTo(view.seen, { atPs: 50 * MS }).look!.atPs, 50 * MS);
  assert.equal(returnTo(view.seen, { atPs: 50 * MS, events: intervals[4].events - 1 }).look!.atPs, 40 * MS);
  assert.equal(returnTo(view.seen, { atPs: 90 * MS, messages: intervals[4].completed }).look!.atPs, 40 * MS);
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

Deno.test("of short intervals the way back looks at as many as make up a rate, and the picture is the same", () => {
  const run = session();
  const view = new LiveView(run, META);
  const times = [MS, 2 * MS];
  for (let i = 1; i <= 30; i++) times.push(2 * MS + i * (i < 20 ? 70 : 3) * US);
  times.sort((a, b) => a - b);
  for (const time of times) {
    run.advance(time);
    view.look();
  }
  const { recent, recent_links, recent_hosts, samples } = view.live();
  const { seen, start, rates, look } = returnTo(view.seen, { atPs: run.now });
  assert.ok(rates.length > 5 && rates.length < 16, `${rates.length} looks for rates`);
  const again = session();
  again.advance(start.atPs);
  const memory = new RateMemory(again);
  for (const { atPs } of rates) {
    again.advance(atPs);
    memory.look();
  }
  const second = new LiveView(again, META, seen, memory.window);
  again.advance(look!.atPs);
  const there = second.live();
  assert.deepEqual([there.recent, there.recent_links, there.recent_hosts], [recent, recent_links, recent_hosts]);
  assert.deepEqual(there.samples, samples);
});
