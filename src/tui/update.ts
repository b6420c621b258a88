import type { Input } from "../cluster/input.ts";
import type { TourStep } from "../cluster/tour.ts";
import type { LiveSnapshot } from "../report/snapshot.ts";
import { copyText, type CopyWhat } from "./copy.ts";
import { clampScroll, clickGuests, clickRings, guestAt, keepInView, pageRows, select, sortBy } from "./guest_select.ts";
import { type Action, actionOf } from "./keymap.ts";
import { layout, reachablePanes } from "./layout.ts";
import { type Model, type Pane, SORT_COLUMNS, SPEEDS } from "./model.ts";
import { openBox } from "./modes/box.ts";
import { type ExportAbility, type ExportKind, openExport } from "./modes/export.ts";
import { withFilter } from "./modes/filter.ts";
import { openPalette } from "./modes/palette.ts";
import { MODES } from "./modes/registry.ts";
import { pageOf, scrollPane, scrolls } from "./pane_scroll.ts";
import { THEME_NAMES } from "./theme.ts";
import { goOn, pressed, tourOf, watchTour } from "./tour.ts";
import { footerClick } from "./view/footer.ts";
import { hintAfter } from "./view/hint.ts";
import { nextView } from "./view/pane_views.ts";
import { NO_TIME, type Order, timeAction, type TimeMessage, updateTime } from "./time.ts";
import { tabSpans } from "./view/tabs.ts";

export type MouseMessage = Readonly<
  { type: "mouse"; kind: "click" | "wheelup" | "wheeldown"; x: number; y: number }
>;

/** Everything that can happen to the dashboard. */
export type Message =
  | { type: "key"; key: string }
  | MouseMessage
  | { type: "resize"; columns: number; rows: number }
  | { type: "frame"; live: LiveSnapshot | null; nowPs: number; finished: boolean; pace: number }
  | {
    type: "opened";
    scenario: string;
    path: string | null;
    live: LiveSnapshot;
    nowPs: number;
    endPs: number;
    tour?: readonly TourStep[];
  }
  | TimeMessage
  | { type: "failed"; text: string }
  | { type: "notice"; level: "info" | "warn" | "error"; text: string }
  /** What can be exported, asked for by "export-look". */
  | { type: "export-ability"; ability: ExportAbility }
  /** What the program itself cost of late, as one line. */
  | { type: "timings"; text: string };

/** What the model asks the world to do; running, pausing and the speed follow from the model itself. */
export type Effect =
  | { type: "open"; scenario: string; path: string | null }
  | { type: "step" }
  | { type: "travel"; order: Order }
  | { type: "redraw" }
  | { type: "suspend" }
  /** Does something to the world of the run; why it cannot be done becomes a notice. */
  | { type: "apply"; input: Input }
  | { type: "copy"; text: string; what: CopyWhat }
  /** Whether the mouse is ours. */
  | { type: "mouse"; on: boolean }
  | { type: "export-look" }
  /** Writes a file; `screen` is the screen as text, `forPs` how long a recording looks on, picoseconds. */
  | { type: "export"; kind: ExportKind; forPs: number; screen: string }
  | { type: "quit"; code: number };

/** The new model, and what is to be done in the world, in this order. */
export type Update = readonly [model: Model, effects: readonly Effect[]];

/** The only place where the model changes. Pure: the same model and message give the same result. */
export function update(model: Model, message: Message): Update {
  switch (message.type) {
    case "key":
      return key(model, message.key);
    case "mouse":
      return onFooter(model, message) ?? modeMouse(model, message) ?? mouse(model, message);
    case "resize":
      return [keepInView({ ...model, columns: message.columns, rows: message.rows }), []];
    case "frame":
      return [frame(model, message), []];
    case "opened":
      return [opened(model, message), []];
    case "travelling":
    case "seen":
    case "arrived":
      return [clampScroll(updateTime(model, message)), []];
    case "failed":
      return [failed(model, message.text), []];
    case "notice":
      return [{ ...model, notice: { level: message.level, text: message.text } }, []];
    case "export-ability":
      return [{ ...model, exporting: { ...model.exporting, ability: message.ability } }, []];
    case "timings":
      return [model.timings === null ? model : { ...model, timings: message.text }, []];
  }
}

function frame(model: Model, message: Extract<Message, { type: "frame" }>): Model {
  const { nowPs, finished } = message;
  // The pace that a finished run had is worth keeping; that of the standstill after it is not.
  const pace = model.finished && finished ? model.pace : message.pace;
  const hint = hintAfter(model.hint, "frame");
  return watchTour(clampScroll({ ...model, live: message.live ?? model.live, nowPs, finished, pace, hint }));
}

/** Selection, sorting, speed and focus outlive the run: who compares two paths wants to see the same place. */
function opened(before: Model, message: Extract<Message, { type: "opened" }>): Model {
  const { scenario, path, live, nowPs, endPs } = message;
  const model = tourOf(before, scenario, message.tour);
  const names = live.snapshot.guests.map((guest) => guest.name);
  const kept = model.selected !== null && names.includes(model.selected);
  return watchTour(keepInView({
    ...model,
    scenario,
    path,
    tried: { scenario, path },
    live,
    nowPs,
    endPs,
    pace: 0,
    finished: false,
    running: true,
    notice: null,
    time: { ...NO_TIME, step: model.time.step },
    selected: kept ? model.selected : names[0] ?? null,
  }));
}

/** The old run goes on; the first line stays readable in the notice line after the box is closed. */
function failed(model: Model, text: string): Model {
  const lines = text.split("\n");
  return { ...model, mode: "message", message: lines, notice: { level: "error", text: lines[0] } };
}

/** Keys that work in every mode. */
const EVERYWHERE: readonly (Action | null)[] = ["interrupt", "redraw", "suspend"];

/** Keys that must work in every mode come first, then the mode's own, then the table. */
function key(before: Model, name: string): Update {
  const model = { ...before, hint: hintAfter(before.hint, "key") };
  const action = actionOf(name);
  if (action !== null && EVERYWHERE.includes(action)) return act(model, action, name);
  const answer = MODES[model.mode].key(model, name);
  if (answer !== null) return answer;
  const mode = model.mode === "message" ? "normal" : model.mode;
  return action === null ? [model, []] : pressed(act({ ...model, mode, notice: null }, action, name), name);
}

/** A click on a key in the footer is that key; null elsewhere. */
function onFooter(model: Model, { kind, x, y }: MouseMessage): Update | null {
  if (kind !== "click" || y !== model.rows - 1) return null;
  const target = footerClick(model, model.columns, x);
  if (target === null) return null;
  return "key" in target ? key(model, target.key) : [openPalette(model, target.palette), []];
}

/** The mode's answer to the mouse; null where the panes have it. */
function modeMouse(model: Model, message: MouseMessage): Update | null {
  const mode = MODES[model.mode];
  if (mode.mouse !== undefined) return mode.mouse(model, message);
  return [message.kind === "click" ? { ...model, mode: "normal" } : model, []];
}

/** What each action does; the compiler checks that none is missing. */
export function act(model: Model, action: Action, name: string): Update {
  const answer = timeAction(model, action);
  if (answer !== null) return answer;
  switch (action) {
    case "scenario-number":
      return openScenario(model, model.scenarios.find((item) => item.number === Number(name))?.name, name);
    case "scenario-next":
      return openScenario(model, neighbour(model.scenarios.map((item) => item.name), model.tried.scenario, 1));
    case "scenario-previous":
      return openScenario(model, neighbour(model.scenarios.map((item) => item.name), model.tried.scenario, -1));
    case "path-next":
      return openPath(model, 1);
    case "path-previous":
      return openPath(model, -1);
    case "restart":
      return [{ ...model, tried: { scenario: model.scenario, path: model.path } }, [
        { type: "open", scenario: model.scenario, path: model.path },
      ]];
    case "pause":
      if (model.finished) return over(model);
      return [{ ...model, running: !model.running }, []];
    case "step":
      return over(model);
    case "faster":
      return [{ ...model, speed: Math.min(model.speed + 1, SPEEDS.length - 1) }, []];
    case "slower":
      return [{ ...model, speed: Math.max(model.speed - 1, 0) }, []];
    case "select-up":
      return [move(model, -1, 0), []];
    case "select-down":
      return [move(model, 1, 0), []];
    case "select-page-up":
      return [move(model, 0, -1), []];
    case "select-page-down":
      return [move(model, 0, 1), []];
    case "select-first":
      return [move(model, -Infinity, 0), []];
    case "select-last":
      return [move(model, Infinity, 0), []];
    case "one-vm":
      return [model.selected === null ? model : { ...model, mode: "vm" }, []];
    case "sort-column":
      return [sortBy(model, neighbour(SORT_COLUMNS, model.sort.column, 1), false), []];
    case "sort-reverse":
      return [sortBy(model, model.sort.column, !model.sort.reversed), []];
    case "filter":
      return [{ ...withFilter(model, ""), mode: "filter" }, []];
    case "pane-next":
      return [{ ...model, pane: neighbour(reachablePanes(model), model.pane, 1) }, []];
    case "pane-previous":
      return [{ ...model, pane: neighbour(reachablePanes(model), model.pane, -1) }, []];
    case "zoom":
      return [keepInView({ ...model, zoomed: !model.zoomed }), []];
    case "view":
      return [nextView(model), []];
    case "theme": {
      const theme = neighbour(THEME_NAMES, model.theme, 1);
      const notice = { level: "info", text: `colours: ${theme}` } as const;
      return [{ ...model, theme, monochrome: theme === "monochrome", notice }, []];
    }
    case "help":
      return [{ ...openBox(model, "help"), helpPage: 0 }, []];
    case "palette":
      return [openPalette(model), []];
    case "export":
      return openExport(model);
    case "copy":
      return copyText(model, "pane");
    case "tour":
      return goOn(model);
    case "dismiss":
      if (model.tour?.shown && !model.tour.hidden && !model.zoomed && model.filter === "") {
        return [keepInView({ ...model, tour: { ...model.tour, hidden: true } }), []];
      }
      return [keepInView(withFilter({ ...model, zoomed: false }, "")), []];
    case "quit":
      return [model, [{ type: "quit", code: 0 }]];
    case "step-message":
    case "step-millisecond":
    case "back":
    case "seek":
    case "turns":
      return [model, []]; // answered by timeAction
    case "interrupt":
      return [model, [{ type: "quit", code: 130 }]];
    case "redraw":
      return [model, [{ type: "redraw" }]];
    case "suspend":
      return [model, [{ type: "suspend" }]];
  }
}

/** By lines and pages: scrolls the pane that has the focus if it is one that scrolls, selects a VM otherwise. */
function move(model: Model, lines: number, pages: number): Model {
  if (scrolls(model.pane)) return scrollPane(model, model.pane, lines + pages * pageOf(model, model.pane));
  return select(model, lines + pages * pageRows(model));
}

function over(model: Model): Update {
  return [{
    ...model,
    notice: { level: "info", text: "the run is over: r starts it again, ] opens the next scenario, b goes back" },
  }, []];
}

function openScenario(model: Model, scenario: string | undefined, typed?: string): Update {
  if (scenario === undefined) {
    return [{ ...model, notice: { level: "warn", text: `there is no scenario ${typed ?? ""}` } }, []];
  }
  // Each scenario starts on its own path: one chosen for the last scenario need not suit this one.
  return [{ ...model, tried: { scenario, path: null } }, [{ type: "open", scenario, path: null }]];
}

function openPath(model: Model, by: 1 | -1): Update {
  if (model.paths.length === 0) return [model, []];
  const tried = model.tried.scenario === model.scenario ? model.tried.path : null;
  const path = neighbour(model.paths, tried ?? model.live?.snapshot.scenario.path ?? "", by);
  return [{ ...model, tried: { scenario: model.scenario, path } }, [{ type: "open", scenario: model.scenario, path }]];
}

/** The element after (or before) `current`, round the ends; the first (or last) when it is not there. */
function neighbour<T>(list: readonly T[], current: T, by: 1 | -1): T {
  const index = list.indexOf(current);
  if (index < 0) return list[by === 1 ? 0 : list.length - 1];
  return list[(index + by + list.length) % list.length];
}

/** Rows that one turn of the wheel scrolls. */
const WHEEL_ROWS = 3;

/** The topmost region under the pointer answers: the wheel scrolls, a click selects and focuses, one more opens. */
function mouse(model: Model, { kind, x, y }: MouseMessage): Update {
  const hit = layout(model).findLast((r) => x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height);
  if (hit === undefined) return [model, []];
  if (kind !== "click") return [wheel(model, hit.id, kind === "wheelup" ? -1 : 1), []];
  if (hit.id === "tabs") {
    const tab = tabSpans(model).find((span) => x >= span.x && x < span.x + span.width);
    return [tab ? { ...model, pane: tab.pane } : model, []];
  }
  const focused = reachablePanes(model).includes(hit.id as Pane) ? { ...model, pane: hit.id as Pane } : model;
  if (hit.id === "rings") return [clickRings(focused, hit, y - hit.y), []];
  if (hit.id !== "guests") return [focused, []];
  // A second click on a VM is Enter.
  const isChosen = guestAt(focused, y - hit.y) === model.selected && model.pane === "guests";
  if (isChosen && model.selected !== null) return key(focused, "enter");
  return [clickGuests(focused, hit, x - hit.x - 1, y - hit.y), []];
}

/** Over the rings the wheel selects a guest; what has more than fits it scrolls by three lines. */
function wheel(model: Model, id: string, by: 1 | -1): Model {
  if (id === "guests") return clampScroll({ ...model, scroll: model.scroll + WHEEL_ROWS * by });
  if (id === "rings") return select(model, by);
  return scrolls(id) ? scrollPane(model, id, WHEEL_ROWS * by) : model;
}
