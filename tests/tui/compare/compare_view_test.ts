import assert from "node:assert/strict";
import type { Model } from "../../../src/tui/model.ts";
import { render, toText } from "../../../src/tui/screen.ts";
import { plain, width } from "../../../src/tui/text.ts";
import { COLOUR, toSgr } from "../../../src/tui/theme.ts";
import { after } from "../fake_model.ts";
import { comparing, EIGHT } from "./fake_compare.ts";
import { matchSnapshot } from "../../support/snapshot.ts";

const SIZES = [[80, 24], [120, 40], [200, 50]] as const;
const SETS = { 2: ["native", "xen2mx"], 4: ["native", "xen2mx-plain", "xen2mx", "bridged"], 8: EIGHT } as const;

function text(model: Model): string {
  return toText(model).join("\n");
}

for (const [columns, rows] of SIZES) {
  for (const [count, paths] of Object.entries(SETS)) {
    Deno.test(`${count} paths side by side at ${columns}x${rows}`, async (t) => {
      await matchSnapshot(t, import.meta, text(comparing({ columns, rows, paths })));
    });
  }
}

Deno.test("the pages of a small screen", async (t) => {
  let model = comparing({ columns: 80, rows: 24, paths: SETS[4] });
  for (const page of ["ratios", "latency", "throughput", "stages"]) {
    model = after(model, "tab");
    assert.ok(toText(model)[2].includes(`[${page}]`));
    await matchSnapshot(t, import.meta, text(model));
  }
  assert.ok(toText(after(model, "tab"))[2].includes("[figures]"));
  assert.ok(toText(after(model, "tab", "S-tab"))[2].includes("[stages]"));
});

Deno.test("the list of paths, and paths in the order of their latency on a logarithmic scale", async (t) => {
  await matchSnapshot(t, import.meta, text(after(comparing({ columns: 80, rows: 24, paths: EIGHT }), "p", "down")));
  await matchSnapshot(t, import.meta, text(after(comparing({ columns: 120, rows: 40, paths: SETS[4] }), "s", "l")));
});

Deno.test("charts over message sizes, where a workload goes through them, and over time", async (t) => {
  const model = comparing({ columns: 80, rows: 24, paths: SETS[2] });
  const row = (size: number, path: number) => ({
    size,
    latency_us: 5 + path * 3 + size / 2000,
    rtt_us: 0,
    throughput_MBps: 0,
    host_cpu: 0,
    guest_cpu: 0,
  });
  // The second path is not through with the last size yet.
  const paths = model.compare.paths.map((path, i) => ({
    ...path,
    summary: { ...path.summary!, rows: [1, 64, 1024, 4096, 16384].slice(0, 5 - i).map((size) => row(size, i)) },
  }));
  const charts = after(model, { type: "compare", paths }, "tab", "tab");
  await matchSnapshot(t, import.meta, text(charts));
  assert.match(text(after(charts, "m")), /m: over time/);
  assert.ok(!text(after(model, "tab", "tab")).includes("over"), "no sizes, no choice");
});

Deno.test("before the first message nothing is a number", async (t) => {
  const model = comparing({ columns: 120, rows: 40, paths: SETS[4], seconds: 0 });
  await matchSnapshot(t, import.meta, text(model));
});

Deno.test("what figures are of: since the warm-up, and before its end since the start", () => {
  const at = (seconds: number) => text(comparing({ columns: 120, rows: 40, paths: SETS[2], seconds }));
  assert.match(at(0.02), /figures are those since the start/);
  assert.match(at(0.2), /figures are those since the warm-up/);
});

Deno.test("another base: ratios are to that one", () => {
  const base = (model: Model, index: number) => {
    const line = toText(model).filter((line) => line.startsWith("│ p50 us"))[1];
    return line.split(/ {2,}/).slice(1)[index];
  };
  const model = comparing({ columns: 200, rows: 50, paths: SETS[4] });
  assert.match(text(model), /Times native/);
  assert.equal(base(model, 0), "1.00✓");
  assert.equal(base(model, 3), "3.40✗");
  const other = after(model, "left");
  assert.match(text(other), /Times bridged/);
  assert.equal(base(other, 3), "1.00✗");
  assert.match(base(other, 0), /^0\.29✓/);
});

Deno.test("a late path is shown and not ranked", () => {
  const model = comparing({ columns: 200, rows: 50, paths: SETS[2] });
  const paths = model.compare.paths.map((path) =>
    path.path === "native" ? { ...path, state: "late" as const, progress: 0.43 } : path
  );
  const shown = text(after(model, { type: "compare", paths }));
  assert.match(shown, /late 43 %/);
  assert.ok(!/\d[✓✗]/.test(shown), shown);
});

Deno.test("regions tile every screen, and every line is as wide as its region", () => {
  const models = [
    comparing({ columns: 80, rows: 24, paths: EIGHT }),
    comparing({ columns: 80, rows: 24, paths: ["iov"] }),
  ];
  for (let columns = 40; columns <= 240; columns += 13) {
    for (let rows = 10; rows <= 70; rows += 5) {
      for (const model of [...models, after(models[0], "tab"), after(models[0], "tab", "tab")]) {
        const regions = render({ ...model, columns, rows });
        const area = regions.reduce((sum, region) => sum + region.width * region.height, 0);
        assert.equal(area, columns * rows, `${columns}x${rows}`);
        for (const { id, width: wide, height, lines } of regions) {
          const where = `${id} at ${columns}x${rows}`;
          assert.equal(lines.length, height, where);
          for (const line of lines) assert.equal(width(line), wide, `${where}: ${plain(line)}`);
        }
      }
    }
  }
});

Deno.test("each path has its colour, in headings and in charts, and its digit without colours", () => {
  const regions = render(comparing({ columns: 200, rows: 50, paths: EIGHT, monochrome: false }));
  const of = (id: string) =>
    regions.find((region) => region.id === id)!.lines.map((line) => toSgr(line, COLOUR)).join("");
  for (const [i, { fg }] of [...Array(7).keys()].map((i) => [i, COLOUR[`path${i + 1}` as "path1"]] as const)) {
    for (const id of ["compare.columns", "compare.latency"]) {
      assert.ok(of(id).includes(`38;5;${fg}m`), `${id}: the colour of path ${i + 1}`);
    }
  }
});

Deno.test("what is measured is what all paths have behind them, as the header's time is", () => {
  const model = comparing({ columns: 120, rows: 40, paths: ["native", "bridged"] });
  const [a, b] = model.compare.paths.map((path, i) => ({
    ...path,
    summary: { ...path.summary!, measured_ns: 2_330_000_000 + i * 9_000_000 },
  }));
  const seen = (...paths: Model["compare"]["paths"]) => text({ ...model, compare: { ...model.compare, paths } });
  assert.match(seen(a, b), /measured 2\.33 s/);
  assert.match(seen({ ...a, state: "over" }, b), /measured 2\.339 s/, "one that is over has stopped counting");
  assert.match(seen({ ...a, state: "over" }, { ...b, state: "over" }), /measured 2\.339 s/);
});
