import { copyText, type CopyWhat } from "./copy.ts";
import { seconds } from "./format.ts";
import { isInstant, parseInstant } from "./instant.ts";
import { keepInView, sortBy } from "./guest_select.ts";
import { reachablePanes } from "./layout.ts";
import { type Model, type Pane, PANES, SORT_COLUMNS, speedName, SPEEDS } from "./model.ts";
import { beginExport, EXPORTS, FOR_MS } from "./modes/export.ts";
import { presentText } from "./modes/menu_settings.ts";
import { goTo } from "./modes/seek.ts";
import { paneHelp } from "./pane_help.ts";
import type { Update } from "./message.ts";

/** One way to go on after a command's name. */
export interface Completion {
  readonly value: string;
  readonly help: string;
  /** More is to be typed behind it: Enter puts it into the field instead of running it. */
  readonly isOpen?: boolean;
}

/**
 * A command of the palette that takes an argument; what takes none is an action of the key table, which the palette
 * lists by itself.
 */
export interface Command {
  readonly name: string;
  /** What the argument is, in a word. */
  readonly argument: string;
  readonly help: string;
  /** Of the single run or its panes: not offered while paths are compared. */
  readonly isOfOne?: boolean;
  /** What the argument can be; the palette searches these. */
  complete(model: Model): readonly Completion[];
  /** Whether an argument that is not among them can be run too; without it, none can. */
  accepts?(argument: string, model: Model): boolean;
  run(model: Model, argument: string): Update;
}

/** Commands by name, in the order of the list. */
export const COMMANDS: readonly Command[] = [
  {
    name: "open",
    argument: "scenario",
    help: "open a scenario",
    complete: ({ scenarios }) => scenarios.map(({ name, title }) => ({ value: name, help: title })),
    run: (model, scenario) => [{ ...model, tried: { scenario, path: null } }, [{ type: "open", scenario, path: null }]],
  },
  {
    name: "path",
    argument: "path",
    help: "run this scenario on another path",
    complete: ({ paths, scenario }) => paths.map((value) => ({ value, help: `${scenario} on ${value}` })),
    run: (model, path) => [
      { ...model, tried: { scenario: model.scenario, path } },
      [{ type: "open", scenario: model.scenario, path }],
    ],
  },
  {
    name: "pane",
    argument: "pane",
    help: "go to a pane",
    isOfOne: true,
    complete: () => PANES.map((value) => ({ value, help: `the pane ${paneHelp(value).title}` })),
    run: (model, pane) => [keepInView({ ...model, mode: "normal", ...paneShown(model, pane as Pane) }), []],
  },
  {
    name: "sort",
    argument: "column",
    help: "sort the guests by a column",
    isOfOne: true,
    complete: () => SORT_COLUMNS.map((value) => ({ value, help: `guests by ${value}` })),
    run: (model, column) => [sortBy(model, column as Model["sort"]["column"], false), []],
  },
  {
    name: "go",
    argument: "virtual time",
    help: "go to a virtual time, back or forward",
    isOfOne: true,
    complete: ({ nowPs }) =>
      ["start", "-1 s", "-10 ms", "+10 ms", "+1 s"].map((value) => ({
        value,
        help: `to ${seconds(parseInstant(value, nowPs), 6)} s`,
      })),
    accepts: (argument, { nowPs }) => isInstant(argument, nowPs),
    run: (model, time) => goTo(model, parseInstant(time, model.nowPs)),
  },
  {
    name: "speed",
    argument: "factor",
    help: "virtual time for each wall time",
    complete: () => SPEEDS.map((_, i) => ({ value: speedName(i), help: speedHelp(i) })),
    run: (model, name) => [{ ...model, speed: SPEEDS.findIndex((_, i) => speedName(i) === name) }, []],
  },
  {
    name: "set",
    argument: "key=value",
    help: "change the running cluster, as --set does: programs restart",
    complete: settings,
    accepts: (argument) => /^[^=]+=./.test(argument),
    run: (model, assignment) => [model, [{ type: "apply", input: { kind: "set", assignments: [assignment] } }]],
  },
  {
    name: "export",
    argument: "what",
    help: "write a file",
    complete: () =>
      EXPORTS.flatMap(({ kind, help, takesTime }) =>
        takesTime
          ? FOR_MS.map((ms) => ({ value: `${kind} ${ms} ms`, help: `${help}, the next ${ms} ms` }))
          : [{ value: kind, help }]
      ),
    run: (model, text) => {
      const [kind, ms] = text.split(" ");
      const found = EXPORTS.find((one) => one.kind === kind)!;
      return beginExport(model, found.kind, ms === undefined ? model.exporting.forMs : Number(ms));
    },
  },
  {
    name: "copy",
    argument: "what",
    help: "copy text to the clipboard",
    complete: () => [
      { value: "pane", help: "the pane with the focus, all of its rows" },
      { value: "row", help: "the row of the selected VM" },
      { value: "screen", help: "the whole screen" },
    ],
    run: (model, what) => copyText(model, what as CopyWhat),
  },
  {
    name: "mouse",
    argument: "on/off",
    help: "who has the mouse",
    complete: () => [
      { value: "off", help: "the terminal selects text with it" },
      { value: "on", help: "it selects, scrolls and focuses here" },
    ],
    run: (model, value) => mouse(model, value === "on"),
  },
  {
    name: "timings",
    argument: "on/off",
    help: "what drawing and the engine cost",
    complete: () => [
      { value: "on", help: "shown in the header: draw time, pictures a second, CPU shares" },
      { value: "off", help: "not shown" },
    ],
    run: (model, value) => [{ ...model, timings: value === "on" ? "measuring" : null }, []],
  },
];

/** A pane that this size has no place for is shown alone. */
function paneShown(model: Model, pane: Pane): Partial<Model> {
  return { pane, zoomed: model.zoomed || !reachablePanes(model).includes(pane) };
}

function speedHelp(index: number): string {
  const factor = SPEEDS[index];
  if (factor === Infinity) return "as fast as it goes";
  if (factor === 1) return "real time";
  return factor < 1 ? `slow motion, ${Math.round(1 / factor)} times slower` : `${factor} times faster than real time`;
}

/** What can be set of this run, each with its present value; whatever else a scenario says can be typed. */
function settings({ menu: { world } }: Model): Completion[] {
  return (world?.settings ?? []).flatMap((setting): Completion[] => {
    const { key, help, choices } = setting;
    const about = `now ${presentText(setting)}: ${help}`;
    if (choices === undefined) return [{ value: `${key}=`, help: about, isOpen: true }];
    return choices.map((choice) => ({ value: `${key}=${choice}`, help: about }));
  });
}

function mouse(model: Model, on: boolean): Update {
  const text = on
    ? "the mouse selects, scrolls and focuses; Shift-drag selects text in most terminals"
    : "the mouse is the terminal's: drag to select text; `:mouse on` takes it back";
  return [{ ...model, mouse: on, notice: { level: "info", text } }, [{ type: "mouse", on }]];
}
