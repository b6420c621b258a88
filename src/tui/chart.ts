// @ts-types="@types/asciichart"
import asciichart from "asciichart";
import { number, si, span } from "./format.ts";
import { left, paint, right, type Role, spread } from "./text.ts";

/** Values by column of the plot; null is a gap, and a gap is shown as one. */
export interface Series {
  role: Role;
  values: readonly (number | null)[];
  /** Broken line: tells two series apart where there is no colour. */
  broken?: boolean;
}

export interface ChartOptions {
  width: number;
  height: number;
  series: readonly Series[];
  /** Virtual time at the left edge and at the right edge of the data, nanoseconds. */
  fromNs: number;
  toNs: number;
  /** A line to compare with, such as the capacity of a link; drawn when the data comes near it. */
  reference?: { value: number; role: Role };
}

/** An interval of virtual time that ended at `at_ns`, with one value. */
export interface Point {
  at_ns: number;
  value: number | null;
}

/** Data by column, and the time that the columns cover. */
export interface Columns {
  values: (number | null)[];
  fromNs: number;
  toNs: number;
}

type Symbols = [string, string, string, string, string, string, string, string, string, string];
const LINE: Symbols = ["┼", "┤", "╶", "╴", "─", "╰", "╭", "╮", "╯", "│"];
const BROKEN: Symbols = ["┼", "┤", "╶", "╴", "╌", "╰", "╭", "╮", "╯", "╎"];
const STEPS = [1, 1.2, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10];

/** Columns that the axis labels of {@link chart} take at most; the rest of the width is data. */
export const LABEL_WIDTH = 7;

/**
 * A line chart of exactly `height` lines of `width` columns: labels and axis at the left, time below. Labels have no
 * unit; it stands in the heading of the pane.
 */
export function chart(options: ChartOptions): string[] {
  const { width, height } = options;
  const plotWidth = width - LABEL_WIDTH;
  const values = options.series.flatMap((s) => s.values).filter(isNumber);
  if (values.length === 0 || plotWidth < 4 || height < 3) return nothing(width, height);
  const rows = height - 2;
  const scale = scaleFor(values, rows, options.reference?.value);
  const grid = Array.from({ length: rows + 1 }, () => new Array<string>(plotWidth).fill(" "));
  if (options.reference) drawReference(grid, scale, options.reference);
  for (const series of options.series) drawSeries(grid, scale, series);
  const axis = axisLabels(scale, rows);
  const lines = grid.map((cells, i) => axis[i] + cells.join(""));
  lines.push(timeAxis(options, plotWidth));
  return lines;
}

/**
 * Brings samples of any spacing to at most `columns` columns of equal virtual time. Column edges are multiples of a
 * round span, so that a column keeps its value while the window moves on. `worst` keeps the largest value of a column
 * (for percentiles), otherwise it is the mean weighted by time.
 */
export function toColumns(points: readonly Point[], columns: number, worst = false): Columns {
  if (points.length === 0 || columns < 1) return { values: [], fromNs: 0, toNs: 0 };
  const starts = intervalStarts(points);
  const end = points[points.length - 1].at_ns;
  const bin = columnSpan(points, starts, columns);
  const lastBin = Math.max(0, Math.ceil(end / bin) - 1);
  const firstBin = Math.max(Math.floor(starts[0] / bin), lastBin - columns + 1);
  const count = lastBin - firstBin + 1;
  const sums = new Float64Array(count);
  const weights = new Float64Array(count);
  const silence = new Float64Array(count);
  points.forEach((point, i) => {
    const from = Math.max(starts[i] / bin - firstBin, 0);
    const to = point.at_ns / bin - firstBin;
    for (let c = Math.floor(from); c < Math.min(to, count); c++) {
      const weight = Math.min(to, c + 1) - Math.max(from, c);
      if (weight <= 0) continue;
      if (!isNumber(point.value)) {
        silence[c] += weight;
        continue;
      }
      if (worst) sums[c] = weights[c] === 0 ? point.value : Math.max(sums[c], point.value);
      else sums[c] += point.value * weight;
      weights[c] += weight;
    }
  });
  const values = Array.from(sums, (sum, c) => {
    // Mostly silent is silent: otherwise a short gap would hide in the columns that it shares with its neighbours.
    if (weights[c] === 0 || silence[c] > weights[c]) return null;
    return worst ? sum : sum / weights[c];
  });
  return { values, fromNs: firstBin * bin, toNs: end };
}

/** Value at the bottom row, at the top row, and from row to row. */
interface Scale {
  low: number;
  high: number;
  step: number;
}

/** A round step per row, zero included: a chart that does not start at zero exaggerates. */
function scaleFor(values: readonly number[], rows: number, reference?: number): Scale {
  let high = Math.max(...values, 0);
  let low = Math.min(...values, 0);
  // A far-away ceiling would press the data into the lowest row.
  if (reference !== undefined && high > reference * 0.4) high = Math.max(high, reference);
  if (high === low) high = low + 1;
  let magnitude = 10 ** Math.floor(Math.log10((high - low) / rows));
  for (;; magnitude *= 10) {
    for (const nice of STEPS) {
      const step = nice * magnitude;
      const below = Math.floor(low / step + 1e-9);
      if (Math.ceil(high / step - 1e-9) - below > rows) continue;
      low = below * step;
      return { low, high: low + rows * step, step };
    }
  }
}

/** asciichart's own labels and ticks, one line per row, every second one labelled when there are many. */
function axisLabels(scale: Scale, rows: number): string[] {
  const every = rows > 6 ? 2 : 1;
  const text = asciichart.plot([scale.low], {
    min: scale.low,
    max: scale.high,
    height: rows,
    offset: 2,
    symbols: LINE,
    format: (value: number, fromTop: number) =>
      right((rows - fromTop) % every === 0 ? label(value, scale.step) : "", LABEL_WIDTH - 2) + " ",
  });
  // asciichart adds a column for the one point, and crosses the axis where zero would be if rows counted from the top.
  return text.split("\n").map((line) => paint("dim", line.slice(0, LABEL_WIDTH).replace(LINE[0], LINE[1])));
}

function label(value: number, step: number): string {
  if (Math.abs(value) >= 100_000) return si(value);
  let decimals = 0;
  while (decimals < 3 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals++;
  return number(value, decimals);
}

/** asciichart cannot draw gaps, so each unbroken stretch is a plot of its own, laid over the grid. */
function drawSeries(grid: string[][], scale: Scale, series: Series): void {
  const { values } = series;
  let from = 0;
  while (from < values.length) {
    if (!isNumber(values[from])) {
      from++;
      continue;
    }
    let to = from;
    while (to < values.length && isNumber(values[to])) to++;
    const stretch = values.slice(from, to) as number[];
    const text = asciichart.plot([stretch[0], ...stretch], {
      min: scale.low,
      max: scale.high,
      height: grid.length - 1,
      offset: 2,
      symbols: series.broken ? BROKEN : LINE,
      format: () => "  ",
    });
    text.split("\n").forEach((line, row) => {
      // Two columns of label and one of axis come first: {@link axisLabels} draws these.
      [...line].slice(3).forEach((char, i) => {
        if (char !== " " && from + i < grid[row].length) grid[row][from + i] = paint(series.role, char);
      });
    });
    from = to;
  }
}

/** Drawn first, so that data covers it; not drawn when the scale ends below it. */
function drawReference(grid: string[][], scale: Scale, reference: { value: number; role: Role }): void {
  if (reference.value > scale.high) return;
  const rows = grid.length - 1;
  const row = rows - Math.round((reference.value - scale.low) / scale.step);
  if (row >= 0 && row <= rows) grid[row].fill(paint(reference.role, "┄"));
}

/** The times stand below the first and the last column that have data, if there is room between them. */
function timeAxis({ fromNs, toNs, series }: ChartOptions, plotWidth: number): string {
  const from = span(fromNs);
  const to = `${span(toNs)} (last ${span(toNs - fromNs)})`;
  const data = series.reduce((max, { values }) => Math.max(max, values.length), 0);
  const columns = data >= from.length + to.length + 2 ? Math.min(data, plotWidth) : plotWidth;
  return paint("dim", " ".repeat(LABEL_WIDTH) + left(spread(from, to, columns), plotWidth));
}

function nothing(width: number, height: number): string[] {
  return Array.from(
    { length: height },
    (_, i) => left(i === Math.floor((height - 1) / 2) ? paint("dim", "  no messages measured yet") : "", width),
  );
}

/** Start of the interval of each point; the first one is taken to be as long as the second. */
function intervalStarts(points: readonly Point[]): number[] {
  const first = points.length > 1 ? Math.max(0, 2 * points[0].at_ns - points[1].at_ns) : 0;
  return points.map((_, i) => i === 0 ? first : points[i - 1].at_ns);
}

/** Typical spacing of the samples, or more when they would not fit; a long gap between speeds does not count. */
function columnSpan(points: readonly Point[], starts: readonly number[], columns: number): number {
  const spans = points.map((point, i) => point.at_ns - starts[i]).filter((ns) => ns > 0).sort((a, b) => a - b);
  if (spans.length === 0) return 1;
  const median = spans[spans.length >> 1];
  if (points.length > columns) return round(median * points.length / columns);
  // Few samples, as in a short run, are stretched by a whole number, so that the picture fills the pane.
  return round(median) / Math.floor(columns / points.length);
}

/** The nearest round number. */
function round(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  let best = magnitude;
  for (const step of STEPS) {
    if (Math.abs(step * magnitude - value) < Math.abs(best - value)) best = step * magnitude;
  }
  return best;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
