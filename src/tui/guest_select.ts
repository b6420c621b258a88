import { listedGuests } from "./guest_list.ts";
import { layout, type Region } from "./layout.ts";
import type { Model } from "./model.ts";
import { tableColumns, visibleRows } from "./view/guests.ts";
import { ringRows } from "./view/rings.ts";

/* Which VM is selected, which rows of the guests pane are shown, and in which order. */

export function select(model: Model, by: number): Model {
  const names = listedGuests(model).map((row) => row.guest.name);
  if (names.length === 0) return model;
  const at = names.indexOf(model.selected ?? "");
  // From one that is not listed, down leads to the first, and up too.
  const index = Math.min(names.length - 1, Math.max(0, at + by));
  return keepInView({ ...model, selected: names[index] });
}

/** Selects the first listed VM in the place of one that is not. */
export function selectListed(model: Model): Model {
  const names = listedGuests(model).map((row) => row.guest.name);
  const isListed = names.length === 0 || names.includes(model.selected ?? "");
  return keepInView(isListed ? model : { ...model, selected: names[0] });
}

export function region(model: Model, id: Region["id"]): Region | undefined {
  return layout({ ...model, mode: "normal" }).find((candidate) => candidate.id === id);
}

export function pageRows(model: Model): number {
  return visibleRows(region(model, "guests")?.height ?? 10);
}

/** Scrolls as little as needed to have the selected VM on the screen. */
export function keepInView(model: Model): Model {
  const index = listedGuests(model).findIndex((row) => row.guest.name === model.selected);
  if (index < 0) return clampScroll(model);
  return clampScroll({ ...model, scroll: Math.min(Math.max(model.scroll, index - pageRows(model) + 1), index) });
}

/**
 * Leaves no empty rows at the end. New figures do only this: a view that followed the selected VM through a sorted
 * list would jump all the time.
 */
export function clampScroll(model: Model): Model {
  const scroll = Math.max(0, Math.min(model.scroll, listedGuests(model).length - pageRows(model)));
  return scroll === model.scroll ? model : { ...model, scroll };
}

export function sortBy(model: Model, column: Model["sort"]["column"], reversed: boolean): Model {
  return { ...model, sort: { column, reversed }, scroll: 0 };
}

/** A row of the rings pane selects its VM. */
export function clickRings(model: Model, { height }: Region, row: number): Model {
  const clicked = row >= 3 && row < height - 2 ? ringRows(model, height)[row - 3] : undefined;
  return clicked ? { ...model, selected: clicked.guest.name } : model;
}

/** A heading sorts (the same one again reverses), a row selects. */
export function clickGuests(model: Model, { width }: Region, x: number, row: number): Model {
  if (row === 1) {
    const column = tableColumns(model, width - 2).find((c) => x >= c.x && x <= c.x + c.width)?.sort;
    if (column === undefined) return model;
    const reversed = column === model.sort.column && !model.sort.reversed;
    return sortBy(model, column, reversed);
  }
  const clicked = guestAt(model, row);
  return clicked === undefined ? model : { ...model, selected: clicked };
}

/** Name of the VM in this line of the guests pane, the frame's line being 0; undefined where there is none. */
export function guestAt(model: Model, row: number): string | undefined {
  const height = region(model, "guests")?.height ?? 0;
  if (row < 2 || row >= 2 + visibleRows(height)) return undefined;
  return listedGuests(model)[model.scroll + row - 2]?.guest.name;
}
