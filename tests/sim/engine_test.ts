import assert from "node:assert/strict";
import fc from "fast-check";
import { Engine } from "../../src/sim/engine.ts";

const END = 50_000_000;

/** A little world: events that schedule, cancel and draw random numbers. */
function build(seed: number) {
  const engine = new Engine(seed);
  const random = engine.random("world");
  const log: string[] = [];
  let waiting = -1;
  const ring = engine.handler("ring", (a, b) => {
    log.push(`${engine.now} ring ${a} ${b}`);
    engine.cancel(waiting);
    waiting = engine.timer(engine.now + random.below(300_000), quiet, a);
    if (b < 40) engine.after(random.below(200_000), ring, a, b + 1);
  });
  const quiet = engine.handler("quiet", (a) => log.push(`${engine.now} quiet ${a}`));
  for (let i = 0; i < 8; i++) engine.at(i % 3, ring, i, 0);
  return { engine, log };
}

Deno.test("one run and the same run in slices are the same event stream", () => {
  const whole = build(1);
  whole.engine.run(END);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3_000_000), fc.integer({ min: 0, max: 50 })), { maxLength: 60 }), (slices) => {
      const sliced = build(1);
      for (const [span, events] of slices) sliced.engine.run(Math.min(END, sliced.engine.now + span), events);
      sliced.engine.run(END);
      assert.deepEqual(sliced.log, whole.log);
      assert.equal(sliced.engine.fingerprint, whole.engine.fingerprint);
      assert.equal(sliced.engine.events, whole.engine.events);
      assert.equal(sliced.engine.now, END);
    }),
  );
});

Deno.test("another seed, and one event more, are other fingerprints", () => {
  const fingerprint = (seed: number, until: number) => {
    const { engine } = build(seed);
    engine.run(until);
    return engine.fingerprint;
  };
  assert.equal(fingerprint(1, END), fingerprint(1, END));
  assert.notEqual(fingerprint(1, END), fingerprint(2, END));
  assert.notEqual(fingerprint(1, END), fingerprint(1, 100_000));
  assert.match(fingerprint(1, END), /^[0-9a-f]{16}$/);
});

Deno.test("run says whether it got there, and where it stopped", () => {
  const engine = new Engine();
  const seen: number[] = [];
  const note = engine.handler("note", (a) => {
    seen.push(a);
    if (a === 2) engine.stop();
  });
  for (let i = 1; i <= 4; i++) engine.at(i * 10, note, i);
  assert.equal(engine.nextTime, 10);
  assert.equal(engine.run(100, 1), false);
  assert.equal(engine.now, 10);
  assert.equal(engine.run(100), false, "stopped by the handler");
  assert.equal(engine.now, 20);
  assert.equal(engine.run(30), true, "events at the limit run");
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(engine.run(35), true);
  assert.equal(engine.now, 35, "the clock goes on without events");
  assert.equal(engine.pending, 1);
  assert.equal(engine.handlerName(note), "note");
});

Deno.test("random streams depend on the seed and their name, not on each other", () => {
  const draw = (seed: number, names: string[]) => {
    const engine = new Engine(seed);
    return names.map((name) => engine.random(name).u32())[0];
  };
  assert.equal(draw(1, ["a"]), draw(1, ["a", "b"]));
  assert.notEqual(draw(1, ["a"]), draw(1, ["b"]));
  assert.notEqual(draw(1, ["a"]), draw(2, ["a"]));
});

Deno.test("a successor carries on clock, count and fingerprint, without handlers and events of its own", () => {
  const first = build(1);
  first.engine.run(20_000_000);
  const { now, events, fingerprint } = first.engine;
  const next = first.engine.successor(7);
  assert.deepEqual([next.now, next.events, next.fingerprint, next.pending, next.seed], [
    now,
    events,
    fingerprint,
    0,
    7,
  ]);
  const seen: number[] = [];
  const handler = next.handler("again", (n) => seen.push(next.now - now, n));
  // Near, far, and in between turns of the queue's calendar.
  for (const [delay, n] of [[3e12, 4], [0, 1], [2e9, 3], [1e6, 2]]) next.after(delay, handler, n);
  assert.throws(() => next.at(now - 1, handler), /in the past/);
  next.run(now + 5e12);
  assert.deepEqual(seen, [0, 1, 1e6, 2, 2e9, 3, 3e12, 4]);
  assert.deepEqual([next.events, next.now], [events + 4, now + 5e12]);
  assert.notEqual(next.fingerprint, fingerprint);
  assert.equal(first.engine.now, now, "the one before stays as it is");
});

Deno.test("a stop leaves the clock where it was asked for, also when nothing is left to do", () => {
  for (const later of [[], [900]]) {
    const engine = new Engine();
    const handler = engine.handler("stop", () => engine.stop());
    for (const at of [100, ...later]) engine.at(at, handler);
    assert.equal(engine.run(500), false);
    assert.equal(engine.now, 100);
    assert.equal(engine.run(500), true);
    assert.equal(engine.now, 500);
  }
});
