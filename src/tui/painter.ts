import { columnsOf } from "./char_width.ts";
import type { DrawnRegion } from "./screen.ts";
import { type Theme, toSgr } from "./theme.ts";

const BLANK = 32;
/** The second column of a wide character. */
const REST = 0;
/** Nothing that a screen could show: what differs from it is written. */
const UNKNOWN = 0xffffffff;
/** So many unchanged cells are written again rather than jumped over: a jump takes about as many bytes. */
const JUMP = 6;

/** One line of a region as cells. */
interface Line {
  text: string;
  codes: Uint32Array;
  styles: Uint16Array;
}

/**
 * Makes the sequences that turn the picture on the terminal into the next one. Only lines that differ are looked at, only
 * cells that differ are written.
 *
 *     codes   one code point for each cell, row by row      what is to be shown, and what is shown
 *     styles  one number for each cell                      number of an SGR sequence in `sequences`
 */
export class Painter {
  #theme: Theme | null = null;
  readonly #sequences: string[] = ["\x1b[0m"];
  readonly #numbers = new Map<string, number>([["\x1b[0m", 0]]);
  /** Lines of the picture before, by region. */
  #lines = new Map<string, Line[]>();
  #columns = 0;
  #rows = 0;
  #codes = new Uint32Array(0);
  #styles = new Uint16Array(0);
  #shownCodes = new Uint32Array(0);
  #shownStyles = new Uint16Array(0);

  /** What is on the screen is not known any more: everything is written next time. */
  forget(): void {
    this.#shownCodes.fill(UNKNOWN);
  }

  /** The text to write; "" when the screen shows it already. Later regions lie above earlier ones. */
  paint(regions: readonly DrawnRegion[], theme: Theme, columns: number, rows: number): string {
    if (theme !== this.#theme) this.#lines.clear();
    this.#theme = theme;
    if (columns !== this.#columns || rows !== this.#rows) this.#resize(columns, rows);
    this.#codes.fill(BLANK);
    this.#styles.fill(0);
    const lines = new Map<string, Line[]>();
    for (const region of regions) lines.set(region.id, this.#compose(region, theme));
    this.#lines = lines;
    return this.#difference();
  }

  #resize(columns: number, rows: number): void {
    this.#columns = columns;
    this.#rows = rows;
    const size = columns * rows;
    this.#codes = new Uint32Array(size);
    this.#styles = new Uint16Array(size);
    this.#shownCodes = new Uint32Array(size).fill(UNKNOWN);
    this.#shownStyles = new Uint16Array(size);
  }

  #compose({ id, x, y, width, height, lines }: DrawnRegion, theme: Theme): Line[] {
    const before = this.#lines.get(id);
    const drawn = lines.slice(0, height).map((text, row) => {
      const known = before?.[row];
      return known?.text === text && known.codes.length === width
        ? known
        : this.#cells(toSgr(text, theme), text, width);
    });
    const visible = Math.min(width, this.#columns - x);
    for (const [row, { codes, styles }] of drawn.entries()) {
      if (y + row >= this.#rows || visible <= 0) break;
      const at = (y + row) * this.#columns + x;
      this.#codes.set(visible < width ? codes.subarray(0, visible) : codes, at);
      this.#styles.set(visible < width ? styles.subarray(0, visible) : styles, at);
    }
    return drawn;
  }

  /** `sgr` is the text with SGR sequences, each of which says everything about what follows it. */
  #cells(sgr: string, text: string, width: number): Line {
    const codes = new Uint32Array(width).fill(BLANK);
    const styles = new Uint16Array(width);
    let style = 0;
    let column = 0;
    for (let i = 0; i < sgr.length && column < width;) {
      const code = sgr.codePointAt(i)!;
      if (code === 0x1b) {
        const end = sgr.indexOf("m", i) + 1;
        style = this.#numberOf(sgr.slice(i, end));
        i = end;
        continue;
      }
      i += code > 0xffff ? 2 : 1;
      const columns = columnsOf(code);
      if (columns === 0) continue;
      codes[column] = column + columns <= width ? code : BLANK;
      styles[column++] = style;
      if (columns === 2 && column < width) {
        codes[column] = REST;
        styles[column++] = style;
      }
    }
    return { text, codes, styles };
  }

  #numberOf(sequence: string): number {
    const known = this.#numbers.get(sequence);
    if (known !== undefined) return known;
    const number = this.#sequences.push(sequence) - 1;
    this.#numbers.set(sequence, number);
    return number;
  }

  #difference(): string {
    let out = "";
    let style = -1;
    for (let y = 0; y < this.#rows; y++) {
      const start = y * this.#columns;
      const end = start + this.#columns;
      let written = -1; // the cell after the last one that was written in this row
      for (let at = start; at < end; at++) {
        if (this.#isShown(at)) continue;
        let from = at;
        if (written >= 0 && at - written <= JUMP) from = written;
        else {
          if (this.#codes[from] === REST && from > start) from--;
          out += `\x1b[${y + 1};${from - start + 1}H`;
        }
        for (let cell = from; cell <= at; cell++) {
          const char = this.#charAt(cell);
          if (char !== "" && this.#styles[cell] !== style) out += this.#sequences[style = this.#styles[cell]];
          out += char;
          this.#shownCodes[cell] = this.#codes[cell];
          this.#shownStyles[cell] = this.#styles[cell];
        }
        written = at + 1;
      }
    }
    return style < 0 ? out : `${out}\x1b[0m`;
  }

  /** What is written for a cell; half of a wide character, where a box covers the other half, is a blank. */
  #charAt(cell: number): string {
    const code = this.#codes[cell];
    if (code === REST) return columnsOf(this.#codes[cell - 1]) === 2 ? "" : " ";
    return columnsOf(code) === 2 && this.#codes[cell + 1] !== REST ? " " : String.fromCodePoint(code);
  }

  #isShown(at: number): boolean {
    return this.#codes[at] === this.#shownCodes[at] && this.#styles[at] === this.#shownStyles[at];
  }
}
