import { copyText } from "./copy.ts";
import { listedGuests } from "./guest_list.ts";
import { keepInView, pageRows, select, sortBy } from "./guest_select.ts";
import type { Action } from "./keymap.ts";
import { reachablePanes } from "./layout.ts";
import type { Update } from "./message.ts";
import { type Model, SORT_COLUMNS, SPEEDS } from "./model.ts";
import { openAnatomy } from "./modes/anatomy.ts";
import { openBox } from "./modes/box.ts";
import { closeCompare, openCompare } from "./compare/changes.ts";
import { openExport } from "./modes/export.ts";
import { withFilter } from "./modes/filter.ts";
import { openMenu } from "./modes/menu.ts";
import { openPalette } from "./modes/palette.ts";
import { pageOf, scrollPane, scrolls } from "./pane_scroll.ts";
import { THEME_NAMES } from "./theme.ts";
import { givenUp, over, TIME } from "./time_actions.ts";
import { goOn } from "./tour.ts";
import { nextView } from "./view/pane_views.ts";

/** What the palette offers who asks for a tour where there is none: the scenarios that have one. */
const TOURS = "open tour-";

/** What an action does; `name` is the key that asked for it. */
type Act = (model: Model, name: string) => Update;

/** One that asks nothing of the world. */
const shows = (change: (model: Model) => Model): Act => (model) => [change(model), []];

const RUN = {
  "scenario-number": (model, name) =>
    openScenario(model, model.scenarios.find(({ number }) => number === Number(name))?.name, name),
  "scenario-next": (model) => openNeighbour(model, 1),
  "scenario-previous": (model) => openNeighbour(model, -1),
  "path-next": (model) => openPath(model, 1),
  "path-previous": (model) => openPath(model, -1),
  restart: (model) => {
    const { scenario, path } = model;
    return [{ ...model, tried: { scenario, path } }, [{ type: "open", scenario, path }]];
  },
  pause: (model) => model.finished ? over(model) : [{ ...model, running: !model.running }, []],
  change: openMenu,
  faster: shows((model) => ({ ...model, speed: Math.min(model.speed + 1, SPEEDS.length - 1) })),
  slower: shows((model) => ({ ...model, speed: Math.max(model.speed - 1, 0) })),
  compare: shows((model) => model.compare.open ? closeCompare(model) : openCompare(model)),
  tour: (model) => model.tour === null ? openPalette(model, TOURS) : goOn(model, model.tour),
} satisfies Partial<Record<Action, Act>>;

const GUESTS = {
  "select-up": shows((model) => move(model, -1, 0)),
  "select-down": shows((model) => move(model, 1, 0)),
  "select-page-up": shows((model) => move(model, 0, -1)),
  "select-page-down": shows((model) => move(model, 0, 1)),
  "select-first": shows((model) => move(model, -Infinity, 0)),
  "select-last": shows((model) => move(model, Infinity, 0)),
  "one-vm": shows((model) =>
    model.selected === null || listedGuests(model).length === 0 ? model : { ...model, mode: "vm" }
  ),
  "sort-column": shows((model) => sortBy(model, neighbour(SORT_COLUMNS, model.sort.column, 1), false)),
  "sort-reverse": shows((model) => sortBy(model, model.sort.column, !model.sort.reversed)),
  filter: shows((model) => ({ ...withFilter(model, ""), mode: "filter" })),
} satisfies Partial<Record<Action, Act>>;

const SCREEN = {
  "pane-next": shows((model) => ({ ...model, pane: neighbour(reachablePanes(model), model.pane, 1) })),
  "pane-previous": shows((model) => ({ ...model, pane: neighbour(reachablePanes(model), model.pane, -1) })),
  zoom: shows((model) => keepInView({ ...model, zoomed: !model.zoomed })),
  anatomy: openAnatomy,
  view: shows(nextView),
  theme: shows(nextTheme),
  help: shows((model) => ({ ...openBox(model, "help"), helpPage: 0 })),
  palette: (model) => openPalette(model),
  export: openExport,
  copy: (model) => copyText(model, "pane"),
  dismiss: shows(putAway),
  redraw: (model) => [model, [{ type: "redraw" }]],
  suspend: (model) => [model, [{ type: "suspend" }]],
  quit: (model) => [model, [{ type: "quit", code: 0 }]],
  interrupt: (model) => [model, [{ type: "quit", code: 130 }]],
} satisfies Partial<Record<Action, Act>>;

/** The compiler checks that none is missing. */
const ACTS: Readonly<Record<Action, Act>> = { ...RUN, ...GUESTS, ...SCREEN, ...TIME };

/** Does what a key asks for; `name` is the key. */
export function act(model: Model, action: Action, name: string): Update {
  return givenUp(model, action) ?? ACTS[action](model, name);
}

/** By lines and pages: scrolls the pane that has the focus if it is one that scrolls, selects a VM otherwise. */
function move(model: Model, lines: number, pages: number): Model {
  if (scrolls(model.pane)) return scrollPane(model, model.pane, lines + pages * pageOf(model, model.pane));
  return select(model, lines + pages * pageRows(model));
}

function nextTheme(model: Model): Model {
  const theme = neighbour(THEME_NAMES, model.theme, 1);
  return { ...model, theme, monochrome: theme === "monochrome", notice: { level: "info", text: `colours: ${theme}` } };
}

/** Zoom and filter; where there is neither, the caption of a tour. */
function putAway(model: Model): Model {
  const { tour } = model;
  if (tour?.shown && !tour.hidden && !model.zoomed && model.filter === "") {
    return keepInView({ ...model, tour: { ...tour, hidden: true } });
  }
  return keepInView(withFilter({ ...model, zoomed: false }, ""));
}

function openNeighbour(model: Model, by: 1 | -1): Update {
  return openScenario(model, neighbour(model.scenarios.map(({ name }) => name), model.tried.scenario, by));
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
