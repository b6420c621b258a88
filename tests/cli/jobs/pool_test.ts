import assert from "node:assert/strict";
import type { Job } from "../../../src/cli/jobs/job.ts";
import { jobCount } from "../../../src/cli/jobs/job_count.ts";
import { JobPool, type PoolSignals } from "../../../src/cli/jobs/pool.ts";
import { UsageError } from "../../../src/cli/exit.ts";
import { openRunInput } from "../../../src/cli/run_input.ts";
import { ScenarioError } from "../../../src/cluster/scenario_file.ts";
import type { Snapshot } from "../../../src/report/snapshot.ts";

/*
 * Runs in the main thread and in Workers: what they come to is the same.
 */

/** A signal that a test sends. */
class FakeSignals implements PoolSignals {
  exitCode: number | null = null;
  readonly #told: (() => void)[] = [];

  whenStopped(tell: () => void): void {
    this.#told.push(tell);
  }

  send(): void {
    this.exitCode = 130;
    for (const tell of this.#told) tell();
  }
}

async function jobOf(...set: string[]): Promise<Job> {
  const { logged } = await openRunInput("pingpong-tiny", { set });
  return { kind: "run", logged, command: "test" };
}

/** With `broken` in place of its scenario's text. */
function broken(job: Job, text: string): Job {
  assert.ok(job.kind === "run");
  return { ...job, logged: { ...job.logged, text } };
}

async function inPool<Result>(size: number, use: (pool: JobPool, signals: FakeSignals) => Promise<Result>) {
  const signals = new FakeSignals();
  const pool = new JobPool(size, signals);
  try {
    return await use(pool, signals);
  } finally {
    pool.close();
  }
}

const withoutWall = (snapshot: Snapshot | null) => ({ ...snapshot, wall: null });

// Two Workers go on from step to step: each loads the whole program.
Deno.test("in the main thread and in two Workers", async (t) => {
  await inPool(1, (alone) =>
    inPool(2, async (together) => {
      const name = "a job comes to the same, whoever is done first";
      assert.ok(await t.step(name, () => sameResults(alone, together)));
      const other = "what goes wrong arrives as the error that it was; the next job is done all the same";
      assert.ok(await t.step(other, () => sameErrors(alone, together)));
    }));
});

async function sameResults(alone: JobPool, together: JobPool): Promise<void> {
  const experiment = { path: "iov", workload: { kind: "pingpong", sizes: ["16 B"], iterations: 20 } };
  const jobs = [
    // The first one is the longest.
    await jobOf("workload.iterations=400"),
    { kind: "experiment" as const, experiment },
    await jobOf("workload.iterations=10", "thresholds=[rtt_us.p50 < 1]"),
  ];
  const all = (pool: JobPool) => Promise.all(jobs.map((job) => pool.run(job)));
  const [one, two] = [await all(alone), await all(together)];
  assert.deepEqual(two.map(withoutWall), one.map(withoutWall));
  assert.deepEqual(one.map((snapshot) => snapshot?.ok), [true, true, false]);
  assert.deepEqual(one.map((snapshot) => snapshot?.scenario.path), ["xen2mx", "iov", "xen2mx"]);
}

async function sameErrors(alone: JobPool, together: JobPool): Promise<void> {
  const good = await jobOf("workload.iterations=10");
  const jobs = [broken(good, "guests: 0"), good, broken(good, "workload: {kind: noisy"), good];
  const settle = (pool: JobPool) => Promise.allSettled(jobs.map((job) => pool.run(job)));
  const [one, two] = [await settle(alone), await settle(together)];
  for (const outcomes of [one, two]) {
    assert.deepEqual(outcomes.map(({ status }) => status), ["rejected", "fulfilled", "rejected", "fulfilled"]);
  }
  for (const i of [0, 2]) {
    const errors = [one[i], two[i]].map((outcome) => (outcome as PromiseRejectedResult).reason as ScenarioError);
    assert.ok(errors.every((error) => error instanceof ScenarioError));
    assert.equal(errors[1].message, errors[0].message);
    assert.deepEqual(errors[1].problems, errors[0].problems);
  }
}

for (const size of [1, 2]) {
  Deno.test(`a signal ends what runs with what it has, and begins nothing more: ${size} at a time`, async () => {
    const long = await jobOf("workload.iterations=1000000000", "duration=1000 s");
    await inPool(size, async (pool, signals) => {
      let ahead = 0;
      const runs = [0, 1, 2].map((i) =>
        pool.run(long, (nowPs, endPs) => {
          assert.ok(nowPs > 0 && nowPs < endPs && endPs === 1000e12);
          ahead |= 1 << i;
          // All that can run do.
          if (ahead === (1 << size) - 1) signals.send();
        })
      );
      const snapshots = await Promise.all(runs);
      for (const [i, snapshot] of snapshots.entries()) {
        if (i >= size) assert.equal(snapshot, null);
        else assert.ok(snapshot !== null && snapshot.partial && snapshot.virtual_ns > 0 && snapshot.virtual_ns < 1e12);
      }
      assert.equal(await pool.run(long), null);
    });
  });
}

Deno.test("as many jobs as asked for, but not more than runs", () => {
  assert.deepEqual(jobCount("3", 10).jobs, 3);
  assert.deepEqual(jobCount("3", 2).jobs, 2);
  assert.deepEqual(jobCount(undefined, 1).jobs, 1);
  assert.deepEqual(jobCount(undefined, 1000).jobs, navigator.hardwareConcurrency);
  for (const wrong of ["0", "-1", "x", "1.5", "257", ""]) {
    assert.throws(
      () => jobCount(wrong, 2),
      (error) => error instanceof UsageError && /^--jobs: found/.test(error.message),
    );
  }
});
