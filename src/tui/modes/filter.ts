import { clampScroll } from "../guest_select.ts";
import type { Model } from "../model.ts";
import { paint, sanitize } from "../text.ts";
import type { Mode } from "./mode.ts";

/** In the text field every character is text; each changes the list at once. */
function typed(model: Model, name: string): Model {
  if (name === "enter") return { ...model, mode: "normal" };
  if (name === "escape") return clampScroll({ ...model, mode: "normal", filter: "" });
  let filter = model.filter;
  if (name === "backspace") filter = filter.slice(0, -1);
  else if (name === "space") filter += " ";
  else if ([...name].length === 1 && filter.length < 40) filter += name;
  return clampScroll({ ...model, filter });
}

export const filter: Mode = {
  key: (model, key) => [typed(model, key), []],
  prompt: (model) =>
    ` ${paint("key", "filter")} /${sanitize(model.filter)}█  ${paint("dim", "Enter keep   Esc clear")}`,
  views: {},
};
