import assert from "node:assert/strict";
import { ManyProgress, Progress } from "../../src/cli/progress.ts";
import { runToEnd } from "../../src/cli/run_loop.ts";

/** A session that needs `slices` calls to end. */
function fakeSession(slices: number) {
  return {
    now: 0,
    end: slices * 10,
    finished: false,
    failure: null,
    stray: null,
    calls: [] as [number, number | undefined][],
    advance(until: number, maxEvents?: number): boolean {
      this.calls.push([until, maxEvents]);
      this.now += 10;
      this.finished = this.now >= this.end;
      return this.finished;
    },
  };
}

Deno.test("a run advances in slices until its session is finished", async () => {
  const session = fakeSession(3);
  const shown: number[] = [];
  const { partial } = await runToEnd(session, { exitCode: null }, { show: (now) => shown.push(now) });
  assert.equal(partial, false);
  assert.deepEqual(session.calls, [[30, 200_000], [30, 200_000], [30, 200_000]]);
  assert.deepEqual(shown, [10, 20]);
});

Deno.test("while there are rests the slices are short, and each is followed by a look at them", async () => {
  const session = fakeSession(4);
  const rests = { looks: 0, due: true, look: () => Promise.resolve(void (rests.due = ++rests.looks < 2)) };
  await runToEnd(session, { exitCode: null }, null, rests);
  assert.deepEqual(session.calls.map(([, maxEvents]) => maxEvents), [1000, 1000, 200_000, 200_000]);
});

Deno.test("a signal between two slices ends the run, which is partial", async () => {
  const session = fakeSession(100);
  const signals = { exitCode: null as number | null };
  setTimeout(() => signals.exitCode = 130, 0);
  const { partial } = await runToEnd(session, signals, null);
  assert.equal(partial, true);
  assert.ok(session.calls.length < 100);
});

Deno.test("the progress line tells virtual time, pace and what is left", () => {
  const progress = new Progress("scale-40-vms", 1e12, 0);
  assert.equal(progress.text(0.25e12, 500), "scale-40-vms  t 250 ms of 1 s  x0.50  at most 2 s left");
  assert.equal(progress.text(0, 0), "scale-40-vms  t 0 ns of 1 s  x0  ");
  assert.ok(new Progress("x".repeat(100), 1e12, 0).text(1, 1).length < 80);
});

Deno.test("of many runs: how many are through, their virtual time, pace and what is left", () => {
  const progress = new ManyProgress("reproduce", 0);
  assert.equal(progress.text(4, 500), "reproduce  0 of 4 runs  t 0 ns  x0  ");
  assert.equal(new ManyProgress("s", 0, 4e12).text(4, 500), "s  0 of 4 runs  t 0 ns of 4 s  x0  ");
  const quiet = Deno.stderr.writeSync;
  try {
    Deno.stderr.writeSync = (bytes) => bytes.length;
    progress.at(0, 0.5e12, 1e12, 4);
    assert.equal(progress.text(4, 500), "reproduce  0 of 4 runs  t 500 ms  x1.00  about 4 s left");
    // It ended before the latest end that it could have had.
    progress.through(0, 0.75e12, 4);
    progress.at(1, 0.25e12, 1e12, 4);
    assert.equal(progress.text(4, 1000), "reproduce  1 of 4 runs  t 1 s  x1.00  about 3 s left");
  } finally {
    Deno.stderr.writeSync = quiet;
  }
});
