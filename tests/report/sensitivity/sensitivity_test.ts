import assert from "node:assert/strict";
import {
  sensitivityCsv,
  sensitivityJson,
  sensitivityMarkdown,
  sensitivityTable,
} from "../../../src/report/sensitivity/render.ts";
import {
  type BaseRun,
  type ChangedRun,
  sensitivityOf,
  type SensitivityParts,
} from "../../../src/report/sensitivity/sensitivity.ts";

const HEAD = {
  tool: { name: "mxtop" as const, version: "1" },
  command: "mxtop sensitivity x --by '10 %'",
  scenario: { name: "x", title: "a title", hash: "hash of x", path: "xen2mx", seed: 7 },
  machine: "vhpc12",
  machine_hash: "hash of vhpc12",
  by: 0.1,
};

const base: BaseRun = { values: { "rtt_us.mean": 20, lost: 0 }, messageShare: 0.001, failures: [] };

const run = (value: number, rtt: number, lost = 0, failures: string[] = []): ChangedRun => ({
  value,
  values: { "rtt_us.mean": rtt, lost },
  failures,
});

const figure = (cost: string, value: number, rest: object = {}) => ({
  ...{ cost, value, unit: "ns", basis: "published" as const, source: `source of ${cost}` },
  ...rest,
});

const COSTS = [
  { ...figure("syscall", 100), low: run(90, 20), high: run(110, 20) },
  { ...figure("upcall", 500, { basis: "derived" }), low: run(450, 19.8), high: run(550, 20.2) },
  {
    ...figure("napi", 250, { basis: "fitted", fitted_to: "a result | of 2012" }),
    low: run(225, 19),
    high: run(275, 21, 3, ["threshold lost == 0: found 3"]),
  },
  { ...figure("hypercall", 150), low: run(135, 20.1), high: run(165, 19.9) },
];

const make = (changes: Partial<SensitivityParts> = {}) =>
  sensitivityOf(HEAD, {
    ...{ base, metrics: ["rtt_us.mean", "lost"], costs: COSTS, unused: ["coldCache"], zero: ["idleExit"] },
    ...changes,
  });

Deno.test("elasticity is the relative change of the metric for a relative change of the cost; the heaviest comes first", () => {
  const { costs, metrics: [rtt, lost], ok, partial, runs_planned, runs_made } = make();
  assert.deepEqual(costs.map(({ cost, elasticity }) => [cost, elasticity["rtt_us.mean"]]), [
    ...[["napi", 0.5], ["upcall", 0.1], ["hypercall", -0.05], ["syscall", 0]],
  ]);
  assert.deepEqual([rtt.base, rtt.sum, rtt.unmoved], [20, 0.55, ["syscall"]]);
  assert.deepEqual(rtt.sum_by_basis, { published: -0.05, derived: 0.1, fitted: 0.5, set: 0 });
  // Of what is 0 there is no share, and yet a cost moves it.
  assert.deepEqual(costs.map(({ elasticity }) => elasticity.lost), [null, null, null, null]);
  assert.deepEqual([lost.sum, lost.unmoved], [0, ["syscall", "upcall", "hypercall"]]);
  assert.deepEqual([ok, partial, runs_planned, runs_made], [false, false, 9, 9]);
});

Deno.test("a table has the costs that move a metric, with what they rest on, and then everything else in words", () => {
  assert.equal(
    sensitivityTable(make()),
    `x  a title
path xen2mx   machine vhpc12   each cost 10 % lower and higher, by itself: 9 runs

rtt_us.mean: 20.0000 with every cost as it is
cost       basis       value  at -10 %  at +10 %  elasticity  source
napi       fitted     250 ns   19.0000   21.0000      0.5000  source of napi; fitted to: a result | of 2012
upcall     derived    500 ns   19.8000   20.2000      0.1000  source of upcall
hypercall  published  150 ns   20.1000   19.9000     -0.0500  source of hypercall
sum of elasticities: 0.550 (published -0.050, derived 0.100, fitted 0.500)
moved nothing: syscall

lost: 0 with every cost as it is
cost  basis    value  at -10 %  at +10 %  elasticity  source
napi  fitted  250 ns         0         3           -  source of napi; fitted to: a result | of 2012
moved nothing: syscall, upcall, hypercall

0 on this machine, and left so: idleExit
not used by this run, and left as they are: coldCache

FAIL  costs.napi=275: threshold lost == 0: found 3
FAILED
`,
  );
});

Deno.test("stopped on its way, it says what is missing; nothing is made up", () => {
  const [syscall, upcall, napi] = COSTS;
  const costs = [syscall, { ...upcall, high: null }, { ...napi, low: null, high: null }];
  const stopped = make({ metrics: ["rtt_us.mean"], costs });
  assert.deepEqual([stopped.partial, stopped.runs_made, stopped.runs_planned], [true, 4, 7]);
  assert.deepEqual(stopped.metrics[0].unmoved, ["syscall"]);
  const text = sensitivityTable(stopped);
  assert.match(text, /by itself: 4 of 7 runs$/m);
  assert.match(text, /^upcall +derived +500 ns +19\.8000 +- +- +source of upcall$/m);
  assert.doesNotMatch(text, /^napi /m);
  assert.match(text, /^not come to: napi$/m);
  assert.match(text, /\nPARTIAL {2}it was stopped before its end\nOK so far\n$/);
  const none = make({ base: null, metrics: [], costs: [], unused: [], zero: [] });
  assert.deepEqual([none.partial, none.runs_made, none.metrics], [true, 0, []]);
  assert.match(sensitivityTable(none), /0 of 1 run\n\nPARTIAL/);
});

Deno.test("where the scenario itself fails, that is told once, and how many costs share its fate", () => {
  const failures = ["threshold rtt_us.p50 < 10: found 20"];
  const costs = COSTS.map((line) => ({ ...line, low: { ...line.low, failures }, high: { ...line.high, failures } }));
  const text = sensitivityTable(make({ base: { ...base, failures }, costs }));
  assert.match(text, /\nFAIL {2}threshold rtt_us\.p50 < 10: found 20\nFAIL {2}also with 4 costs changed\nFAILED\n$/);
});

Deno.test("what a metric cannot tell is said: percentiles have three digits, messages are whole", () => {
  const of = (metric: string, messageShare: number) => {
    const costs = [{ ...COSTS[0], low: { ...COSTS[0].low, values: { [metric]: 19 } } }];
    return sensitivityTable(
      make({ base: { ...base, messageShare, values: { [metric]: 20 } }, metrics: [metric], costs }),
    );
  };
  assert.match(of("rtt_us.p99", 0), /^percentiles have three digits: rtt_us\.mean tells smaller changes$/m);
  assert.match(
    of("throughput_MBps", 0.2),
    /^one message more or less is 20 % of it: a longer --duration tells finer$/m,
  );
  for (const [metric, share] of [["throughput_MBps", 0.001], ["rtt_us.mean", 0.2]] as const) {
    assert.doesNotMatch(of(metric, share), /tells/);
  }
});

Deno.test("formats for programs have every cost, those that were not changed too", () => {
  const result = make();
  const json = JSON.parse(sensitivityJson(result));
  assert.deepEqual([json.schema, json.by, json.zero, json.unused], [
    ...["mxtop-sensitivity/1", 0.1, ["idleExit"], ["coldCache"]],
  ]);
  assert.deepEqual(json.costs[0].high, COSTS[2].high);
  const [head, ...records] = sensitivityCsv(result).trimEnd().split("\r\n");
  const columns = head.split(",");
  const at = (record: string, name: string) => record.split(",")[columns.indexOf(name)];
  assert.equal(records.length, 2 * 6);
  assert.ok(records.every((record) => record.split(",").length === columns.length));
  const states = records.slice(0, 6).map((
    record,
  ) => [at(record, "cost"), at(record, "elasticity"), at(record, "state")]);
  assert.deepEqual(states, [
    ["napi", "0.5", "moved"],
    ["upcall", "0.1", "moved"],
    ["hypercall", "-0.05", "moved"],
    ["syscall", "0", "unmoved"],
    ["coldCache", "", "unused"],
    ["idleExit", "", "zero"],
  ]);
  assert.equal(at(records[0], "low"), "19");
  for (const record of records) {
    const made = ["scenario_hash", "seed", "machine_hash", "command"].map((name) => at(record, name));
    assert.deepEqual(made, ["hash of x", "7", "hash of vhpc12", HEAD.command]);
  }
  const markdown = sensitivityMarkdown(result);
  assert.match(markdown, /^# x: what each cost does to it: failed$/m);
  assert.match(markdown, /^\| napi \| fitted \| .* \| source of napi; fitted to: a result \\\| of 2012 \|$/m);
  assert.match(markdown, /^- \*\*failed\*\*: costs\.napi=275: threshold lost == 0: found 3$/m);
  const made = "scenario x (hash hash of x, seed 7), machine vhpc12 (hash hash of vhpc12)";
  assert.ok(markdown.endsWith(`\n\nMade by mxtop 1: \`${HEAD.command}\`, ${made}\n`), markdown);
});

Deno.test("what is 0 as it is written has no sign, and what no cost moves has no table", () => {
  const costs = [{ ...figure("upcall", 500), low: run(450, 20.0001), high: run(550, 19.9999) }];
  const result = make({ metrics: ["rtt_us.mean", "lost"], costs });
  assert.ok(result.metrics[0].sum < 0);
  assert.match(
    sensitivityTable(result),
    /^upcall .* 0\.0000 +source of upcall\nsum of elasticities: 0\.000 \(published 0\.000\)$/m,
  );
  assert.match(sensitivityMarkdown(result), /^## lost: 0 with every cost as it is\n\n- moved nothing: upcall$/m);
});
