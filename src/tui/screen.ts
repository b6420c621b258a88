import { columnsOf } from "./char_width.ts";
import { layout, type Region } from "./layout.ts";
import type { Model, Pane } from "./model.ts";
import type { View } from "./modes/mode.ts";
import { MODES, OVERLAYS } from "./modes/registry.ts";
import { left, plain } from "./text.ts";
import { events } from "./view/events.ts";
import { footer } from "./view/footer.ts";
import { guestCpu } from "./view/guest_cpu.ts";
import { guests } from "./view/guests.ts";
import { header } from "./view/header.ts";
import { hostCpu } from "./view/host_cpu.ts";
import { latency } from "./view/latency.ts";
import { network } from "./view/network.ts";
import { rings } from "./view/rings.ts";
import { notice } from "./view/notice.ts";
import { stages } from "./view/stages.ts";
import { tabs } from "./view/tabs.ts";
import { throughput } from "./view/throughput.ts";

export type { View };

/** What is not a mode's. */
const OWN: Record<Pane | "header" | "tabs" | "notice" | "footer" | "small", View> = {
  header,
  tabs,
  guests,
  latency,
  throughput,
  host: hostCpu,
  guest: guestCpu,
  stages,
  rings,
  network,
  events,
  notice,
  footer,
  small: (_model, width, height) =>
    Array.from({ length: height }, (_, i) => left(i === 0 ? "mxtop needs 40 x 10" : "", width)),
};

let views: Readonly<Record<string, View>> | null = null;

/** Every view by the id of its region; put together when first asked for, because modes draw with views of panes. */
function allViews(): Readonly<Record<string, View>> {
  views ??= Object.assign({}, OWN, ...[...Object.values(MODES), ...OVERLAYS].map((mode) => mode.views));
  return views!;
}

/** A region with its lines of tagged text. */
export interface DrawnRegion extends Region {
  readonly lines: readonly string[];
}

/** The whole screen, later regions above earlier ones. */
export function render(model: Model): DrawnRegion[] {
  return layout(model).map((region) => drawRegion(model, region));
}

/** One region of it, or the same view at another size. */
export function drawRegion(model: Model, region: Region): DrawnRegion {
  return { ...region, lines: allViews()[region.id](model, region.width, region.height) };
}

/** The screen as plain lines: what a person would see without colours. */
export function toText(model: Model): string[] {
  const grid = Array.from({ length: model.rows }, () => new Array<string>(model.columns).fill(" "));
  for (const { x, y, lines } of render(model)) lines.forEach((line, row) => place(grid[y + row], x, plain(line)));
  return grid.map((cells) => cells.map(shown).join("").trimEnd());
}

/** What a wide character leaves of its second column. */
const REST = "";

/** Puts a text into the cells of a row; an accent joins the cell before it. */
function place(cells: string[], x: number, text: string): void {
  let at = x;
  for (const char of text) {
    const columns = columnsOf(char.codePointAt(0)!);
    if (columns === 0) {
      if (at > x) cells[at - 1] += char;
      continue;
    }
    cells[at++] = char;
    if (columns === 2) cells[at++] = REST;
  }
}

/** Half of a wide character, where a box covers the other half, is a blank. */
function shown(cell: string, at: number, cells: readonly string[]): string {
  if (cell === REST) return at > 0 && isWide(cells[at - 1]) ? "" : " ";
  return isWide(cell) && cells[at + 1] !== REST ? " " : cell;
}

function isWide(cell: string): boolean {
  return cell !== REST && columnsOf(cell.codePointAt(0)!) === 2;
}
