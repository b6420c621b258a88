import type { AnatomyClass } from "../../report/anatomy.ts";
import { ask, change, choose, goTo, otherPath, play, setSpeed, showRows, tick } from "../anatomy/moves.ts";
import { isFolded } from "../anatomy/rows.ts";
import { hashesOf, positionOf } from "../anatomy/state.ts";
import { centred, type Region } from "../layout.ts";
import type { Model } from "../model.ts";
import { sanitize } from "../text.ts";
import type { MouseMessage, Update } from "../message.ts";
import { detailBox, detailLines, detailPane } from "../view/anatomy_detail.ts";
import { diagram, strip } from "../view/anatomy_diagram.ts";
import { listTop, steps } from "../view/anatomy_list.ts";
import type { Mode, ModeKey } from "./mode.ts";

/** What a recording has to tell the screen. */
export type AnatomyMessage =
  | { readonly type: "anatomy-class"; readonly asked: number; readonly made: AnatomyClass }
  | { readonly type: "anatomy-complete"; readonly asked: number }
  | { readonly type: "anatomy-failed"; readonly asked: number; readonly text: string };

/** Asks the world for a recording. */
export interface AnatomyEffect {
  readonly type: "anatomy";
  readonly asked: number;
  readonly scenario: string;
  readonly path: string;
}

const PAGE = 10;
/** Keys of the dashboard as a whole that keep their meaning. */
const SHARED = ["q", "?", ":", "T", "e", "y"];

const KEYS: readonly ModeKey[] = [
  { show: "→ .", help: "next step", footer: "step" },
  { show: "Esc a", help: "back to the panes", footer: "back" },
  { show: "← ,", help: "step before" },
  { show: "space", help: "play slowly, and stop", footer: "play" },
  { show: "+ -", help: "play faster, slower", footer: "speed" },
  { show: "n N", help: "next class of message, the one before (Tab)", footer: "class" },
  { show: "p P", help: "next path, the one before", footer: "path" },
  { show: "x", help: "every step by itself, or those of one sort as one", footer: "fold" },
  { show: "w", help: "only the message's own way", footer: "way" },
  { show: "Enter", help: "all of the step", footer: "details" },
  { show: "Home End", help: "first and last step" },
  { show: "?", help: "help", footer: "help" },
  { show: "q", help: "quit", footer: "quit" },
];

/** Opens the screen for the run's scenario and path; what has been recorded of them is still good. */
export function openAnatomy(model: Model): Update {
  const path = model.live?.snapshot.scenario.path ?? model.path ?? model.paths[0];
  const { anatomy, scenario } = model;
  const isSame = anatomy.scenario === scenario && anatomy.path === path && anatomy.hashes === hashesOf(model);
  const isKept = isSame && anatomy.failure === null;
  if (isKept && anatomy.classes.length > 0) return [{ ...model, mode: "anatomy" }, []];
  return ask({ ...model, mode: "anatomy" }, path);
}

export function anatomyMessage(model: Model, message: AnatomyMessage): Model {
  const { anatomy } = model;
  if (message.asked !== anatomy.asked) return model;
  switch (message.type) {
    case "anatomy-class":
      return { ...model, anatomy: { ...anatomy, classes: [...anatomy.classes, message.made] } };
    case "anatomy-complete":
      return { ...model, anatomy: { ...anatomy, isComplete: true } };
    case "anatomy-failed":
      return { ...model, anatomy: { ...anatomy, failure: message.text, isComplete: true } };
  }
}

// ---- keys and the mouse

function leave(model: Model): Update {
  return [{ ...model, mode: "normal", anatomy: { ...model.anatomy, playing: false, details: false } }, []];
}

function scrollBy(model: Model, by: number): Update {
  const position = positionOf(model);
  const last = position === null ? 0 : Math.max(0, detailLines(position, boxWidth(model) - 4).length - 1);
  return change(model, { scroll: Math.max(0, Math.min(model.anatomy.scroll + by, last)) });
}

function key(model: Model, name: string): Update | null {
  const { details, unfolded, wayOnly } = model.anatomy;
  switch (name) {
    case "space":
      return play(model);
    case "+":
    case "=":
      return setSpeed(model, 1);
    case "-":
    case "_":
      return setSpeed(model, -1);
    case "n":
    case "tab":
      return choose(model, 1);
    case "N":
    case "S-tab":
      return choose(model, -1);
    case "p":
      return otherPath(model, 1);
    case "P":
      return otherPath(model, -1);
    case "x":
      return showRows(model, { unfolded: !unfolded });
    case "w":
      return showRows(model, { wayOnly: !wayOnly });
    case "enter":
      return change(model, { details: !details, scroll: 0 });
    case "escape":
      return details ? change(model, { details: false }) : leave(model);
    case "a":
      return leave(model);
  }
  return moveKey(model, name) ?? (SHARED.includes(name) ? null : [model, []]);
}

/** Keys that step through the rows, or scroll the box; null for any other. */
function moveKey(model: Model, name: string): Update | null {
  const { row, details } = model.anatomy;
  switch (name) {
    case "right":
    case ".":
      return goTo(model, row + 1);
    case "left":
    case ",":
      return goTo(model, row - 1);
    case "down":
    case "j":
      return details ? scrollBy(model, 1) : goTo(model, row + 1);
    case "up":
    case "k":
      return details ? scrollBy(model, -1) : goTo(model, row - 1);
    case "pagedown":
      return details ? scrollBy(model, PAGE) : goTo(model, row + PAGE);
    case "pageup":
      return details ? scrollBy(model, -PAGE) : goTo(model, row - PAGE);
    case "home":
    case "g":
      return goTo(model, 0);
    case "end":
    case "G":
      return goTo(model, Infinity);
  }
  return null;
}

/** The wheel steps, or scrolls the box; a click goes to a row, on the present one it opens the box. */
function mouse(model: Model, { kind, x, y }: MouseMessage): Update {
  const { details, row } = model.anatomy;
  if (kind !== "click") {
    const by = kind === "wheelup" ? -1 : 1;
    return details ? scrollBy(model, by) : goTo(model, row + by);
  }
  if (details) return change(model, { details: false });
  const list = body(model, { id: "body", x: 0, y: 2, width: model.columns, height: model.rows - 4 })
    .find(({ id }) => id === "anatomy-steps")!;
  const isInside = x > list.x && x < list.x + list.width - 1 && y > list.y && y < list.y + list.height - 1;
  const position = positionOf(model);
  if (!isInside || position === null) return [model, []];
  const clicked = listTop(model, position, list.height) + y - list.y - 2;
  if (y < list.y + 2 || clicked >= position.rows.length) return [model, []];
  return clicked === position.index ? change(model, { details: true, scroll: 0 }) : goTo(model, clicked);
}

// ---- the screen

/*
 * below 100 x 30              from 100 x 30               from 160 x 40
 *
 * | strip of the lanes |      | diagram              |    | diagram                          |
 * | steps              |      | steps                |    | steps            | the step      |
 */
function body(_model: Model, { y, width, height }: Region): Region[] {
  const isLarge = width >= 160 && height >= 36;
  const isMedium = width >= 100 && height >= 26;
  const top = isLarge ? 25 : isMedium ? 18 : Math.min(7, height - 4);
  const upper = { id: isMedium ? "anatomy-diagram" : "anatomy-strip", x: 0, y, width, height: top };
  const list = isLarge ? Math.floor(width * 0.62) : width;
  const lower = { y: y + top, height: height - top };
  const regions: Region[] = [upper, { id: "anatomy-steps", x: 0, width: list, ...lower }];
  if (isLarge) regions.push({ id: "anatomy-detail", x: list, width: width - list, ...lower });
  return regions;
}

function boxWidth(model: Model): number {
  return Math.min(100, model.columns);
}

function boxes(model: Model): Region[] {
  const position = model.anatomy.details ? positionOf(model) : null;
  if (position === null) return [];
  const width = boxWidth(model);
  const height = Math.min(detailLines(position, width - 4).length + 3, model.rows - 4);
  return [centred("anatomy-box", model, width, height)];
}

/** For the line above the footer: what is unfolded, and what goes on behind. */
function prompt(model: Model): string {
  if (model.notice !== null) return ` ${sanitize(model.notice.text)}`;
  const position = positionOf(model);
  const fold = position !== null && isFolded(position.row)
    ? `${position.row.members.length} steps as one, x shows each   `
    : "";
  const behind = model.finished ? "" : model.running ? "the run goes on behind this screen" : "the run is paused";
  return ` ${fold}${behind}`;
}

export const anatomy: Mode = {
  key,
  mouse,
  tick,
  body,
  boxes,
  prompt,
  keys: KEYS,
  help:
    "One message, from the send call to the receiver's program: what happens on its way and beside it, recorded in a " +
    "run of its own. The diagram has who works and what is in the rings, the list every step with its time.",
  views: {
    "anatomy-diagram": diagram,
    "anatomy-strip": strip,
    "anatomy-steps": steps,
    "anatomy-detail": detailPane,
    "anatomy-box": detailBox,
  },
};
