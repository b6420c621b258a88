import { number, si } from "./format.ts";
import { left, paint, right, type Role, spread } from "./text.ts";

/** A line of a chart of many: told from the others by the digit on it, and by its colour. */
export interface OverlaySeries {
  /** One character. */
  readonly mark: string;
  readonly role: Role;
  /** By column of the plot; null is a gap. */
  readonly values: readonly (number | null)[];
}

export interface OverlayOptions {
  readonly width: number;
  readonly height: number;
  readonly series: readonly OverlaySeries[];
  /** What stands below both edges of the plot. */
  readonly from: string;
  readonly to: string;
  /** Equal distances for equal factors. */
  readonly logarithmic: boolean;
}

/** Columns of the labels and the axis, and of the marks at the right. */
const LABELS = 8;
/** A line carries its mark this often. */
const MARK_EVERY = 24;

/** Columns that are left for data. */
export function plotWidth(width: number, series: number): number {
  return Math.max(0, width - LABELS - series - 1);
}

/**
 * A chart of exactly `height` lines of `width` columns. Lines that lie on one another all show their marks, by turns, and
 * at the right edge stand the marks of all lines that end at that height.
 */
export function overlayChart(options: OverlayOptions): string[] {
  const { width, height, series } = options;
  const columns = plotWidth(width, series.length);
  const values = series.flatMap((s) => s.values).filter(isNumber);
  const rows = height - 1;
  if (values.length === 0 || columns < 4 || rows < 2) return nothing(width, height);
  const scale = options.logarithmic ? logarithmicScale(values, rows) : linearScale(values, rows);
  const grid = Array.from({ length: rows }, () => new Array<string>(columns).fill(" "));
  for (const line of series) drawLine(grid, scale, line);
  for (const [i, line] of series.entries()) drawMarks(grid, scale, line, i, series.length);
  const ends = endMarks(scale, series, rows);
  const lines = grid.map((cells, row) =>
    paint("dim", right(scale.labels[row] ?? "", LABELS - 2) + " ┤") + cells.join("") + " " +
    ends[row] + " ".repeat(series.length - count(series, scale, row))
  );
  const axis = spread(options.from, options.to, columns);
  return [...lines, paint("dim", " ".repeat(LABELS) + left(axis, width - LABELS))];
}

/** Where values stand, and what is written beside the rows; rows count from the top. */
interface Scale {
  readonly rowOf: (value: number) => number;
  readonly labels: readonly string[];
}

const STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** From zero: a chart that does not begin there exaggerates. */
function linearScale(values: readonly number[], rows: number): Scale {
  const high = Math.max(...values) || 1;
  const raw = high / (rows - 1);
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = magnitude * STEPS.find((nice) => nice * magnitude >= raw * (1 - 1e-9))!;
  let decimals = 0;
  while (decimals < 3 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals++;
  const every = rows > 7 ? 2 : 1;
  return {
    rowOf: (value) => clamp(rows - 1 - Math.round(value / step), rows),
    labels: Array.from({ length: rows }, (_, row) => {
      const steps = rows - 1 - row;
      return steps % every === 0 ? label(steps * step, decimals) : "";
    }),
  };
}

/** Zero has no place on it: it lies on the lowest row. */
function logarithmicScale(values: readonly number[], rows: number): Scale {
  const positive = values.filter((value) => value > 0);
  const [least, most] = positive.length === 0 ? [1, 10] : [Math.min(...positive), Math.max(...positive)];
  const low = Math.log10(least) - 0.05;
  const high = Math.max(Math.log10(most) + 0.05, low + 0.3);
  const rowOf = (value: number) =>
    value <= 0 ? rows - 1 : clamp(Math.round((high - Math.log10(value)) / (high - low) * (rows - 1)), rows);
  const labels = new Array<string>(rows).fill("");
  for (let decade = Math.floor(low); decade <= Math.ceil(high); decade++) {
    for (const digit of [1, 2, 5]) {
      const value = digit * 10 ** decade;
      const place = Math.log10(value);
      if (place < low || place > high) continue;
      labels[rowOf(value)] = label(value, Math.max(0, -decade));
    }
  }
  return { rowOf, labels };
}

function label(value: number, decimals: number): string {
  return value >= 100_000 ? si(value) : number(value, decimals);
}

/** Steps up and down are drawn, gaps are not. */
function drawLine(grid: string[][], { rowOf }: Scale, { role, values }: OverlaySeries): void {
  let before: number | null = null;
  for (let column = 0; column < grid[0].length; column++) {
    const value = values[column];
    if (!isNumber(value)) {
      before = null;
      continue;
    }
    const row = rowOf(value);
    const put = (at: number, char: string) => grid[at][column] = paint(role, char);
    if (before === null || before === row) put(row, "─");
    else {
      const down = row > before;
      for (let at = Math.min(row, before) + 1; at < Math.max(row, before); at++) put(at, "│");
      put(before, down ? "╮" : "╯");
      put(row, down ? "╰" : "╭");
    }
    before = row;
  }
}

/** Each line has columns of its own for its marks, so that none hides another's. */
function drawMarks(grid: string[][], { rowOf }: Scale, line: OverlaySeries, index: number, lines: number): void {
  const every = Math.max(MARK_EVERY, lines * 3);
  const first = Math.floor((index + 0.5) * every / lines);
  for (let column = first; column < grid[0].length; column += every) {
    const value = line.values[column];
    if (isNumber(value)) grid[rowOf(value)][column] = paint(line.role, line.mark);
  }
}

/** Marks beside each row: of the lines whose last value is there. */
function endMarks(scale: Scale, series: readonly OverlaySeries[], rows: number): string[] {
  return Array.from(
    { length: rows },
    (_, row) =>
      series.filter((line) => endRow(line, scale) === row).map(({ role, mark }) => paint(role, mark)).join(""),
  );
}

function count(series: readonly OverlaySeries[], scale: Scale, row: number): number {
  return series.filter((line) => endRow(line, scale) === row).length;
}

function endRow({ values }: OverlaySeries, { rowOf }: Scale): number {
  const last = values.findLast(isNumber);
  return isNumber(last) ? rowOf(last) : -1;
}

function nothing(width: number, height: number): string[] {
  const text = paint("dim", "  no messages measured yet");
  return Array.from({ length: height }, (_, i) => left(i === Math.floor((height - 1) / 2) ? text : "", width));
}

function clamp(row: number, rows: number): number {
  return Math.max(0, Math.min(rows - 1, row));
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
