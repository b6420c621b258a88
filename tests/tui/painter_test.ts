import assert from "node:assert/strict";
import fc from "fast-check";
import { type CellRow, type CellScreen, Painter } from "../../src/tui/painter.ts";
import type { DrawnRegion } from "../../src/tui/screen.ts";
import { paint, plain } from "../../src/tui/text.ts";
import { COLOUR, MONOCHROME } from "../../src/tui/theme.ts";

const COLUMNS = 12;
const ROWS = 4;

/** blessed's part: rows of cells, and which of them were written. */
class FakeScreen implements CellScreen {
  lines: CellRow[] = [];
  draws = 0;
  written: number[] = [];

  constructor() {
    this.alloc();
  }

  alloc(): void {
    this.lines = Array.from({ length: ROWS }, () => {
      const cells = Array.from({ length: COLUMNS }, (): [number, string] => [0, " "]);
      return Object.assign(cells, { dirty: false });
    });
  }

  draw(): void {
    this.draws++;
    this.written = this.lines.flatMap((line, y) => line.dirty ? [y] : []);
    for (const line of this.lines) line.dirty = false;
  }

  text(): string[] {
    return this.lines.map((line) => line.map(([, char]) => char).join(""));
  }
}

function region(id: string, x: number, y: number, lines: string[]): DrawnRegion {
  return { id, x, y, width: plain(lines[0]).length, height: lines.length, lines };
}

Deno.test("only lines whose text changed are painted, and nothing is written when none did", () => {
  const screen = new FakeScreen();
  const painter = new Painter(screen);
  painter.paint([region("a", 0, 0, ["aaaa", "bbbb", "cccc"])], COLOUR);
  assert.deepEqual(screen.text().map((line) => line.trimEnd()), ["aaaa", "bbbb", "cccc", ""]);
  painter.paint([region("a", 0, 0, ["aaaa", "bbbb", "cccc"])], COLOUR);
  assert.equal(screen.draws, 1);
  painter.paint([region("a", 0, 0, ["aaaa", "bXbb", "cccc"])], COLOUR);
  assert.equal(screen.draws, 2);
  assert.deepEqual(screen.written, [1]);
});

Deno.test("another theme, a new size and `again` paint everything", () => {
  const screen = new FakeScreen();
  const painter = new Painter(screen);
  const regions = [region("a", 0, 0, [paint("error", "aaaa"), "bbbb"])];
  painter.paint(regions, COLOUR);
  const coloured = screen.lines[0][0][0];
  painter.paint(regions, MONOCHROME);
  assert.notEqual(screen.lines[0][0][0], coloured);
  screen.alloc();
  painter.paint(regions, MONOCHROME);
  assert.equal(screen.text()[1].trimEnd(), "bbbb");
  screen.alloc();
  painter.again();
  assert.equal(screen.text()[1].trimEnd(), "bbbb");
});

Deno.test("tags nest: the inner colour wins, weight adds up, and all of it ends with the line", () => {
  const screen = new FakeScreen();
  const theme = { ...COLOUR, title: { bold: true }, ok: { fg: 71 }, select: { bg: 236, fg: 255 } };
  const line = paint("select", `a${paint("ok", `b${paint("title", "c")}`)}d`) + "e";
  new Painter(screen).paint([region("a", 0, 0, [line])], theme);
  const cells = screen.lines[0].map(([attributes]) => ({
    fg: (attributes >> 9) & 0x1ff,
    bg: attributes & 0x1ff,
    flags: attributes >> 18,
  }));
  const [own, bold] = [0x1ff, 1];
  assert.deepEqual(cells.slice(0, 5), [
    { fg: 255, bg: 236, flags: 0 },
    { fg: 71, bg: 236, flags: 0 },
    { fg: 71, bg: 236, flags: bold },
    { fg: 255, bg: 236, flags: 0 },
    { fg: own, bg: own, flags: 0 },
  ]);
});

Deno.test("whatever changes below a box, the box stays in front: as if all had been painted afresh", () => {
  const line = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: COLUMNS, maxLength: COLUMNS });
  const below = fc.array(line, { minLength: ROWS, maxLength: ROWS });
  const box = fc.option(
    fc.array(fc.string({ unit: fc.constantFrom("X", "Y"), minLength: 5, maxLength: 5 }), {
      minLength: 2,
      maxLength: 2,
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(below, box), { minLength: 1, maxLength: 8 }), (pictures) => {
      const screen = new FakeScreen();
      const painter = new Painter(screen);
      for (const [lines, over] of pictures) {
        const regions = [region("pane", 0, 0, lines), ...(over === null ? [] : [region("box", 3, 1, over)])];
        painter.paint(regions, COLOUR);
        const fresh = new FakeScreen();
        new Painter(fresh).paint(regions, COLOUR);
        assert.deepEqual(screen.text(), fresh.text());
      }
    }),
    { numRuns: 200 },
  );
});
