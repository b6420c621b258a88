import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../src/base/units.ts";
import { type ArrivalLaw, OfferedLoad } from "../../src/workload/arrivals.ts";

function load(law: ArrivalLaw, seed: number, limit = Infinity): OfferedLoad {
  return new OfferedLoad({ law, perSecond: 20e3, seed, startPs: 3 * MS, limit });
}

/** Times between requests, picoseconds. */
function gaps(law: ArrivalLaw, seed: number, count: number): number[] {
  const requests = load(law, seed);
  const instants = Array.from({ length: count + 1 }, () => requests.take());
  return instants.slice(1).map((at, i) => at - instants[i]);
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

Deno.test("gaps of a Poisson process are exponential: mean, variance and memory are right", () => {
  const all = gaps("poisson", 7, 20_000);
  const wanted = 50 * US;
  // Four standard errors each: 1/sqrt(n) of the mean, sqrt(8/n) of the variance.
  assert.ok(Math.abs(mean(all) / wanted - 1) < 4 / Math.sqrt(20_000), `${mean(all)} ps`);
  const variance = mean(all.map((gap) => (gap - wanted) ** 2)) / wanted ** 2;
  assert.ok(Math.abs(variance - 1) < 4 * Math.sqrt(8 / 20_000), `${variance} of the squared mean`);
  const after = all.filter((_, i) => i > 0 && all[i - 1] > wanted);
  assert.ok(
    Math.abs(mean(after) / wanted - 1) < 4 / Math.sqrt(after.length),
    "a long gap says nothing of the next one",
  );
});

Deno.test("evenly spaced requests begin anywhere in the first gap, and of two seeds elsewhere", () => {
  assert.deepEqual(new Set(gaps("uniform", 1, 100)), new Set([50 * US]));
  const firsts = [1, 2, 3].map((seed) => load("uniform", seed).take() - 3 * MS);
  assert.equal(new Set(firsts).size, 3);
  for (const first of firsts) assert.ok(first >= 0 && first < 50 * US);
});

Deno.test("what has become due is counted apart from what the client takes, and both are the same requests", () => {
  for (const law of ["poisson", "uniform"] as const) {
    const requests = load(law, 5);
    for (let i = 0; i < 10; i++) requests.take();
    requests.close(4);
    const at = requests.nextPs;
    assert.deepEqual([requests.dueBy(at - 1), requests.waitingAt(at - 1), requests.unansweredAt(at - 1)], [10, 0, 6]);
    assert.deepEqual([requests.dueBy(at), requests.waitingAt(at), requests.unansweredAt(at)], [11, 1, 7]);
    const later = requests.dueBy(at + SECOND);
    assert.ok(Math.abs(later - 20e3) < 4 * Math.sqrt(20e3));
    requests.abandon(at + SECOND);
    assert.deepEqual([requests.dueBy(at + 2 * SECOND), requests.waitingAt(at + 2 * SECOND)], [later, 0]);
  }
});

Deno.test("a limited number of requests comes to an end", () => {
  const requests = load("poisson", 5, 3);
  for (let i = 0; i < 3; i++) assert.ok(requests.take() < Infinity);
  assert.equal(requests.nextPs, Infinity);
  assert.equal(requests.dueBy(SECOND), 3);
});
