import assert from "node:assert/strict";
import fc from "fast-check";
import { markup } from "../../../src/report/html/markup.ts";
import { placesOf, valueScale } from "../../../src/report/html/scale.ts";
import { STYLE } from "../../../src/report/html/style.ts";
import { type Chart, lineChart } from "../../../src/report/html/chart.ts";
import { bar, colourOf, columns, deviation, type Part, stack, wideStack } from "../../../src/report/html/svg.ts";
import { type Element, elementsOf, parseMarkup, textOf } from "../../support/markup.ts";
import { checkDrawings } from "../../support/svg_geometry.ts";

const chart = (more: Partial<Chart> = {}): Chart => ({
  title: "latency over size",
  over: "size",
  unit: "us",
  log: true,
  at: [{ label: "0 B", value: 0 }, { label: "16 B", value: 16 }, { label: "16 KiB", value: 16384 }],
  lines: [{ name: "native", values: [6, 6.5, 24] }, { name: "bridged", values: [21, null, 46] }],
  text: String,
  ...more,
});

function drawn(of: Chart): Element {
  const figure = lineChart(of);
  assert.ok(figure !== null);
  const page = parseMarkup(figure.text);
  checkDrawings(page);
  return page;
}

const classed = (page: Element, name: string, kind: string) =>
  elementsOf(page, name).filter(({ attributes }) => attributes.class === kind);
const labels = (page: Element) => elementsOf(page, "text").map(textOf);

Deno.test("a scale begins at 0 and ends at a round number, or goes by powers of ten where values are far apart", () => {
  const ticks = (values: number[], mayBeLog = true) => valueScale(values, mayBeLog).ticks.map(({ label }) => label);
  assert.deepEqual(ticks([7.13, 7.15]), ["0", "2", "4", "6", "8"]);
  assert.deepEqual(ticks([0, 630]), ["0", "200", "400", "600", "800"]);
  assert.deepEqual(ticks([0]), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
  assert.deepEqual(ticks([-3, 4]), ["-4", "-2", "0", "2", "4"]);
  assert.deepEqual(ticks([6, 80]), ["5", "10", "20", "50", "100"]);
  assert.deepEqual(ticks([6, 80], false), ["0", "20", "40", "60", "80"]);
  assert.deepEqual(ticks([0.12, 630]), ["0.1", "1", "10", "100", "1000"]);
  assert.deepEqual(ticks([3e5]), ["0", "100k", "200k", "300k"]);
  const { place } = valueScale([1, 100], true);
  assert.deepEqual([1, 10, 100].map(place), [0, 0.5, 1]);
});

Deno.test("abscissae stand as their values are, by logarithm where these are far apart, 0 a step before the others", () => {
  assert.deepEqual(placesOf([2, 4, 10]), { places: [0, 0.25, 1], isEven: false });
  assert.deepEqual(placesOf([0, 1, 2, 4, 8, 16]).places, [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(placesOf([40, 10, 20]).places, [1, 0, 1 / 3]);
  assert.deepEqual(placesOf([null, null, null]), { places: [0, 0.5, 1], isEven: true });
  assert.deepEqual(placesOf([5]).places, [0.5]);
});

Deno.test("a chart has a line for each, with a gap where a value is missing, and what each point is", () => {
  const page = drawn(chart());
  const [native, bridged] = classed(page, "path", "join").filter(({ attributes }) => attributes.d !== "M0 5H16");
  assert.match(native.attributes.d, /^M[\d. ]+L[\d. ]+L[\d. ]+$/);
  assert.match(bridged.attributes.d, /^M[\d. ]+M[\d. ]+$/);
  const points = elementsOf(page, "title").map(textOf);
  assert.deepEqual(points, [
    ...["native, 0 B: 6 us", "native, 16 B: 6.5 us", "native, 16 KiB: 24 us", "bridged, 0 B: 21 us"],
    "bridged, 16 KiB: 46 us",
  ]);
  assert.deepEqual(elementsOf(page, "li").map((item) => textOf(item).trim()), ["native", "bridged"]);
  for (const label of ["us", "size", "0 B", "16 B", "16 KiB"]) assert.ok(labels(page).includes(label), label);
});

Deno.test("words below the axis are not joined; a single line has no legend; nothing to draw is no chart", () => {
  const words = ["native", "xen2mx", "bridged"].map((label) => ({ label, value: null }));
  const page = drawn(chart({ at: words, lines: [{ name: "", values: [6, 7, 22] }] }));
  assert.deepEqual(classed(page, "path", "join"), []);
  assert.equal(classed(page, "path", "point").length, 3);
  assert.deepEqual(elementsOf(page, "li"), []);
  assert.equal(lineChart(chart({ lines: [{ name: "x", values: [null, NaN, Infinity] }] })), null);
});

Deno.test("published values are marked, and a reference is drawn where the data comes near it", () => {
  const mark = { line: 1, at: 1, value: 22, text: "published, bridged: 22 us" };
  const page = drawn(chart({ marks: [mark], reference: { value: 50, label: "the link" } }));
  assert.equal(classed(page, "path", `mark ${colourOf(1)}`).length, 1);
  assert.ok(elementsOf(page, "title").map(textOf).includes(mark.text));
  assert.ok(labels(page).includes("the link"));
  assert.ok(!labels(drawn(chart({ reference: { value: 1000, label: "the link" } }))).includes("the link"));
});

Deno.test("whatever the values and labels, a chart stays within its frame, and its texts apart", () => {
  const value = fc.oneof(
    fc.constant(null),
    fc.constant(0),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e3, max: 1e9 }),
    fc.double({ noNaN: true, min: 1e-6, max: 1e-3 }),
    fc.integer({ min: 0, max: 100 }),
  );
  const charts = fc.integer({ min: 1, max: 24 }).chain((length) =>
    fc.record({
      at: fc.array(fc.record({ label: fc.string({ maxLength: 30 }), value }), { minLength: length, maxLength: length }),
      values: fc.array(fc.array(value, { minLength: length, maxLength: length }), { minLength: 1, maxLength: 30 }),
      unit: fc.string({ maxLength: 100 }),
      reference: fc.option(fc.double({ noNaN: true, min: 1, max: 1e6 })),
    })
  );
  fc.assert(
    fc.property(charts, ({ at, values, unit, reference }) => {
      const figure = lineChart(chart({
        at,
        unit,
        lines: values.map((values, i) => ({ name: `line ${i}`, values })),
        reference: reference === null ? undefined : { value: reference, label: "reference" },
      }));
      if (figure !== null) checkDrawings(parseMarkup(figure.text));
    }),
    { numRuns: 120 },
  );
});

Deno.test("bars are as long as their shares, and never longer than their cells", () => {
  const widths = (svg: { text: string }) => {
    const page = parseMarkup(markup`<p>${svg as ReturnType<typeof bar>}</p>`.text);
    checkDrawings(page);
    return elementsOf(page, "rect").map(({ attributes }) => [Number(attributes.x ?? 0), Number(attributes.width)]);
  };
  assert.deepEqual(widths(bar(0.25)), [[0, 20]]);
  assert.deepEqual([bar(7), bar(-1)].map(widths), [[[0, 80]], [[0, 0]]]);
  assert.deepEqual(widths(deviation(0.05, 0.1, "good")), [[60, 30]]);
  assert.deepEqual(widths(deviation(-0.2, 0.1, "bad")), [[0, 60]]);
  const parts = (...shares: number[]): Part[] =>
    shares.map((share, i) => ({ name: `part ${i}`, share, text: `${share}`, colour: colourOf(i) }));
  assert.deepEqual(widths(stack(parts(0.5, 0, 0.25), 100)), [[0, 50], [50, 25]]);
  assert.deepEqual(widths(stack(parts(0.8, 0.8), 100)), [[0, 80], [80, 20]]);
  assert.deepEqual(widths(columns("CPUs", [parts(0.5), parts(1, 1)])), [[1, 10], [1, 10], [13, 10], [13, 10], [
    13,
    10,
  ]]);
  const wide = parseMarkup(wideStack("stages", parts(0.9, 0.09, 0.01)).text);
  checkDrawings(wide);
  assert.deepEqual(elementsOf(wide, "text").map(textOf), ["part 0", "0.9", "part 1", "0.09"]);
});

Deno.test("in a narrow window bars stay long enough to read, since tables scroll; no letter of a chart is cut", () => {
  const [screen, paper] = STYLE.text.split("@media print");
  assert.match(screen, /^\.wide \{[^}]* overflow-x: auto;/m);
  assert.match(screen, /^td \.bar \{ min-width: 64px; \}/m);
  assert.match(screen, /^\.chart \{[^}]* overflow: visible;/m);
  assert.match(paper, /^ +td \.bar \{ min-width: 0; \}/m, "nothing scrolls on paper");
});
