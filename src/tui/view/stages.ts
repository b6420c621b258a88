import type { StageFigures } from "../../report/snapshot.ts";
import { decimalsFor, number, percent } from "../format.ts";
import { limitOf, type Model, showsRecent } from "../model.ts";
import { left, paint, right, type Role, sanitize } from "../text.ts";
import { bar } from "./bar.ts";
import { frame } from "./frame.ts";

const NAME = 12;
const NUMBER = 8;
/** In less, the heading has fewer words: which messages these are must stand beside it. */
const NARROW = 60;
/** So many of the smallest stages are summed up rather than all set in two columns. */
const FEW_MISSING = 4;

/**
 * Mean microseconds of one message by cause: the answer to "where is the bottleneck?". Of the latest interval, as the limit
 * below and the other panes are; while no message completes, of all.
 */
export function stages(model: Model, width: number, height: number): string[] {
  const recent = showsRecent(model) ? model.live?.recent_stages ?? [] : [];
  const all = (recent.length > 0 ? recent : model.live?.snapshot.stages ?? []).filter((stage) => stage.us > 0);
  const { lines, total } = stageLines(model, all, width - 3, height - 2, bottleneck(model, width - 3));
  if (all.length === 0) lines.push(paint("dim", "no message followed yet"));
  const [of, short] = (recent.length > 0 ? ["latest interval", "latest"] : ["whole run", "run"]).map((text) =>
    paint("dim", text)
  );
  const sum = `sum ${number(total, decimalsFor(total))}`;
  return frame(lines.map((line) => ` ${line}`), {
    title: width < NARROW ? "Where a message's time goes us" : "Where a message spends its time us",
    note: total > 0 ? [`${of}  ${sum}`, `${short} ${sum}`, sum] : of,
    width,
    height,
    focused: model.pane === "stages",
  });
}

/** Stages in so many lines of so many columns, with `last` below them where there is room; and their sum. */
export function stageLines(
  model: Model,
  all: readonly StageFigures[],
  inner: number,
  room: number,
  last: readonly string[] = [],
): { lines: string[]; total: number } {
  const total = all.reduce((sum, stage) => sum + stage.us, 0);
  const stacked = all.length > 0 && room >= 6 ? [...stackedBar(model, all, total, inner - 1)] : [];
  const limit = all.length > 0 && all.length + stacked.length < room ? last : [];
  const rows = room - stacked.length - limit.length;
  // In full, stages stand in the order in which a message meets them; in a small pane the largest ones win.
  const lines = all.length <= rows + FEW_MISSING && rows > FEW_MISSING
    ? rowsOf(model, largestInOrder(all, rows), total, inner)
    : inTwoColumns(model, all, total, inner, rows);
  lines.unshift(...stacked);
  lines.push(...limit);
  return { lines, total };
}

/** What holds the run back, where there is a line for it. */
function bottleneck(model: Model, width: number): string[] {
  const limit = limitOf(model);
  if (limit === undefined) return [];
  return [left(`${paint("dim", "limit")} ${paint("accent", sanitize(limit.what))} ${sanitize(limit.why)}`, width)];
}

/** Whose colour a stage has: the guest's own work, the driver domain's, the hypervisor's, the hardware's, or waiting. */
export const STAGE_ROLES: Readonly<Record<string, Role>> = {
  library: "user",
  syscall: "kernel",
  driver: "kernel",
  frontend: "guest",
  notification: "hypervisor",
  hypervisor: "hypervisor",
  backend: "dom0",
  bridge: "dom0",
  copy: "p50",
  grant: "dom0",
  pin: "kernel",
  nic: "link",
  wire: "link",
  interrupt: "irq",
  wakeup: "steal",
  poll: "user",
};
/** Without colour, neighbours in the bar differ by their glyphs. */
const GLYPHS = ["█", "▒", "▓", "░"];

/** All stages of the message in one bar, in order, and under it the names of those that have room for one. */
export function stackedBar(
  model: Model,
  all: readonly StageFigures[],
  total: number,
  width: number,
): [string, string] {
  let sum = 0;
  let drawn = 0;
  let blocks = "";
  let names = "";
  for (const [i, { stage, us }] of all.entries()) {
    sum += us;
    const cells = Math.round((sum / total) * width) - drawn;
    if (cells <= 0) continue;
    const role = STAGE_ROLES[stage] ?? "dim";
    drawn += cells;
    blocks += paint(role, GLYPHS[model.monochrome ? i % GLYPHS.length : 0].repeat(cells));
    // Half a name helps nobody: the rows below have all of them.
    const text = stage.length < cells ? sanitize(stage) : "";
    names += paint(role, text.padEnd(cells));
  }
  return [blocks, names];
}

/** What a row is measured against, microseconds. */
interface Scale {
  total: number;
  largest: number;
}

/** A row for each; the longest bar is that of the largest of what is shown, which may be the sum of the others. */
function rowsOf(model: Model, shown: readonly StageFigures[], total: number, width: number): string[] {
  const largest = shown.reduce((max, stage) => Math.max(max, stage.us), 0);
  return shown.map((stage) => row(model, stage, { total, largest }, width));
}

/** Name, mean, bar, and the share of the whole where there is room. */
function row(model: Model, { stage, us }: StageFigures, { total, largest }: Scale, width: number): string {
  const withPercent = width >= 40;
  const barWidth = Math.max(1, width - NAME - NUMBER - 1 - (withPercent ? 7 : 0));
  // One decimal more than the sum has: beside a queue of milliseconds, all the work is a few microseconds.
  return left(sanitize(stage), NAME) + right(number(us, total >= 1000 ? 1 : 2), NUMBER) + " " +
    bar([{ role: STAGE_ROLES[stage] ?? "stage", fraction: us / largest }], barWidth, model.monochrome, " ") +
    (withPercent ? paint("dim", right(percent(us / total), 5) + " %") : "");
}

/** As many of the largest as fit, in their order, and one row for the sum of the others: nothing is left out. */
function largestInOrder(all: readonly StageFigures[], rows: number): StageFigures[] {
  if (all.length <= rows) return [...all];
  const kept = new Set([...all].sort((a, b) => b.us - a.us).slice(0, rows - 1));
  const others = all.filter((stage) => !kept.has(stage));
  const rest = others.reduce((sum, stage) => sum + stage.us, 0);
  return [...all.filter((stage) => kept.has(stage)), { stage: `${others.length} others`, us: rest }];
}

/** The largest first, down the left column and then down the right one, where two have room for their numbers. */
function inTwoColumns(
  model: Model,
  all: readonly StageFigures[],
  total: number,
  inner: number,
  room: number,
): string[] {
  const largest = [...all].sort((a, b) => b.us - a.us);
  const each = Math.floor((inner - 2) / 2);
  if (each < NAME + NUMBER) return rowsOf(model, largestInOrder(largest, room), total, inner);
  const rows = rowsOf(model, largestInOrder(largest, room * 2), total, each);
  const down = Math.ceil(rows.length / 2);
  return Array.from({ length: down }, (_, i) => rows[i] + (rows[i + down] === undefined ? "" : `  ${rows[i + down]}`));
}
