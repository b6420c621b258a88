import { copyText } from "./copy.ts";
import { keepInView, pageRows, select, sortBy } from "./guest_select.ts";
import type { Action } from "./keymap.ts";
import { reachablePanes } from "./layout.ts";
import type { Update } from "./message.ts";
import { type Model, SORT_COLUMNS, SPEEDS } from "./model.ts";
import { openAnatomy } from "./modes/anatomy.ts";
import { openBox } from "./modes/box.ts";
import { closeCompare, openCompare } from "./modes/compare.ts";
import { openExport } from "./modes/export.ts";
import { withFilter } from "./modes/filter.ts";
import { openMenu } from "./modes/menu.ts";
import { openPalette } from "./modes/palette.ts";
import { pageOf, scrollPane, scrolls } from "./pane_scroll.ts";
import { THEME_NAMES } from "./theme.ts";
import { timeAction } from "./time.ts";
import { goOn } from "./tour.ts";
import { nextView } from "./view/pane_views.ts";

/** What the palette offers who asks for a tour where there is none: the scenarios that have one. */
const TOURS = "open tour-";

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
    case "change":
      return openMenu(model);
    case "faster":
      return [{ ...model, speed: Math.min(model.speed + 1, SPEEDS.length - 1) }, []];
    case "slower":
      return [{ ...model, speed: Math.max(model.speed - 1, 0) }, []];
    case "compare":
      return [model.compare.open ? closeCompare(model) : openCompare(model), []];
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
    case "anatomy":
      return openAnatomy(model);
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
      return model.tour === null ? [openPalette(model, TOURS), []] : goOn(model);
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
