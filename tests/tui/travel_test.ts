import assert from "node:assert/strict";
import type { Input } from "../../src/cluster/input.ts";
import { toText } from "../../src/tui/screen.ts";
import { presentNumber } from "../../src/tui/time.ts";
import { Desk } from "./desk.ts";

const MS = 1e9;
const LOSS: Input = { kind: "fault", link: "a-b", loss: 0.05, forPs: null };

Deno.test("one event, one message, one millisecond: each says what happened and leaves the run paused", async () => {
  const desk = new Desk();
  desk.key(".");
  assert.equal(desk.run.events, 1);
  assert.equal(desk.notice, "event 1: a-b to b");
  desk.key("m");
  await desk.settle();
  assert.equal(desk.notice, "message from vm01 to vm02, 512 KiB, latency 1 ms");
  const before = desk.run.now;
  desk.key(";");
  await desk.settle();
  assert.equal(desk.run.now, before + MS);
  assert.match(desk.notice, /^on to 0\.001 011 000 s$/);
  assert.ok(!desk.model.running);
  assert.equal(desk.model.nowPs, desk.run.now);
});

Deno.test("back goes by the last kind of step, a millisecond at first", async () => {
  const desk = new Desk();
  desk.runTo(1);
  for (const [keys, events] of [[[","], 999_000], [[".", ","], 999_000], [["m", ","], 999_000]] as const) {
    desk.key(...keys.slice(0, -1));
    await desk.settle();
    desk.key(",");
    await desk.settle();
    assert.equal(desk.run.events, events, keys.join(" "));
    assert.match(desk.notice, /^back at 0\.999 000 000 s, after event 999 000: a-b to b$/);
  }
});

Deno.test("every press on the way back goes a step further", async () => {
  const desk = new Desk();
  desk.runTo(1);
  desk.key(",", ",");
  await Promise.resolve();
  await Promise.resolve();
  desk.clock.turn();
  desk.key(",");
  await desk.settle();
  assert.equal(desk.run.now, 997 * MS);
  assert.equal(desk.model.time.turns.length, 1);
});

Deno.test("at the start there is nothing before", async () => {
  const desk = new Desk();
  desk.key(",");
  await desk.settle();
  assert.equal(desk.notice, "this is the start of the run");
});

Deno.test("a comparison has the clock: a way back is given up, and one that cannot be is no affair of its screen", async () => {
  for (const large of [false, true]) {
    const desk = new Desk();
    desk.run.large = large;
    desk.runTo(1);
    desk.key(",");
    for (let i = 0; i < 4; i++) await Promise.resolve();
    desk.key("c");
    desk.traveller.setAside();
    assert.match(toText(desk.model)[0], /RUNNING$/);
    assert.ok(desk.model.running, "the comparison's");
    desk.key("space");
    assert.ok(!desk.model.running, "space is the comparison's too");
    desk.key("space");
    await desk.settle();
    assert.deepEqual([desk.model.running, desk.model.nowPs, desk.model.compare.open], [true, 0, true]);
    assert.equal(desk.run.now, large ? 999 * MS : 1000 * MS);
    desk.key("c");
    assert.equal(desk.model.running, false, "it had been stopped to go back");
  }
});

Deno.test("a way back shows how far it is, and Escape or space give it up", async () => {
  for (const stop of ["escape", "space"]) {
    const desk = new Desk();
    desk.runTo(2);
    const { run } = desk;
    desk.key("b", "1", "space", "s", "enter");
    await Promise.resolve();
    await Promise.resolve();
    // The fake takes three calls: a clock that runs fast makes each a slice of its own.
    desk.clock.wall += 1000;
    desk.clock.now = () => desk.clock.wall += 20;
    desk.clock.turn();
    const { travel } = desk.model.time;
    assert.equal(travel?.kind, "back");
    assert.ok(travel!.progress > 0 && travel!.leftMs !== null);
    desk.key(stop);
    await desk.settle();
    assert.equal(desk.model.time.travel, null);
    assert.equal(desk.run, run);
    assert.ok(!run.gone && run.now === 2e12 && !desk.model.running);
    assert.deepEqual(desk.model.time.turns, []);
  }
});

Deno.test("a run that is too large to stay comes back by itself when the way is given up", async () => {
  const desk = new Desk();
  desk.runTo(2);
  desk.run.large = true;
  desk.key(",");
  await Promise.resolve();
  await Promise.resolve();
  desk.clock.now = () => desk.clock.wall += 20;
  desk.clock.turn();
  assert.ok(desk.run.gone);
  for (const key of [".", "m", ";"]) {
    desk.key(key);
    assert.match(desk.notice, /on its way/);
  }
  desk.key("escape", "escape");
  await desk.settle();
  assert.ok(!desk.run.gone);
  assert.equal(desk.run.now, 2e12);
  assert.deepEqual([desk.model.time.turns, desk.model.time.travel], [[], null]);
  desk.key(",");
  await desk.settle();
  assert.equal(desk.run.now, 1.999e12);
});

Deno.test("a message that never comes can be given up: the slice ends", async () => {
  const desk = new Desk();
  desk.run.nextMessage = (maxEvents) => {
    desk.run.now += Math.min(maxEvents, 5) * 1e6;
    return false;
  };
  desk.key("m");
  for (let i = 0; i < 5; i++) {
    assert.ok(!desk.clock.idle);
    desk.clock.turn();
  }
  assert.equal(desk.model.time.travel?.kind, "message");
  desk.key("escape");
  assert.ok(desk.clock.idle);
  assert.equal(desk.model.nowPs, desk.run.now);
  await desk.settle();
});

Deno.test("another turn: the old one stays as data, both are numbered, and the new run samples where the old one did", async () => {
  const desk = new Desk();
  desk.runTo(3);
  const first = desk.run;
  desk.key("b", ..."-1", "space", "s", "enter");
  await desk.settle();
  assert.ok(first.gone && desk.run !== first);
  assert.equal(desk.run.now, 2e12);
  assert.equal(presentNumber(desk.model), 1);
  assert.ok(first.intervals.every(({ toPs }) => desk.run.sampleTimes.includes(toPs)));
  assert.equal(desk.run.apply(LOSS), null);
  desk.runTo(2.5);
  assert.equal(presentNumber(desk.model), 2);
  const [kept] = desk.model.time.turns;
  assert.deepEqual([kept.number, kept.endPs, kept.inputs.length], [1, 3e12, 0]);
  assert.equal(kept.samples.at(-1)!.at_ns, 3e9);
});

Deno.test("forward in time is just running on, as fast as it goes", async () => {
  const desk = new Desk();
  desk.key("b", ..."1.5", "space", "s", "enter");
  await desk.settle();
  assert.equal(desk.run.now, 1.5e12);
  assert.deepEqual(desk.model.time.turns, []);
  desk.key("b", ..."99", "space", "s", "enter");
  await desk.settle();
  assert.equal(desk.notice, "the run is over at 60.000 000 000 s");
  desk.key(",");
  await desk.settle();
  assert.ok(!desk.model.finished, "it goes back from the end, too");
});
