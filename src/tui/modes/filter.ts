import { selectListed } from "../guest_select.ts";
import type { Model } from "../model.ts";
import { paint, sanitize, shortened } from "../text.ts";
import type { Mode } from "./mode.ts";

/** In the text field every character is text; each changes the list at once. */
function typed(model: Model, name: string): Model {
  if (name === "enter") return { ...model, mode: "normal" };
  if (name === "escape") return withFilter({ ...model, mode: "normal" }, "");
  let filter = model.pane === "events" ? model.eventFilter : model.filter;
  const shorter = shortened(filter, name);
  if (shorter !== null) filter = shorter;
  else if (name === "space") filter += " ";
  else if ([...name].length === 1 && filter.length < 40) filter += name;
  return withFilter(model, filter);
}

/** Filters the pane that has the focus: the events, or else the guests. */
export function withFilter(model: Model, filter: string): Model {
  if (model.pane === "events") return { ...model, eventFilter: filter, eventEnd: null };
  return selectListed({ ...model, filter });
}

export const filter: Mode = {
  key: (model, key) => [typed(model, key), []],
  takesText: () => true,
  prompt: (model) =>
    ` ${paint("key", "filter")} ${model.pane === "events" ? "events " : ""}/${
      sanitize(model.pane === "events" ? model.eventFilter : model.filter)
    }█  ${paint("dim", "Enter keep   Esc clear")}`,
  views: {},
};
