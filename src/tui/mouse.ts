import { clampScroll, clickGuests, clickRings, guestAt, select } from "./guest_select.ts";
import { key } from "./keys.ts";
import { layout, reachablePanes, type Region } from "./layout.ts";
import type { MouseMessage, Update } from "./message.ts";
import type { Model, Pane } from "./model.ts";
import { closeBox } from "./modes/box.ts";
import { openPalette } from "./modes/palette.ts";
import { MODES } from "./modes/registry.ts";
import { scrollPane, scrolls } from "./pane_scroll.ts";
import { footerClick } from "./view/footer.ts";
import { tabSpans } from "./view/tabs.ts";

/** Rows that one turn of the wheel scrolls. */
const WHEEL_ROWS = 3;

/** The footer answers first, then the mode, then the panes; nothing does where the screen is too small to show them. */
export function mouse(model: Model, message: MouseMessage): Update {
  const hit = regionAt(model, message.x, message.y);
  if (hit?.id === "small") return [model, []];
  const isKey = hit?.id === "footer" && message.kind === "click";
  return (isKey ? onFooter(model, message.x) : null) ?? modeMouse(model, message) ?? onPanes(model, message, hit);
}

/** The topmost region under the pointer. */
function regionAt(model: Model, x: number, y: number): Region | undefined {
  return layout(model).findLast((r) => x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height);
}

/** A click on a key in the footer is that key; null beside them. */
function onFooter(model: Model, x: number): Update | null {
  const target = footerClick(model, model.columns, x);
  if (target === null) return null;
  return "key" in target ? key(model, target.key) : openPalette(model, target.palette);
}

/** The mode's answer to the mouse; null where the panes have it. */
function modeMouse(model: Model, message: MouseMessage): Update | null {
  const mode = MODES[model.mode];
  if (mode.mouse !== undefined) return mode.mouse(model, message);
  if (message.kind !== "click") return [model, []];
  return [mode.isBox === true ? closeBox(model) : { ...model, mode: "normal" }, []];
}

/** The wheel scrolls, a click selects and focuses, one more opens. */
function onPanes(model: Model, { kind, x, y }: MouseMessage, hit: Region | undefined): Update {
  if (hit === undefined) return [model, []];
  if (kind !== "click") return [wheel(model, hit.id, kind === "wheelup" ? -1 : 1), []];
  if (hit.id === "tabs") {
    const tab = tabSpans(model).find((span) => x >= span.x && x < span.x + span.width);
    return [tab ? { ...model, pane: tab.pane } : model, []];
  }
  const focused = reachablePanes(model).includes(hit.id as Pane) ? { ...model, pane: hit.id as Pane } : model;
  if (hit.id === "rings") return [clickRings(focused, hit, y - hit.y), []];
  if (hit.id !== "guests") return [focused, []];
  // A second click on a VM is Enter.
  const isChosen = guestAt(focused, y - hit.y) === model.selected && model.pane === "guests";
  if (isChosen && model.selected !== null) return key(focused, "enter");
  return [clickGuests(focused, hit, x - hit.x - 1, y - hit.y), []];
}

/** Over the rings the wheel selects a guest; what has more than fits it scrolls by three lines. */
function wheel(model: Model, id: string, by: 1 | -1): Model {
  if (id === "guests") return clampScroll({ ...model, scroll: model.scroll + WHEEL_ROWS * by });
  if (id === "rings") return select(model, by);
  return scrolls(id) ? scrollPane(model, id, WHEEL_ROWS * by) : model;
}
