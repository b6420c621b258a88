import { region } from "./guest_select.ts";
import type { Model, Pane } from "./model.ts";
import { listedEvents } from "./view/events.ts";
import { hostLines } from "./view/host_cpu.ts";
import { networkLines } from "./view/network.ts";

/* Panes that show lines, of which there may be more than fit. */

type Scrolled = "events" | "network" | "host";

/** Whether a pane has lines of its own to scroll; in the others arrows select a VM. */
export function scrolls(pane: string): pane is Scrolled {
  return pane === "events" || pane === "network" || pane === "host";
}

/** Lines that a pane shows at a time. */
export function pageOf(model: Model, pane: Pane): number {
  return Math.max(1, (region(model, pane)?.height ?? 3) - 2);
}

/** Lines that a pane of this size has in all. */
export function lineCount(model: Model, pane: Scrolled, width: number, height: number): number {
  if (pane === "events") return listedEvents(model).length;
  return (pane === "network" ? networkLines(model, width - 2, height - 2) : hostLines(model, width - 3, height - 2))
    .length;
}

/** Moves a pane's lines, as far as there are any. */
export function scrollPane(model: Model, pane: Scrolled, by: number): Model {
  const page = pageOf(model, pane);
  if (pane === "events") {
    const count = listedEvents(model).length;
    const end = Math.max(Math.min(page, count), Math.min(count, (model.eventEnd ?? count) + by));
    // At the end again, it follows what comes.
    return { ...model, eventEnd: end >= count ? null : end };
  }
  const { width, height } = region(model, pane) ?? { width: model.columns, height: page + 2 };
  const last = lineCount(model, pane, width, height) - page;
  // From where it is shown: figures of another run may have fewer lines.
  const first = Math.max(0, Math.min(last, Math.min(last, model.paneScroll[pane] ?? 0) + by));
  return { ...model, paneScroll: { ...model.paneScroll, [pane]: first } };
}
