/** An interval of virtual time that ended at `at_ns`, with one value; null is silence. */
export interface Point {
  at_ns: number;
  value: number | null;
}

/** Columns of equal spans of virtual time: how many, how long each is, and where the first begins. */
export interface ColumnGrid {
  readonly count: number;
  readonly spanNs: number;
  readonly fromNs: number;
}

/** Data by column, and the time that the columns cover. */
export interface Columns {
  values: (number | null)[];
  fromNs: number;
  toNs: number;
}

/** Spans of columns are these times a power of ten. */
const SPANS = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8];

/**
 * Brings samples of any spacing to at most `columns` columns of equal virtual time. Column edges are multiples of a
 * round span and only complete columns are shown (with `partial`, the last one too), so that nothing that is on the
 * screen changes its value afterwards: it moves on, when there is a new column. `worst` keeps the largest value of a
 * column (for percentiles), otherwise it is the mean weighted by time. A column that is mostly silent is a gap; with
 * `worst`, one without a sample that has a value and lies in it, by half at least.
 */
export function toColumns(points: readonly Point[], columns: number, worst = false, partial = false): Columns {
  const grid = gridOf(points, columns, partial);
  if (grid === null) return { values: [], fromNs: 0, toNs: 0 };
  return { values: intoColumns(points, grid, (point) => point.value, worst), ...timeOf(points, grid) };
}

/** The time that the columns of a grid show; the last one may not be complete. */
export function timeOf(points: readonly Timed[], { count, spanNs, fromNs }: ColumnGrid) {
  const end = points.at(-1)?.at_ns ?? 0;
  return { fromNs, toNs: Math.min(fromNs + count * spanNs, end) };
}

/** The grid of nothing. */
export const NO_COLUMNS: ColumnGrid = { count: 0, spanNs: 1, fromNs: 0 };

/** The end of an interval of virtual time, nanoseconds. */
interface Timed {
  readonly at_ns: number;
}

/** The grid that {@link toColumns} would use; null without data. */
export function gridOf(points: readonly Timed[], columns: number, partial = false): ColumnGrid | null {
  if (points.length === 0 || columns < 1) return null;
  const start = intervalStart(points, 0);
  const end = points[points.length - 1].at_ns;
  const spanNs = columnSpan(points, columns);
  // A column that is over by less than a rounding error is complete.
  const complete = Math.floor(end / spanNs + 1e-9);
  const all = Math.max(1, Math.ceil(end / spanNs - 1e-9));
  const first = Math.floor(start / spanNs + 1e-9);
  const last = partial || complete <= first ? all : complete;
  const from = Math.max(first, last - columns);
  return { count: last - from, spanNs, fromNs: from * spanNs };
}

/** A figure of samples in the columns of a grid: several figures of a run share one, or several runs. */
export function intoColumns<T extends Timed>(
  points: readonly T[],
  { count, spanNs, fromNs }: ColumnGrid,
  pick: (point: T) => number | null | undefined,
  worst = false,
): (number | null)[] {
  const sums = new Float64Array(count);
  const weights = new Float64Array(count);
  const silence = new Float64Array(count);
  const whole = new Uint8Array(count);
  for (let i = 0; i < points.length; i++) {
    const exactTo = (points[i].at_ns - fromNs) / spanNs;
    const to = Math.min(exactTo, count);
    if (to <= 0) continue;
    const value = pick(points[i]);
    const exactFrom = (intervalStart(points, i) - fromNs) / spanNs;
    const from = Math.max(exactFrom, 0);
    for (let c = Math.floor(from); c < to; c++) {
      const weight = Math.min(to, c + 1) - Math.max(from, c);
      // What reaches into a column by a rounding error does not belong to it.
      if (weight < 1e-6) continue;
      if (value === null || value === undefined || !Number.isFinite(value)) {
        silence[c] += weight;
        continue;
      }
      if (weight >= (exactTo - exactFrom) / 2 - 1e-6) whole[c] = 1;
      if (worst) sums[c] = weights[c] === 0 ? value : Math.max(sums[c], value);
      else sums[c] += value * weight;
      weights[c] += weight;
    }
  }
  return Array.from(sums, (sum, c) => {
    // Mostly silent is silent: otherwise a short gap would hide in the columns that it shares with its neighbours. But a
    // message that takes longer than a sample leaves silent ones before it: what is worst would not be shown at all.
    if (weights[c] === 0 || silence[c] > weights[c] && !(worst && whole[c] === 1)) return null;
    return worst ? sum : sum / weights[c];
  });
}

/** Start of the interval of a point; the first one is taken to be as long as the second. */
function intervalStart(points: readonly Timed[], i: number): number {
  if (i > 0) return points[i - 1].at_ns;
  return points.length > 1 ? Math.max(0, 2 * points[0].at_ns - points[1].at_ns) : 0;
}

/** Samples whose spacing is that of the present speed. */
const LATEST = 8;
/** Another speed is at least so many times as fast. */
const FASTER = 3;

/** Typical spacing of the samples, or more when they would not fit; a long gap between speeds does not count. */
function columnSpan(points: readonly Timed[], columns: number): number {
  const spans = new Float64Array(points.length);
  let some = 0;
  for (let i = 0; i < points.length; i++) {
    const span = points[i].at_ns - intervalStart(points, i);
    if (span > 0) spans[some++] = span;
  }
  if (some === 0) return 1;
  const latest = medianOf(spans.slice(Math.max(0, some - LATEST), some));
  const median = medianOf(spans.subarray(0, some));
  const [typical, all] = [median * points.length, points[points.length - 1].at_ns - intervalStart(points, 0)];
  // After slow motion its short samples are the most for a while: by them, little of what is seen now would fit.
  if (latest > FASTER * median || 2 * all < typical) return roundDown(all / columns);
  // Rounded down: a full history fills the whole width, and little of it is left out.
  if (points.length > columns) return roundDown(Math.min(typical, all) / columns);
  // Few samples, as in a short run, are stretched by a whole number, so that the picture fills the pane.
  return roundDown(median) / Math.floor(columns / points.length);
}

/** Sorts them. */
function medianOf(values: Float64Array): number {
  return values.sort()[values.length >> 1];
}

function roundDown(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(value) + 1e-9);
  return magnitude * SPANS.findLast((span) => span * magnitude <= value * (1 + 1e-9))!;
}
