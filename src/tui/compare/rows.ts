import type { Summary } from "../../report/summary.ts";
import type { Model } from "../model.ts";
import { cut, left, paint, right, sanitize, spread } from "../text.ts";
import { frame } from "../view/frame.ts";
import { stackedBar } from "../view/stages.ts";
import { baseOf, figureCells, nameOf, ordered, ratioCells, stateText } from "./cells.ts";
import { limitOf, longestStage, notesOf, ratioNote, ratioTitle, totalOf } from "./columns.ts";
import { type Metric, METRICS, RATIOS } from "./metrics.ts";
import type { ComparedPath } from "./state.ts";

/*
 * The tables of a small screen: there are more columns than lines, so that paths are rows and figures are columns.
 */

/** Columns of a path's name with its digit and the mark of the base. */
const NAME = 16;
const STATE = 12;

type Cells = (metric: Metric) => readonly string[];

/** Columns that fit, names at the left, headings above. */
function table(model: Model, paths: readonly ComparedPath[], metrics: readonly Metric[], cells: Cells, width: number) {
  let used = NAME + 1;
  const shown = metrics.filter((metric) => (used += metric.width) <= width);
  const columns = shown.map((metric) => cells(metric));
  const heading = shown.map((metric) => right(metric.short, metric.width - 1) + " ").join("");
  return [
    " " + left("", NAME) + paint("heading", heading),
    ...paths.map((path, i) => ` ${left(nameOf(model, path.path), NAME)}${columns.map((column) => column[i]).join("")}`),
  ];
}

/** Figures, then what each path is limited by or why it cannot run. */
export function figureRows(model: Model, width: number, height: number): string[] {
  const paths = ordered(model);
  // The most telling ones first: further columns are those that a wider screen has room for.
  const metrics = [...METRICS].sort((a, b) => a.rank - b.rank);
  const lines = table(model, paths, metrics, (metric) => figureCells(paths, metric, metric.width), width - 2);
  const below = paths.map((path) => {
    const text = path.problem === null ? limitText(path.summary) : sanitize(path.problem.split("\n")[0]);
    return ` ${left(nameOf(model, path.path), NAME)}${left(stateText(path, model.running), STATE)} ` +
      cut(text, Math.max(0, width - 3 - NAME - STATE - 1));
  });
  if (lines.length + below.length + 1 <= height - 2) lines.push("");
  return frame([...lines, ...below], { title: "Paths", note: notesOf(paths), width, height, focused: true });
}

function limitText(summary: Summary | null): string {
  if (summary?.bottleneck === undefined) return paint("dim", "-");
  return `${limitOf(summary)} ${paint("dim", sanitize(summary.bottleneck.why))}`;
}

export function ratioRows(model: Model, width: number, height: number): string[] {
  const paths = ordered(model);
  const base = baseOf(model)?.summary ?? null;
  const lines = table(model, paths, RATIOS, (metric) => ratioCells(paths, metric, base, metric.width), width - 2);
  return frame(["", ...lines, ...(base === null ? ["", paint("dim", " the base has no figures yet")] : [])], {
    title: ratioTitle(model),
    note: ratioNote(),
    width,
    height,
    focused: true,
  });
}

/** A bar for each path, all on one scale, and what a message spends most of its time on. */
export function stageRows(model: Model, width: number, height: number): string[] {
  const paths = ordered(model);
  const longest = Math.max(0, ...paths.map(({ summary }) => totalOf(summary)));
  const room = width - 4;
  const full = 3 * paths.length <= height - 2;
  const lines = paths.flatMap(({ path, summary }) => {
    const total = totalOf(summary);
    const sum = total === 0 ? "-" : `${longestStage(summary, 20)}   ${total.toFixed(total < 100 ? 1 : 0)} us`;
    const head = ` ${spread(nameOf(model, path), sum, room)}`;
    if (total === 0) return [head, ...(full ? ["", ""] : [""])];
    const [bar, names] = stackedBar(model, summary!.stages, total, Math.max(1, Math.round(room * total / longest)));
    return [head, ` ${bar}`, ...(full ? [` ${names}`] : [])];
  });
  return frame(lines, { title: "Where a message spends its time us", width, height, focused: true });
}
