import assert from "node:assert/strict";
import { canonicalJson } from "../../src/base/hash.ts";
import { CLAIMS } from "../../src/report/study/claims.ts";
import { type Experiment, Lab } from "../../src/report/study/lab.ts";
import { StudyPlan } from "../../src/report/study/plan.ts";
import { reproductionCsv, reproductionMarkdown, reproductionTable } from "../../src/report/study/render.ts";
import { reproduce, type Reproduction, WHOLE_STUDY } from "../../src/report/study/reproduce.ts";
import { RESULTS } from "../../src/report/study/results.ts";
import { templateSnapshot } from "../../src/report/template.ts";

/** The whole study but its figures: some seconds. */
function study(): Reproduction {
  return reproduce(new Lab("test"), { ...WHOLE_STUDY, figures: [] });
}

Deno.test("reproduce: every published result is met and every claim holds", () => {
  const report = study();
  for (const { id, quantity, emulated, wanted, ok } of report.results) {
    assert.ok(ok, `${id} ${quantity}: ${emulated}, wanted ${wanted}`);
  }
  for (const { id, evidence, holds } of report.claims) assert.ok(holds, `${id}: ${evidence}`);
  assert.equal(report.results.length, RESULTS.length);
  assert.equal(report.claims.length, CLAIMS.length);
  assert.ok(report.ok);
  assert.ok(report.results.some(({ kind, quantity }) => kind === "prediction" && /Xen2MX throughput/.test(quantity)));
  assert.ok(report.fitted.length > 0);
});

Deno.test("reproduce: a missed result and a failed claim are shown, and fail the report", () => {
  const report: Reproduction = {
    schema: "mxtop-reproduce/1",
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
      wanted: "within 3 %",
      ok: false,
      kind: "prediction",
      source: "somebody",
    }],
    claims: [{ id: "D9", text: "a claim", holds: false, evidence: "1 < 0" }],
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
  const table = reproductionTable(report);
  assert.match(table, /A9 +a number +10\.00 us +12\.00 us +\+20\.0 % +within 3 % +prediction +MISSED/);
  assert.match(table, /FAILS +D9 +a claim/);
  assert.match(table, /1 missed; 1 claim, 1 failed: FAILED/);
  assert.match(reproductionMarkdown(report), /\| D9 \| a claim \| fails \| 1 \\< 0 \|/);
  assert.match(
    reproductionCsv(report),
    /^results,A9,a number,us,10,12,missed,1\.2\.3,"mxtop reproduce --only A9,D9",old new,12 34\r$/m,
  );
  assert.match(reproductionMarkdown(report), /machine old \(hash 12\), machine new \(hash 34\)\n$/);
  assert.match(reproductionCsv(report), /^f,2,x,MB\/s,6,5,,/m);
  const stopped = { ...report, partial: true, ok: true };
  assert.match(reproductionTable(stopped), /^PARTIAL[^]*: OK so far\n$/m);
  assert.match(reproductionMarkdown(stopped), /^# The study, reproduced: ok \(partial\)$/m);
  const figuresOnly = { ...report, results: [], claims: [] };
  assert.match(reproductionTable(figuresOnly), /^a figure, MB\/s\n/, "no heading with nothing below it");
  assert.doesNotMatch(reproductionTable(figuresOnly), /^Claims|^Published/m);
  assert.doesNotMatch(reproductionMarkdown(figuresOnly), /Claims|Sources|published/);
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
      return { holds: bytes === 4, evidence: String(bytes) };
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
  assert.deepEqual(plan.report().claims, [{ id: "X", text: "", holds: true, evidence: "4" }]);
});
