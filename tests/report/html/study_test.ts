import assert from "node:assert/strict";
import { studyHtml } from "../../../src/report/html/study.ts";
import { FIGURES, makeFigure } from "../../../src/report/study/figures.ts";
import { Lab } from "../../../src/report/study/lab.ts";
import type { Reproduction } from "../../../src/report/study/reproduce.ts";
import { RESULTS } from "../../../src/report/study/results.ts";
import { elementsOf, textOf } from "../../support/markup.ts";
import { checkPage } from "../../support/page.ts";

const result = (error: number, ok: boolean): Reproduction["results"][number] => ({
  id: "A9",
  quantity: "a number",
  unit: "us",
  published: 10,
  emulated: 10 * (1 + error),
  error,
  bounds: { least: 9.7, most: 10.3 },
  ok,
  kind: "prediction",
  source: "somebody & others",
});

const REPORT: Reproduction = {
  schema: "mxtop-reproduce/2",
  tool: { name: "mxtop", version: "1.2.3" },
  command: "mxtop reproduce",
  machines: [{ profile: "vhpc12", hash: "12" }, { profile: "jss14", hash: "34" }],
  partial: false,
  results: [result(0.2, false), result(-0.01, true)],
  claims: [{
    id: "D9",
    text: "a < b",
    verdict: "in part",
    parts: [{ text: "a part", holds: true, evidence: "0 < 1" }, { text: "another", holds: false, evidence: "1 < 0" }],
    notChecked: "the rest",
  }],
  figures: [{
    id: "f",
    title: "half round trip",
    over: "size",
    unit: "us",
    paths: ["native", "bridged"],
    lines: [{ at: "0 B", values: [6, 22] }, { at: "16 B", values: [6, 22] }, { at: "16 KiB", values: [24, 46] }],
    published: [{ id: "A1", at: "16 B", path: "bridged", value: 22 }],
  }, {
    id: "g",
    title: "sum of streams",
    over: "VMs",
    unit: "MB/s",
    paths: ["native"],
    lines: [{ at: "2", values: [1190] }, { at: "40", values: [1192] }],
    published: [],
  }],
  fitted: [{ machine: "vhpc12", cost: "phy", value: "203 ns", fittedTo: "a round trip" }],
  ok: false,
};

Deno.test("the study as a page: results with their errors, figures with what was published, claims", () => {
  const page = checkPage(studyHtml(REPORT));
  const text = textOf(page);
  assert.match(text, /2 results \(0 fitted, 2 predicted, 0 derived\), 1 missed; 1 claim: 0 held, 1 in part, 0 failed/);
  for (
    const said of [
      "+20.0 %",
      "-1.0 %",
      "MISSED",
      "somebody & others",
      "a < b",
      "in part",
      "FAILS",
      "not checked",
      "9.70 to 10.30",
      "203 ns",
      "vhpc12 jss14",
    ]
  ) {
    assert.ok(text.includes(said), said);
  }
  const titles = elementsOf(page, "title").map(textOf);
  assert.ok(titles.includes("published, bridged, 16 B: 22.00 us (A1)"));
  assert.ok(titles.includes("native, 16 KiB: 24.00 us"));
  assert.ok(elementsOf(page, "text").map(textOf).includes("the study's link 1192"));
  // The bar of the larger error is full, to the right; the other is short, to the left.
  const errors = elementsOf(page, "rect").filter(({ attributes }) => /good|bad/.test(attributes.class ?? ""));
  assert.deepEqual(errors.map(({ attributes: { class: name, x, width } }) => [name, x, width]), [
    ["bad", "60", "60"],
    ["good", "57", "3"],
  ]);
});

Deno.test("a study that was stopped, or of which nothing was asked for, is a page too", () => {
  const nothing = { ...REPORT, ok: true, partial: true, results: [], claims: [], figures: [] };
  const page = checkPage(studyHtml(nothing));
  assert.deepEqual(elementsOf(page, "h2").map(textOf), ["Fitted constants"]);
  assert.match(textOf(page), /OK so far[^]*PARTIAL/);
});

Deno.test("published results stand in figures that have their path and their abscissa", () => {
  const points = RESULTS.flatMap(({ id, point }) => point === undefined ? [] : [{ id, ...point }]);
  assert.deepEqual(points.map(({ id }) => id), ["A2", "A1a", "A1b", "A1c"]);
  for (const { figure, at, path } of points) {
    const plan = FIGURES.find(({ id }) => id === figure);
    assert.ok(plan !== undefined && plan.at.includes(at), `${figure} at ${at}`);
    const { published } = makeFigure({ ...plan, column: () => plan.at.map(() => 1) }, new Lab("test"), [
      "native",
      path,
    ]);
    assert.ok(published.some((point) => point.path === path && point.at === at));
    assert.ok(published.every((point) => ["native", path].includes(point.path)));
  }
});
