import assert from "node:assert/strict";
import { MS, SECOND } from "../../src/base/units.ts";
import { loadChecked } from "../../src/cli/catalogue.ts";
import { Session } from "../../src/cluster/session.ts";
import { run, runSliced, scenario, type ScenarioOptions, totals, untilTestEnds } from "../support/scenario.ts";

const PATHS = ["native", "xen2mx"];

function sweep(params: Record<string, unknown>): ScenarioOptions["workload"] {
  return { kind: "omx_perf", iterations: 4, warmup: 1, ...params };
}

/** So many measured messages, each once, and nothing left behind. */
function sound(session: Session, messages: number, what: string): void {
  assert.ok(session.finished && session.now < session.end, `${what}: the programs have ended by themselves`);
  const { integrityErrors, lost, duplicated, ...rest } = totals(session);
  assert.deepEqual([rest.messages, integrityErrors, lost, duplicated], [messages, 0, 0, 0], what);
  assert.deepEqual(session.drain(), [], what);
}

const sizesOf = ({ rows }: Session) => rows.rows.map(({ size }) => size);

Deno.test("every size of the range, both ways and one way, buffered and synchronous", () => {
  for (const path of PATHS) {
    for (const unidirectional of [false, true]) {
      for (const synchronous of [false, true]) {
        const workload = sweep({
          end: "128 KiB",
          multiplier: 8,
          increment: "1 B",
          iterations: 3,
          unidirectional,
          synchronous,
        });
        const session = run({ path, guests: 4, workload });
        const sizes = [0, 1, 9, 73, 585, 4681, 37449];
        assert.deepEqual(sizesOf(session), sizes);
        sound(session, 2 * (unidirectional ? 1 : 2) * 3 * sizes.length, path);
      }
    }
  }
});

Deno.test("the range is that of omx_perf: twice the size each time, from nothing to 4 MiB, fewer iterations for large ones", () => {
  const session = run({ workload: sweep({ volume: "2 MiB", iterations: 30, warmup: 0 }) });
  assert.deepEqual(sizesOf(session), [0, ...Array.from({ length: 23 }, (_, i) => 2 ** i)]);
  // All 30 up to 64 KiB, 16 of 128 KiB, and never fewer than 10.
  sound(session, 2 * (18 * 30 + 16 + 5 * 10), "4 MiB");
});

Deno.test("one way: latency is a message's, the round trip has the empty answer, throughput is half", () => {
  for (const path of PATHS) {
    const rowOf = (params: Record<string, unknown>) => {
      // Each window that is sent from is granted once, which takes its time.
      const workload = sweep({ start: "256 KiB", end: "256 KiB", warmup: 6, ...params });
      return run({ path, workload }).rows.rows[0];
    };
    const [both, one] = [rowOf({}), rowOf({ unidirectional: true })];
    assert.ok(Math.abs(one.latencyUs / both.latencyUs - 1) < 0.02, `${one.latencyUs} and ${both.latencyUs} us`);
    const answer = one.rttUs - one.latencyUs;
    assert.ok(answer > 5 && answer < 15, `${answer} us for an empty message`);
    assert.ok(Math.abs(one.throughputMBps / (262_144 / one.rttUs) - 1) < 0.02);
    assert.ok(Math.abs(both.throughputMBps / (2 * 262_144 / both.rttUs) - 1) < 0.02);
  }
});

Deno.test("a synchronous send of a small message has to be asked for: three times the way, and its data once more", () => {
  for (const path of PATHS) {
    const latencyOf = (synchronous: boolean) =>
      run({ path, workload: sweep({ start: "16 B", end: "16 B", synchronous }) }).rows.rows[0].latencyUs;
    const ratio = latencyOf(true) / latencyOf(false);
    assert.ok(ratio > 2 && ratio < 4, `${path}: ${ratio}`);
  }
});

Deno.test("lost frames, slices, an end in the middle, pauses", () => {
  for (const path of PATHS) {
    const lossy = sweep({ end: "64 KiB", multiplier: 16, unidirectional: true });
    sound(run({ path, loss: 0.02, durationPs: 100 * SECOND, workload: lossy }), 4 * 6, path);
    const options = { path, durationPs: 5 * MS, workload: sweep({ pause: "100 us", iterations: 10 }) };
    const [once, sliced] = [run(options), runSliced(options, 300)];
    assert.deepEqual([sliced.fingerprint, totals(sliced)], [once.fingerprint, totals(once)]);
    assert.equal(once.now, 5 * MS);
    assert.deepEqual(once.drain(), []);
  }
});

Deno.test("a rank that crashes comes back, and the sweep begins anew", () => {
  for (const path of PATHS) {
    for (const [guest, unidirectional] of [["vm01", true], ["vm02", false]] as const) {
      const workload = sweep({ start: "40 KiB", end: "80 KiB", unidirectional, synchronous: !unidirectional });
      const session = untilTestEnds(new Session(scenario({ path, workload }), { endless: true }));
      session.advance(2 * MS);
      assert.equal(session.apply({ kind: "crash", guest, forPs: MS }), null);
      session.advance(25 * MS);
      const before = session.messages;
      session.advance(30 * MS);
      assert.ok(session.messages > before + 4);
      assert.equal(totals(session).integrityErrors, 0);
      assert.deepEqual(session.drain(), []);
    }
  }
});

Deno.test("ranges that make no sense are refused, with place, value and what is wanted", () => {
  const refused = (params: string, message: RegExp) => {
    const text = `guests: 2\nworkload: { kind: omx_perf, ${params} }\n`;
    assert.throws(() => loadChecked(text, "range.yaml", []), message);
  };
  refused("start: 2 KiB, end: 1 KiB", /range\.yaml:2.*end: found 1 KiB, wanted at least 2 KiB, the start/s);
  refused("multiplier: 1", /multiplier: found 1 and nothing to add, wanted 2 or more, or an increment/);
  refused("multiplier: 1, increment: 1 B", /increment: found more than 1000 sizes, wanted larger steps/);
  refused("volume: 0 B", /found "0 B", wanted at least 1 B/);
});
