// @ts-types="@types/asciichart"
import asciichart from "asciichart";
import { linearScale, logScale, type Scale } from "./scale.ts";
import { left, paint, right, type Role, width as widthOf } from "./text.ts";
import { timeAxis } from "./time_axis.ts";

export { type Columns, gridOf, intoColumns, type Point, toColumns } from "./columns.ts";

/** Values by column of the plot; null is a gap, and a gap is shown as one. */
export interface Series {
  role: Role;
  values: readonly (number | null)[];
  /** Broken line: tells two series apart where there is no colour. */
  broken?: boolean;
  /** A dot for each column instead of a line. */
  dots?: boolean;
}

/** A line to compare with, such as the capacity of a link. */
export interface Reference {
  value: number;
  role: Role;
  /** Stands at the right end of the line. */
  label?: string;
}

export interface ChartOptions {
  width: number;
  height: number;
  series: readonly Series[];
  /** What had been, or what another run does: shaded, behind everything else. Columns as those of `series`. */
  ghosts?: readonly Series[];
  /** Virtual time at the left edge and at the right edge of the data, nanoseconds. */
  fromNs: number;
  toNs: number;
  /** Drawn where the scale reaches them without pressing the data flat; otherwise an arrow at the edge has the value. */
  references?: readonly Reference[];
  /** Powers of ten: for values that differ by orders of magnitude. */
  log?: boolean;
  /** What is said where there is no data. */
  nothing?: string;
}

type Symbols = [string, string, string, string, string, string, string, string, string, string];
const LINE: Symbols = ["┼", "┤", "╶", "╴", "─", "╰", "╭", "╮", "╯", "│"];
const BROKEN: Symbols = ["┼", "┤", "╶", "╴", "╌", "╰", "╭", "╮", "╯", "╎"];

/** Columns that the axis labels of {@link chart} take at most; the rest of the width is data. */
export const LABEL_WIDTH = 7;
/** Columns right of the data: the mark of the latest value. */
export const MARK_WIDTH = 1;

/** What had been: unlike every line of what is, also without colour. */
const GHOST = "░";

/** A reference is on the scale when the data comes at least this near. */
const NEAR = 0.3;

/** What stands in the place of a chart without data, of so many messages in all. */
export function nothingWords(messages: number): string {
  return messages > 0 ? "no message in this span" : "no messages measured yet";
}

/**
 * A line chart of exactly `height` lines of `width` columns: labels and axis at the left, time below. Labels have no
 * unit; it stands in the heading of the pane.
 */
export function chart(options: ChartOptions): string[] {
  const { width, height, series, ghosts = [], references = [] } = options;
  const plotWidth = width - LABEL_WIDTH;
  if (!series.some((s) => s.values.some(isNumber)) || plotWidth < 4 || height < 3) {
    return nothing(options.nothing ?? nothingWords(0), width, height);
  }
  const rows = height - 2;
  const scale = scaleFor(options, rows);
  const grid = Array.from({ length: rows + 1 }, () => new Array<string>(plotWidth).fill(" "));
  for (const reference of references) drawReference(grid, scale, reference);
  for (const ghost of ghosts) drawDots(grid, scale, ghost, GHOST);
  for (const one of series) one.dots ? drawDots(grid, scale, one, "∙") : drawSeries(grid, scale, one);
  for (const one of series) drawMark(grid, scale, one);
  const highest = Math.max(...references.map(({ value }) => value));
  for (const reference of references) labelReference(grid, scale, reference, reference.value === highest ? -1 : 1);
  const lines = grid.map((cells, i) => axis(scale, rows - i) + cells.join(""));
  const columns = Math.min(plotWidth, Math.max(...series.map(({ values }) => values.length)));
  const { fromNs, toNs } = options;
  lines.push(" ".repeat(LABEL_WIDTH) + timeAxis({ fromNs, toNs, columns, width: plotWidth }));
  return lines;
}

function scaleFor({ series, ghosts = [], references = [], log }: ChartOptions, rows: number): Scale {
  let high = -Infinity;
  let low = Infinity;
  for (const value of [...series, ...ghosts].flatMap((s) => s.values)) {
    if (!isNumber(value)) continue;
    high = Math.max(high, value);
    low = Math.min(low, value);
  }
  for (const { value } of references) if (high >= value * NEAR || log) high = Math.max(high, value);
  if (!log || low <= 0) return linearScale(low, high, rows);
  for (const { value } of references) if (value > 0) low = Math.min(low, value);
  return logScale(low, high, rows);
}

function axis(scale: Scale, row: number): string {
  const label = scale.labels.get(row);
  return paint("dim", right(label ?? "", LABEL_WIDTH - 2) + (label === undefined ? " │" : " ┤"));
}

/** asciichart cannot draw gaps, so each unbroken stretch is a plot of its own, laid over the grid. */
function drawSeries(grid: string[][], scale: Scale, { values, role, broken }: Series): void {
  let from = 0;
  while (from < values.length) {
    if (!isNumber(values[from])) {
      from++;
      continue;
    }
    let to = from;
    while (to < values.length && isNumber(values[to])) to++;
    const stretch = values.slice(from, to).map((value) => Math.min(scale.rows, Math.max(0, scale.place(value!))));
    const text = asciichart.plot([stretch[0], ...stretch], {
      min: 0,
      max: scale.rows,
      height: scale.rows,
      offset: 2,
      symbols: broken ? BROKEN : LINE,
      format: () => "  ",
    });
    text.split("\n").forEach((line, row) => {
      // Two columns of label and one of axis come first: {@link axis} draws these.
      [...line].slice(3).forEach((char, i) => {
        if (char !== " " && from + i < grid[row].length) grid[row][from + i] = paint(role, char);
      });
    });
    from = to;
  }
}

function drawDots(grid: string[][], scale: Scale, { values, role }: Series, dot: string): void {
  values.forEach((value, column) => {
    const row = isNumber(value) ? rowOf(scale, value) : null;
    if (row !== null && column < grid[row].length) grid[row][column] = paint(role, dot);
  });
}

/** Points at the latest value, right of the last column. */
function drawMark(grid: string[][], scale: Scale, { values, role }: Series): void {
  const value = values.at(-1);
  if (!isNumber(value)) return;
  const row = rowOf(scale, value);
  if (row !== null && values.length < grid[row].length) grid[row][values.length] = paint(role, "◂");
}

/** Drawn first, so that data covers it. */
function drawReference(grid: string[][], scale: Scale, { value, role }: Reference): void {
  const row = rowOf(scale, value);
  if (row !== null) grid[row].fill(paint(role, "┄"));
}

/**
 * At the right end, on the line or as near to it as the data leaves room, first up (-1) or down (1); on the edge with an
 * arrow when it is beyond.
 */
function labelReference(grid: string[][], scale: Scale, { value, role, label }: Reference, towards: 1 | -1): void {
  if (label === undefined) return;
  const row = rowOf(scale, value);
  const top = row ?? (value > scale.high ? 0 : grid.length - 1);
  const text = row !== null ? ` ${label} ` : ` ${value > scale.high ? "↑" : "↓"} ${label} `;
  const start = grid[top].length - widthOf(text);
  if (start < 1) return;
  const line = paint(role, "┄");
  for (const off of [0, towards, -towards, 2 * towards, -2 * towards]) {
    const cells = grid[top + off];
    if (cells === undefined || cells.slice(start).some((cell) => cell !== " " && cell !== line)) continue;
    cells.splice(start, text.length, ...[...text].map((char) => char === " " ? char : paint(role, char)));
    return;
  }
}

/** Index into the grid; null beyond the scale. */
function rowOf(scale: Scale, value: number): number | null {
  const row = Math.round(scale.place(value));
  return row >= 0 && row <= scale.rows ? scale.rows - row : null;
}

function nothing(words: string, width: number, height: number): string[] {
  return Array.from(
    { length: height },
    (_, i) => left(i === Math.floor((height - 1) / 2) ? paint("dim", `  ${words}`) : "", width),
  );
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
