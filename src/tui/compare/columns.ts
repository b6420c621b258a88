import type { Summary } from "../../report/summary.ts";
import { percent, span } from "../format.ts";
import type { Model } from "../model.ts";
import { left, paint, right, sanitize, wrap } from "../text.ts";
import { frame } from "../view/frame.ts";
import { stackedBar } from "../view/stages.ts";
import { baseOf, BEST, figureCells, headingOf, ordered, ratioCells, WORST } from "./cells.ts";
import { type Metric, METRICS, RATIOS } from "./metrics.ts";
import type { ComparedPath } from "./state.ts";

/** Columns of the labels. */
const LABEL = 13;
/** Wider columns would only tear a row apart. */
const WIDEST = 36;
/** Rows of the table that are no numbers: names, states, limit, the bar of stages and what it is longest in. */
const OTHER_ROWS = 5;

/** Lines that the table of figures takes with all of its rows, frame included. */
export const FIGURES_HEIGHT = METRICS.length + OTHER_ROWS + 2;
export const RATIOS_HEIGHT = RATIOS.length + 2;

function columnWidth(width: number, paths: number): number {
  return Math.min(WIDEST, Math.floor((width - 3 - LABEL) / Math.max(1, paths)));
}

/** The path whose column is at `x` of a table of this width; undefined beside the columns. */
export function pathAtColumn(model: Model, width: number, x: number): string | undefined {
  const paths = ordered(model);
  return paths[Math.floor((x - 2 - LABEL) / columnWidth(width, paths.length))]?.path;
}

/** A row of the table: a label, and a cell of each path. */
type Row = readonly [label: string, cells: readonly string[]];

/** One column per path: what it does, how fast, for how much CPU, and where a message spends its time. */
export function figures(model: Model, width: number, height: number): string[] {
  const paths = ordered(model);
  const column = columnWidth(width, paths.length);
  const cells = (of: (path: ComparedPath) => string) => paths.map((path) => right(of(path), column - 1) + " ");
  const rows: Row[] = [
    ...metricsFor(height - 2 - OTHER_ROWS).map((metric): Row => [metric.label, figureCells(paths, metric, column)]),
    ["limit", cells(({ summary }) => limitOf(summary))],
    ["stages", stageBars(model, paths, column)],
    ["most time", cells(({ summary }) => longestStage(summary, column - 1))],
  ];
  const lines: Row[] = [
    ["", cells((path) => headingOf(model, path, column - 1)[0])],
    ["", cells((path) => headingOf(model, path, column - 1)[1])],
    ...withProblems(rows, paths, column),
  ];
  return frame(lines.map(([label, cells]) => ` ${paint("dim", left(label, LABEL))}${cells.join("")}`), {
    title: "Paths side by side",
    note: notesOf(paths),
    width,
    height,
    focused: true,
  });
}

/** The rows that fit, in the order of the table; those of the highest rank give way. */
function metricsFor(room: number): readonly Metric[] {
  const first = [...METRICS].sort((a, b) => a.rank - b.rank).slice(0, Math.max(0, room));
  return METRICS.filter((metric) => first.includes(metric));
}

/** How many times the base's. */
export function ratios(model: Model, width: number, height: number): string[] {
  const paths = ordered(model);
  const column = columnWidth(width, paths.length);
  const base = baseOf(model);
  const lines = RATIOS.map((metric) =>
    ` ${paint("dim", left(metric.label, LABEL))}${ratioCells(paths, metric, base?.summary ?? null, column).join("")}`
  );
  return frame(lines, { title: ratioTitle(model), note: ratioNote(), width, height });
}

export function ratioTitle(model: Model): string {
  return `Times ${model.compare.base === "" ? "the base" : sanitize(model.compare.base)}`;
}

export function ratioNote(): string {
  return paint("dim", "1 = as much as the base; left, right: another base");
}

/** What the figures are of, and what the marks mean; shorter where there is less room. */
export function notesOf(paths: readonly ComparedPath[]): string[] {
  // What all of them have behind them, as the header's time: within a round, some are further. Ends are their own.
  const under = paths.filter(({ state }) => state === "on time");
  const times = (under.length > 0 ? under : paths).flatMap(({ summary }) => summary?.measured_ns ?? []);
  const measured = times.length === 0 ? 0 : under.length > 0 ? Math.min(...times) : Math.max(...times);
  const marks = `${paint("ok", BEST)} best  ${paint("warn", WORST)} worst`;
  return [`${paint("dim", `measured ${span(Math.round(measured / 1e3) * 1e3)}`)}   ${marks}`, marks];
}

export function limitOf(summary: Summary | null): string {
  return summary?.bottleneck === undefined ? paint("dim", "-") : sanitize(summary.bottleneck.what);
}

/** The stage that is the largest part of a message's time, and that part in percent where there is room. */
export function longestStage(summary: Summary | null, width: number): string {
  const stages = summary?.stages ?? [];
  if (stages.length === 0) return paint("dim", "-");
  const total = totalOf(summary);
  const { stage, us } = stages.reduce((most, other) => other.us > most.us ? other : most);
  const part = `${percent(us / total)} %`;
  return stage.length + 1 + part.length <= width ? `${sanitize(stage)} ${part}` : sanitize(stage);
}

export function totalOf(summary: Summary | null): number {
  return (summary?.stages ?? []).reduce((sum, { us }) => sum + us, 0);
}

/** A message's time by cause; all bars have one scale, so that twice as long is twice the time. */
function stageBars(model: Model, paths: readonly ComparedPath[], column: number): string[] {
  const longest = Math.max(0, ...paths.map(({ summary }) => totalOf(summary)));
  return paths.map(({ summary }) => {
    const total = totalOf(summary);
    if (total === 0) return right(paint("dim", "-"), column - 1) + " ";
    const cells = Math.max(1, Math.round((column - 2) * total / longest));
    return left(` ${stackedBar(model, summary!.stages, total, cells)[0]}`, column);
  });
}

/** The column of a path that cannot run says why, in place of its figures. */
function withProblems(rows: readonly Row[], paths: readonly ComparedPath[], column: number): Row[] {
  const texts = paths.map(({ state, problem }) =>
    state === "refused" && problem !== null ? wrap(sanitize(problem), column - 2) : null
  );
  const cell = (text: string) => paint("dim", left(` ${text}`, column));
  return rows.map(([label, cells], row) => [
    label,
    cells.map((own, i) => texts[i] === null ? own : cell(texts[i]![row] ?? "")),
  ]);
}
