import assert from "node:assert/strict";
import { Ticker } from "../../../src/tui/drive/ticker.ts";

/** Wall time that a test sets; what is due runs when `goTo` gets there, as late as `goTo` says. */
class FakeClock {
  #now = 0;
  #waiting: { at: number; action: () => void } | null = null;

  now(): number {
    return this.#now;
  }

  later(action: () => void, ms: number): () => void {
    const entry = { at: this.#now + ms, action };
    this.#waiting = entry;
    return () => {
      if (this.#waiting === entry) this.#waiting = null;
    };
  }

  /** Time passes in an action. */
  spend(ms: number): void {
    this.#now += ms;
  }

  /** Sets the time and lets what is due by then run, then. */
  goTo(ms: number): void {
    this.#now = ms;
    const waiting = this.#waiting;
    if (waiting === null || waiting.at > ms) return;
    this.#waiting = null;
    waiting.action();
  }
}

Deno.test("late calls do not make the next ones later", () => {
  const clock = new FakeClock();
  let calls = 0;
  const ticker = new Ticker(clock, 100, () => calls++);
  // Somebody else has the thread for 13 ms at a time.
  for (let ms = 0; ms <= 10_000; ms += 13) clock.goTo(ms);
  assert.equal(calls, 99);
  ticker.stop();
  clock.goTo(20_000);
  assert.equal(calls, 99);
});

Deno.test("what was missed is not made up for", () => {
  const clock = new FakeClock();
  const at: number[] = [];
  const ticker = new Ticker(clock, 100, () => at.push(clock.now()));
  clock.goTo(750);
  for (let ms = 751; ms <= 1000; ms++) clock.goTo(ms);
  assert.deepEqual(at, [750, 800, 900, 1000]);
  ticker.stop();
});

Deno.test("a slow action leaves others as much time as it took", () => {
  const clock = new FakeClock();
  const at: number[] = [];
  const ticker = new Ticker(clock, 100, () => {
    at.push(clock.now());
    clock.spend(90);
  });
  for (let step = 0; step < 1000; step++) clock.goTo(clock.now() + 1);
  ticker.stop();
  assert.deepEqual(at.slice(0, 4), [100, 280, 460, 640]);
});

Deno.test("an action that stops it is the last", () => {
  const clock = new FakeClock();
  let calls = 0;
  let stop = () => {};
  const ticker = new Ticker(clock, 100, () => {
    calls++;
    stop();
  });
  stop = () => ticker.stop();
  for (let ms = 0; ms <= 1000; ms++) clock.goTo(ms);
  assert.equal(calls, 1);
});
