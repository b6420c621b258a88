import assert from "node:assert/strict";
import { overlayChart, type OverlaySeries, plotWidth } from "../../../src/tui/overlay_chart.ts";
import { plain, type Role, width } from "../../../src/tui/text.ts";
import { matchSnapshot } from "../../support/snapshot.ts";

const SIZE = { width: 60, height: 11, from: "0 s", to: "50 ms" };

function series(...lists: (number | null)[][]): OverlaySeries[] {
  return lists.map((values, i) => ({ mark: String(i + 1), role: `path${i + 1}` as Role, values }));
}

function draw(lines: OverlaySeries[], logarithmic = false): string {
  return overlayChart({ ...SIZE, series: lines, logarithmic }).map((line) => plain(line).trimEnd()).join("\n");
}

const columns = plotWidth(SIZE.width, 3);
const ramp = Array.from({ length: columns }, (_, i) => i);

Deno.test("three lines, one with a gap", async (t) => {
  const gap = ramp.map((i) => i > 15 && i < 30 ? null : 20);
  await matchSnapshot(t, import.meta, draw(series(ramp, gap, ramp.map(() => 40))));
});

Deno.test("lines on one another all show their marks", () => {
  const flat = ramp.map(() => 7);
  const row = draw(series(flat, flat, flat)).split("\n").find((line) => line.includes("─"))!;
  assert.match(row, /1─+2─+3─+1/);
  assert.match(row, / 123$/);
});

Deno.test("on a logarithmic scale, equal factors are equal distances; zero is at the bottom", () => {
  const picture = draw(series(ramp.map(() => 1), ramp.map(() => 10), ramp.map(() => 100)), true).split("\n");
  const rows = ["1", "2", "3"].map((mark) => picture.findIndex((line) => line.trimEnd().endsWith(` ${mark}`)));
  assert.ok(Math.abs((rows[0] - rows[1]) - (rows[1] - rows[2])) <= 1, String(rows));
  assert.ok(rows[0] > rows[1]);
  const zero = draw(series(ramp.map(() => 0), ramp.map(() => 5)), true).split("\n");
  assert.match(zero.at(-2)!, /─1─.* 1$/);
});

Deno.test("every chart has the size that was asked for, whatever the values", () => {
  const odd = [[], [null], [0], [1e-9, 1e12], [NaN, Infinity, 3], [-5, 5]];
  for (const values of odd) {
    for (const wide of [5, 12, 13, 40, 100]) {
      for (const height of [1, 2, 3, 9]) {
        for (const logarithmic of [false, true]) {
          const lines = overlayChart({
            width: wide,
            height,
            series: series(values),
            from: "0 s",
            to: "1 ns",
            logarithmic,
          });
          assert.equal(lines.length, height);
          for (const line of lines) {
            assert.equal(width(line), wide, JSON.stringify([values, wide, height, plain(line)]));
          }
        }
      }
    }
  }
});
