import assert from "node:assert/strict";
import xterm from "@xterm/headless";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import fc from "fast-check";
import { Painter } from "../../src/tui/painter.ts";
import type { DrawnRegion } from "../../src/tui/screen.ts";
import { columnsOf } from "../../src/tui/char_width.ts";
import { left, paint, plain } from "../../src/tui/text.ts";
import { COLOUR, MONOCHROME } from "../../src/tui/theme.ts";

const COLUMNS = 24;
const ROWS = 6;

const write = (terminal: xterm.Terminal, text: string) => new Promise<void>((done) => terminal.write(text, done));

function shown(terminal: xterm.Terminal): string[] {
  const buffer = terminal.buffer.active;
  return Array.from({ length: terminal.rows }, (_, y) => buffer.getLine(y)!.translateToString(false));
}

/** The plainest model: every character at its place, later regions over earlier ones. */
function wanted(regions: readonly DrawnRegion[]): string[] {
  const grid = Array.from({ length: ROWS }, () => new Array<string>(COLUMNS).fill(" "));
  for (const { x, y, lines } of regions) {
    lines.forEach((line, row) => [...plain(line)].forEach((char, column) => grid[y + row][x + column] = char));
  }
  return grid.map((row) => row.join(""));
}

const region = fc.record({
  id: fc.constantFrom("a", "b", "c"),
  x: fc.nat(COLUMNS - 2),
  y: fc.nat(ROWS - 1),
  width: fc.integer({ min: 1, max: COLUMNS }),
  height: fc.integer({ min: 1, max: ROWS }),
  text: fc.array(fc.constantFrom(..."ab ─▇·█"), { maxLength: 12 }).map((chars) => chars.join("")),
  role: fc.constantFrom("dim" as const, "select" as const, "error" as const),
}).map(({ id, x, y, width, height, text, role }): DrawnRegion => {
  const wide = Math.min(width, COLUMNS - x);
  const tall = Math.min(height, ROWS - y);
  const line = left(text.slice(0, 3) + paint(role, text.slice(3)), wide);
  return { id, x, y, width: wide, height: tall, lines: new Array<string>(tall).fill(line) };
});

Deno.test("a terminal shows each picture, whatever was on it before", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uniqueArray(region, { maxLength: 3, selector: (one) => one.id }), { minLength: 1, maxLength: 5 }),
      async (pictures) => {
        const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
        const painter = new Painter();
        for (const picture of pictures) {
          await write(terminal, painter.paint(picture, COLOUR, COLUMNS, ROWS));
          assert.deepEqual(shown(terminal), wanted(picture));
          assert.equal(painter.paint(picture, COLOUR, COLUMNS, ROWS), "", "the same picture again");
        }
        terminal.dispose();
      },
    ),
    { numRuns: 60 },
  );
});

const one = (line: string, width = COLUMNS): DrawnRegion => ({ id: "a", x: 0, y: 0, width, height: 1, lines: [line] });

Deno.test("only what differs is written, a colour too", () => {
  const painter = new Painter();
  painter.paint([one(left("t 1.284 s", COLUMNS))], COLOUR, COLUMNS, ROWS);
  const next = painter.paint([one(left("t 1.285 s", COLUMNS))], COLOUR, COLUMNS, ROWS);
  assert.equal(next, "\x1b[1;7H\x1b[0m5\x1b[0m");
  const red = painter.paint([one(left(`t 1.28${paint("error", "5")} s`, COLUMNS))], COLOUR, COLUMNS, ROWS);
  assert.equal(red, "\x1b[1;7H\x1b[0;1;38;5;203m5\x1b[0m");
});

Deno.test("after forget everything is written, at another size too", () => {
  const painter = new Painter();
  const picture = [one(left("mxtop", COLUMNS))];
  const first = painter.paint(picture, COLOUR, COLUMNS, ROWS);
  painter.forget();
  assert.equal(painter.paint(picture, COLOUR, COLUMNS, ROWS), first);
  assert.ok(painter.paint([one("mx", 2)], COLOUR, 10, 3).length > 30);
});

Deno.test("another theme draws the same text in its own colours", () => {
  const painter = new Painter();
  const picture = [one(left(paint("error", "5"), COLUMNS))];
  painter.paint(picture, COLOUR, COLUMNS, ROWS);
  assert.equal(painter.paint(picture, MONOCHROME, COLUMNS, ROWS), "\x1b[1;1H\x1b[0;1m5\x1b[0m");
});

Deno.test("wide characters take two columns, and half of one is never written", async () => {
  const terminal = new xterm.Terminal({ cols: 10, rows: 1, allowProposedApi: true });
  const painter = new Painter();
  const box: DrawnRegion = { id: "b", x: 1, y: 0, width: 2, height: 1, lines: ["XX"] };
  await write(terminal, painter.paint([one("中文abcdef", 10)], COLOUR, 10, 1));
  assert.equal(terminal.buffer.active.getLine(0)!.translateToString(true), "中文abcdef");
  await write(terminal, painter.paint([one("中文abcdef", 10), box], COLOUR, 10, 1));
  assert.equal(terminal.buffer.active.getLine(0)!.translateToString(true), " XX abcdef");
  terminal.dispose();
});

Deno.test("a terminal gives each character as many columns as the painter counts", async () => {
  const terminal = new xterm.Terminal({ cols: 10, rows: 1, allowProposedApi: true });
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = "11";
  for (const char of "aé─▇┄◂▸↑✓✗░█往の한ｆ、✅👍⚡☂\u0301\u200b\u20dd\ufe0f\u094d\u{1f1e9}") {
    await write(terminal, `\rx${char}`);
    assert.equal(
      terminal.buffer.active.cursorX - 1,
      columnsOf(char.codePointAt(0)!),
      char.codePointAt(0)!.toString(16),
    );
  }
  terminal.dispose();
});
