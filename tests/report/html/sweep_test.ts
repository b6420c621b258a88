import assert from "node:assert/strict";
import { sweepHtml } from "../../../src/report/html/sweep.ts";
import { sweepOf, type SweepRun } from "../../../src/report/sweep/sweep.ts";
import { templateSnapshot } from "../../../src/report/template.ts";
import { type Element, elementsOf, textOf } from "../../support/markup.ts";
import { checkPage } from "../../support/page.ts";

type Values = Readonly<Record<string, unknown>>;

/** A sweep whose throughput is the number of its run. */
function sweep(over: { key: string; values: unknown[] }[], size?: number) {
  const combinations = over.reduce<Values[]>(
    (all, { key, values }) => all.flatMap((point) => values.map((value) => ({ ...point, [key]: value }))),
    [{}],
  );
  const runs = combinations.map((over, i): SweepRun => {
    const { wall: _, ...template } = templateSnapshot();
    const row = template.rows[0];
    const rows = size === undefined ? [row] : [{ ...row, size: 0 }, { ...row, size }];
    return { over, result: { ...template, totals: { ...template.totals, throughput_MBps: i + 1 }, rows } };
  });
  const head = {
    tool: { name: "mxtop" as const, version: "1" },
    command: "mxtop sweep x",
    scenario: { name: "x", title: "a <title>" },
    over,
  };
  return sweepOf(head, runs, runs.length, false);
}

const captions = (page: Element) => elementsOf(page, "figcaption").map(textOf);
const legendOf = (page: Element, caption: string) => {
  const figure = elementsOf(page, "figure").find((one) => textOf(elementsOf(one, "figcaption")[0]) === caption)!;
  return elementsOf(figure, "li").map((item) => textOf(item).trim());
};

Deno.test("a sweep as a page: a chart of each figure over the first key, a line for each value of the second", () => {
  const page = checkPage(
    sweepHtml(sweep([{ key: "guests", values: [2, 10, 40] }, { key: "path", values: ["iov", "a&b"] }])),
  );
  assert.deepEqual(captions(page), [
    ...["p50 us", "p99 us", "MB/s", "msg/s", "host cpu %", "guest cpu %"].map((name) => `${name} over guests, by path`),
  ]);
  assert.deepEqual(legendOf(page, "MB/s over guests, by path"), ["iov", "a&b"]);
  const points = elementsOf(page, "title").map(textOf);
  for (const point of ["iov, 40: 5.00 MB/s", "a&b, 40: 6.00 MB/s"]) assert.ok(points.includes(point), point);
  assert.ok(elementsOf(page, "tr").map(textOf).some((row) => row.startsWith("40a&b")));
  assert.match(textOf(page), /over guests, path: 6 runs/);
});

Deno.test("charts go over numbers, in their units, where one of the keys has some; words stand side by side", () => {
  const paths = { key: "path", values: ["native", "iov"] };
  const sizes = { key: "workload.size", values: ["64 KiB", "1 MiB"] };
  const show = { show: ["throughput_MBps"] };
  const page = checkPage(sweepHtml(sweep([paths, sizes]), show));
  assert.deepEqual(captions(page), ["throughput_MBps over workload.size, by path"]);
  assert.deepEqual(captions(checkPage(sweepHtml(sweep([paths]), show))), ["throughput_MBps over path"]);
  const mixed = { key: "x", values: [["1 KiB", "2 KiB"], true, "off"] };
  assert.deepEqual(captions(checkPage(sweepHtml(sweep([mixed]), show))), ["throughput_MBps over x"]);
});

Deno.test("runs through sizes are drawn over the size; further keys have charts of their own, not too many", () => {
  const seeds = { key: "seed", values: Array.from({ length: 14 }, (_, i) => i + 1) };
  const page = checkPage(sweepHtml(sweep([{ key: "path", values: ["native", "iov"] }, seeds], 4096)));
  assert.equal(elementsOf(page, "h3").map(textOf)[0], "seed=1");
  assert.equal(captions(page)[0], "latency us over size, by path");
  assert.equal(captions(page).length, 12 * 5);
  assert.match(textOf(page), /and 2 more: see the table/);
});

Deno.test("a sweep that failed or was stopped says so, with what made each run", () => {
  const { runs, ...head } = sweep([{ key: "seed", values: [1, 2] }]);
  const failed = { ...runs[0], result: { ...runs[0].result, ok: false, failures: ["threshold lost == 0: found 3"] } };
  const page = checkPage(sweepHtml({ ...head, ok: false, partial: true, runs: [failed] }));
  const text = textOf(page);
  assert.match(text, /PARTIAL/);
  assert.match(text, /seed=1: threshold lost == 0: found 3/);
  assert.match(text, /1 of 2 runs/);
  assert.deepEqual(elementsOf(page, "summary").map(textOf), ["What made each run"]);
  checkPage(sweepHtml({ ...head, partial: true, runs: [] }));
});
