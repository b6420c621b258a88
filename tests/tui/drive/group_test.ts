import assert from "node:assert/strict";
import fc from "fast-check";
import { Group, type GroupRun, LONGEST_ROUND_PS } from "../../../src/tui/drive/group.ts";

const MS = 1e9;

/** A run whose events are `gapPs` apart. */
class Run implements GroupRun {
  now = 0;
  events = 0;
  finished = false;
  readonly end: number;
  readonly #gap: number;
  #next: number;

  constructor(gapPs: number, end = 1000 * MS) {
    this.#gap = gapPs;
    this.#next = gapPs;
    this.end = end;
  }

  advance(until: number, maxEvents: number): boolean {
    if (this.finished) return true;
    const goal = Math.min(until, this.end);
    for (let left = maxEvents; this.#next <= goal; left--) {
      if (left <= 0) return false;
      this.now = this.#next;
      this.#next += this.#gap;
      this.events++;
    }
    this.now = Math.max(this.now, goal);
    this.finished = this.now >= this.end;
    return true;
  }
}

function groupOf(...runs: Run[]): Group<Run> {
  const group = new Group<Run>();
  for (const run of runs) group.add(run);
  return group;
}

const spreadOf = (runs: readonly Run[]) => {
  const times = runs.filter(({ finished }) => !finished).map(({ now }) => now);
  return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times);
};

Deno.test("however it is sliced, runs stay together, time never goes back, and budgets hold", () => {
  const gaps = fc.array(fc.integer({ min: 1e5, max: 5e8 }), { minLength: 1, maxLength: 8 });
  const calls = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 3000 })), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(gaps, calls, (gaps, calls) => {
      const runs = gaps.map((gap) => new Run(gap));
      const group = groupOf(...runs);
      for (const [ms, budget] of calls) {
        const before = group.now;
        const events = runs.reduce((sum, run) => sum + run.events, 0);
        const until = before + ms * MS;
        const reached = group.advance(until, budget);
        assert.ok(group.now >= before);
        assert.equal(group.now, Math.min(...runs.map(({ now }) => now)), "the clock is the least");
        assert.equal(reached, group.now >= until);
        assert.ok(runs.reduce((sum, run) => sum + run.events, 0) - events <= budget, "the budget");
        assert.ok(spreadOf(runs) <= LONGEST_ROUND_PS, `apart by ${spreadOf(runs) / MS} ms`);
        assert.equal(group.spread, spreadOf(runs));
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("a run does what it would do alone", () => {
  const runs = [new Run(3e6), new Run(7e7)];
  const group = groupOf(...runs);
  while (!group.advance(50 * MS, 777));
  for (const [i, gap] of [3e6, 7e7].entries()) {
    const alone = new Run(gap);
    alone.advance(50 * MS, Infinity);
    assert.equal(runs[i].events, alone.events);
    assert.equal(runs[i].now, 50 * MS);
  }
});

Deno.test("dense events make rounds short: nobody is far ahead of a slow one", () => {
  const slow = new Run(1e5); // ten thousand events in a millisecond
  const quick = new Run(1e9);
  const group = groupOf(slow, quick);
  let apart = 0;
  for (let call = 0; call < 2000; call++) {
    group.advance(1000 * MS, 200);
    if (call > 500) apart = Math.max(apart, group.spread);
  }
  assert.ok(apart > 0 && apart <= 0.5 * MS, `apart by ${apart / MS} ms`);
});

Deno.test("budget is never spent on one run alone while others wait", () => {
  const runs = [new Run(1e6), new Run(1e6), new Run(1e6)];
  const group = groupOf(...runs);
  for (let call = 0; call < 400; call++) group.advance(1000 * MS, 100);
  const counts = runs.map(({ events }) => events);
  assert.ok(Math.min(...counts) > 0.7 * Math.max(...counts), `${counts}`);
});

Deno.test("a run that is over does not hold the others up; the group is over with the last", () => {
  const short = new Run(1e6, 3 * MS);
  const long = new Run(1e6, 20 * MS);
  const group = groupOf(short, long);
  while (!group.advance(10 * MS, 500));
  assert.equal(short.finished, true);
  assert.equal(group.now, 10 * MS);
  assert.equal(group.finished, false);
  assert.equal(group.end, 20 * MS);
  while (!group.advance(30 * MS, 500));
  assert.equal(group.finished, true);
  assert.equal(group.now, 20 * MS);
});

Deno.test("the clock stands until a late run is where the others are", () => {
  const first = new Run(1e6);
  const group = groupOf(first);
  group.advance(20 * MS, Infinity);
  const late = new Run(1e6);
  const later = new Run(1e6);
  group.add(late);
  group.add(later);
  assert.ok(group.isLate(late) && !group.isLate(first));
  let calls = 0;
  for (; group.isLate(late) || group.isLate(later); calls++) {
    assert.equal(group.advance(1000 * MS, 500), false);
    assert.ok(!group.isLate(late) || first.now <= 20 * MS + LONGEST_ROUND_PS);
    assert.ok(Math.abs(late.now - later.now) <= LONGEST_ROUND_PS, "late ones go on together");
    if (group.isLate(late)) assert.equal(group.now, 20 * MS);
  }
  assert.ok(calls > 10, "in slices");
  group.advance(40 * MS, Infinity);
  assert.deepEqual([late.now, later.now, first.now, group.now], Array(4).fill(40 * MS));
});

Deno.test("align brings all to one instant and leaves late ones alone", () => {
  const runs = [new Run(1e5), new Run(9e6), new Run(3e7)];
  const group = groupOf(...runs);
  while (group.spread === 0) group.advance(1000 * MS, 333);
  group.align();
  assert.equal(new Set(runs.map(({ now }) => now)).size, 1);
  assert.equal(group.spread, 0);
  const late = new Run(1e5);
  group.add(late);
  group.align();
  assert.equal(late.now, 0);
});

Deno.test("removing the slowest, or all, never sets the clock back", () => {
  const slow = new Run(1e4);
  const quick = new Run(1e9);
  const group = groupOf(slow, quick);
  for (let call = 0; call < 50; call++) group.advance(1000 * MS, 200);
  const before = group.now;
  group.remove(slow);
  assert.ok(group.now >= before);
  group.remove(quick);
  const last = group.now;
  assert.equal(group.finished, false);
  assert.equal(group.advance(1000 * MS, 100), true);
  group.add(new Run(1e6));
  assert.equal(group.now, last);
});

Deno.test("while it is held, nothing goes on", () => {
  const group = groupOf(new Run(1e6));
  group.held = true;
  assert.equal(group.advance(10 * MS, 100), true);
  assert.equal(group.now, 0);
  group.held = false;
  group.advance(10 * MS, Infinity);
  assert.equal(group.now, 10 * MS);
});
