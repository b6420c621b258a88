import { fieldText, FULL, typedInto } from "../field.ts";
import { selectListed } from "../guest_select.ts";
import type { Model } from "../model.ts";
import { paint, sanitize, width as widthOf } from "../text.ts";
import type { Mode } from "./mode.ts";

/** In the text field every character is text; each changes the list at once. */
function typed(model: Model, name: string): Model {
  if (name === "enter") return { ...model, mode: "normal" };
  if (name === "escape") return withFilter({ ...model, mode: "normal" }, "");
  const next = typedInto(textOf(model), name);
  if (next === null) return model;
  return next === "full" ? { ...model, notice: FULL } : withFilter(model, next.text);
}

function textOf({ pane, eventFilter, filter }: Model): string {
  return pane === "events" ? eventFilter : filter;
}

/** Filters the pane that has the focus: the events, or else the guests. */
export function withFilter(model: Model, filter: string): Model {
  if (model.pane === "events") return { ...model, eventFilter: filter, eventEnd: null };
  return selectListed({ ...model, filter });
}

export const filter: Mode = {
  key: (model, key) => [typed(model, key), []],
  takesText: () => true,
  prompt(model, columns) {
    const start = ` ${paint("key", "filter")} ${model.pane === "events" ? "events " : ""}/`;
    const end = `  ${paint("dim", "Enter keep   Esc clear")}`;
    const text = fieldText(sanitize(textOf(model)), columns - widthOf(start) - 1 - widthOf(end));
    return `${start}${text}█${end}`;
  },
  views: {},
};
