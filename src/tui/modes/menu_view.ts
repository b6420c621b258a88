import { seconds } from "../format.ts";
import { fieldText } from "../field.ts";
import type { Region } from "../layout.ts";
import type { Model } from "../model.ts";
import { cut, left, paint, sanitize, wrap } from "../text.ts";
import { frame } from "../view/frame.ts";
import { entriesOf } from "./menu_entries.ts";
import { type Entry, type Field, GROUPS, outcomeOf, valuesOf } from "./menu_form.ts";

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
/** Column of a field's value in the box: frame, cursor, label, blank. */
export const VALUES_AT = 4 + LABEL + 1;

/** One line of the box above the words. */
export type Row =
  | { readonly kind: "group"; readonly name: string }
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "field"; readonly index: number; readonly field: Field }
  | { readonly kind: "do" }
  | { readonly kind: "text"; readonly text: string };

/** The entry under the cursor; one that is gone (a fault that is over) gives way to the first. */
export function chosenEntry(model: Model): Entry {
  const entries = entriesOf(model);
  return entries.find(({ id }) => id === model.menu.chosen) ?? entries[0];
}

/** As much of a field's value as a box of this width shows, its end. */
export function shownValue(value: string, width: number): string {
  return fieldText(sanitize(value), width - VALUES_AT - 7);
}

/** Choices that have the text in them. */
export function matching({ choices }: Field, text: string): readonly string[] {
  const wanted = text.toLowerCase();
  return choices.filter((choice) => choice.toLowerCase().includes(wanted));
}

/** As high as the list, whatever is shown, so that nothing jumps; header, notice and footer stay in sight. */
export function boxOf(model: Model): Region {
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
export function shownRows(model: Model, height: number): readonly Row[] {
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

export function menuView(model: Model, width: number, height: number): string[] {
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
  lines.push(ruler(model, height, width - 2), ...said.slice(0, WORDS).map((line) => ` ${line}`));
  return frame(lines, {
    title: menu.isOpen ? `Change the world: ${cut(sanitize(entry.title), 40)}` : "Change the world",
    note: paint("dim", `t ${seconds(model.nowPs, 6)} s`),
    width,
    height,
    focused: true,
  });
}

/** Above the words; says when the list goes on below it. */
function ruler(model: Model, height: number, width: number): string {
  const last = shownRows(model, height).at(-1);
  const end = listRows(model).at(-1);
  const isLast = model.menu.isOpen || last?.kind === "entry" && end?.kind === "entry" && last.entry.id === end.entry.id;
  const active = entriesOf(model).filter(({ group }) => group === "Active").length;
  const more = isLast ? "" : active > 0 ? ` more below, ${active} active: End ` : " more below ";
  return paint("frame", "─".repeat(width - more.length - 2)) + paint("dim", more) + paint("frame", "──");
}

function rowText(model: Model, row: Row, width: number): string {
  switch (row.kind) {
    case "group":
      return ` ${paint("heading", row.name)}${
        row.name === "Cluster" ? paint("dim", "  each change restarts all programs") : ""
      }`;
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
      const text = shownValue(value, width + 2);
      const marks = `${paint("key", "‹")} ${paint("title", text)}${cursor} ${paint("key", "›")}`;
      const line = `${isChosen ? " ▸ " : "   "}${left(field.label, LABEL)} ${marks}`;
      return left(`${line} ${paint("dim", sanitize(field.hint ?? ""))}`, width);
    }
    case "do":
      return `   ${paint("key", "[ Enter: do it ]")}`;
    case "text":
      return ` ${paint("dim", cut(sanitize(row.text), width - 2))}`;
  }
}
