import { metricsIn, type TourStep } from "../cluster/tour.ts";
import { metricValue } from "../report/thresholds.ts";
import { number } from "./format.ts";
import { isTabbed, reachablePanes } from "./layout.ts";
import { type Model, PANES, SPEEDS } from "./model.ts";
import { wrap } from "./text.ts";
import type { Effect, Update } from "./message.ts";

/** A guided tour: where it is, and what its caption says now. */
export interface TourState {
  readonly steps: readonly TourStep[];
  readonly index: number;
  /** Whether the caption is there; before, the run has not come to its time. */
  readonly shown: boolean;
  /** The caption's texts, with the figures of the moment at which it appeared. */
  readonly text: string;
  readonly ask: string;
  readonly answer: string;
  readonly answered: boolean;
  /** Put away by the user; the tour's key brings it back. */
  readonly hidden: boolean;
  /** Path of the run with which it began: of steps that name none, until one does. */
  readonly ownPath: string;
  /** Index into SPEEDS: what the user had before the tour chose its own. */
  readonly speedBefore: number;
}

/** A tour before its first caption; null where the scenario has none. */
function newTour(
  steps: readonly TourStep[] | undefined,
  ownPath: string,
  speedBefore: number,
): TourState | null {
  if (steps === undefined || steps.length === 0) return null;
  const texts = { text: "", ask: "", answer: "", answered: false };
  return { steps, index: 0, shown: false, ...texts, hidden: false, ownPath, speedBefore };
}

/** The path that the tour is on: its captions are of that one. */
function pathOf({ steps, index, ownPath }: TourState): string {
  return steps.slice(0, index + 1).findLast(({ path }) => path !== undefined)?.path ?? ownPath;
}

/** A path that the user has chosen is none of the tour's: it is put away, and what it says would not be true of it. */
export function offPath(before: Model, model: Model): Model {
  const { tour, live } = model;
  if (tour === null || tour.hidden || stepOf(model) === undefined || live === null) return model;
  const path = pathOf(tour);
  const isOn = ({ live }: Model) => live?.snapshot.scenario.path === path;
  // Where it was not on the path before, it is on its way there.
  if (isOn(model) || !isOn(before)) return model;
  const text = `the tour is of the path ${path}, and put away: t goes back to it`;
  return { ...model, speed: ownSpeed(model), tour: { ...tour, hidden: true }, notice: { level: "info", text } };
}

/** The user's speed: the tour's own slow motion ends with it, one that was chosen meanwhile stays. */
function ownSpeed({ tour, speed }: Model): number {
  return tour?.steps.some((step) => step.speed === SPEEDS[speed]) ? tour.speedBefore : speed;
}

/** The step that the tour is at; undefined after the last one. */
export function stepOf(model: Model): TourStep | undefined {
  return model.tour?.steps[model.tour.index];
}

/**
 * Lines that the caption takes from the body, the answer included before it is there, so that nothing jumps: none while
 * there is no caption, or no room.
 */
export function tourHeight(model: Model): number {
  const { tour, rows, columns } = model;
  if (tour === null || tour.hidden || !tour.shown || rows < CAPTION_ROWS) return 0;
  const lines = [tour.text, tour.ask, tour.answer].reduce(
    (sum, text) => sum + (text === "" ? 0 : wrap(text, columns - 4).length),
    0,
  );
  return Math.min(lines + 3, Math.max(8, Math.floor(rows / 3)));
}

/** Rows of the smallest screen that has room for a caption. */
export const CAPTION_ROWS = 16;

/** A caption is there, the run waits for its reader, and the screen has no room for it. */
export function isTooSmall(model: Model): boolean {
  const { tour, rows, mode } = model;
  return tour !== null && tour.shown && !tour.hidden && mode === "normal" && rows < CAPTION_ROWS;
}

/** The caption of a step appears when the run has come to its time: then the run waits for the reader. */
export function watchTour(model: Model): Model {
  const { tour, live } = model;
  const step = stepOf(model);
  if (tour === null || step === undefined || tour.shown || tour.hidden || live === null) return model;
  // Time is the comparison's then; the single run stands still.
  if (model.compare.open) return model;
  // A run on another path than the tour's is on its way out.
  if (live.snapshot.scenario.path !== pathOf(tour)) return model;
  if (model.nowPs < step.atPs && !model.finished) return model;
  const filled = (text = "") => fillIn(text, model);
  const shown: TourState = {
    ...tour,
    shown: true,
    text: filled(step.text),
    ask: filled(step.ask),
    answer: filled(step.answer),
    answered: false,
  };
  // "The tour goes on at" is over with that.
  const notice = model.notice?.level === "info" ? null : model.notice;
  return focus({ ...model, tour: shown, running: false, notice }, step);
}

/** The tour's key: brings a tour back, shows the answer, or goes on to the next step. */
export function goOn(model: Model, tour: TourState): Update {
  const notice = (text: string): Update => [{ ...model, notice: { level: "info", text } }, []];
  if (tour.hidden) return comeBack(model, tour);
  const step = stepOf(model);
  if (step === undefined) return begin({ ...model, tour: newTour(tour.steps, tour.ownPath, model.speed) });
  if (!tour.shown) return notice(`the tour goes on at ${step.atPs / 1e9} ms`);
  if (tour.ask !== "" && !tour.answered) return [{ ...model, tour: { ...tour, answered: true } }, []];
  const next: Model = { ...model, tour: { ...tour, index: tour.index + 1, shown: false } };
  if (stepOf(next) === undefined) {
    return [
      {
        ...next,
        speed: ownSpeed(model),
        notice: { level: "info", text: "that was the tour: the cluster is yours (t begins it again)" },
      },
      [],
    ];
  }
  return begin(next);
}

/** A tour that was put away is there again: its caption as it was, or on its own path anew. */
function comeBack(model: Model, before: TourState): Update {
  const tour = { ...before, hidden: false };
  const path = pathOf(tour);
  if (stepOf(model) === undefined || model.live?.snapshot.scenario.path === path) {
    return [watchTour({ ...model, tour }), []];
  }
  const { scenario } = model;
  return [{ ...model, running: true, tour: { ...tour, shown: false } }, [{ type: "open", scenario, path }]];
}

/** What a key of the dashboard does for the tour, after it has done what it does: the one that the caption asks for. */
export function pressed(update: Update, key: string): Update {
  const [model, effects] = update;
  const { tour } = model;
  const step = stepOf(model);
  if (tour === null || !tour.shown || tour.hidden || step?.press !== key) return update;
  const answered = { ...tour, answered: true };
  const [next, more] = goOn({ ...model, tour: answered }, answered);
  return [next, [...effects, ...more]];
}

/** A step begins: on its path, at its speed; the run goes on until its time. */
function begin(model: Model): Update {
  const step = stepOf(model)!;
  const speed = SPEEDS.findIndex((factor) => factor === step.speed);
  const next = { ...model, running: true, speed: speed < 0 ? model.speed : speed, notice: null };
  const effects: Effect[] = [];
  if (step.path !== undefined && step.path !== model.live?.snapshot.scenario.path) {
    effects.push({ type: "open", scenario: model.scenario, path: step.path });
  } else if (model.finished) effects.push({ type: "open", scenario: model.scenario, path: model.path });
  return [effects.length > 0 ? next : watchTour(next), effects];
}

/** A new run is there: the same scenario goes on with its tour, another one brings its own. */
export function tourOf(
  model: Model,
  scenario: string,
  path: string,
  steps: readonly TourStep[] | undefined,
): Model {
  if (model.tour !== null && model.scenario === scenario) return model;
  const before = ownSpeed(model);
  const tour = newTour(steps, path, before);
  const speed = SPEEDS.findIndex((factor) => factor === steps?.[0]?.speed);
  return { ...model, tour, speed: speed < 0 ? before : speed };
}

function focus(model: Model, { look }: TourStep): Model {
  const pane = PANES.find((name) => name === look);
  if (pane === undefined) return model;
  return isTabbed(model) || reachablePanes(model).includes(pane) ? { ...model, pane } : model;
}

/** Figures in the place of metrics, as they are now. */
function fillIn(text: string, model: Model): string {
  return metricsIn(text).reduce((filled, metric) => {
    const value = metricValue(metric, model.live!.snapshot);
    return filled.replace(`{${metric}}`, Number.isNaN(value) ? "-" : figure(value));
  }, text);
}

/** Three digits: what one says aloud. */
function figure(value: number): string {
  if (Math.abs(value) >= 1e6) return number(value, 0);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
