import { didYouMean } from "../../base/suggest.ts";
import { type Command, COMMANDS } from "../commands.ts";
import { fieldText, FULL, typedInto } from "../field.ts";
import { type KeyBinding, KEYS } from "../keymap.ts";
import type { Region } from "../layout.ts";
import type { Model } from "../model.ts";
import { rank } from "../rank.ts";
import { left, paint, right, sanitize } from "../text.ts";
import { act } from "../actions.ts";
import type { MouseMessage, Update } from "../message.ts";
import { frame } from "../view/frame.ts";
import { bodyBeneath, closeBox, openBox } from "./box.ts";
import type { Mode } from "./mode.ts";
import { isOfTable } from "./own_keys.ts";
import { MODES } from "./registry.ts";

export interface PaletteState {
  readonly text: string;
  /** Index into what is found. */
  readonly chosen: number;
  /** What was run, the latest last, without repetitions. */
  readonly history: readonly string[];
  /** How far back in the history the text comes from; 0: it was typed. */
  readonly recalled: number;
}

/** A line of the palette. */
export interface Entry {
  readonly title: string;
  readonly help: string;
  /** Its key, if it has one. */
  readonly show: string;
  /** What it does, from the model without the palette; null: more is to be typed behind `title`. */
  readonly run: ((model: Model) => Update) | null;
}

const ROWS = 14;
const WIDTH = 90;
const TITLE = 30;
const SHOW = 9;
const HISTORY = 50;
/** Values that a message names. */
const FEW = 8;

/** Actions that make no sense by name: a number is typed as a scenario, and the palette is open. */
const LEFT_OUT: readonly string[] = ["scenario-number", "palette"];

/** Actions that the comparison has too, with all runs. */
const OF_COMPARE: readonly string[] = ["compare", "restart", "step-millisecond"];

/** Opens the palette, with a beginning if there is one; what can be set is looked at in the run. */
export function openPalette(model: Model, text = ""): Update {
  const palette = { ...model.palette, text, chosen: 0, recalled: 0 };
  return [{ ...openBox(model, "palette"), palette }, [{ type: "menu-look" }]];
}

/** What can be chosen now, the best first. */
export function found(model: Model): Entry[] {
  const { text } = model.palette;
  const commands = model.compare.open ? COMMANDS.filter(({ isOfOne }) => isOfOne !== true) : COMMANDS;
  if (text.trim() === "") return [...actions(model), ...commands.map(headOf)];
  const space = text.indexOf(" ");
  const command = commands.find(({ name }) => name === text.slice(0, space));
  if (command === undefined) {
    return rank(text, [
      ...actions(model),
      ...commands.map(headOf),
      ...commands.flatMap((one) => valuesOf(model, one, false)),
    ]);
  }
  const typed = text.slice(space + 1).trim();
  const values = rank(typed, valuesOf(model, command, true));
  const isListed = values.some(({ title }) => title === `${command.name} ${typed}`);
  const own = !isListed && command.accepts?.(typed, model) === true ? [entryOf(command, typed, command.help)] : [];
  // There is an action "path next" beside the command "path".
  const others = rank(text, actions(model));
  const isNamed = others[0]?.title === text.trim();
  return [...(isNamed ? others.splice(0, 1) : []), ...own, ...values, ...others];
}

/** Every action of the key table, whoever put it there; while paths are compared, those that mean something then. */
function actions(model: Model): Entry[] {
  const means = (binding: KeyBinding) =>
    !model.compare.open || OF_COMPARE.includes(binding.action) || isOfTable(model, "compare", binding);
  return KEYS.filter((binding) => !LEFT_OUT.includes(binding.action) && means(binding)).map((
    { action, keys, show, help }: KeyBinding,
  ) => ({
    title: action.replaceAll("-", " "),
    help,
    show,
    run: (model) => (model.compare.open ? ofCompare(model, keys[0]) : null) ?? act(model, action, keys[0]),
  }));
}

/** What the comparison does with a key of its own; null where it leaves it to the table. */
function ofCompare(model: Model, key: string): Update | null {
  return MODES.compare.key({ ...model, mode: "compare" }, key);
}

function headOf({ name, argument, help }: Command): Entry {
  return { title: name, help: `${help}: ${argument}`, show: "", run: null };
}

/** After the command's name only the argument is searched. */
function valuesOf(model: Model, command: Command, isNamed: boolean): Entry[] {
  return command.complete(model).map(({ value, help, isOpen }) => {
    const entry = entryOf(command, value, help);
    return isOpen === true ? { ...entry, run: null } : entry;
  }).filter(({ run }) => isNamed || run !== null);
}

function entryOf(command: Command, argument: string, help: string): Entry {
  return { title: `${command.name} ${argument}`, help, show: "", run: (model) => command.run(model, argument) };
}

function edit(model: Model, change: Partial<PaletteState>): Update {
  return [{ ...model, palette: { ...model.palette, chosen: 0, recalled: 0, ...change } }, []];
}

function key(model: Model, name: string): Update {
  const { chosen } = model.palette;
  const entries = found(model);
  switch (name) {
    case "escape":
      return [closeBox(model), []];
    case "up":
      return chosen > 0 ? choose(model, chosen - 1) : recall(model, 1);
    case "down":
      return model.palette.recalled > 0 && chosen === 0
        ? recall(model, -1)
        : choose(model, Math.min(entries.length - 1, chosen + 1));
    case "pagedown":
      return choose(model, Math.min(entries.length - 1, chosen + ROWS));
    case "pageup":
      return choose(model, Math.max(0, chosen - ROWS));
    case "tab":
      return entries.length === 0 ? [model, []] : edit(model, { text: completed(entries[chosen]) });
    case "enter":
      return enter(model, entries[chosen]);
    default:
      return typed(model, name);
  }
}

function typed(model: Model, name: string): Update {
  const { text } = model.palette;
  if (text === "" && name === "backspace") return [closeBox(model), []];
  const next = typedInto(text, name);
  if (next === null) return [model, []];
  return next === "full" ? [{ ...model, notice: FULL }, []] : edit(model, next);
}

function choose(model: Model, chosen: number): Update {
  return [{ ...model, palette: { ...model.palette, chosen: Math.max(0, chosen) } }, []];
}

/** The text that was run before (1) or after (-1) the one that is shown. */
function recall(model: Model, by: 1 | -1): Update {
  const { history, recalled } = model.palette;
  const next = Math.max(0, Math.min(history.length, recalled + by));
  return edit(model, { recalled: next, text: next === 0 ? "" : history[history.length - next] });
}

/** Text from which more can be typed. */
function completed({ title, run }: Entry): string {
  return run === null && !title.endsWith("=") ? `${title} ` : title;
}

function enter(model: Model, entry: Entry | undefined): Update {
  const { text, history } = model.palette;
  if (entry === undefined) {
    // Kept to be mended: arrow up has it again.
    const kept = remembered(history, text.trim());
    return [{
      ...closeBox(model),
      palette: { ...model.palette, text: "", history: kept },
      notice: { level: "warn", text: unknown(model, text.trim()) },
    }, []];
  }
  if (entry.run === null) return edit(model, { text: completed(entry) });
  const kept = remembered(history, entry.title);
  return entry.run({ ...closeBox(model), palette: { text: "", chosen: 0, history: kept, recalled: 0 }, notice: null });
}

function remembered(history: readonly string[], text: string): string[] {
  return [...history.filter((other) => other !== text), text].slice(-HISTORY);
}

/** What is wrong with a text that finds nothing: the argument, where the command is known. */
function unknown(model: Model, text: string): string {
  const [name, ...words] = text.split(" ");
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined || words.length === 0) {
    const names = [...actions(model).map(({ title }) => title), ...COMMANDS.map((one) => one.name)];
    return `nothing is called "${text}"${didYouMean(text, names)}; ? lists the keys`;
  }
  const argument = words.join(" ");
  const values = command.complete(model).map(({ value }) => value);
  const few = values.length <= FEW ? values : [...values.slice(0, FEW), "..."];
  return `${name}: found "${argument}"${didYouMean(argument, values)}, wanted a ${command.argument}: ${few.join(", ")}`;
}

/** Above the prompt, so that eyes need not wander. */
function boxOf(model: Model, count: number): Region {
  const width = Math.min(WIDTH, model.columns);
  const height = Math.min(Math.max(1, Math.min(ROWS, count)) + 2, model.rows - 4);
  return { id: "palette", x: 0, y: model.rows - 2 - height, width, height };
}

/** First entry that is shown: the chosen one is always among them. */
function firstShown(chosen: number, room: number): number {
  return Math.max(0, chosen - room + 1);
}

function view(model: Model, width: number, height: number): string[] {
  const entries = found(model);
  const { chosen } = model.palette;
  const first = firstShown(chosen, height - 2);
  const inner = width - 2;
  const wide = inner - TITLE - SHOW - 3;
  const lines = entries.slice(first, first + height - 2).map((entry, i) => {
    const { title, help, show } = entry;
    const mark = first + i === chosen ? "▸" : " ";
    const name = left(sanitize(title) + (entry.run === null && !title.endsWith("=") ? " …" : ""), TITLE);
    const line = `${mark}${name} ${left(paint("dim", sanitize(help)), Math.max(0, wide))} ${
      right(paint("key", show), SHOW)
    }`;
    return first + i === chosen ? paint("select", left(line, inner)) : line;
  });
  if (lines.length === 0) lines.push(paint("dim", " nothing is called so"));
  return frame(lines, { title: "Commands", note: paint("dim", `${entries.length}`), width, height, focused: true });
}

function mouse(model: Model, { kind, x, y }: MouseMessage): Update {
  if (kind !== "click") {
    const by = kind === "wheelup" ? -1 : 1;
    return choose(model, Math.min(found(model).length - 1, model.palette.chosen + by));
  }
  const entries = found(model);
  const box = boxOf(model, entries.length);
  if (x < box.x || x >= box.x + box.width || y < box.y || y >= box.y + box.height) return [closeBox(model), []];
  const row = y - box.y - 1;
  const entry = entries[firstShown(model.palette.chosen, box.height - 2) + row];
  return row >= 0 && row < box.height - 2 && entry !== undefined ? enter(model, entry) : [model, []];
}

export const palette: Mode = {
  isBox: true,
  key,
  takesText: () => true,
  mouse,
  body: bodyBeneath,
  boxes: (model) => [boxOf(model, found(model).length)],
  prompt: ({ palette: { text } }, columns) => ` ${paint("key", ":")}${fieldText(sanitize(text), columns - 3)}█`,
  views: { palette: view },
  keys: [
    { show: "Enter", help: "run it", footer: "run" },
    { show: "Tab", help: "complete", footer: "complete" },
    { show: "up down", help: "choose; up from the first: what was run before", footer: "choose, history" },
    { show: "Esc", help: "close", footer: "close" },
  ],
};
