import assert from "node:assert/strict";
import type { Snapshot } from "../../../src/report/snapshot.ts";
import { sweepJunit } from "../../../src/report/sweep/junit.ts";
import {
  sweepCsv,
  sweepJson,
  sweepMarkdown,
  sweepRunLine,
  sweepSummaryLine,
  sweepTable,
} from "../../../src/report/sweep/render.ts";
import { sweepOf, type SweepRun } from "../../../src/report/sweep/sweep.ts";
import { templateSnapshot } from "../../../src/report/template.ts";
import { elementsOf, parseMarkup } from "../../support/markup.ts";

const HEAD = {
  tool: { name: "mxtop" as const, version: "1" },
  command: "mxtop sweep x --over guests=2,4",
  scenario: { name: "x", title: "a title" },
  over: [{ key: "guests", values: [2, 4] }, { key: "sizes", values: [["1 KiB", "2 KiB"]] }],
};

function run(guests: number, changes: Partial<Snapshot>): SweepRun {
  const { wall: _, ...template } = templateSnapshot();
  return { over: { guests, sizes: ["1 KiB", "2 KiB"] }, result: { ...template, ...changes } };
}

const totals = { ...templateSnapshot().totals, throughput_MBps: 1192.5, messages_per_s: 2273 };
const good = run(2, { totals });
const failed = run(4, { ok: false, failures: ["threshold lost == 0: found 3"] });

Deno.test("a table has a line for each run, with the values that make it, and ends with the verdict", () => {
  const lines = sweepTable(sweepOf(HEAD, [good, failed], 2, false)).split("\n");
  assert.equal(lines[0], "x  a title");
  assert.equal(lines[1], "over guests, sizes: 2 runs");
  assert.match(lines[3], /^guests +sizes +p50 us +p99 us +MB\/s/);
  assert.match(lines[4], /^2 +\["1 KiB","2 KiB"\] +0 +0 +1193 +2273 +100 +100 +- +ok$/);
  assert.match(lines[5], /^4 .* FAILED$/);
  assert.deepEqual(lines.slice(6), [
    ...["", 'FAIL  guests=4 sizes=["1 KiB","2 KiB"]: threshold lost == 0: found 3', "", "FAILED", ""],
  ]);
});

Deno.test("a stopped sweep says so: runs that are missing, and how far those came that are not whole", () => {
  const sweep = sweepOf(HEAD, [good, run(4, { partial: true, virtual_ns: 12e6 })], 6, true);
  assert.equal(sweep.partial, true);
  const table = sweepTable(sweep);
  assert.match(table, /^over guests, sizes: 2 of 6 runs$/m);
  assert.match(table, /partial, at 12 ms$/m);
  assert.match(table, /\nPARTIAL +the sweep was stopped before its end\nOK so far\n$/);
  assert.match(sweepMarkdown(sweep), /^# x over guests, sizes: ok \(partial\)\n/);
  assert.match(sweepTable(sweepOf(HEAD, [good], 1, false)), /^over guests, sizes: 1 run$/m);
  // All are whole, but one is missing.
  assert.equal(sweepOf(HEAD, [good], 2, true).partial, true);
  assert.equal(sweepOf(HEAD, [good, failed], 2, false).partial, false);
});

Deno.test("a run whose program failed is not whole, and the sweep is all the same", () => {
  const broken = run(4, { partial: true, ok: false, failures: ["vm02 (rank 1) at 5 us: bad.ts:4:31: boom"] });
  const sweep = sweepOf(HEAD, [good, broken], 2, false);
  assert.deepEqual([sweep.partial, sweep.ok], [false, false]);
  assert.match(sweepTable(sweep), /\n\nFAIL {2}guests=4 .*: vm02 \(rank 1\) at 5 us: bad.ts:4:31: boom\n\nFAILED\n$/);
});

Deno.test("chosen metrics are the columns; a run that does not have one shows nothing", () => {
  const two = run(4, { guests: [...good.result.guests, { ...good.result.guests[0], name: "vm02", lost: 7 }] });
  const table = sweepTable(sweepOf(HEAD, [good, two], 2, false), { show: ["throughput_MBps", "guests[vm02].lost"] });
  assert.match(table, /^guests +sizes +throughput_MBps +guests\[vm02\]\.lost$/m);
  assert.match(table, /^2 .* 1193 +- +ok$/m);
  assert.match(table, /^4 .* 0 +7\.00 +ok$/m);
});

Deno.test("runs over message sizes have a line for each size", () => {
  const row = { size: 1024, latency_us: 5, rtt_us: 10, throughput_MBps: 100, host_cpu: 0.5, guest_cpu: 0.25 };
  const sweep = sweepOf(HEAD, [run(2, { rows: [row, { ...row, size: 2048 }] }), run(4, { rows: [row] })], 2, false);
  const lines = sweepTable(sweep).split("\n").slice(4, 7);
  assert.deepEqual(lines.map((line) => line.replaceAll(/ +/g, " ")), [
    '2 ["1 KiB","2 KiB"] 1 KiB 5.00 10.00 100.0 50 25 ok',
    '2 ["1 KiB","2 KiB"] 2 KiB 5.00 10.00 100.0 50 25 ok',
    '4 ["1 KiB","2 KiB"] 1 KiB 5.00 10.00 100.0 50 25 ok',
  ]);
});

Deno.test("formats for programs have every run with its values, and nothing of the real world", () => {
  const sweep = sweepOf(HEAD, [good, failed], 2, false);
  const json = JSON.parse(sweepJson(sweep));
  assert.deepEqual([json.schema, json.ok, json.partial, json.runs_planned], ["mxtop-sweep/1", false, false, 2]);
  assert.deepEqual(json.runs.map(({ over }: SweepRun) => over.guests), [2, 4]);
  assert.deepEqual(json.runs.map(({ result }: SweepRun) => "wall" in result), [false, false]);
  const texts = [...sweep.runs.map(sweepRunLine), sweepSummaryLine(sweep)];
  assert.ok(texts.every((text) => text.indexOf("\n") === text.length - 1), "each is one line");
  const lines = texts.map((text) => JSON.parse(text));
  assert.deepEqual(lines.map(({ type }) => type), ["run", "run", "summary"]);
  assert.deepEqual(lines[0].over, json.runs[0].over);
  assert.equal("runs" in lines[2], false);
  const [head, ...records] = sweepCsv(sweep).trimEnd().split("\r\n");
  assert.match(head, /^over\.guests,over\.sizes,tool_version,/);
  assert.match(records[0], /^2,"\[""1 KiB"",""2 KiB""\]",,/);
  assert.equal(records.length, 6);
});

/** The suites of a report, each with what failed in it. */
function suitesOf(report: string) {
  const root = parseMarkup(report.replace(/^<\?xml .*\?>\n/, ""));
  const suites = elementsOf(root, "testsuite").map((suite) => ({
    name: suite.attributes.name,
    failed: elementsOf(suite, "failure").map(({ attributes }) => attributes.message),
    over: elementsOf(suite, "property").map(({ attributes }) => attributes).filter(({ name }) => /^over/.test(name)),
  }));
  const classes = elementsOf(root, "testcase").map(({ attributes }) => `${attributes.classname}: ${attributes.name}`);
  assert.equal(new Set(classes).size, classes.length, "readers tell cases apart by these two");
  assert.equal(Number(root.attributes.tests), classes.length);
  assert.equal(Number(root.attributes.failures), suites.flatMap(({ failed }) => failed).length);
  return suites;
}

Deno.test("junit: a suite for each run by the values that make it, and one more where runs are missing", () => {
  const scenario = { ...templateSnapshot().scenario, name: "x", path: "native" };
  const made = (guests: number, changes: Partial<Snapshot> = {}) =>
    run(guests, { scenario, totals: { ...totals, messages: 5 }, ...changes });
  const thresholds = [{ expression: "lost == 0", value: 3, ok: false }];
  const missed = made(4, { ok: false, failures: ["threshold lost == 0: found 3"], thresholds });
  const suites = suitesOf(sweepJunit(sweepOf(HEAD, [made(2), missed], 2, false)));
  assert.deepEqual(suites.map(({ name, failed }) => [name, failed]), [
    ['mxtop.x.native guests=2 sizes=["1 KiB","2 KiB"]', []],
    ['mxtop.x.native guests=4 sizes=["1 KiB","2 KiB"]', ["found 3"]],
  ]);
  assert.deepEqual(suites[0].over, [
    { name: "over.guests", value: "2" },
    { name: "over.sizes", value: '["1 KiB","2 KiB"]' },
  ]);
  const stopped = suitesOf(sweepJunit(sweepOf(HEAD, [made(2), made(4, { partial: true })], 6, true)));
  assert.deepEqual(stopped.map(({ failed }) => failed), [[], ["stopped before its end"], [
    "stopped after 2 of 6 runs",
  ]]);
  assert.equal(stopped[2].name, "mxtop.x.sweep");
});
