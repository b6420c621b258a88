import type { Summary } from "../../report/summary.ts";
import type { Model } from "../model.ts";
import { paint, right, type Role, sanitize } from "../text.ts";
import { type Metric, ORDER_METRICS, times } from "./metrics.ts";
import { type ComparedPath, digitOf } from "./state.ts";

/** Marks of the best and of the worst of a row; both stand right of the number. */
export const BEST = "✓";
export const WORST = "✗";
/** Columns that take a digit, the longest name, and the mark of the base. */
const WIDE = 15;
/** Closer than this, nobody is better: a factor. */
const EQUAL = 1.005;

/** The paths as they stand on the screen: as the catalogue has them, or by a figure, those without one last. */
export function ordered({ compare: { paths, order } }: Model): readonly ComparedPath[] {
  if (order === "as listed") return paths;
  const metric = ORDER_METRICS[order];
  const sign = metric.better === "more" ? -1 : 1;
  const key = ({ summary }: ComparedPath) => summary === null ? null : metric.value(summary);
  return [...paths].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (x - y);
  });
}

/** A figure of each path, null where there is none. */
function valuesOf(paths: readonly ComparedPath[], metric: Metric): (number | null)[] {
  return paths.map(({ summary }) => summary === null ? null : metric.value(summary));
}

/** What each path has as many times as the base; null where either has nothing. */
function ratiosOf(paths: readonly ComparedPath[], metric: Metric, base: Summary | null): (number | null)[] {
  const unit = base === null ? null : metric.value(base);
  return valuesOf(paths, metric).map((value) => value === null || unit === null || unit <= 0 ? null : value / unit);
}

export function baseOf({ compare: { paths, base } }: Model): ComparedPath | undefined {
  return paths.find(({ path }) => path === base);
}

function isNear(a: number, b: number): boolean {
  return Math.max(a, b) <= Math.min(a, b) * EQUAL;
}

/** Where the best and the worst values are; neither when all are equal. */
function extremes(
  values: readonly (number | null)[],
  better: Metric["better"],
): { best: number; worst: number } {
  const numbers = values.filter((value) => value !== null);
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  if (better === null || numbers.length < 2 || most <= least * EQUAL) return { best: NaN, worst: NaN };
  return better === "less" ? { best: least, worst: most } : { best: most, worst: least };
}

/**
 * Cells of `width` columns for the values of one figure: number, and the mark of the best and of the worst. Who is not on
 * time has seen less of the run, and is not compared.
 */
function cellsOf(
  values: readonly (number | null)[],
  better: Metric["better"],
  show: (value: number, largest: number) => string,
  width: number,
  onTime: readonly boolean[] = values.map(() => true),
): string[] {
  const { best, worst } = extremes(values.filter((_, i) => onTime[i]), better);
  const largest = Math.max(0, ...values.filter((value) => value !== null));
  return values.map((value, i) => {
    if (value === null) return right(paint("dim", "-"), width - 1) + " ";
    const text = right(show(value, largest), width - 1);
    if (!onTime[i]) return paint("dim", text + " ");
    if (isNear(value, best)) return paint("ok", text + BEST);
    return isNear(value, worst) ? paint("warn", text + WORST) : text + " ";
  });
}

export const figureCells = (paths: readonly ComparedPath[], metric: Metric, width: number) =>
  cellsOf(valuesOf(paths, metric), metric.better, metric.show, width, paths.map(isOnTime));

export const ratioCells = (paths: readonly ComparedPath[], metric: Metric, base: Summary | null, width: number) =>
  cellsOf(ratiosOf(paths, metric, base), metric.better, times, width, paths.map(isOnTime));

function isOnTime({ state }: ComparedPath): boolean {
  return state !== "late";
}

/** Colour of a path, the same wherever it stands. */
export function roleOf(model: Model, path: string): Role {
  const index = model.paths.indexOf(path);
  return index >= 0 && index < 8 ? `path${index + 1}` as Role : "dim";
}

/** The path's digit and name, in its colour; the base is marked. */
export function nameOf(model: Model, path: string): string {
  const text = `${digitOf(model.paths, path)} ${sanitize(path)}`;
  return paint(roleOf(model, path), path === model.compare.base ? `${text}◂` : text);
}

/** Heading of a path's column: digit, name and state in two lines, as there is room for them. */
export function headingOf(model: Model, path: ComparedPath, width: number): [string, string] {
  const name = nameOf(model, path.path);
  const state = stateText(path, model.running);
  if (width >= WIDE) return [name, state];
  const role = roleOf(model, path.path);
  return [paint(role, sanitize(path.path)), `${paint(role, digitOf(model.paths, path.path))} ${state}`];
}

/** In at most ten columns. */
export function stateText({ state, progress }: ComparedPath, running: boolean): string {
  switch (state) {
    case "opening":
      return paint("dim", "opening");
    case "late":
      return paint("warn", `late ${Math.floor(progress * 100)} %`);
    case "over":
      return paint("accent", "over");
    case "refused":
      return paint("error", "cannot run");
    case "on time":
      return running ? paint("ok", "running") : paint("warn", "paused");
  }
}
