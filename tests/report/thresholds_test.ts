import assert from "node:assert/strict";
import type { Scenario } from "../../src/cluster/scenario.ts";
import { checkThreshold, evaluateThresholds, judge } from "../../src/report/thresholds.ts";
import { sample } from "./sample.ts";

/** As much of a scenario as decides which metrics there are. */
const SCENARIO = {
  hosts: [{ name: "a" }, { name: "b" }],
  guests: [{ name: "vm01", host: 0, path: "xen2mx" }, { name: "node01", host: 1, path: "native" }],
  workload: { kind: "pingpong" },
} as unknown as Scenario;

const evaluate = (expression: string) => {
  const [{ value, ok }] = evaluateThresholds([expression], sample());
  return [value, ok];
};

const RESULTS: [expression: string, value: number, ok: boolean][] = [
  ["throughput_MBps > 1100", 1200, true],
  ["totals.latency_us.p99 < 50", 16.5, true],
  ["latency_us.p50 <= 14", 14, true],
  ["latency_us.p50 != 14", 14, false],
  ["guests[0].cpu.user < 0.5", 0.5, false],
  ["guests.1.cpu.user == .25", 0.25, true],
  ["guests[vm01].retransmits >= 4", 3, false],
  ["guests.*.integrity_errors == 0", 0, true],
  ["guests[*].cpu.user < 0.4", 0.5, false],
  ["guests.*.latency_us.p50 > 1e1", 12.5, true],
  // Of several values that satisfy it, the one nearest to failing.
  ["guests.*.cpu.user < 0.9", 0.5, true],
  ["guests.*.cpu.user > 0.1", 0.25, true],
  ["stages[wire].us < 4.5", 4.25, true],
  ["stages.nic.us == 0", 0, true],
  ["rows[4 KiB].latency_us < 20", 12.345, true],
  ["rows[0].latency_us < 8", 7, true],
  ["links[a-b].directions.*.lost == 0", 2, false],
  ["hosts.*.nic.drops<2", 1, true],
  ["measured_ns >= 1000000000", 1e9, true],
  // Counters at 0 are left out of a result.
  ["hosts[0].boards[0].counters.send rndv == 0", 0, true],
  ["hosts.*.boards.*.counters.send rndv == 0", 0, true],
];
for (const [expression, value, ok] of RESULTS) {
  Deno.test(`threshold ${expression} is ${ok}`, () => {
    assert.equal(checkThreshold(expression, SCENARIO), null);
    assert.deepEqual(evaluate(expression), [value, ok]);
  });
}

const WITHOUT_VALUE = [
  "rows[99 B].latency_us < 1",
  "rows[7].latency_us != 0",
  "guests[1].ring.used != 9",
  // How long these are only a run shows.
  "guests[0].rings[99].used < 1",
  "guests.*.rings[none].used < 1",
  "guests[0].peers[99].unacked == 0",
  "hosts.*.per_cpu[4096].idle > 0",
  "hosts.*.dom0_vcpus[99].idle > 0.1",
  "hosts[0].nics[0].rx_queues[99].drops == 0",
  "hosts[0].boards[99].counters.send tiny > 0",
  // A run lists the stages that took time.
  "stages[17].us < 1",
];
for (const expression of WITHOUT_VALUE) {
  Deno.test(`without a value, satisfied by nothing: ${expression}`, () => {
    assert.equal(checkThreshold(expression, SCENARIO), null);
    assert.deepEqual(evaluate(expression), [NaN, false]);
  });
}

const WRONG: [expression: string, message: string][] = [
  ["throughput > 1", 'unknown metric "throughput": no "throughput"'],
  ["thruput_MBps > 1", 'unknown metric "thruput_MBps": no "thruput_MBps"; did you mean throughput_MBps?'],
  ["totals.latency_us.p95 < 1", 'unknown metric "totals.latency_us.p95": no "p95"; did you mean p90?'],
  ["guests[2].lost == 0", 'unknown metric "guests[2].lost": found entry 2, wanted 0 to 1'],
  ["guests[vm1].lost == 0", 'unknown metric "guests[vm1].lost": no "vm1"; did you mean vm01?'],
  ["stages[grnt].us < 1", 'unknown metric "stages[grnt].us": no "grnt"; did you mean grant?'],
  [
    "rows[4 KiBs].latency_us < 1",
    'unknown metric "rows[4 KiBs].latency_us": found "4 KiBs", wanted a size such as 512 KiB',
  ],
  ["latency_us < 1", 'found metric "latency_us", wanted one of its numbers, such as latency_us.min'],
  ["fingerprint == 1", 'found metric "fingerprint", wanted a number'],
  ["wall.ms < 1", "found wall.ms, which differs from run to run; wanted another metric"],
  ["thresholds[0].value > 1", "found thresholds[0].value, which is a verdict; wanted a figure that it is made from"],
  ["failures[0] == 0", "found failures[0], which is a verdict; wanted a figure that it is made from"],
  ["hosts[0].nics[1].drops == 0", 'unknown metric "hosts[0].nics[1].drops": found entry 1, wanted 0 to 0'],
  ["hosts[0].per_cpu[first].idle > 0", 'unknown metric "hosts[0].per_cpu[first].idle": no "first"'],
  [
    "hosts.*.boards.*.counters.send tinny > 0",
    'unknown metric "hosts.*.boards.*.counters.send tinny": no "send tinny"; did you mean send tiny?',
  ],
  ["throughput_MBps", 'found "throughput_MBps", wanted a condition such as throughput_MBps > 1100'],
  ["throughput_MBps > fast", 'found "throughput_MBps > fast", wanted a condition such as throughput_MBps > 1100'],
  ["constructor.length > 0", 'unknown metric "constructor.length": no "constructor"'],
  ["solver.converged == 1", 'unknown metric "solver.converged": no "solver"'],
  ["offered.waiting < 9", 'unknown metric "offered.waiting": no "offered"'],
];
for (const [expression, message] of WRONG) {
  Deno.test(`wrong threshold: ${expression}`, () => assert.equal(checkThreshold(expression, SCENARIO), message));
}

for (const [kind, expression] of [["jacobi", "solver.converged == 1"], ["request-reply", "offered.waiting < 9"]]) {
  Deno.test(`${kind} has ${expression}, which a run that has not come to it does not satisfy`, () => {
    assert.equal(checkThreshold(expression, { ...SCENARIO, workload: { kind, params: {} } }), null);
    assert.deepEqual(evaluate(expression), [NaN, false]);
  });
}

Deno.test("a run without samples fails, whatever its thresholds say", () => {
  const snapshot = sample();
  snapshot.totals.messages = 0;
  const judged = judge(snapshot, ["latency_us.p99 < 50"]);
  assert.equal(judged.ok, false);
  assert.deepEqual(judged.failures, ["no samples: no message was completed after warm-up"]);
});

Deno.test("integrity errors and failed thresholds are all among the failures", () => {
  const snapshot = sample();
  snapshot.totals.integrity_errors = 2;
  const judged = judge(snapshot, ["throughput_MBps > 1300.5", "lost == 0", "rows[9].rtt_us < 1"]);
  assert.deepEqual(judged.failures, [
    "2 messages arrived with a wrong payload",
    "threshold throughput_MBps > 1300.5: found 1200",
    "threshold rows[9].rtt_us < 1: found no value",
  ]);
  assert.deepEqual(judge(sample(), ["throughput_MBps > 1100"]).failures, []);
  snapshot.totals.integrity_errors = 1;
  assert.equal(judge(snapshot, []).ok, false, "one is enough");
});
