import type { Model } from "../model.ts";
import type { MouseMessage, Update } from "../message.ts";
import { bodyBeneath, closeBox, openBox } from "./box.ts";
import { entriesOf } from "./menu_entries.ts";
import { type Entry, type Field, outcomeOf, valuesOf } from "./menu_form.ts";
import { CLOSED_MENU, type MenuState } from "./menu_state.ts";
import { FULL, typedInto } from "../field.ts";
import { width as widthOf } from "../text.ts";
import { boxOf, chosenEntry, matching, menuView, shownRows, shownValue, VALUES_AT } from "./menu_view.ts";
import type { Mode } from "./mode.ts";

/* The menu "change the world": a list of what can be done, and a form for each; what they look like is in menu_view.ts. */

/** Opens the list; what can be done is looked at in the run. */
export function openMenu(model: Model): Update {
  const menu: MenuState = { ...CLOSED_MENU, chosen: model.menu.chosen };
  return [{ ...openBox(model, "menu"), notice: null, menu }, [{ type: "menu-look" }]];
}

/** After a try: the menu is over, or says why it cannot be done. Elsewhere that is a notice, or a box where it is long. */
export function settled(model: Model, problem: string | null): Model {
  if (model.mode === "menu") return problem === null ? close(model) : put(model, { problem });
  if (problem === null) return model;
  const told: Model = { ...model, notice: { level: "warn", text: problem } };
  return widthOf(problem) + 1 > model.columns ? { ...openBox(told, "message"), message: problem.split("\n") } : told;
}

function close(model: Model): Model {
  return { ...closeBox(model), menu: { ...CLOSED_MENU, chosen: model.menu.chosen } };
}

function put(model: Model, change: Partial<MenuState>): Model {
  return { ...model, menu: { ...model.menu, ...change } };
}

function key(model: Model, name: string): Update {
  return checked(model, model.menu.isOpen ? formKey(model, name) : listKey(model, name));
}

/** Of a form that says something else now, the run is asked whether it would take it: the words promise nothing else. */
function checked({ menu: before }: Model, [model, effects]: Update): Update {
  const { isOpen, values } = model.menu;
  if (!isOpen || before.isOpen && values === before.values) return [model, effects];
  const outcome = outcomeOf(chosenEntry(model), values);
  if (!("input" in outcome) || outcome.input.kind !== "set") return [model, effects];
  return [model, [...effects, { type: "menu-check", input: outcome.input }]];
}

function listKey(model: Model, name: string): Update {
  switch (name) {
    case "up":
    case "k":
    case "S-tab":
      return [move(model, -1), []];
    case "down":
    case "j":
    case "tab":
      return [move(model, 1), []];
    case "pageup":
      return [move(model, -8), []];
    case "pagedown":
      return [move(model, 8), []];
    case "home":
      return [move(model, -Infinity), []];
    case "end":
      return [move(model, Infinity), []];
    case "enter":
    case "right":
      return [openForm(model, chosenEntry(model)), []];
    case "escape":
    case "f":
    case "q":
      return [close(model), []];
    default:
      return [model, []];
  }
}

function move(model: Model, by: number): Model {
  const ids = entriesOf(model).map(({ id }) => id);
  const at = ids.indexOf(chosenEntry(model).id);
  return put(model, { chosen: ids[Math.max(0, Math.min(ids.length - 1, at + by))] });
}

function openForm(model: Model, { id }: Entry): Model {
  return put(model, { chosen: id, isOpen: true, field: 0, values: {}, isFresh: true, problem: null });
}

function formKey(model: Model, name: string): Update {
  const entry = chosenEntry(model);
  const fields = entry.fields(valuesOf(entry, model.menu.values));
  const field = fields[model.menu.field];
  const { length } = fields;
  const goTo = (index: number): Update => [put(model, { field: Math.max(0, index), isFresh: true }), []];
  switch (name) {
    case "escape":
      return [put(model, { isOpen: false, problem: null }), []];
    case "enter":
      return perform(model, entry, field);
    case "up":
    case "S-tab":
      return goTo((model.menu.field - 1 + length) % Math.max(1, length));
    case "down":
    case "tab":
      return goTo((model.menu.field + 1) % Math.max(1, length));
    case "left":
      return [step(model, entry, field, -1), []];
    case "right":
      return [step(model, entry, field, 1), []];
    default:
      return [typed(model, entry, field, name), []];
  }
}

/** A word that is none of the choices becomes the first one that has it, and Enter is asked for again. */
function perform(model: Model, entry: Entry, field: Field | undefined): Update {
  if (field?.isStrict && model.menu.values[field.key] !== undefined) {
    const text = model.menu.values[field.key];
    const found = field.choices.includes(text) ? undefined : matching(field, text)[0];
    if (found !== undefined) return [change(model, entry, field, found, true), []];
  }
  const outcome = outcomeOf(entry, model.menu.values);
  if ("problem" in outcome) return [put(model, { problem: outcome.problem }), []];
  return [put(model, { problem: null }), [{ type: "apply", input: outcome.input }]];
}

/** The next choice; from a word that is none of them, the next one that has it. */
function step(model: Model, entry: Entry, field: Field | undefined, by: 1 | -1): Model {
  if (field === undefined || field.choices.length === 0) return model;
  const value = valuesOf(entry, model.menu.values)[field.key];
  const at = field.choices.indexOf(value);
  if (at < 0) return change(model, entry, field, matching(field, value)[0] ?? field.choices[0], true);
  return change(model, entry, field, field.choices[(at + by + field.choices.length) % field.choices.length], true);
}

function typed(model: Model, entry: Entry, field: Field | undefined, name: string): Model {
  if (field === undefined) return model;
  const before = valuesOf(entry, model.menu.values)[field.key];
  // A character begins a default anew; a blank does not begin a value.
  const isChar = name === "space" || [...name].length === 1;
  const next = typedInto(model.menu.isFresh && isChar ? "" : before, name);
  if (next === null) return model;
  if (next === "full") return { ...model, notice: FULL };
  return change(model, entry, field, next.text === " " ? "" : next.text, false);
}

function change(model: Model, entry: Entry, field: Field, value: string, isFresh: boolean): Model {
  const keys = entry.fields(valuesOf(entry, model.menu.values)).map((one) => one.key);
  // Fields behind one that leads have another default now.
  const kept = field.leads ? keys.slice(0, keys.indexOf(field.key)) : keys;
  const values = Object.fromEntries(Object.entries(model.menu.values).filter(([name]) => kept.includes(name)));
  return put(model, { values: { ...values, [field.key]: value }, isFresh, problem: null });
}

/** A click on an entry opens it, on a field chooses it, on its marks steps, on "do it" does it; the wheel moves. */
function mouse(model: Model, { kind, x, y }: MouseMessage): Update {
  const by = kind === "wheelup" ? -1 : 1;
  if (kind !== "click") {
    return model.menu.isOpen ? formKey(model, by < 0 ? "up" : "down") : [move(model, by), []];
  }
  const box = boxOf(model);
  const isInside = x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
  if (!isInside) return [close(model), []];
  const row = shownRows(model, box.height)[y - box.y - 1];
  switch (row?.kind) {
    case "entry":
      return [openForm(model, row.entry), []];
    case "do":
      return formKey(model, "enter");
    case "field": {
      const entry = chosenEntry(model);
      const at = put(model, { field: row.index, isFresh: true });
      const value = valuesOf(entry, model.menu.values)[row.field.key];
      const start = box.x + VALUES_AT;
      if (x === start) return [step(at, entry, row.field, -1), []];
      const end = start + 3 + widthOf(shownValue(value, box.width));
      return [x === end ? step(at, entry, row.field, 1) : at, []];
    }
    default:
      return [model, []];
  }
}

export const menu: Mode = {
  isBox: true,
  key,
  takesText: ({ menu }) => menu.isOpen,
  mouse: (model, message) => checked(model, mouse(model, message)),
  body: bodyBeneath,
  boxes: (model) => [boxOf(model)],
  views: { menu: menuView },
  keys: [
    { show: "up down", help: "choose", footer: "choose" },
    { show: "left right", help: "the value before, the next one", footer: "value" },
    { show: "0-9 a-z", help: "type a value", footer: "type" },
    { show: "Enter", help: "open it; do it", footer: "open, do it" },
    { show: "Esc", help: "back", footer: "back" },
  ],
};
