import assert from "node:assert/strict";
import { openScenario, overridesOf } from "../../../src/cli/catalogue.ts";
import { runHtml } from "../../../src/report/html/run.ts";
import type { Snapshot } from "../../../src/report/snapshot.ts";
import { templateSnapshot } from "../../../src/report/template.ts";
import { type Element, elementsOf, textOf } from "../../support/markup.ts";
import { checkPage } from "../../support/page.ts";
import { failedSample, sample } from "../sample.ts";

const headings = (page: Element) => elementsOf(page, "h2").map(textOf);
const rowsOf = (page: Element) =>
  elementsOf(page, "tr").map((row) => row.children.map((cell) => typeof cell === "string" ? cell : textOf(cell)));

Deno.test("a result as a page: every part, with the figures of the table", () => {
  const page = checkPage(runHtml(sample()));
  assert.deepEqual(headings(page), [
    ...["Latency", "By message size", "Where a message spends its time", "Guests", "Hosts", "Links"],
  ]);
  const text = textOf(page);
  for (const said of ["Two guests & a <title>", "seed 7", "machine vhpc12", "120k", "measured 1 s"]) {
    assert.ok(text.includes(said), said);
  }
  const rows = rowsOf(page);
  assert.ok(rows.some(([name, host, path, p50]) => [name, host, path, p50].join() === "vm01,a,xen2mx,14.00"));
  assert.ok(rows.some(([size, latency]) => size === "4 KiB" && latency === "12.35"));
  assert.ok(rows.some(([stage, us, percent]) => stage === "wire" && us === "4.25" && percent === "74"));
  assert.ok(!rows.some(([stage]) => stage === "grant"), "a stage that took no time");
  assert.ok(rows.some(([name, text]) => name === "machine hash" && text === "fedcba9876543210"));
});

Deno.test("the page of a run does not depend on how long it took", () => {
  assert.equal(
    runHtml({ ...sample(), wall: { ms: 1, realtime_factor: 2, events: 3, events_per_s: 4 } }),
    runHtml(sample()),
  );
});

Deno.test("what failed is said, and a run that was stopped says so", () => {
  const page = checkPage(runHtml(failedSample()));
  const text = textOf(page);
  assert.match(text, /^\s*sample: FAILED/);
  assert.match(text, /PARTIAL: the run was stopped/);
  assert.match(text, /2 messages arrived with a wrong payload/);
  assert.deepEqual(rowsOf(page).filter((row) => row.at(-1) === "FAIL"), [
    ["rtt_us.p50 < 1", "28", "FAIL"],
    ['x["<&>"] > 0', "-", "FAIL"],
  ]);
});

Deno.test("what was published for exactly this stands beside it, and is drawn in the chart", () => {
  const scenario = openScenario("pingpong-tiny", overridesOf({}));
  const page = checkPage(runHtml(sample(), { scenario }));
  const row = rowsOf(page).find(([name]) => name === "latency p50, us")!;
  assert.deepEqual(row.slice(0, 4), ["latency p50, us", "7.00", "14.00", "+100.0 %"]);
  assert.match(row[5], /VHPC/);
  assert.ok(elementsOf(page, "text").map(textOf).includes("published 7.00"));
  assert.doesNotMatch(
    runHtml(sample(), { scenario: openScenario("latency-16k", overridesOf({})) }),
    /beside the study/,
  );
});

Deno.test("parts that only some runs have", () => {
  const { offered, solver } = templateSnapshot();
  const bottleneck = { what: "link a-b", why: "100 % used" };
  const output = [{ at_us: 1.5, guest: "vm01", text: "<hello>" }];
  const page = checkPage(runHtml({ ...sample(), offered, solver, bottleneck, output, output_dropped: 3 }));
  const text = textOf(page);
  for (
    const said of ["requests offered", "residual", "What limits the run: link a-b: 100 % used", "<hello>", "and 3 more"]
  ) {
    assert.ok(text.includes(said), said);
  }
});

Deno.test("a run without samples, rows, stages and links is a page all the same", () => {
  const { totals } = sample();
  const nothing: Snapshot = {
    ...sample(),
    ok: false,
    failures: ["no samples: no message was completed after warm-up"],
    totals: { ...totals, messages: 0, latency_us: null, rtt_us: null },
    guests: [],
    links: [],
    stages: [],
    rows: [],
    thresholds: [],
  };
  assert.deepEqual(headings(checkPage(runHtml(nothing))), ["Hosts"]);
});

Deno.test("many guests are folded away, and a name with markup in it is a name", () => {
  const { guests } = sample();
  const many = Array.from({ length: 101 }, (_, i) => ({ ...guests[0], name: `<i>vm${i}` }));
  const page = checkPage(runHtml({ ...sample(), guests: many }));
  assert.deepEqual(elementsOf(page, "summary").map(textOf), ["all 101 guests"]);
  assert.deepEqual(elementsOf(page, "i"), []);
});
