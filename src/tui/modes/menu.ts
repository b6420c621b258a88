import { seconds } from "../format.ts";
import type { Region } from "../layout.ts";
import type { Model } from "../model.ts";
import { cut, left, paint, sanitize, wrap } from "../text.ts";
import type { MouseMessage, Update } from "../update.ts";
import { frame } from "../view/frame.ts";
import { entriesOf } from "./menu_entries.ts";
import { type Entry, type Field, GROUPS, outcomeOf, valuesOf } from "./menu_form.ts";
import { CLOSED_MENU, type MenuState } from "./menu_state.ts";
import type { Mode } from "./mode.ts";

/*
 * +- Change the world ---- t 1.284 s -+      +- Change the world: loss ---------+
 * | Links                             |      |  link     ‹ a-b ›                |
 * | ▸ loss      frames get lost       |  ->  |▸ frames   ‹ 1 % › of them        |  ->  done, and noted
 * |   cut       ...                   |      |  for      ‹ 20 ms › ...          |
 * | Hosts ...                         |      |  [ do it ]                       |
 * |                                   |      |                                  |
 * | what it will do, in words         |      | what it will do, or what is wrong|
 * +-----------------------------------+      +----------------------------------+
 */

const WIDTH = 78;
/** Frame, an empty line, and three for the words. */
const AROUND = 6;
const WORDS = 3;
const LABEL = 10;

/** One line of the box above the words. */
type Row =
  | { readonly kind: "group"; readonly name: string }
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "field"; readonly index: number; readonly field: Field }
  | { readonly kind: "do" }
  | { readonly kind: "text"; readonly text: string };

/** Opens the list; what can be done is looked at in the run. */
export function openMenu(model: Model): Update {
  const menu: MenuState = { ...CLOSED_MENU, chosen: model.menu.chosen };
  return [{ ...model, mode: "menu", notice: null, menu }, [{ type: "menu-look" }]];
}

/** After a try: the menu is over, or says why it cannot be done. Elsewhere that is a notice. */
export function settled(model: Model, problem: string | null): Model {
  if (model.mode !== "menu") {
    return problem === null ? model : { ...model, notice: { level: "warn", text: problem } };
  }
  return problem === null ? close(model) : put(model, { problem });
}

function close(model: Model): Model {
  return { ...model, mode: "normal", menu: { ...CLOSED_MENU, chosen: model.menu.chosen } };
}

function put(model: Model, change: Partial<MenuState>): Model {
  return { ...model, menu: { ...model.menu, ...change } };
}

/** The entry under the cursor; one that is gone (a fault that is over) gives way to the first. */
function chosenEntry(model: Model): Entry {
  const entries = entriesOf(model);
  return entries.find(({ id }) => id === model.menu.chosen) ?? entries[0];
}

function key(model: Model, name: string): Update {
  return model.menu.isOpen ? formKey(model, name) : listKey(model, name);
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

function matching({ choices }: Field, text: string): readonly string[] {
  const wanted = text.toLowerCase();
  return choices.filter((choice) => choice.toLowerCase().includes(wanted));
}

function typed(model: Model, entry: Entry, field: Field | undefined, name: string): Model {
  if (field === undefined) return model;
  const before = valuesOf(entry, model.menu.values)[field.key];
  if (name === "backspace") return change(model, entry, field, before.slice(0, -1), false);
  const char = name === "space" ? " " : [...name].length === 1 ? name : "";
  if (char === "" || before.length >= 40 && !model.menu.isFresh) return model;
  return change(model, entry, field, model.menu.isFresh ? char.trim() : before + char, false);
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
      const start = box.x + 4 + LABEL + 1;
      if (x === start) return [step(at, entry, row.field, -1), []];
      const end = start + 3 + [...value].length;
      return [x === end ? step(at, entry, row.field, 1) : at, []];
    }
    default:
      return [model, []];
  }
}

/** As high as the list, whatever is shown, so that nothing jumps; header, notice and footer stay in sight. */
function boxOf(model: Model): Region {
  const entries = entriesOf(model);
  const groups = GROUPS.filter((group) => entries.some((entry) => entry.group === group)).length;
  const width = Math.min(WIDTH, model.columns);
  const height = Math.max(AROUND + 2, Math.min(entries.length + groups + AROUND, model.rows - 4));
  return {
    ...{ id: "menu", width, height },
    x: Math.floor((model.columns - width) / 2),
    y: Math.max(0, Math.floor((model.rows - height) / 2)),
  };
}

/** The rows that there is room for, the cursor's among them. */
function shownRows(model: Model, height: number): readonly Row[] {
  const room = Math.max(1, height - AROUND);
  const rows = model.menu.isOpen ? formRows(model) : listRows(model);
  const at = rows.findIndex((row) => row.kind === "entry" && row.entry.id === chosenEntry(model).id);
  const first = Math.max(0, Math.min(rows.length - room, at - (room >> 1)));
  return rows.slice(first, first + room);
}

function listRows(model: Model): Row[] {
  const entries = entriesOf(model);
  return GROUPS.flatMap((name): Row[] => {
    const own = entries.filter(({ group }) => group === name);
    return own.length === 0 ? [] : [{ kind: "group", name }, ...own.map((entry): Row => ({ kind: "entry", entry }))];
  });
}

function formRows(model: Model): Row[] {
  const entry = chosenEntry(model);
  const values = valuesOf(entry, model.menu.values);
  const fields = entry.fields(values);
  const rows: Row[] = fields.map((field, index) => ({ kind: "field", index, field }));
  rows.push({ kind: "text", text: "" }, { kind: "do" }, { kind: "text", text: "" });
  const field = fields[model.menu.field];
  const found = field === undefined
    ? []
    : field.choices.includes(values[field.key])
    ? field.choices
    : matching(field, values[field.key]);
  if (found.length > 0) rows.push({ kind: "text", text: `${found.length} to choose from: ${found.join("  ")}` });
  return rows;
}

function view(model: Model, width: number, height: number): string[] {
  const { menu } = model;
  const entry = chosenEntry(model);
  const outcome = outcomeOf(entry, menu.isOpen ? menu.values : {});
  const rows = shownRows(model, height).map((row) => rowText(model, row, width - 2));
  const lines = Array.from({ length: height - AROUND }, (_, i) => rows[i] ?? "");
  const problem = menu.problem ?? ("problem" in outcome ? outcome.problem : null);
  const words = "words" in outcome ? outcome.words : "";
  const said = problem === null ? wrap(sanitize(words), width - 4) : [
    ...wrap(sanitize(`Cannot do that: ${problem}`), width - 4).map((line) => paint("error", line)),
  ];
  lines.push(paint("frame", "─".repeat(width - 2)), ...said.slice(0, WORDS).map((line) => ` ${line}`));
  return frame(lines, {
    title: menu.isOpen ? `Change the world: ${cut(sanitize(entry.title), 40)}` : "Change the world",
    note: paint("dim", `t ${seconds(model.nowPs, 6)} s`),
    width,
    height,
    focused: true,
  });
}

function rowText(model: Model, row: Row, width: number): string {
  switch (row.kind) {
    case "group":
      return ` ${paint("heading", row.name)}`;
    case "entry": {
      const isChosen = row.entry.id === chosenEntry(model).id;
      const title = left(sanitize(row.entry.title), row.entry.group === "Active" ? width - 26 : 22);
      const line = left(`${isChosen ? " ▸ " : "   "}${title} ${paint("dim", sanitize(row.entry.note))}`, width);
      return isChosen ? paint("select", line) : line;
    }
    case "field": {
      const { field, index } = row;
      const isChosen = index === model.menu.field;
      const value = valuesOf(chosenEntry(model), model.menu.values)[field.key];
      const cursor = isChosen && !model.menu.isFresh ? "█" : "";
      const marks = `${paint("key", "‹")} ${paint("title", sanitize(value))}${cursor} ${paint("key", "›")}`;
      const line = `${isChosen ? " ▸ " : "   "}${left(field.label, LABEL)} ${marks}`;
      return left(`${line} ${paint("dim", sanitize(field.hint ?? ""))}`, width);
    }
    case "do":
      return `   ${paint("key", "[ Enter: do it ]")}`;
    case "text":
      return ` ${paint("dim", cut(sanitize(row.text), width - 2))}`;
  }
}

export const menu: Mode = {
  key,
  mouse,
  boxes: (model) => [boxOf(model)],
  views: { menu: view },
  keys: [
    { show: "up down", help: "choose", footer: "choose" },
    { show: "left right", help: "the value before, the next one", footer: "value" },
    { show: "0-9 a-z", help: "type a value", footer: "type" },
    { show: "Enter", help: "open it; do it", footer: "open, do it" },
    { show: "Esc", help: "back", footer: "back" },
  ],
};
