import { clampScroll, keepInView } from "./guest_select.ts";
import { key, paste } from "./keys.ts";
import type { Message, Update } from "./message.ts";
import type { Model, Notice } from "./model.ts";
import { anatomyMessage } from "./modes/anatomy.ts";
import { openBox } from "./modes/box.ts";
import { closeCompare } from "./compare/changes.ts";
import { settled } from "./modes/menu.ts";
import { MODES } from "./modes/registry.ts";
import { mouse } from "./mouse.ts";
import { NO_TIME, updateTime } from "./time.ts";
import { offPath, tourOf, watchTour } from "./tour.ts";
import { hintAfter } from "./view/hint.ts";

/** The only place where the model changes. Pure: the same model and message give the same result. */
export function update(model: Model, message: Message): Update {
  const [next, effects] = answer(model, message);
  return [next.compare.open ? comparing(next) : next, effects];
}

/** Where a box was over the comparison, that has the keys again, not the panes; another screen ends it. */
function comparing(model: Model): Model {
  if (model.mode === "normal") return { ...model, mode: "compare" };
  const { body, isBox } = MODES[model.mode];
  const isOther = model.mode !== "compare" && isBox !== true && body !== undefined;
  return isOther ? { ...closeCompare(model), mode: model.mode } : model;
}

function answer(model: Model, message: Message): Update {
  switch (message.type) {
    case "key":
      return key(model, message.key);
    case "paste":
      return paste(model, message.text);
    case "mouse":
      return mouse(model, message);
    case "resize":
      return [keepInView({ ...model, columns: message.columns, rows: message.rows }), []];
    case "frame":
      return [frame(model, message), []];
    case "opened":
      // A menu or a palette that is open was about another run.
      return [opened(model, message), ["menu", "palette"].includes(model.mode) ? [{ type: "menu-look" }] : []];
    case "travelling":
    case "seen":
    case "arrived":
      return [clampScroll(updateTime(model, message)), []];
    case "compare":
      return [{ ...model, compare: { ...model.compare, paths: message.paths } }, []];
    case "failed":
      return [failed(model, message.text), []];
    case "tick":
      return [tick(model, message.wallMs), []];
    case "anatomy-class":
    case "anatomy-complete":
    case "anatomy-failed":
      return [anatomyMessage(model, message), []];
    case "notice":
      return [{ ...model, notice: { level: message.level, text: message.text } }, []];
    case "stalled":
      return [stalled(model, message.wallMs), []];
    case "export-ability":
      return [{ ...model, exporting: { ...model.exporting, ability: message.ability } }, []];
    case "timings":
      return [model.timings === null ? model : { ...model, timings: message.text }, []];
    case "applied":
      return [{ ...settled(model, null), live: message.live, notice: { level: "info", text: message.text } }, []];
    case "refused":
      return [settled(model, message.text), []];
    case "menu-world":
      return [{ ...model, menu: { ...model.menu, world: message.world } }, []];
    case "menu-checked":
      return [{ ...model, menu: { ...model.menu, problem: message.problem } }, []];
    case "replay":
      return [replayed(model, message), []];
  }
}

/** A word about pictures that were missed; an answer to what the user did is worth more, and what stands is still to be seen. */
function stalled(model: Model, wallMs: number): Model {
  if (!model.running || model.finished || model.notice !== null) return model;
  const text = `the terminal did not read for ${(wallMs / 1000).toFixed(1)} s; the run went on`;
  return { ...model, notice: { level: "warn", text } };
}

/** At the end of the log the run stands; whatever the user does then is a turn of its own. */
function replayed(model: Model, { isFollowing, endPs, verdict }: Extract<Message, { type: "replay" }>): Model {
  const told = { ...model, replay: isFollowing, endPs };
  if (verdict === null) return told;
  return { ...told, running: false, notice: { level: verdict.level, text: `replay: ${verdict.text}` } };
}

/** What plays goes on beneath a box. */
function tick(model: Model, wallMs: number): Model {
  const mode = MODES[model.mode].isBox === true ? model.under : model.mode;
  const next = MODES[mode].tick?.(model, wallMs) ?? model;
  return next.notice?.level === "info" ? { ...next, notice: older(next.notice, wallMs) } : next;
}

/** An answer that has been read by then makes room for what happens since; a warning stays until the next key. */
const READ_MS = 10_000;

function older(notice: Notice, wallMs: number): Notice | null {
  const shownMs = (notice.shownMs ?? 0) + wallMs;
  return shownMs < READ_MS ? { ...notice, shownMs } : null;
}

function frame(model: Model, message: Extract<Message, { type: "frame" }>): Model {
  const { nowPs, finished } = message;
  // The pace that a finished run had is worth keeping; that of the standstill after it is not.
  const pace = model.finished && finished ? model.pace : message.pace;
  const hint = hintAfter(model.hint, "frame");
  const next = clampScroll({ ...model, live: message.live ?? model.live, nowPs, finished, pace, hint });
  return watchTour(offPath(model, next));
}

/** Selection, sorting, speed and focus outlive the run: who compares two paths wants to see the same place. */
function opened(before: Model, message: Extract<Message, { type: "opened" }>): Model {
  const { scenario, path, live, nowPs, endPs } = message;
  const model = tourOf(before, scenario, live.snapshot.scenario.path, message.tour);
  const names = live.snapshot.guests.map((guest) => guest.name);
  const kept = model.selected !== null && names.includes(model.selected);
  const next = keepInView({
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
    mode: model.mode === "compare" ? "normal" : model.mode,
    under: model.under === "compare" ? "normal" : model.under,
    compare: { ...model.compare, open: false, paths: [] },
    notice: null,
    // The log is another one: where it had been scrolled to means nothing in it.
    eventEnd: null,
    time: { ...NO_TIME, step: model.time.step },
    selected: kept ? model.selected : names[0] ?? null,
  });
  return watchTour(offPath(before, next));
}

/** The old run goes on; the first line stays readable in the notice line after the box is closed. */
function failed(model: Model, text: string): Model {
  const lines = text.split("\n");
  return { ...openBox(model, "message"), message: lines, notice: { level: "error", text: lines[0] } };
}
