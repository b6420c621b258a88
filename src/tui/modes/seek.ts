import { QuantityError } from "../../base/quantity.ts";
import type { InputRecord } from "../../cluster/input.ts";
import { span } from "../format.ts";
import { inputText } from "../../cluster/input_text.ts";
import { fieldText, FULL, typedInto } from "../field.ts";
import { isInstant, parseInstant } from "../instant.ts";
import type { Region } from "../layout.ts";
import type { Model } from "../model.ts";
import { left, paint, right, type Role, sanitize } from "../text.ts";
import type { MouseMessage, Update } from "../message.ts";
import { frame } from "../view/frame.ts";
import { bodyBeneath, closeBox, openBox } from "./box.ts";
import type { Mode } from "./mode.ts";
import { NO_SEEK } from "./seek_state.ts";

const WIDTH = 76;
const HEIGHT = 11;
/** Columns of the prompt beside what is typed. */
const HINT = 38;
/** Inputs that are told beside the timeline. */
const TOLD = 3;

/** The prompt, the arrow at the present instant. */
export function openSeek(model: Model): Model {
  return { ...openBox(model, "seek"), seek: { ...NO_SEEK, chosenPs: model.nowPs } };
}

/** The instant that Enter would go to; null while the text is none. */
function targetOf({ seek, nowPs }: Model): number | null {
  if (seek.chosenPs !== null) return seek.chosenPs;
  return isInstant(seek.text, nowPs) ? parseInstant(seek.text, nowPs) : null;
}

function key(model: Model, name: string): Update {
  const { seek } = model;
  switch (name) {
    case "escape":
      return [closeBox(model), []];
    case "enter":
      return enter(model);
    case "left":
      return [moved(model, -1), []];
    case "right":
      return [moved(model, 1), []];
    case "pageup":
      return [moved(model, -10), []];
    case "pagedown":
      return [moved(model, 10), []];
    case "home":
      return [chosen(model, 0), []];
    case "end":
      return [chosen(model, spanOf(model)), []];
    default: {
      const next = typedInto(seek.text, name);
      if (next === null) return [model, []];
      if (next === "full") return [{ ...model, notice: FULL }, []];
      return [{ ...model, seek: { text: next.text, chosenPs: null, problem: "" } }, []];
    }
  }
}

function enter(model: Model): Update {
  let atPs = model.seek.chosenPs;
  if (atPs === null) {
    try {
      atPs = parseInstant(model.seek.text, model.nowPs);
    } catch (error) {
      if (!(error instanceof QuantityError)) throw error;
      return [{ ...model, seek: { ...model.seek, problem: error.message } }, []];
    }
  }
  return goTo(model, atPs);
}

/** The run stands, and is taken there; who looked at one message wants to see that. */
export function goTo(model: Model, atPs: number): Update {
  const closed = model.mode === "seek" ? closeBox(model) : model;
  const mode = closed.mode === "anatomy" ? "normal" : closed.mode;
  return [{ ...closed, mode, running: false }, [{ type: "travel", order: { kind: "to", atPs } }]];
}

/** The arrow, so many columns of the timeline further. */
function moved(model: Model, columns: number): Model {
  const step = spanOf(model) / (plotWidth(model) - 1);
  const from = targetOf(model) ?? model.nowPs;
  // From column to column, so that the arrow does not drift from the marks.
  return chosen(model, Math.round((Math.round(from / step) + columns) * step));
}

function chosen(model: Model, ps: number): Model {
  const chosenPs = Math.min(spanOf(model), Math.max(0, ps));
  return { ...model, seek: { text: "", chosenPs, problem: "" } };
}

/** What the timeline shows: everything that a turn has come to. */
function spanOf({ nowPs, time }: Model): number {
  return Math.max(1, nowPs, ...time.turns.map(({ endPs }) => endPs));
}

function plotWidth(model: Model): number {
  return Math.min(WIDTH, model.columns) - 6;
}

function view(model: Model, width: number, height: number): string[] {
  const total = spanOf(model);
  const plot = width - 6;
  const target = targetOf(model);
  const column = (ps: number) => Math.round((Math.min(ps, total) / total) * (plot - 1));
  const cells = new Array<string>(plot).fill(paint("dim", "┄"));
  for (let c = 0; c <= column(model.nowPs); c++) cells[c] = paint("accent", "━");
  const mark = (ps: number, role: Role, char: string) => cells[column(ps)] = paint(role, char);
  const warmUp = warmUpOf(model);
  if (warmUp !== null) mark(warmUp, "dim", "w");
  const inputs = allInputs(model);
  for (const { atPs } of inputs) mark(atPs, "warn", "i");
  mark(model.nowPs, "title", "●");
  const arrow = target === null ? "" : arrowLine(model, target, column(target), plot);
  const legend = [`${paint("title", "●")} now`, `${paint("warn", "i")} done to the run`];
  if (warmUp !== null) legend.push(`${paint("dim", "w")} warm-up ends`);
  if (total > model.nowPs) legend.push(`${paint("dim", "┄")} seen before`);
  const told = near(inputs, target ?? model.nowPs);
  const lines = [
    `  ${left("start", plot - 12)}${right(span(total / 1000), 12)}`,
    `  ${cells.join("")}`,
    `  ${arrow}`,
    `  ${legend.join("   ")}`,
    "",
    ...told.map(({ atPs, input }) => `  ${right(span(atPs / 1000), 10)}  ${sanitize(inputText(input))}`),
  ];
  return frame(lines, { title: "Go to a virtual time", width, height, focused: true });
}

/** The arrow and, on the side where there is room, what going there means. */
function arrowLine({ nowPs, time }: Model, target: number, at: number, plot: number): string {
  const distance = target - nowPs;
  let text = span(target / 1000);
  if (distance !== 0) text += `, ${span(Math.abs(distance) / 1000)} ${distance < 0 ? "back" : "on"}`;
  if (distance < 0 && time.paceBack) text += `, takes about ${Math.ceil(target / 1e12 / time.paceBack)} s`;
  const tip = paint("key", "▲");
  if (at + 2 + text.length <= plot) return `${" ".repeat(at)}${tip} ${text}`;
  return `${" ".repeat(Math.max(0, at - text.length - 1))}${text} ${tip}`;
}

/** End of warm-up, as far as the figures tell. */
function warmUpOf({ live, finished }: Model): number | null {
  if (live === null || finished) return null;
  const { virtual_ns, measured_ns } = live.snapshot;
  return measured_ns < virtual_ns ? (virtual_ns - measured_ns) * 1000 : null;
}

/** What was done in this turn and in those before, each once. */
function allInputs({ time }: Model): InputRecord[] {
  const all = [...time.inputs, ...time.turns.flatMap(({ inputs }) => inputs)];
  const unique = new Map(all.map((record) => [JSON.stringify(record), record]));
  return [...unique.values()].sort((a, b) => a.events - b.events);
}

/** The inputs nearest to an instant, in order. */
function near(inputs: readonly InputRecord[], ps: number): InputRecord[] {
  const nearest = [...inputs].sort((a, b) => Math.abs(a.atPs - ps) - Math.abs(b.atPs - ps)).slice(0, TOLD);
  return nearest.sort((a, b) => a.events - b.events);
}

function box(model: Model): Region {
  const width = Math.min(WIDTH, model.columns);
  const height = Math.min(HEIGHT, model.rows - 4);
  return { id: "seek", x: Math.floor((model.columns - width) / 2), y: 2, width, height };
}

/** A click beside the box closes it; one inside moves the arrow below the pointer, and the wheel moves it on. */
function mouse(model: Model, { kind, x, y }: MouseMessage): Update {
  if (kind !== "click") return [moved(model, kind === "wheelup" ? -1 : 1), []];
  const region = box(model);
  const inside = x >= region.x && x < region.x + region.width && y >= region.y && y < region.y + region.height;
  if (!inside) return [closeBox(model), []];
  const column = x - region.x - 3;
  return [chosen(model, Math.round((column / (plotWidth(model) - 1)) * spanOf(model))), []];
}

export const seek: Mode = {
  isBox: true,
  key,
  takesText: () => true,
  mouse,
  body: bodyBeneath,
  boxes: (model) => [box(model)],
  prompt({ seek }, columns) {
    const hint = seek.problem === ""
      ? paint("dim", "1.5 s, -5 s, 250 ms, start")
      : paint("error", sanitize(seek.problem));
    return ` ${paint("key", "go to")} ${fieldText(sanitize(seek.text), Math.max(20, columns - HINT))}█  ${hint}`;
  },
  views: { seek: view },
  keys: [
    { show: "Enter", help: "go there", footer: "go" },
    { show: "left right", help: "an earlier, a later instant", footer: "choose" },
    { show: "PageUp PageDown", help: "ten columns further" },
    { show: "Home End", help: "the start, the end of what was seen", footer: "start, end" },
    { show: "Esc", help: "stay", footer: "stay" },
  ],
};
