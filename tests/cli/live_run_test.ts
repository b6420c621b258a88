import assert from "node:assert/strict";
import fc from "fast-check";
import { MS, US } from "../../src/base/units.ts";
import type { LiveSnapshot } from "../../src/report/live_snapshot.ts";
import { openRun } from "../../src/cli/dash.ts";
import { LiveRun } from "../../src/cli/live_run.ts";
import { openRunInput } from "../../src/cli/run_input.ts";
import type { Input } from "../../src/cluster/input.ts";
import type { InputLog } from "../../src/cluster/input_log.ts";
import { type EarlierInstant, Recording } from "../../src/cluster/recording.ts";
import { Session } from "../../src/cluster/session.ts";
import { stretchOf } from "../../src/report/interval.ts";
import type { DashboardRun } from "../../src/tui/run.ts";
import { scenario, type ScenarioOptions } from "../support/scenario.ts";

const STREAM: ScenarioOptions = {
  path: "xen2mx",
  workload: { kind: "stream", size: "8 KiB" },
  warmupPs: 2 * MS,
  durationPs: 50 * MS,
};
const LOSS: Input = { kind: "fault", link: "a-b", loss: 0.05, forPs: 1 * MS };

function open(options = STREAM): LiveRun {
  const make = () => new Session(scenario(options));
  return new LiveRun(new Recording(make(), make), { command: "test", version: "0" });
}

async function back(run: DashboardRun, toPs: number, earlier?: EarlierInstant): Promise<DashboardRun> {
  const rewinding = await run.rewind(toPs, earlier);
  for (;;) {
    const there = rewinding.advance(777);
    if (there !== null) return there;
  }
}

/** As the pacer does: batches of events, whatever stops them. */
function runTo(run: DashboardRun, ps: number): void {
  while (!run.advance(ps, 500) && !run.finished);
}

/** All but the sparklines, which begin anew: so much is not kept of every guest. */
function pictureOf(run: { live(): LiveSnapshot }): string {
  return JSON.stringify({ ...run.live(), history: [] });
}

Deno.test("the picture after going back is the one that was seen: figures, charts, log and fingerprint", async () => {
  // A run with a loss in it that is looked at every 130 us; each look may come in the middle of an instant.
  const run = open();
  const seen: { now: number; events: number; picture: string }[] = [];
  for (let i = 1; i <= 60; i++) {
    runTo(run, i * 130 * US);
    if (i % 3 === 0) { for (let step = 0; step < i; step++) run.step(); }
    if (i === 30) assert.equal(run.apply(LOSS), null);
    seen.push({ now: run.now, events: run.events, picture: pictureOf(run) });
  }
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: seen.length - 1 }), async (index) => {
      const { now, events, picture } = seen[index];
      const again = await back(run, now, { events });
      assert.equal(pictureOf(again), picture, `look ${index + 1}`);
      assert.deepEqual(again.intervals, run.intervals.filter(({ toPs }) => toPs <= now));
    }),
    { numRuns: 8 },
  );
});

Deno.test("an event or a message back, and the same event or message again", async () => {
  const run = open();
  runTo(run, 3 * MS);
  assert.ok(run.nextMessage(1e6));
  const { now, events, messages, lastMessage, lastEvent } = run;
  const before = await back(run, now, { events: events - 1 });
  assert.deepEqual([before.events, before.messages], [events - 1, messages - 1]);
  before.step();
  assert.deepEqual([before.now, before.events, before.lastEvent], [now, events, lastEvent]);
  const message = await back(run, now, { events: events - 1, messages: messages - 1 });
  assert.equal(message.messages, messages - 1);
  assert.ok(message.nextMessage(1e6));
  assert.deepEqual([message.now, message.events], [now, events]);
  assert.deepEqual(message.lastMessage, lastMessage);
  assert.deepEqual([lastMessage?.from, lastMessage?.to, lastMessage?.bytes], ["vm01", "vm02", 8192]);
  assert.ok(lastMessage!.latencyPs! > 1 * US);
});

Deno.test("two turns have looks in common, and differ from where something else was done", async () => {
  const first = open();
  for (let i = 1; i <= 40; i++) {
    runTo(first, i * 170 * US);
    first.live();
  }
  const other = await back(first, 3 * MS);
  other.live();
  other.sampleAt(first.intervals.map(({ toPs }) => toPs));
  assert.equal(other.apply(LOSS), null);
  runTo(other, first.now);
  const ends = first.intervals.map(({ toPs }) => toPs).filter((ps) => ps > 3 * MS);
  assert.ok(ends.every((ps) => other.intervals.some(({ toPs }) => toPs === ps)));
  const [from, to] = [ends[0], ends.at(-1)!];
  const [a, b] = [stretchOf(first.intervals, from, to)!, stretchOf(other.intervals, from, to)!];
  assert.ok(b.retransmits > a.retransmits || b.throughput_MBps < a.throughput_MBps, JSON.stringify([a, b]));
  // What the intervals add up to is what the run says of itself.
  const all = stretchOf(first.intervals, 2 * MS, first.now)!;
  assert.equal(all.messages, first.live().snapshot.totals.messages);
});

Deno.test("a run of which little is kept in memory stays while it is made again; gone, it answers as it stood", async () => {
  const run = open();
  runTo(run, 1 * MS);
  const picture = pictureOf(run);
  (await run.rewind(500 * US)).release();
  assert.ok(!run.gone);
  run.release();
  assert.deepEqual([run.gone, run.now, run.finished], [true, 1 * MS, false]);
  assert.equal(pictureOf(run), picture);
  run.step();
  assert.equal(run.advance(2 * MS, 10), true);
  assert.equal(run.now, 1 * MS);
  assert.match(run.apply(LOSS)!, /while the run goes back/);
});

Deno.test("a large run is gone while it is made again; giving up leads to where it was", async () => {
  const run = open({ ...STREAM, guests: 4, workload: { kind: "stream", size: "2 MiB" } });
  runTo(run, 4 * MS);
  run.live();
  runTo(run, 6 * MS);
  const { now, events } = run;
  const picture = pictureOf(run);
  const rewinding = await run.rewind(3 * MS);
  assert.ok(run.gone);
  assert.equal(rewinding.advance(1000), null);
  rewinding.onTo(now, { events });
  let there = null;
  while (there === null) there = rewinding.advance(1000);
  assert.equal(pictureOf(there), picture);
});

Deno.test("a change of path is gone back over: before it, while programs end, and after it the picture is the same", async () => {
  const options = { ...STREAM, durationPs: 400 * MS };
  const make = () =>
    new Session(scenario(options), {
      resolve: (assignments) => scenario({ ...options, path: assignments.at(-1)!.slice("path=".length) }),
      endless: true,
    });
  const run = new LiveRun(new Recording(make(), make), { command: "test", version: "0" });
  const seen: { now: number; events: number; picture: LiveSnapshot }[] = [];
  let messages = 0;
  for (let i = 1; i <= 24; i++) {
    runTo(run, i * 400 * US);
    if (i === 8) assert.equal(run.apply({ kind: "set", assignments: ["path=bridged"] }), null);
    assert.ok(run.messages >= messages, "messages count on");
    messages = run.messages;
    seen.push({ now: run.now, events: run.events, picture: JSON.parse(JSON.stringify(run.live())) });
  }
  assert.equal(run.live().snapshot.scenario.path, "bridged");
  for (const index of [23, 16, 8, 5]) {
    const { now, events, picture } = seen[index];
    const again = await back(run, now, { events });
    // What single guests did before the change is not kept: they are others now.
    const seenThen = JSON.parse(JSON.stringify(again.live()));
    const history = index > 12 ? {} : { history: null };
    assert.deepEqual({ ...seenThen, ...history }, { ...picture, ...history }, `look ${index + 1}`);
  }
  const before = run.messages;
  assert.ok(run.nextMessage(1e6));
  assert.equal(run.messages, before + 1);
});

Deno.test("the end of a changed cluster's warm-up is an end of an interval, as that of the first one, on every way there", async () => {
  const options = { ...STREAM, durationPs: 400 * MS };
  const other = { ...options, path: "bridged", warmupPs: 3 * MS };
  const make = () => new Session(scenario(options), { resolve: () => scenario(other), endless: true });
  const recording = new Recording(make(), make);
  const run = new LiveRun(recording, { command: "test", version: "0" });
  runTo(run, 5 * MS);
  assert.equal(run.apply({ kind: "set", assignments: ["path=bridged"] }), null);
  runTo(run, 12 * MS);
  run.live();
  const { startPs, measuringPs, scenario: present } = recording.session;
  assert.ok(startPs > 5 * MS && measuringPs === startPs + present.warmupPs && present.warmupPs === 3 * MS);
  const ends = [2 * MS, 5 * MS, measuringPs, 12 * MS];
  assert.deepEqual(run.intervals.map(({ toPs }) => toPs), ends);
  // What the run counts since then is what the interval after it has.
  const { snapshot } = run.live();
  assert.equal(run.intervals.at(-1)!.messages, snapshot.totals.messages);
  assert.equal(snapshot.measured_ns, (12 * MS - measuringPs) / 1000);
  // The same run by its log.
  const end = { atPs: run.now, events: run.events, fingerprint: snapshot.fingerprint };
  const log = { inputs: recording.inputs, end } as unknown as InputLog;
  const played = new LiveRun(new Recording(make(), make), { command: "test", version: "0", log });
  runTo(played, 12 * MS);
  assert.equal(played.replay!.takeVerdict()?.level, "info");
  assert.ok(played.intervals.some(({ toPs }) => toPs === measuringPs));
  // Back to before the change, another one, and on from message to message.
  const again = await back(run, 4 * MS);
  assert.equal(again.apply({ kind: "set", assignments: ["path=bridged"] }), null);
  while (again.now < 10 * MS) assert.ok(again.nextMessage(1e6));
  const begins = again.now - again.live().snapshot.measured_ns * 1000;
  assert.ok(again.intervals.some(({ toPs }) => Math.abs(toPs - begins) < 1), `${begins}`);
});

Deno.test("on to the next message: recordings end, and figures are taken, at their instants", () => {
  const [run, other] = [open(), open()];
  for (const it of [run, other]) it.sampleAt([4 * MS]);
  const recorder = run.record("capture", 3 * MS);
  while (run.now < 6 * MS) assert.ok(run.nextMessage(1e6));
  assert.ok(typeof recorder !== "string" && recorder.done);
  runTo(other, run.now);
  const sampled = (it: LiveRun) => it.intervals.map(({ toPs }) => toPs);
  assert.deepEqual(sampled(run), sampled(other));
  assert.ok(sampled(run).includes(4 * MS), sampled(run).join());
});

Deno.test("the log of a run that is gone is the one that it had", async () => {
  const scenario = await openRunInput("stream-both-ways", {});
  const run = await openRun(scenario) as LiveRun;
  run.advance(1 * MS, 1e6);
  assert.equal(run.apply(LOSS), null);
  const log = run.inputLog();
  assert.match(log, /^inputs:\n {2}- \{ at: .*, do: fault, link: a-b/m);
  run.release();
  assert.equal(run.inputLog(), log);
});

Deno.test("one message step by step costs what was set in the run", async () => {
  const run = await openRun(await openRunInput("pingpong-tiny", {}));
  const latencyPs = () => {
    for (const source = run.anatomy!("xen2mx")!;;) {
      const { value } = source.next();
      if (value !== null && value !== undefined) return value.latencyPs;
    }
  };
  const before = latencyPs();
  assert.equal(run.apply({ kind: "set", assignments: ["costs.syscall=9000"] }), null);
  runTo(run, run.now + 20 * MS);
  assert.ok(latencyPs() > before + 8e6, `${before} ps`);
  run.release();
  assert.equal(run.anatomy!("xen2mx"), null);
});
