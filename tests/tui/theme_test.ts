import assert from "node:assert/strict";
import { glyph } from "../../src/tui/view/bar.ts";
import { type Role, ROLES } from "../../src/tui/text.ts";
import { COLOUR, COLOUR_BLIND, MONOCHROME, type Theme, THEMES } from "../../src/tui/theme.ts";
import { contrast, difference, SIGHT } from "./colour.ts";

/** Roles that stand side by side in one bar, chart or strip, and differ there by nothing but their colour. */
const TOGETHER: readonly (readonly Role[])[] = [
  ["user", "kernel", "irq", "hypervisor", "steal"],
  ["dom0", "guest", "hypervisor", "host"],
  ["ok", "warn", "error"],
  ["p50", "p99", "p999", "study"],
  ["throughput", "link", "study"],
];
const FRAMES: readonly Role[] = ["frame", "ghost"];

const pairs = (roles: readonly Role[]) => roles.flatMap((a, i) => roles.slice(i + 1).map((b) => [a, b] as const));

function assertApart(theme: Theme, sight: keyof typeof SIGHT, least: number): void {
  for (const group of TOGETHER) {
    for (const [a, b] of pairs(group)) {
      const apart = difference(theme[a].fg!, theme[b].fg!, sight);
      assert.ok(apart >= least, `${a} and ${b} differ by ${apart.toFixed(1)} for ${sight} sight`);
    }
  }
}

Deno.test("the standard colours are well apart for most eyes", () => assertApart(COLOUR, "common", 35));

for (const sight of Object.keys(SIGHT) as (keyof typeof SIGHT)[]) {
  // 2.3 is what an eye can just tell; bars are a cell high, so ten times as much.
  Deno.test(`the colour-blind theme is apart for ${sight} sight`, () => assertApart(COLOUR_BLIND, sight, 23));
}

Deno.test("no theme can be told by an eye that has less than it needs: the test can fail", () => {
  assert.throws(() => assertApart(COLOUR, "deuteranopia", 23));
});

Deno.test("every colour can be read on black and on white", () => {
  for (const theme of [COLOUR, COLOUR_BLIND]) {
    for (const role of ROLES) {
      const { fg, bg } = theme[role];
      if (fg === undefined) continue;
      if (bg !== undefined) assert.ok(contrast(fg, bg) > 7, role);
      else if (!FRAMES.includes(role)) {
        assert.ok(contrast(fg, "black") >= 3.5, `${role} on black ${contrast(fg, "black")}`);
        assert.ok(contrast(fg, "white") >= 2.3, `${role} on white ${contrast(fg, "white")}`);
      }
    }
  }
});

Deno.test("without colour, weight tells what matters, and bars have a glyph for each of their parts", () => {
  for (const role of ROLES) assert.ok(MONOCHROME[role].fg === undefined && MONOCHROME[role].bg === undefined, role);
  for (const group of TOGETHER.slice(0, 2)) {
    for (const [a, b] of pairs(group)) assert.notEqual(glyph(a, true), glyph(b, true), `${a} and ${b}`);
  }
  assert.ok(MONOCHROME.error.bold && MONOCHROME.select.reverse);
});

Deno.test("every theme has a look for every role", () => {
  for (const theme of Object.values(THEMES)) assert.deepEqual(Object.keys(theme).sort(), [...ROLES].sort());
});
