import { begun, changed, closeCompare, toggled, told } from "../compare/changes.ts";
import { latencyChart, sizesOf, throughputChart } from "../compare/charts.ts";
import { choiceLine, chooser, chooserBox } from "../compare/chooser.ts";
import { figures, FIGURES_HEIGHT, ratios, RATIOS_HEIGHT } from "../compare/columns.ts";
import { hitAt } from "../compare/pointer.ts";
import { figureRows, ratioRows, stageRows, topOf } from "../compare/rows.ts";
import { type ComparedPath, type ComparePage, ORDERS, PAGES } from "../compare/state.ts";
import type { Region } from "../layout.ts";
import type { Model } from "../model.ts";
import { paint, sanitize, spread, width as widthOf } from "../text.ts";
import type { MouseMessage, Update } from "../message.ts";
import type { Mode, View } from "./mode.ts";

/** Keys of the table that mean here what they mean everywhere. */
const ELSEWHERE = [" ", "space", "+", "=", "-", "_", "?", "q", ":", "e", "y", "f", "T"];

function key(model: Model, name: string): Update | null {
  const { compare } = model;
  const digit = /^[1-9]$/.test(name) ? model.paths[Number(name) - 1] : undefined;
  if (digit !== undefined) return [toggled(model, digit), []];
  if (compare.chooser) return [chooserKey(model, name), []];
  switch (name) {
    case "c":
    case "escape":
      return [closeCompare(model), []];
    case "p":
    case "1-8": // a click on these keys in the footer
    case "enter":
      return [changed(model, { chooser: true, cursor: Math.min(compare.cursor, model.paths.length - 1) }), []];
    case "left":
    case "<":
      return [changed(model, { base: around(compare.chosen, compare.base, -1) }), []];
    case "right":
    case ">":
      return [changed(model, { base: around(compare.chosen, compare.base, 1) }), []];
    case "s":
      return [changed(model, { order: around(ORDERS, compare.order, 1) }), []];
    case "l":
      return [changed(model, { logarithmic: !compare.logarithmic }), []];
    case "m":
      return [hasSizes(model) ? changed(model, { bySize: !compare.bySize }) : told(model, NO_SIZES), []];
    case "tab":
    case "S-tab":
      return [changed(model, { page: around(PAGES, compare.page, name === "tab" ? 1 : -1), top: 0 }), []];
    case "r":
      return [begun({ ...model, notice: null }), []];
    case ".":
    case ";":
      return model.finished ? [model, []] : [{ ...model, running: false }, [{ type: "compare-step" }]];
  }
  if (Object.hasOwn(SCROLLS, name)) return [scrolled(model, SCROLLS[name]), []];
  return ELSEWHERE.includes(name) ? null : [model, []];
}

/** Keys that scroll a page of a small screen, by rows. */
const SCROLLS: Readonly<Record<string, number>> = {
  ...{ up: -1, k: -1, down: 1, j: 1, pageup: -8, pagedown: 8, home: -Infinity, end: Infinity },
};

function scrolled(model: Model, by: number): Model {
  if (!isPaged(model)) return model;
  const { columns, rows, compare } = model;
  const to = (top: number) => topOf(model, top, columns, rows - 5);
  // From where it is shown: another page may have had more rows.
  const top = to(to(compare.top) + by);
  return top === compare.top ? model : { ...model, compare: { ...compare, top } };
}

function chooserKey(model: Model, name: string): Model {
  const { cursor } = model.compare;
  const last = model.paths.length - 1;
  switch (name) {
    case "up":
    case "k":
      return changed(model, { cursor: Math.max(0, cursor - 1) });
    case "down":
    case "j":
      return changed(model, { cursor: Math.min(last, cursor + 1) });
    case "space":
      return toggled(model, model.paths[cursor]);
    case "enter":
    case "escape":
    case "p":
    case "c":
      return changed(model, { chooser: false });
  }
  return model;
}

/** A click makes a path the base, switches one on or off, or opens a page; beside the list of paths, it closes that. */
function mouse(model: Model, { kind, x, y }: MouseMessage): Update {
  const { compare } = model;
  if (kind !== "click") return [compare.chooser ? model : scrolled(model, kind === "wheelup" ? -3 : 3), []];
  const isIn = (region: Region) =>
    x >= region.x && x < region.x + region.width && y >= region.y && y < region.y + region.height;
  const [list] = chooserBox(model);
  if (list !== undefined) {
    const cursor = y - list.y - 1;
    const path = isIn(list) ? model.paths[cursor] : undefined;
    if (path !== undefined) return [toggled(changed(model, { cursor }), path), []];
    return [isIn(list) ? model : changed(model, { chooser: false }), []];
  }
  const region = body(model, { id: "body", x: 0, y: 2, width: model.columns, height: model.rows - 4 }).find(isIn);
  if (region === undefined) return [model, []];
  const line = VIEWS[region.id as `compare.${string}`](model, region.width, region.height)[y - region.y] ?? "";
  const hit = hitAt(model, region, line, x - region.x);
  switch (hit?.kind) {
    case "base":
      return [changed(model, { base: hit.path }), []];
    case "toggle":
      return [toggled(model, hit.path), []];
    case "page":
      return [changed(model, { page: hit.page, top: 0 }), []];
  }
  return [model, []];
}

const NO_SIZES = "all messages are of one size: there is nothing to choose";

/** Whether the workload goes through message sizes, as far as the runs have got. */
function hasSizes({ compare: { paths } }: Model): boolean {
  return sizesOf(paths).length > 1;
}

/** The element before or after `current`, round the ends. */
function around<T>(list: readonly T[], current: T, by: 1 | -1): T {
  return list[(list.indexOf(current) + by + list.length) % list.length];
}

/*
 * from 100 x 30                      smaller
 *
 * +-----------------------------+    +-----------------------------+
 * | which paths                 |    | pages, how many paths       |
 * | figures: a column each      |    | the page: paths are rows of |
 * | ratios to the base          |    | figures and ratios, a bar   |
 * | latency      | throughput   |    | each for stages, or a chart |
 * |              |              |    |                             |
 * +-----------------------------+    +-----------------------------+
 */
function body(model: Model, { x, y, width, height }: Region): Region[] {
  const choice: Region = { id: "compare.choice", x, y, width, height: 1 };
  if (isPaged(model)) {
    return [
      { id: "compare.pages", x, y, width, height: 1 },
      { id: `compare.${model.compare.page}`, x, y: y + 1, width, height: height - 1 },
    ];
  }
  const spare = height - 1 - FIGURES_HEIGHT - RATIOS_HEIGHT;
  const charts = Math.max(8, Math.floor(height * 0.3), Math.min(spare, Math.floor(height * 0.42)));
  const table = Math.min(FIGURES_HEIGHT, height - 1 - RATIOS_HEIGHT - charts);
  const chartY = y + 1 + table + RATIOS_HEIGHT;
  const half = Math.ceil(width / 2);
  const rest = y + height - chartY;
  return [
    choice,
    { id: "compare.columns", x, y: y + 1, width, height: table },
    { id: "compare.times", x, y: y + 1 + table, width, height: RATIOS_HEIGHT },
    { id: "compare.latency", x, y: chartY, width: half, height: rest },
    { id: "compare.throughput", x: x + half, y: chartY, width: width - half, height: rest },
  ];
}

function isPaged({ columns, rows }: Model): boolean {
  return columns < 100 || rows < 30;
}

/** The pages of a small screen, the open one marked. */
function pages(model: Model, width: number): string[] {
  const tab = (page: ComparePage) =>
    page === model.compare.page ? paint("select", `[${page}]`) : paint("dim", ` ${page} `);
  const { chosen, order } = model.compare;
  const sorted = order === "as listed" ? "" : `, by ${order}`;
  const notes = [`${chosen.length} of ${model.paths.length} paths${sorted}`, `${chosen.length} paths${sorted}`];
  const start = ` ${PAGES.map(tab).join(" ")}  ${paint("dim", "Tab")}`;
  return [spread(start, `${notes.find((note) => widthOf(start) + note.length + 2 <= width) ?? ""} `, width)];
}

/** What the events of the single run say has no place here. */
function prompt({ notice, compare: { paths } }: Model): string {
  if (notice !== null) return ` ${paint(NOTICE_ROLES[notice.level], sanitize(notice.text))}`;
  const late = paths.some(({ state }) => state === "late");
  const opening = paths.some(({ state }) => state === "opening");
  const text = opening
    ? "building the runs, one after the other"
    : late
    ? "the clock stands until those behind have caught up"
    : `all paths at the same virtual time; figures are those since the ${isWarm(paths) ? "warm-up" : "start"}`;
  return paint("dim", ` ${text}`);
}

/** Whether figures have begun anew since the start: until the end of a warm-up they are of everything. */
function isWarm(paths: readonly ComparedPath[]): boolean {
  return paths.some(({ summary }) => summary !== null && summary.measured_ns < summary.virtual_ns);
}

const NOTICE_ROLES = { info: "accent", warn: "warn", error: "error" } as const;

const VIEWS: Readonly<Record<`compare.${string}`, View>> = {
  "compare.choice": choiceLine,
  "compare.pages": pages,
  "compare.columns": figures,
  "compare.times": ratios,
  "compare.figures": figureRows,
  "compare.ratios": ratioRows,
  "compare.stages": stageRows,
  "compare.latency": latencyChart,
  "compare.throughput": throughputChart,
  "compare.chooser": chooser,
};

export const compare: Mode = {
  key,
  mouse,
  body,
  boxes: chooserBox,
  prompt,
  views: VIEWS,
  keys: [
    { show: "1-8", help: "a path on or off", footer: "paths" },
    { show: "p", help: "choose paths in a list", footer: "list" },
    { show: "< >", help: "left, right: another base for the ratios", footer: "base" },
    { show: "c", help: "leave; the single run goes on where it was", footer: "leave" },
    { show: "s", help: "order: as listed, by p50, by MB/s, by CPU for a message", footer: "order" },
    { show: "l", help: "linear or logarithmic charts", footer: "scale" },
    {
      show: "m",
      help: "charts over time or over message sizes, where there are some",
      footer: "sizes",
      does: hasSizes,
    },
    { show: "space", help: "pause and go on, all paths alike", footer: "pause" },
    { show: ".", help: "a millisecond more of all paths", footer: "step" },
    { show: "+ -", help: "speed", footer: "speed" },
    { show: "r", help: "start all of them again", footer: "restart" },
    { show: "Tab", help: "next page, on a small screen" },
    { show: "up down", help: "scroll it" },
    { show: "?", help: "help", footer: "help" },
    { show: "q", help: "quit", footer: "quit" },
  ],
  help:
    "The same scenario on several paths, a run of its own each, all at the same virtual time. Ratios are to the base, " +
    "whose name is marked (a click on a column makes it that); the single run stands still meanwhile.",
};
