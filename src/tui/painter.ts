import type { DrawnRegion } from "./screen.ts";
import { tagOf } from "./text.ts";
import type { Look, Theme } from "./theme.ts";

/** A row of blessed's screen: attributes and character of each cell, and whether one differs from the terminal's. */
export type CellRow = [attributes: number, char: string][] & { dirty: boolean };

/** The part of blessed's screen that is painted on. */
export interface CellScreen {
  /** What is to be seen. blessed makes it anew, and blank, when the size changes or everything is to be drawn again. */
  lines: CellRow[];
  /** Writes the cells of these rows that differ from what is on the terminal. */
  draw(first: number, last: number): void;
}

// blessed's attributes: 9 bits of background, 9 of foreground (0x1ff is the terminal's own), and flags.
const OWN_COLOUR = 0x1ff;
const PLAIN = (OWN_COLOUR << 9) | OWN_COLOUR;
const BOLD = 1 << 18;
const REVERSE = 8 << 18;

/** A region as it was painted last. */
interface Painted {
  readonly region: DrawnRegion;
  /** It lies over another one: where that is painted again, this is too. */
  readonly above: boolean;
}

/**
 * Puts tagged text into the cells of blessed's screen. Ten times a second this is most of what drawing costs, so a line
 * is looked at only when its text has changed, and blessed's boxes, which would read all of them again, are not used.
 */
export class Painter {
  readonly #screen: CellScreen;
  #cells: CellRow[] = [];
  #theme: Theme | null = null;
  #painted: Painted[] = [];

  constructor(screen: CellScreen) {
    this.#screen = screen;
  }

  /** Brings the screen to show `regions`, the later ones on top. Writes nothing when nothing changed. */
  paint(regions: readonly DrawnRegion[], theme: Theme): void {
    const same = this.#cells === this.#screen.lines && this.#theme === theme && this.#sameplaces(regions);
    this.#cells = this.#screen.lines;
    this.#theme = theme;
    const touched = new Uint8Array(this.#cells.length);
    let changed = false;
    this.#painted = regions.map((region, i): Painted => {
      const before = same ? this.#painted[i] : null;
      const above = before?.above ?? regions.slice(0, i).some((other) => overlap(region, other));
      region.lines.forEach((line, row) => {
        const y = region.y + row;
        if (y >= touched.length || (before?.region.lines[row] === line && !(above && touched[y] === 1))) return;
        paintLine(this.#cells[y], region.x, region.width, line, theme);
        touched[y] = 1;
        changed = true;
      });
      return { region, above };
    });
    if (changed) this.#screen.draw(0, this.#cells.length - 1);
  }

  /** Paints everything once more, after blessed has been told to forget what is on the terminal. */
  again(): void {
    const theme = this.#theme;
    this.#theme = null;
    if (theme !== null) this.paint(this.#painted.map(({ region }) => region), theme);
  }

  #sameplaces(regions: readonly DrawnRegion[]): boolean {
    if (regions.length !== this.#painted.length) return false;
    return regions.every(({ id, x, y, width, height }, i) => {
      const before = this.#painted[i].region;
      return id === before.id && x === before.x && y === before.y && width === before.width &&
        height === before.height;
    });
  }
}

function overlap(a: DrawnRegion, b: DrawnRegion): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** One line of a region into `width` cells from `x` on. */
function paintLine(row: CellRow, x: number, width: number, text: string, theme: Theme): void {
  const end = Math.min(x + width, row.length);
  // Tags nest, cells do not: each has the sum of what is open.
  const open = [PLAIN];
  let attributes = PLAIN;
  for (const char of text) {
    const tag = tagOf(char);
    if (tag === null) {
      if (x < end) setCell(row, x++, attributes, char);
      continue;
    }
    if (tag === "close") {
      if (open.length > 1) open.pop();
    } else open.push(withLook(attributes, theme[tag]));
    attributes = open[open.length - 1];
  }
  while (x < end) setCell(row, x++, PLAIN, " ");
}

function setCell(row: CellRow, x: number, attributes: number, char: string): void {
  const cell = row[x];
  if (cell[0] === attributes && cell[1] === char) return;
  cell[0] = attributes;
  cell[1] = char;
  row.dirty = true;
}

/** The inner colour wins, bold and reverse add up. */
function withLook(attributes: number, { fg, bg, bold, reverse }: Look): number {
  if (bg !== undefined) attributes = (attributes & ~OWN_COLOUR) | bg;
  if (fg !== undefined) attributes = (attributes & ~(OWN_COLOUR << 9)) | (fg << 9);
  if (bold) attributes |= BOLD;
  return reverse ? attributes | REVERSE : attributes;
}
