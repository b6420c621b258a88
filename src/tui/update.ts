import type { TourStep } from "../cluster/tour.ts";
import type { LiveSnapshot } from "../report/snapshot.ts";
import { clampScroll, clickGuests, clickRings, keepInView, pageRows, select, sortBy } from "./guest_select.ts";
import { type Action, actionOf } from "./keymap.ts";
import { layout, reachablePanes } from "./layout.ts";
import { type Model, type Pane, SORT_COLUMNS, SPEEDS } from "./model.ts";
import { withFilter } from "./modes/filter.ts";
import { MODES } from "./modes/registry.ts";
import { THEME_NAMES } from "./theme.ts";
import { nextView } from "./view/pane_views.ts";
import { goOn, pressed, tourOf, watchTour } from "./tour.ts";
import { pageOf, scrollPane, scrolls } from "./pane_scroll.ts";
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
  | { type: "failed"; text: string }
  | { type: "notice"; level: "info" | "warn" | "error"; text: string };

/** What the model asks the world to do; running, pausing and the speed follow from the model itself. */
export type Effect =
  | { type: "open"; scenario: string; path: string | null }
  | { type: "step" }
  | { type: "redraw" }
  | { type: "suspend" }
  | { type: "quit"; code: number };

/** The new model, and what is to be done in the world, in this order. */
export type Update = readonly [model: Model, effects: readonly Effect[]];

/** The only place where the model changes. Pure: the same model and message give the same result. */
export function update(model: Model, message: Message): Update {
  switch (message.type) {
    case "key":
      return key(model, message.key);
    case "mouse":
      return modeMouse(model, message) ?? mouse(model, message);
    case "resize":
      return [keepInView({ ...model, columns: message.columns, rows: message.rows }), []];
    case "frame":
      return [frame(model, message), []];
    case "opened":
      return [opened(model, message), []];
    case "failed":
      return [failed(model, message.text), []];
    case "notice":
      return [{ ...model, notice: { level: message.level, text: message.text } }, []];
  }
}

function frame(model: Model, message: Extract<Message, { type: "frame" }>): Model {
  const { nowPs, finished } = message;
  // The pace that a finished run had is worth keeping; that of the standstill after it is not.
  const pace = model.finished && finished ? model.pace : message.pace;
  return watchTour(clampScroll({ ...model, live: message.live ?? model.live, nowPs, finished, pace }));
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
    selected: kept ? model.selected : names[0] ?? null,
  }));
}

/** The old run goes on; the first line stays readable in the notice line after the box is closed. */
function failed(model: Model, text: string): Model {
  const lines = text.split("\n");
  return { ...model, mode: "message", message: lines, notice: { level: "error", text: lines[0] } };
}

/** Keys that must work in every mode come first, then the mode's own, then the table. */
function key(model: Model, name: string): Update {
  const action = actionOf(name);
  if (action === "interrupt") return [model, [{ type: "quit", code: 130 }]];
  if (action === "redraw") return [model, [{ type: "redraw" }]];
  if (action === "suspend") return [model, [{ type: "suspend" }]];
  const answer = MODES[model.mode].key(model, name);
  if (answer !== null) return answer;
  const before: Model = { ...model, mode: model.mode === "message" ? "normal" : model.mode, notice: null };
  return action === null ? [model, []] : pressed(act(before, action, name), name);
}

/** The mode's answer to the mouse; null where the panes have it. */
function modeMouse(model: Model, message: MouseMessage): Update | null {
  const mode = MODES[model.mode];
  if (mode.mouse !== undefined) return mode.mouse(model, message);
  return [message.kind === "click" ? { ...model, mode: "normal" } : model, []];
}

/** What each action does; the compiler checks that none is missing. */
function act(model: Model, action: Action, name: string): Update {
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
      if (model.finished) return over(model);
      return [{ ...model, running: false }, [{ type: "step" }]];
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
    case "open-vm":
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
      return [{ ...model, mode: "help" }, []];
    case "tour":
      return goOn(model);
    case "dismiss":
      if (model.tour?.shown && !model.tour.hidden && !model.zoomed && model.filter === "") {
        return [keepInView({ ...model, tour: { ...model.tour, hidden: true } }), []];
      }
      return [keepInView(withFilter({ ...model, zoomed: false }, "")), []];
    case "quit":
      return [model, [{ type: "quit", code: 0 }]];
    case "interrupt":
    case "redraw":
    case "suspend":
      return [model, []]; // answered in every mode, before this table
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
    notice: { level: "info", text: "the run is over: r starts it again, ] opens the next scenario" },
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

/** The topmost region under the pointer answers: the wheel moves the selection, a click also focuses. */
function mouse(model: Model, { kind, x, y }: MouseMessage): Update {
  const hit = layout(model).findLast((r) => x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height);
  if (hit === undefined) return [model, []];
  if (kind !== "click") return [wheel(model, hit.id, kind === "wheelup" ? -1 : 1), []];
  if (hit.id === "tabs") {
    const tab = tabSpans(model).find((span) => x >= span.x && x < span.x + span.width);
    return [tab ? { ...model, pane: tab.pane } : model, []];
  }
  const focused = reachablePanes(model).includes(hit.id as Pane) ? { ...model, pane: hit.id as Pane } : model;
  if (hit.id === "guests") return [clickGuests(focused, hit, x - hit.x - 1, y - hit.y), []];
  return [hit.id === "rings" ? clickRings(focused, hit, y - hit.y) : focused, []];
}

/** Over the guests and their rings the wheel selects; what has more than fits it scrolls by three lines. */
function wheel(model: Model, id: string, by: 1 | -1): Model {
  if (id === "guests" || id === "rings") return select(model, by);
  return scrolls(id) ? scrollPane(model, id, 3 * by) : model;
}
