/** A screen as an SVG picture: one text element for each stretch of cells that look the same. */

/** A cell of the terminal: its character, colours as indices into the 256, and attributes. */
export interface Cell {
  readonly char: string;
  readonly fg: number | null;
  readonly bg: number | null;
  readonly bold: boolean;
  readonly reverse: boolean;
}

/** In place of a space: browsers run several into one, and no longer heed `xml:space`. */
const WIDE = "\u00a0";

const WIDTH = 8;
const HEIGHT = 17;
const BACKGROUND = "#14171c";
const FOREGROUND = "#c9d1d9";
/** The sixteen that terminals differ in, as xterm has them. */
const BASE = [
  ...["#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5"],
  ...["#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"],
];

export function toSvg(rows: readonly (readonly Cell[])[], title: string): string {
  const width = rows[0].length * WIDTH + 16;
  const height = rows.length * HEIGHT + 16;
  const body = rows.flatMap((cells, y) => stretches(cells).map(({ x, text, look }) => draw(x, y, text, look)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="6" fill="${BACKGROUND}"/>`,
    `<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13" fill="${FOREGROUND}">`,
    ...body,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

interface Stretch {
  readonly x: number;
  text: string;
  readonly look: Cell;
}

function stretches(cells: readonly Cell[]): Stretch[] {
  const found: Stretch[] = [];
  for (const [x, cell] of cells.entries()) {
    const last = found.at(-1);
    if (last !== undefined && sameLook(last.look, cell)) last.text += cell.char;
    else found.push({ x, text: cell.char, look: cell });
  }
  return found.filter(({ text, look }) => text.trim() !== "" || look.bg !== null || look.reverse);
}

function sameLook(a: Cell, b: Cell): boolean {
  return a.fg === b.fg && a.bg === b.bg && a.bold === b.bold && a.reverse === b.reverse;
}

function draw(x: number, y: number, text: string, { fg, bg, bold, reverse }: Cell): string {
  const front = fg === null ? FOREGROUND : colour(fg);
  const back = bg === null ? BACKGROUND : colour(bg);
  const [ink, paper] = reverse ? [back, front] : [front, back];
  const left = 8 + x * WIDTH;
  const top = 8 + y * HEIGHT;
  const length = text.length * WIDTH;
  const box = paper === BACKGROUND
    ? ""
    : `<rect x="${left}" y="${top}" width="${length}" height="${HEIGHT}" fill="${paper}"/>`;
  if (text.trim() === "") return box;
  return `${box}<text x="${left}" y="${top + 13}" textLength="${length}" lengthAdjust="spacingAndGlyphs"` +
    `${ink === FOREGROUND ? "" : ` fill="${ink}"`}${bold ? ' font-weight="bold"' : ""}>${
      escaped(text.replaceAll(" ", WIDE))
    }</text>`;
}

/** One of the 256: sixteen of the terminal's own, a cube of 6 x 6 x 6, and 24 greys. */
function colour(index: number): string {
  if (index < 16) return BASE[index];
  const hex = (value: number) => value.toString(16).padStart(2, "0");
  if (index >= 232) return `#${hex(8 + (index - 232) * 10).repeat(3)}`;
  const step = (n: number) => hex(n === 0 ? 0 : 55 + n * 40);
  const cube = index - 16;
  return `#${step(Math.floor(cube / 36))}${step(Math.floor(cube / 6) % 6)}${step(cube % 6)}`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
