import assert from "node:assert/strict";
import { findings, measureRounds, type Rounds, workDiffers } from "../../bench/compare/rounds.ts";
import { compareRounds, isBeyondNoise, roundsFor, signedRankDistribution } from "../../bench/compare/statistics.ts";
import { childSeconds, type Measurement, SUBJECTS } from "../../bench/compare/subjects.ts";
import { openTree } from "../../bench/compare/trees.ts";
import { Prng } from "../../src/base/prng.ts";

Deno.test("signed ranks: the distribution is that of all signs, one by one", () => {
  for (const n of [1, 2, 3, 7, 10]) {
    const counts = new Float64Array(n * (n + 1) / 2 + 1);
    for (let signs = 0; signs < 2 ** n; signs++) {
      let sum = 0;
      for (let rank = 1; rank <= n; rank++) if (signs >> (rank - 1) & 1) sum += rank;
      counts[sum] += 2 ** -n;
    }
    assert.deepEqual(signedRankDistribution(n), counts);
  }
});

/** Rounds on a machine whose speed drifts, with now and then a round that takes much longer. */
function noisy(random: Prng, rounds: number, factor: number) {
  const base: number[] = [];
  const head: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const drift = 1 + i / rounds;
    const noise = () => drift * (1 + 0.05 * random.unit()) * (random.unit() < 0.02 ? 2 : 1);
    base.push(noise());
    head.push(noise() * factor);
  }
  return compareRounds(base, head, 0.05);
}

Deno.test("a build beside itself is seldom beyond the noise, one that is a sixth slower mostly", () => {
  const random = new Prng(1, "compare test");
  let same = 0;
  let slower = 0;
  let covered = 0;
  const TRIES = 2000;
  const SLOWER = 7 / 6;
  for (let i = 0; i < TRIES; i++) {
    if (isBeyondNoise(noisy(random, 10, 1))) same++;
    const found = noisy(random, 10, SLOWER);
    if (found.low > 1) slower++;
    if (found.low <= SLOWER && found.high >= SLOWER) covered++;
  }
  assert.ok(same / TRIES < 0.06, `${same} false alarms`);
  assert.ok(covered / TRIES > 0.94, `${covered} intervals with the truth in them`);
  assert.ok(slower / TRIES > 0.6, `${slower} found`);
});

Deno.test("the interval is exact: with ten rounds and 5 % between the 9th averages from either end", () => {
  const logs = [0.01, 0.02, -0.01, 0.03, 0.05, 0.04, 0.02, 0.06, -0.02, 0.07];
  const { ratio, low, high } = compareRounds(logs.map(() => 1), logs.map(Math.exp), 0.05);
  const walsh = logs.flatMap((x, i) => logs.slice(i).map((y) => (x + y) / 2)).sort((x, y) => x - y);
  const close = (found: number, wanted: number) => assert.ok(Math.abs(Math.log(found) - wanted) < 1e-12, `${found}`);
  close(low, walsh[8]);
  close(high, walsh[55 - 9]);
  close(ratio, walsh[27]);
});

Deno.test("too few rounds tell nothing", () => {
  assert.equal(roundsFor(0.05), 6);
  const ones = [1, 1, 1, 1, 1, 1];
  assert.deepEqual(compareRounds(ones.slice(1), ones.slice(1).map(() => 3), 0.05).high, Infinity);
  assert.ok(isBeyondNoise(compareRounds(ones, ones.map(() => 3), 0.05)));
});

const measurement = (cpu: number, hash = "a"): Measurement => ({ figures: { cpu, wall: cpu }, hash, events: 10 });

Deno.test("base and head take turns, or run at once on one CPU; each is first as often as the other", async () => {
  let order = "";
  const measure = async (tree: string, pinned: boolean) => {
    order += tree;
    await Promise.resolve();
    order += pinned ? tree.toUpperCase() : ".";
    return measurement(1);
  };
  const subject = { name: "x", extra: false, measure };
  const trees = { base: "b", head: "h" };
  const { base, head } = await measureRounds(subject, trees, { rounds: 4, together: false }, () => {});
  assert.equal(order, "b.h." + "b.h.h.b.b.h.h.b.");
  assert.deepEqual([base.length, head.length], [4, 4]);
  order = "";
  const both = await measureRounds(subject, trees, { rounds: 2, together: true }, () => {});
  assert.equal(order, "bBhH" + "bhBH" + "hbHB");
  assert.deepEqual([both.base.length, both.head.length], [2, 2]);
  const fails = {
    ...subject,
    measure: (tree: string) => tree === "h" ? Promise.reject(new Error("no")) : measure("", false),
  };
  await assert.rejects(measureRounds(fails, trees, { rounds: 1, together: false }, () => {}), /^Error: head: no$/);
});

Deno.test("findings: every figure shares the error; other work is said", () => {
  const rounds = (name: string, factor: number, hash = "a"): Rounds => {
    const list = Array.from({ length: 10 }, (_, i) => 1 + i / 1000);
    return {
      subject: name,
      base: list.map((cpu) => measurement(cpu)),
      head: list.map((cpu) => measurement(cpu * factor, hash)),
    };
  };
  const found = findings([rounds("same", 1), rounds("slow", 1.2)], 0.05);
  assert.deepEqual(found.map((finding) => [finding.subject, finding.figure, isBeyondNoise(finding)]), [
    ["same", "cpu", false],
    ["same", "wall", false],
    ["slow", "cpu", true],
    ["slow", "wall", true],
  ]);
  assert.equal(workDiffers(rounds("same", 1)), null);
  assert.match(workDiffers(rounds("other", 1, "b"))!, /^other: hash a in base, b in head, events 10 and 10$/);
});

Deno.test("CPU seconds as the shell says them", () => {
  assert.equal(childSeconds("some warning\n0m0.001s 0m0.002s\n1m2.500s 0m0.250s\n"), 62.75);
  assert.throws(() => childSeconds("nothing\n"), /the shell says no times/);
});

Deno.test("a version whose benchmarks are older is left out, not run", async () => {
  const micro = SUBJECTS.find(({ name }) => name === "queue-200")!;
  await assert.rejects(micro.measure("tests", false), /^Error: its benchmarks cannot be run one by one$/);
});

Deno.test("trees: a folder is taken as it is, what is neither folder nor revision is named", async () => {
  const { folder, title } = await openTree(".", "/nowhere");
  assert.equal(title, ".");
  assert.ok(Deno.statSync(`${folder}/main.ts`).isFile);
  await assert.rejects(
    openTree("no-such-thing", "/nowhere"),
    /^Error: no-such-thing: neither a folder .* nor a revision/,
  );
});
