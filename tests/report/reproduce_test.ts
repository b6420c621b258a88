import assert from "node:assert/strict";
import { canonicalJson } from "../../src/base/hash.ts";
import { CLAIMS } from "../../src/report/study/claims/mod.ts";
import { type Experiment, Lab } from "../../src/report/study/lab.ts";
import { studyJunit } from "../../src/report/study/junit.ts";
import { StudyPlan } from "../../src/report/study/plan.ts";
import { reproductionCsv, reproductionMarkdown, reproductionTable } from "../../src/report/study/render.ts";
import { reproduce, type Reproduction, WHOLE_STUDY } from "../../src/report/study/reproduce.ts";
import { RESULTS } from "../../src/report/study/results.ts";
import { templateSnapshot } from "../../src/report/template.ts";

/** The whole study but its figures: some seconds. */
function study(): Reproduction {
  return reproduce(new Lab("test"), { ...WHOLE_STUDY, figures: [] });
}

Deno.test("reproduce: every result is met, and of the claims all holds but what is known not to", () => {
  const report = study();
  for (const { id, quantity, emulated, bounds, ok } of report.results) {
    assert.ok(ok, `${id} ${quantity}: ${emulated}, wanted ${bounds.least} to ${bounds.most}`);
  }
  // What begins to hold is no longer known not to: the note must go, here and in docs/not-modelled.md.
  for (const { id, parts } of report.claims) {
    for (const { text, holds, evidence, known } of parts) {
      assert.equal(holds, known === undefined, `${id} ${text}: ${evidence}`);
    }
  }
  assert.deepEqual(report.claims.map(({ id, verdict }) => `${id} ${verdict}`), [
    ...["D1 holds", "D2 fails", "D3 in part", "D4 holds", "D5 in part", "D6 holds", "D7 in part", "D8 holds"],
    "D9 in part",
  ]);
  assert.equal(report.results.length, RESULTS.length);
  assert.equal(report.claims.length, CLAIMS.length);
  assert.ok(report.ok);
  assert.ok(report.fitted.length > 0);
});

Deno.test("reproduce: what nobody has published is derived, and has no published number", () => {
  for (const { id, kind, published, setting } of RESULTS) {
    assert.equal(kind === "derived", published === null, id);
    if (published === null) assert.equal(setting, undefined, `${id}: no run is compared with it`);
  }
  assert.deepEqual(RESULTS.filter(({ kind }) => kind === "prediction").map(({ id }) => id), ["A3", "A4"]);
});

const missed: Reproduction = {
  schema: "mxtop-reproduce/2",
  tool: { name: "mxtop", version: "1.2.3" },
  command: "mxtop reproduce --only A9,D9",
  machines: [{ profile: "old", hash: "12" }, { profile: "new", hash: "34" }],
  partial: false,
  results: [{
    id: "A9",
    quantity: "a number",
    unit: "us",
    published: 10,
    emulated: 12,
    error: 0.2,
    bounds: { least: 9.7, most: 10.3 },
    ok: false,
    kind: "prediction",
    source: "somebody",
  }, {
    id: "P9",
    quantity: "another",
    unit: "MB/s",
    published: null,
    emulated: 1000,
    error: null,
    bounds: { least: 900, most: 1242 },
    ok: true,
    kind: "derived",
    source: "from A9",
  }],
  claims: [{
    id: "D9",
    text: "a claim",
    verdict: "in part",
    parts: [
      { text: "one thing", holds: true, evidence: "0 < 1" },
      { text: "another", holds: false, evidence: "1 < 0", known: "so it is" },
      { text: "a third", holds: false, evidence: "2 < 0" },
    ],
    notChecked: "the rest",
  }],
  figures: [{
    id: "f",
    title: "a figure",
    over: "VMs",
    unit: "MB/s",
    paths: ["x"],
    lines: [{ at: "2", values: [5] }],
    published: [{ id: "A9", at: "2", path: "x", value: 6 }],
  }],
  fitted: [],
  ok: false,
};

Deno.test("reproduce: the table says within which bounds a result is met, and what of a claim holds", () => {
  const table = reproductionTable(missed);
  assert.match(table, /A9 +a number +10\.00 us +12\.00 us +\+20\.0 % +9\.70 to 10\.30 +prediction +MISSED/);
  assert.match(table, /P9 +another +- +1000 MB\/s +- +900\.0 to 1242 +derived +ok/);
  const claim = [
    "in part  D9  a claim",
    "      holds  one thing",
    "             0 < 1",
    "      FAILS  another",
    "             1 < 0",
    "             known: so it is",
    "      FAILS  a third",
    "             2 < 0",
    "      -      not checked: the rest",
  ];
  assert.ok(table.includes(claim.join("\n")), table);
  assert.match(table, /^2 statements of claims failed, 1 of them known to: docs\/not-modelled\.md says why$/m);
  assert.match(table, /\(0 fitted, 1 predicted, 1 derived\), 1 missed; 1 claim: 0 held, 1 in part, 0 failed: FAILED/);
  assert.ok(Math.max(...table.split("\n").map(({ length }) => length)) <= 110);
});

Deno.test("reproduce: of JUnit's cases those are red that make the exit code 1; what is known to fail is skipped", () => {
  const cases = studyJunit(missed).match(/^ *<testcase .*/gm)!.map((line) => line.trim());
  assert.deepEqual(cases, [
    '<testcase classname="mxtop.reproduce.A9" name="a number">' +
    '<failure message="found 12.00 us, wanted 9.70 to 10.30 us"/></testcase>',
    '<testcase classname="mxtop.reproduce.P9" name="another"/>',
    '<testcase classname="mxtop.reproduce.D9" name="one thing"/>',
    '<testcase classname="mxtop.reproduce.D9" name="another">' +
    '<skipped message="fails: 1 &lt; 0; known: so it is"/></testcase>',
    '<testcase classname="mxtop.reproduce.D9" name="a third"><failure message="2 &lt; 0"/></testcase>',
    '<testcase classname="mxtop.reproduce.D9" name="the rest"><skipped message="not checked"/></testcase>',
  ]);
  assert.match(studyJunit(missed), /^<testsuites tests="6" failures="2">$/m);
  assert.match(
    studyJunit(missed),
    /<testsuite name="mxtop.reproduce.D9" tests="4" failures="1" errors="0" skipped="2">/,
  );
  assert.match(studyJunit(missed), /<property name="error" value="\+20\.0 %"\/>/);
  const stopped = studyJunit({ ...missed, partial: true, results: [], claims: [] });
  assert.match(stopped, /^<testsuites tests="1" failures="1">$/m);
  assert.match(stopped, /name="everything was run"><failure message="stopped before its end"\/>/);
});

Deno.test("reproduce: a published bound is said to be one", () => {
  const [line] = missed.results;
  const bound = { ...line, error: null, bounds: { least: null, most: 10 } };
  assert.match(reproductionTable({ ...missed, results: [bound] }), /below 10\.00 us +12\.00 us +- +at most 10\.00/);
});

Deno.test("reproduce: Markdown and CSV have every statement, a partial report what is whole", () => {
  assert.match(reproductionMarkdown(missed), /\| {2}\| another \| fails \| 1 \\< 0\. Known: so it is \|/);
  assert.match(reproductionMarkdown(missed), /\| {2}\| the rest \| not checked \| {2}\|/);
  assert.match(
    reproductionCsv(missed),
    /^results,A9,a number,us,10,9\.7,10\.3,12,missed,1\.2\.3,"mxtop reproduce --only A9,D9",old new,12 34\r$/m,
  );
  assert.match(reproductionCsv(missed), /^results,P9,another,MB\/s,,900,1242,1000,ok,1\.2\.3,/m);
  assert.match(reproductionCsv(missed), /^claims,D9,a third,,,,,0,fails,.*\r\nclaims,D9,the rest,,,,,,not checked,/m);
  assert.match(reproductionMarkdown(missed), /machine old \(hash 12\), machine new \(hash 34\)\n$/);
  assert.match(reproductionCsv(missed), /^f,2,x,MB\/s,6,,,5,,/m);
  const stopped = { ...missed, partial: true, ok: true };
  assert.match(reproductionTable(stopped), /^PARTIAL[^]*: OK so far\n$/m);
  assert.match(reproductionMarkdown(stopped), /^# The study, reproduced: ok \(partial\)$/m);
  const figuresOnly = { ...missed, results: [], claims: [] };
  assert.match(reproductionTable(figuresOnly), /^a figure, MB\/s\n/, "no heading with nothing below it");
  assert.doesNotMatch(reproductionTable(figuresOnly), /^Claims|^Published/m);
  assert.doesNotMatch(reproductionMarkdown(figuresOnly), /## Claims|Sources|published/);
});

Deno.test("reproduce: a plan asks for what is needed, once, and its report is that of a lab that runs everything", () => {
  const ids = ["A1b", "A3", "D2"];
  const some = <Part extends { readonly id: string }>(parts: readonly Part[]) =>
    parts.filter(({ id }) => ids.includes(id));
  const parts = { results: some(RESULTS), claims: some(CLAIMS), figures: [] };
  const plan = new StudyPlan("test", parts);
  const workshop = new Lab("test");
  assert.equal(plan.report().partial, true);
  assert.deepEqual([plan.report().results, plan.report().claims], [[], []]);
  // In the other order than a lab would take them: the one that was asked for last comes first.
  const taken: Experiment[] = [];
  for (let next = plan.take(); next !== null; next = plan.take()) taken.push(next);
  assert.equal(taken.length, 6);
  assert.equal(new Set(taken.map(canonicalJson)).size, 6);
  for (const [i, experiment] of taken.reverse().entries()) {
    assert.deepEqual([plan.done, plan.left], [i, 6 - i]);
    plan.learn(experiment, workshop.run(experiment));
  }
  assert.equal(plan.take(), null);
  const report = plan.report();
  assert.equal(report.partial, false);
  assert.deepEqual(report, reproduce(new Lab("test"), parts));
});

Deno.test("reproduce: experiments that depend on what others come to are asked for when that is known", () => {
  const size = (throughput: number) => ({
    ...templateSnapshot(),
    totals: { ...templateSnapshot().totals, throughput_MBps: throughput },
  });
  const pingpong = (bytes: number) => ({ path: "xen2mx", workload: { kind: "pingpong", sizes: [bytes] } });
  const claim = {
    id: "X",
    text: "",
    check: (lab: Lab) => {
      let bytes = 1;
      while (lab.run(pingpong(bytes)).totals.throughput_MBps < 100) bytes *= 2;
      return [{ text: "", holds: bytes === 4, evidence: String(bytes) }];
    },
  };
  const plan = new StudyPlan("test", { results: [], claims: [claim], figures: [] });
  for (const throughput of [10, 20, 200]) {
    const experiment = plan.take();
    assert.ok(experiment !== null);
    assert.equal(plan.take(), null, "the next one depends on this one");
    plan.learn(experiment, size(throughput));
  }
  assert.equal(plan.take(), null);
  assert.deepEqual(plan.report().claims, [{
    id: "X",
    text: "",
    verdict: "holds",
    parts: [{ text: "", holds: true, evidence: "4" }],
  }]);
});
