import type { Summary } from "../../report/summary.ts";
import type { Model } from "../model.ts";
import type { View } from "../modes/mode.ts";
import { cut, left, paint, right, sanitize, spread } from "../text.ts";
import { frame } from "../view/frame.ts";
import { stackedBar } from "../view/stages.ts";
import { baseOf, figureCells, nameOf, ordered, ratioCells, stateText } from "./cells.ts";
import { limitOf, longestStage, notesOf, ratioNote, ratioTitle, totalOf } from "./columns.ts";
import { type Metric, METRICS, RATIOS } from "./metrics.ts";
import type { ComparedPath, ComparePage } from "./state.ts";

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

/** A page of a small screen: what stays on top, and rows that scroll where not all have room. */
interface Page {
  readonly title: string;
  readonly notes: readonly string[];
  readonly head: readonly string[];
  readonly rows: readonly string[];
}

/** Pages of rows; the others are charts. */
const PAGES: Partial<Record<ComparePage, (model: Model, width: number, height: number) => Page>> = {
  figures: figurePage,
  ratios: ratioPage,
  stages: stagePage,
};

export const figureRows: View = (model, width, height) => drawn(model, figurePage(model, width, height), width, height);
export const ratioRows: View = (model, width, height) => drawn(model, ratioPage(model, width), width, height);
export const stageRows: View = (model, width, height) => drawn(model, stagePage(model, width, height), width, height);

/** The first row of the open page that is shown, when it is to be `top` and the page has this size. */
export function topOf(model: Model, top: number, width: number, height: number): number {
  const page = PAGES[model.compare.page]?.(model, width, height);
  return page === undefined ? 0 : clamped(page, top, height);
}

function clamped({ head, rows }: Page, top: number, height: number): number {
  return Math.max(0, Math.min(top, rows.length - (height - 2 - head.length)));
}

function drawn(model: Model, page: Page, width: number, height: number): string[] {
  const { title, notes, head, rows } = page;
  const room = Math.max(0, height - 2 - head.length);
  const first = clamped(page, model.compare.top, height);
  const range = rows.length > room ? `${first + 1}-${first + room} of ${rows.length}` : "";
  const note = range === "" ? notes : [...notes.map((text) => `${range}  ${text}`), range];
  return frame([...head, ...rows.slice(first, first + room)], { title, note, width, height, focused: true });
}

/** Figures, then what each path is limited by or why it cannot run. */
function figurePage(model: Model, width: number, height: number): Page {
  const paths = ordered(model);
  // The most telling ones first: further columns are those that a wider screen has room for.
  const metrics = [...METRICS].sort((a, b) => a.rank - b.rank);
  const [heading, ...rows] = table(
    model,
    paths,
    metrics,
    (metric) => figureCells(paths, metric, metric.width),
    width - 2,
  );
  const below = paths.map((path) => {
    const text = path.problem === null ? limitText(path.summary) : sanitize(path.problem.split("\n")[0]);
    return ` ${left(nameOf(model, path.path), NAME)}${left(stateText(path, model.running), STATE)} ` +
      cut(text, Math.max(0, width - 3 - NAME - STATE - 1));
  });
  if (1 + rows.length + below.length + 1 <= height - 2) rows.push("");
  return { title: "Paths", notes: notesOf(paths), head: [heading], rows: [...rows, ...below] };
}

function limitText(summary: Summary | null): string {
  if (summary?.bottleneck === undefined) return paint("dim", "-");
  return `${limitOf(summary)} ${paint("dim", sanitize(summary.bottleneck.why))}`;
}

function ratioPage(model: Model, width: number): Page {
  const paths = ordered(model);
  const base = baseOf(model)?.summary ?? null;
  const cells = (metric: Metric) => ratioCells(paths, metric, base, metric.width);
  const [heading, ...rows] = table(model, paths, RATIOS, cells, width - 2);
  if (base === null) rows.push("", paint("dim", " the base has no figures yet"));
  return { title: ratioTitle(model), notes: [ratioNote()], head: ["", heading], rows };
}

/** A bar for each path, all on one scale, and what a message spends most of its time on. */
function stagePage(model: Model, width: number, height: number): Page {
  const paths = ordered(model);
  const longest = Math.max(0, ...paths.map(({ summary }) => totalOf(summary)));
  const room = width - 4;
  const full = 3 * paths.length <= height - 2;
  const rows = paths.flatMap(({ path, summary }) => {
    const total = totalOf(summary);
    const sum = total === 0 ? "-" : `${longestStage(summary, 20)}   ${total.toFixed(total < 100 ? 1 : 0)} us`;
    const head = ` ${spread(nameOf(model, path), sum, room)}`;
    if (total === 0) return [head, ...(full ? ["", ""] : [""])];
    const [bar, names] = stackedBar(model, summary!.stages, total, Math.max(1, Math.round(room * total / longest)));
    return [head, ` ${bar}`, ...(full ? [` ${names}`] : [])];
  });
  return { title: "Where a message spends its time us", notes: [], head: [], rows };
}
