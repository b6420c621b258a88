import { layout, type Region } from "./layout.ts";
import type { Model, Pane } from "./model.ts";
import type { View } from "./modes/mode.ts";
import { MODES, OVERLAYS } from "./modes/registry.ts";
import { left, plain } from "./text.ts";
import { events, notice } from "./view/events.ts";
import { footer } from "./view/footer.ts";
import { guestCpu } from "./view/guest_cpu.ts";
import { guests } from "./view/guests.ts";
import { header } from "./view/header.ts";
import { hostCpu } from "./view/host_cpu.ts";
import { latency } from "./view/latency.ts";
import { network } from "./view/network.ts";
import { rings } from "./view/rings.ts";
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
  small: (_model, width) => [left("mxtop needs 40 x 10", width)],
};

const VIEWS: Readonly<Record<string, View>> = Object.assign(
  {},
  OWN,
  ...[...Object.values(MODES), ...OVERLAYS].map(({ views }) => views),
);

/** A region with its lines of tagged text. */
export interface DrawnRegion extends Region {
  readonly lines: readonly string[];
}

/** The whole screen, later regions above earlier ones. */
export function render(model: Model): DrawnRegion[] {
  return layout(model).map((region) => ({ ...region, lines: VIEWS[region.id](model, region.width, region.height) }));
}

/** The screen as plain lines: what a person would see without colours. */
export function toText(model: Model): string[] {
  const grid = Array.from({ length: model.rows }, () => new Array<string>(model.columns).fill(" "));
  for (const { x, y, lines } of render(model)) {
    lines.forEach((line, row) => [...plain(line)].forEach((char, column) => grid[y + row][x + column] = char));
  }
  return grid.map((cells) => cells.join("").trimEnd());
}
