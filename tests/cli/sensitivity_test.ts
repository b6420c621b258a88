import assert from "node:assert/strict";
import { planSensitivity, type SensitivityWish } from "../../src/cli/sensitivity/plan.ts";
import type { Sensitivity } from "../../src/report/sensitivity/sensitivity.ts";
import { mxtop, Series } from "./spawn.ts";

/*
 * `sensitivity`: the real program on short scenarios, and what it is asked for, checked before a run begins.
 */

const TINY = ["sensitivity", "pingpong-tiny", "--set", "workload.iterations=10", "--set", "workload.sizes=[16 B]"];

/** Without any permission: one run after another. */
let plain: Series;
Deno.test.beforeAll(() => {
  plain = new Series();
});
Deno.test.afterAll(() => plain[Symbol.asyncDispose]());

const parse = (text: string) => JSON.parse(text) as Sensitivity;

Deno.test("a round trip is made of costs and the time on the wire: elasticities add up to what is not wire", async () => {
  const { code, stdout, stderr } = await plain.run([...TINY, "--path", "native", "--format", "json", "--quiet"]);
  assert.deepEqual([code, stderr], [0, ""]);
  const { metrics, costs, unused, zero, runs_made, partial } = parse(stdout);
  assert.deepEqual([metrics.map(({ metric }) => metric), partial], [["rtt_us.mean", "host_cpu"], false]);
  const [{ base, sum, sum_by_basis }] = metrics;
  // A minimum frame is 84 bytes on the wire at 10 Gb/s, each way.
  assert.ok(Math.abs(sum - (1 - 2 * 0.0672 / base!)) < 1e-3, `${sum} of ${base} us`);
  assert.ok(sum_by_basis.fitted > 0.8 && sum_by_basis.derived === 0, "native was fitted");
  const byName = Object.fromEntries(costs.map((line) => [line.cost, line]));
  // Twice in a round trip.
  const { nicTransmit } = byName;
  assert.deepEqual([nicTransmit.low!.value, nicTransmit.high!.value], [990, 1210]);
  assert.ok(Math.abs(nicTransmit.elasticity["rtt_us.mean"]! - 2 * 1.1 / base!) < 1e-5);
  assert.deepEqual(zero, []);
  for (const cost of ["grantMapPage", "upcall", "kvmKick"]) assert.ok(unused.includes(cost), cost);
  assert.equal(runs_made, 1 + 2 * costs.length);
  assert.ok(unused.length + costs.length > 60 && costs.length < 30, "what native does not read is not run");
});

Deno.test("a threshold that a cost breaks fails it, and the table says which", async () => {
  const { code, stdout, stderr } = await plain.run([
    ...[...TINY, "--costs", "event*, upcall,hypercall", "--set", "costs.hypercall=0", "--metric", "rtt_us.p50"],
    ...["--by", "50 %", "--jobs", "1", "--set", "thresholds=[rtt_us.p50 < 14.5]"],
  ]);
  assert.deepEqual([code, stderr], [1, ""]);
  assert.match(stdout, /^path xen2mx {3}machine vhpc12 {3}each cost 50 % lower and higher, by itself: 5 runs$/m);
  assert.match(stdout, /^upcall +derived +650 ns +\d+\.\d+ +\d+\.\d+ +0\.0\d+ +IPI to another CPU/m);
  assert.match(stdout, /^0 on this machine, and left so: hypercall$/m);
  assert.match(stdout, /\n\nFAIL {2}costs\.upcall=975: threshold rtt_us\.p50 < 14\.5: found 14\.\d+\nFAILED\n$/);
});

Deno.test("a stream has throughput to look at, and no round trips", async () => {
  const stream = [
    ...["sensitivity", "throughput-4m", "--duration", "4 ms", "--set", "warmup=0 ms"],
    ...["--set", "workload.size=64 KiB", "--costs", "nicFragment", "--jobs", "1", "--format", "csv"],
  ];
  const { code, stdout, stderr } = await plain.run(stream);
  assert.deepEqual([code, stderr], [0, ""]);
  const metrics = stdout.trimEnd().split("\r\n").slice(1).map((record) => record.split(",")[6]);
  assert.deepEqual(metrics, ["throughput_MBps", "host_cpu"]);
  assert.deepEqual(await plain.run([...stream, "--metric", "rtt_us.mean"]), {
    code: 2,
    stdout: "",
    stderr: "mxtop: --metric: found rtt_us.mean, which has no value in this run; wanted another metric\n",
  });
});

/** Sends the signal when the first run should be under way: on a slow machine that takes more, and so is tried again. */
async function stopped(signal: Deno.Signal) {
  const args = ["sensitivity", "stream-both-ways", "--duration", "1000 s", "--format", "json"];
  for (const cpuMs of [1200, 5000]) {
    const outcome = await mxtop(args, { signal: [signal, cpuMs] });
    if (outcome.stdout !== "") return outcome;
  }
  return await mxtop(args, { signal: [signal, 15_000] });
}

Deno.test("SIGINT: exit 130; a scenario that did not come to its end says nothing of costs", async () => {
  const { code, stdout, stderr } = await stopped("SIGINT");
  assert.equal(code, 130);
  assert.match(stderr, /^mxtop: stopped after 0 of 1 run; the result is partial$/m);
  const { partial, metrics, costs } = parse(stdout);
  assert.deepEqual([partial, metrics, costs], [true, [], []]);
});

Deno.test("what cannot be run is refused before a run begins", async () => {
  const wrong: [Partial<SensitivityWish>, string | RegExp][] = [
    [{ by: "10" }, '--by: found "10", wanted a share from 0.1 % to 99 %, such as 10 %'],
    [{ by: "0" }, '--by: found "0", wanted a share from 0.1 % to 99 %, such as 10 %'],
    [{ costs: "hypercal" }, '--costs: no cost "hypercal"; did you mean hypercall?'],
    [{ costs: "upcall,zz*" }, '--costs: no cost "zz*"; `mxtop list costs` shows them'],
    [
      { costs: "nicTxRing" },
      /^--costs: found "nicTxRing", a size or a limit of the machine, wanted costs; mxtop sweep /,
    ],
    [{ metric: ["lost", "lost"] }, "--metric: found lost twice, wanted each metric once"],
    [{ metric: ["guests.*.lost"] }, /^--metric: found guests\.\*\.lost, wanted one figure, /],
    [{ metric: ["latency_us.p98"] }, '--metric: unknown metric "latency_us.p98": no "p98"; did you mean p90?'],
    [{ metric: ["speed"] }, '--metric: unknown metric "speed": no "speed"; `mxtop list metrics` shows them'],
    [{ metric: ["solver.solves"] }, /^--metric: unknown metric "solver.solves": no "solver"/],
    [{ set: ["costs.upcall=1e9"] }, "--by: costs.upcall: found 1100000000, wanted at most 1000000000"],
  ];
  for (const [wish, message] of wrong) {
    await assert.rejects(planSensitivity("scale-40-vms", { by: "10 %", ...wish }), { message });
  }
});

Deno.test("the plan has each cost that is not 0, changed by the share and by nothing else", async () => {
  const wish = { by: "20 %", costs: "grant*", machine: "modern", path: "bridged", set: ["costs.grantEntry=0"] };
  const { head, changes, zero } = await planSensitivity("pingpong-tiny", wish);
  assert.equal(
    head.command,
    "mxtop sensitivity pingpong-tiny --path bridged --machine modern --set costs.grantEntry=0 --by '20 %' --costs 'grant*'",
  );
  assert.deepEqual(zero, ["grantEntry"]);
  assert.deepEqual(changes.map(({ figure: { cost, value }, low, high }) => [cost, low.value, value, high.value]), [
    ["grantMapPage", 174, 217.5, 261],
    ["grantUnmapPage", 174, 217.5, 261],
    ["grantSingle", 300, 375, 450],
    ["grantCopyBase", 160, 200, 240],
    ["grantCopyByte", 0.12, 0.15, 0.18],
  ]);
});
