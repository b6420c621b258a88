import type { StageFigures } from "../../report/snapshot.ts";
import { decimalsFor, number, percent } from "../format.ts";
import type { Model } from "../model.ts";
import { left, paint, right, type Role, sanitize } from "../text.ts";
import { bar } from "./bar.ts";
import { frame } from "./frame.ts";

const NAME = 12;
const NUMBER = 6;

/** Mean microseconds of one message by cause: the answer to "where is the bottleneck?". */
export function stages(model: Model, width: number, height: number): string[] {
  const inner = width - 3;
  const room = height - 2;
  const all = (model.live?.snapshot.stages ?? []).filter((stage) => stage.us > 0);
  // Bars are as long as they can be: the longest one is the largest stage.
  const largest = all.reduce((max, stage) => Math.max(max, stage.us), 0);
  const total = all.reduce((sum, stage) => sum + stage.us, 0);
  // In full, stages stand in the order in which a message meets them; in a small pane the largest ones win.
  const stacked = all.length > 0 && room >= 6 ? [...stackedBar(model, all, total, inner - 1)] : [];
  const rows = room - stacked.length;
  const lines = all.length <= rows
    ? all.map((stage) => row(model, stage, { total, largest }, inner))
    : inTwoColumns(model, all, { total, largest }, inner, rows);
  lines.unshift(...stacked);
  if (all.length === 0) lines.push(paint("dim", "no message followed yet"));
  return frame(lines.map((line) => ` ${line}`), {
    title: "Where a message spends its time us",
    note: total > 0 ? `sum ${number(total, decimalsFor(total))}` : undefined,
    width,
    height,
    focused: model.pane === "stages",
  });
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
function stackedBar(model: Model, all: readonly StageFigures[], total: number, width: number): [string, string] {
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
    const text = cells > 3 ? sanitize(stage).slice(0, cells - 1) : "";
    names += paint(role, text.padEnd(cells));
  }
  return [blocks, names];
}

/** What a row is measured against, microseconds. */
interface Scale {
  total: number;
  largest: number;
}

/** Name, mean, bar, and the share of the whole where there is room. */
function row(model: Model, { stage, us }: StageFigures, { total, largest }: Scale, width: number): string {
  const withPercent = width >= 40;
  const barWidth = Math.max(1, width - NAME - NUMBER - 1 - (withPercent ? 7 : 0));
  return left(sanitize(stage), NAME) + right(number(us, decimalsFor(total)), NUMBER) + " " +
    bar([{ role: "stage", fraction: us / largest }], barWidth, model.monochrome) +
    (withPercent ? paint("dim", right(percent(us / total), 5) + " %") : "");
}

/** As many of the largest stages as fit, and one row for the sum of the others: nothing is silently left out. */
function inTwoColumns(model: Model, all: StageFigures[], scale: Scale, inner: number, room: number): string[] {
  const count = room * 2;
  const sorted = [...all].sort((a, b) => b.us - a.us);
  const shown = sorted.length <= count ? sorted : sorted.slice(0, count - 1);
  const rest = sorted.slice(shown.length).reduce((sum, stage) => sum + stage.us, 0);
  if (rest > 0) shown.push({ stage: `${sorted.length - shown.length} others`, us: rest });
  const each = Math.floor((inner - 2) / 2);
  return Array.from({ length: room }, (_, i) => {
    const second = shown[i + room];
    return row(model, shown[i], scale, each) + (second ? `  ${row(model, second, scale, each)}` : "");
  });
}
