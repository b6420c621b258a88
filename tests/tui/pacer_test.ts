import assert from "node:assert/strict";
import { type Clock, type Paced, Pacer, SLICE_MS } from "../../src/tui/pacer.ts";

/** A clock that only moves when somebody waits or works. */
class FakeClock implements Clock {
  time = 0;
  #waiting: { at: number; action: () => void }[] = [];

  now(): number {
    return this.time;
  }

  later(action: () => void, ms: number): () => void {
    const entry = { at: this.time + ms, action };
    this.#waiting.push(entry);
    return () => this.#waiting = this.#waiting.filter((other) => other !== entry);
  }

  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Runs what is due until `time`. */
  runUntil(time: number): void {
    for (;;) {
      this.#waiting.sort((a, b) => a.at - b.at);
      const next = this.#waiting[0];
      if (next === undefined || next.at > time) break;
      this.#waiting.shift();
      // A timer of 0 ms still gives the event loop a turn.
      this.time = Math.max(this.time + 0.01, next.at);
      next.action();
    }
    this.time = Math.max(this.time, time);
  }
}

/** One event per virtual microsecond; each costs `eventMs` of wall time. */
class Engine implements Paced {
  now = 0;
  finished = false;
  longestMs = 0;
  constructor(private clock: FakeClock, private eventMs: number, readonly end = 1e15) {}

  advance(until: number, maxEvents: number): boolean {
    const wanted = Math.floor((until - this.now) / 1e6);
    const events = Math.max(0, Math.min(maxEvents, wanted));
    this.clock.time += events * this.eventMs;
    const reached = events >= wanted;
    this.now = reached ? Math.max(this.now, until) : this.now + events * 1e6;
    if (this.now >= this.end) this.finished = true;
    return reached;
  }
}

function setUp(eventMs: number, end?: number) {
  const clock = new FakeClock();
  const engine = new Engine(clock, eventMs, end);
  const errors: unknown[] = [];
  const pacer = new Pacer(clock, (error) => errors.push(error));
  pacer.attach(engine);
  return { clock, engine, pacer, errors };
}

Deno.test("a fast engine keeps to the speed that was asked for", () => {
  for (const speed of [1, 0.1, 0.001, 1e-6]) {
    const { clock, engine, pacer } = setUp(0);
    pacer.drive(true, speed);
    clock.runUntil(3000);
    assert.ok(Math.abs(engine.now / (3e12 * speed) - 1) < 0.01, `${speed}: ${engine.now}`);
    assert.ok(Math.abs(pacer.pace() / speed - 1) < 0.02, `${speed}: ${pacer.pace()}`);
  }
});

Deno.test("an engine that is too slow runs all the time, and the pace says how slow", () => {
  const { clock, engine, pacer } = setUp(0.002); // 500 events a millisecond: half of real time
  pacer.drive(true, 1);
  clock.runUntil(5000);
  assert.ok(Math.abs(pacer.pace() - 0.5) < 0.02, `${pacer.pace()}`);
  assert.ok(Math.abs(engine.now / 2.5e12 - 1) < 0.02);
});

Deno.test("no slice is longer than its budget, however dear an event is", () => {
  for (const eventMs of [0.0001, 0.002, 0.05, 0.5]) {
    const { clock, engine, pacer } = setUp(eventMs);
    pacer.drive(true, Infinity);
    clock.runUntil(2000); // lets the batch size settle
    let longest = 0;
    for (let i = 0; i < 200; i++) {
      const before = clock.time;
      clock.runUntil(clock.time);
      clock.runUntil(clock.time + 0.02);
      longest = Math.max(longest, clock.time - before);
    }
    assert.ok(longest <= 2 * SLICE_MS + 1, `${eventMs}: ${longest}`);
    assert.ok(engine.now > 0);
  }
});

Deno.test("max runs to the end without resting, then stops", () => {
  const { clock, engine, pacer } = setUp(0.0001, 1e12);
  pacer.drive(true, Infinity);
  clock.runUntil(10_000);
  assert.ok(engine.finished);
  assert.ok(clock.idle);
});

Deno.test("pause stops at once, and going on does not make up for the pause", () => {
  const { clock, engine, pacer } = setUp(0);
  pacer.drive(true, 1);
  clock.runUntil(1000);
  pacer.drive(false, 1);
  const paused = engine.now;
  clock.runUntil(60_000);
  assert.equal(engine.now, paused);
  assert.equal(pacer.pace(), 0);
  pacer.drive(true, 1);
  clock.runUntil(60_100);
  assert.ok(engine.now - paused <= 0.11e12);
});

Deno.test("a stall of the process is not made up for by more than a tenth of a second", () => {
  for (const eventMs of [0, 0.0001]) {
    const { clock, engine, pacer } = setUp(eventMs);
    pacer.drive(true, 1);
    clock.runUntil(1000);
    clock.time += 30_000;
    const before = engine.now;
    clock.runUntil(clock.time + 200);
    assert.ok(engine.now - before < 0.35e12, `${(engine.now - before) / 1e12}`);
  }
});

Deno.test("a fault of the engine is reported once and stops the driving", () => {
  const { clock, engine, pacer, errors } = setUp(0);
  engine.advance = () => {
    throw new Error("boom");
  };
  pacer.drive(true, 1);
  clock.runUntil(1000);
  assert.equal(errors.length, 1);
  assert.ok(clock.idle);
});

Deno.test("a new run starts with a fresh pace", () => {
  const { clock, pacer } = setUp(0);
  pacer.drive(true, 100);
  clock.runUntil(2000);
  pacer.attach(new Engine(clock, 0));
  assert.equal(pacer.pace(), 0);
  pacer.drive(true, 1);
  clock.runUntil(4000);
  assert.ok(Math.abs(pacer.pace() - 1) < 0.02);
});
