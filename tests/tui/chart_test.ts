import assert from "node:assert/strict";
import { chart, type ChartOptions, nothingWords, toColumns } from "../../src/tui/chart.ts";
import { linearScale } from "../../src/tui/scale.ts";
import { plain, width } from "../../src/tui/text.ts";
import { matchSnapshot } from "../support/snapshot.ts";

function drawn(values: (number | null)[], options: Partial<ChartOptions> = {}): string[] {
  const all = { width: 40, height: 9, series: [{ role: "p50", values }], fromNs: 0, toNs: 4e8, ...options } as const;
  const lines = chart(all);
  assert.equal(lines.length, all.height);
  for (const line of lines) assert.equal(width(line), all.width, plain(line));
  return lines.map((line) => plain(line).trimEnd());
}

Deno.test("no data, only gaps and only nonsense give a sentence, not a crash", () => {
  for (const values of [[], [null, null], [NaN, Infinity, -Infinity]]) {
    assert.match(drawn(values).join("\n"), /no messages measured yet/);
    assert.match(drawn(values, { nothing: nothingWords(7) }).join("\n"), /no message in this span/);
  }
});

Deno.test("constant, one point, zero, negative, huge and tiny values", async (t) => {
  await matchSnapshot(
    t,
    import.meta,
    [
      drawn([12, 12, 12, 12]),
      drawn([5]),
      drawn([0, 0, 0]),
      drawn([-4, 0, 9, -2]),
      drawn([1e9, 3e9, 2e9]),
      drawn([0.0021, 0.0035]),
    ].map((lines) => lines.join("\n")).join("\n\n"),
  );
});

Deno.test("gaps stay empty and a single value between gaps is seen", async (t) => {
  const lines = drawn([10, 12, null, 20, null, NaN, 15, 15]);
  const plot = lines.slice(0, -1).map((line) => line.slice(7).padEnd(33));
  for (const column of [2, 4, 5]) assert.ok(plot.every((line) => line[column] === " "), `column ${column}`);
  for (const column of [0, 1, 3, 6, 7]) assert.ok(plot.some((line) => line[column] !== " "), `column ${column}`);
  await matchSnapshot(t, import.meta, lines.join("\n"));
});

Deno.test("two series and a reference line that the data comes near", async (t) => {
  const series = [
    { role: "link", values: [900, 950, 1000, 1020], broken: true },
    { role: "throughput", values: [400, 500, 600, 700] },
  ] as const;
  const references = [{ value: 1250, role: "dim", label: "link 1250" }] as const;
  await matchSnapshot(t, import.meta, drawn([], { series, references }).join("\n"));
});

Deno.test("a reference far above or below is an arrow with its value: the data keeps the scale", () => {
  const above = drawn([3, 4, 5], { references: [{ value: 1250, role: "dim", label: "link 1250" }] });
  assert.match(above[0], /↑ link 1250$/);
  assert.ok(!above.join("").includes("┄"));
  assert.match(above[1], / 5.0 ┤/);
});

Deno.test("a label gives way to data, and two labels to each other", () => {
  const values = Array.from({ length: 33 }, () => 1200);
  const references = [
    { value: 1250, role: "dim", label: "link 1250" },
    { value: 1192, role: "study", label: "study 1192" },
  ] as const;
  const text = drawn(values, { references, height: 14 }).join("\n");
  assert.match(text, /link 1250/);
  assert.match(text, /study 1192/);
  assert.ok([...text].filter((char) => char === "─").length === 33, text);
});

Deno.test("ghosts are shades behind the data, and count for the scale", async (t) => {
  const ghosts = [{ role: "ghost", values: [2, 4, 6, 8, null, 12, 14, 16] }] as const;
  await matchSnapshot(t, import.meta, drawn([8, 8, 8, 8, 8, 8, 8, 8], { ghosts }).join("\n"));
});

Deno.test("orders of magnitude: powers of ten, and the small values are still seen", async (t) => {
  await matchSnapshot(t, import.meta, drawn([7, 7, 8, 200_000, 150_000, 7, 7], { log: true, height: 12 }).join("\n"));
});

Deno.test("times stand under their columns, round, and tell the span", async (t) => {
  const values = Array.from({ length: 60 }, () => 5);
  const axes = [
    { fromNs: 0, toNs: 6e9 },
    { fromNs: 1.234e9, toNs: 1.534e9 },
    { fromNs: 1.284_037e9, toNs: 1.284_097e9 },
    { fromNs: 12_000, toNs: 12_600 },
  ].map((span) => drawn(values, { width: 70, ...span }).at(-1));
  await matchSnapshot(t, import.meta, axes.join("\n"));
});

Deno.test("the scale is the smallest with round labels, and holds every value", () => {
  const ROUND = /^[125](0*|\d?5?0*)$/;
  for (let rows = 2; rows <= 40; rows++) {
    for (const high of [0.003, 0.9, 7, 7.14, 42, 388, 1186, 1250, 70_359, 2.4e6]) {
      const scale = linearScale(0, high, rows);
      assert.ok(scale.high >= high && scale.place(high) <= rows + 1e-6, `${high} in ${rows}`);
      assert.ok(high / scale.high > 0.55, `${high} of ${scale.high} in ${rows} rows`);
      const tick = (scale.high / rows) * [...scale.labels.keys()][1];
      const digits = String(Math.round((tick / 10 ** Math.floor(Math.log10(tick) + 1e-9)) * 100));
      assert.match(digits, ROUND, `tick ${tick}`);
      assert.equal(scale.labels.get(0)!.replace(/[.0]/g, ""), "");
    }
  }
});

Deno.test("what is on the screen does not change its value: columns only move on", () => {
  const points: { at_ns: number; value: number }[] = [];
  let before: ReturnType<typeof toColumns> | null = null;
  let stretches = 0;
  for (let i = 1; i <= 700; i++) {
    points.push({ at_ns: i * 1e8 + (i % 7) * 1e6, value: (i * 37) % 101 });
    if (points.length > 600) points.shift();
    const now = toColumns(points, 48);
    const span = (now.toNs - now.fromNs) / now.values.length;
    const spanBefore = before === null ? 0 : (before.toNs - before.fromNs) / before.values.length;
    if (before !== null && Math.abs(span - spanBefore) < 1) {
      const shift = Math.round((now.fromNs - before.fromNs) / span);
      // The oldest column loses its samples when they leave the history.
      for (let c = shift + 1; c < before.values.length; c++) {
        assert.ok(Math.abs(before.values[c]! - now.values[c - shift]!) < 1e-6, `column ${c} of sample ${i}`);
      }
    } else stretches++;
    before = now;
  }
  assert.ok(stretches < 60, `${stretches} changes of the time scale`);
});

Deno.test("axis labels are round and rise to the top", () => {
  for (const top of [0.03, 1, 7, 42, 388, 1186, 25_000, 740_000]) {
    const labels = drawn([0, top]).slice(0, -1).map((line) => line.slice(0, 6).trim()).filter((text) => text !== "");
    assert.ok(labels.length >= 3, `${top}`);
    assert.equal(Number(labels.at(-1)), 0);
  }
});

Deno.test("every size from tiny to large keeps its box", () => {
  for (let wide = 1; wide < 60; wide += 3) {
    for (let height = 1; height < 20; height += 2) {
      drawn([1, 5, null, 2], { width: Math.max(wide, 1), height });
    }
  }
});

Deno.test("more points than columns: means are weighted by time, the worst value survives", () => {
  const points = Array.from({ length: 1000 }, (_, i) => ({ at_ns: (i + 1) * 100, value: i === 700 ? 99 : 1 }));
  const mean = toColumns(points, 50);
  assert.ok(mean.values.length <= 50);
  assert.equal(mean.toNs, 100_000);
  assert.ok(Math.max(...mean.values as number[]) < 99);
  assert.equal(Math.max(...toColumns(points, 50, true).values as number[]), 99);
});

Deno.test("fewer points than columns: each is as many columns wide as there is room for", () => {
  const points = [100, 200, 300].map((at_ns) => ({ at_ns, value: at_ns }));
  assert.deepEqual(toColumns(points, 5), { values: [100, 200, 300], fromNs: 0, toNs: 300 });
  assert.deepEqual(toColumns(points, 7).values, [100, 100, 200, 200, 300, 300]);
});

Deno.test("one sample, none, and samples of no length", () => {
  assert.deepEqual(toColumns([], 10).values, []);
  assert.deepEqual(toColumns([{ at_ns: 100, value: 5 }], 10).values, Array(10).fill(5));
  assert.equal(toColumns([{ at_ns: 0, value: null }], 10).values.length <= 10, true);
  assert.equal(toColumns([{ at_ns: 5, value: 1 }, { at_ns: 5, value: 2 }], 10).values.length <= 10, true);
});

Deno.test("a column that is mostly silent is a gap", () => {
  const points = [1, 2, 3, 4, 5].map((i) => ({ at_ns: i * 100, value: i === 3 ? null : i }));
  assert.deepEqual(toColumns(points, 9).values, [1, 2, null, 4, 5]);
});

Deno.test("a message that takes longer than a sample leaves no gap where it completes; a silence does", () => {
  // A message each third sample, as of 4 MiB on a slow link, then none at all.
  const points = Array.from({ length: 120 }, (_, i) => ({
    at_ns: (i + 1) * 1e8,
    value: i % 3 === 0 && i < 90 ? 1000 + i : null,
  }));
  const { values } = toColumns(points, 24, true);
  assert.equal(values.length, 24);
  assert.deepEqual(values.slice(0, 4), [1003, 1009, 1012, 1018]);
  assert.ok(values.slice(0, 18).every((value) => value !== null), `${values}`);
  assert.ok(values.slice(18).every((value) => value === null), `${values}`);
  // A silent sample between two columns is still a gap: what reaches into them from both sides is theirs.
  const shifted = [1, 2, 3, 4, 5, 6].map((i) => ({ at_ns: i * 100 + 40, value: i === 3 ? null : i }));
  assert.deepEqual(toColumns(shifted, 6, true).values.filter((value) => value === null).length, 1);
});

Deno.test("full speed after slow motion: the window holds all of it, from the first long samples on", () => {
  const slow = Array.from({ length: 120 }, (_, i) => ({ at_ns: (i + 1) * 1e7, value: 1 }));
  for (const count of [5, 20, 70, 120]) {
    const fast = Array.from({ length: count }, (_, i) => ({ at_ns: 1.2e9 + (i + 1) * 1e8, value: 2 }));
    for (const columns of [40, 72, 150]) {
      const { fromNs, toNs, values } = toColumns([...slow, ...fast], columns);
      const all = 1.2e9 + count * 1e8;
      assert.ok(toNs - fromNs > 0.7 * all, `${toNs - fromNs} of ${all} in ${columns}`);
      assert.ok(values.length > 0.5 * columns && values.length <= columns, `${values.length} of ${columns}`);
    }
  }
});

Deno.test("slow motion after full speed: the window follows the short samples", () => {
  const fast = Array.from({ length: 20 }, (_, i) => ({ at_ns: (i + 1) * 1e8, value: 1 }));
  const slow = Array.from({ length: 30 }, (_, i) => ({ at_ns: 2e9 + (i + 1) * 1e4, value: 2 }));
  const columns = toColumns([...fast, ...slow], 40);
  assert.ok(columns.toNs - columns.fromNs < 1e7);
  assert.ok(columns.values.filter((value) => value === 2).length >= 20);
});
