import type { Model } from "../model.ts";
import { type CompareState, NO_COMPARISON } from "./state.ts";

/* What a comparison begins with, and which paths are in it. */

/** What is compared at first, beside the path that is open. */
const FIRST = ["native", "xen2mx", "bridged"];

/** Opens the comparison from the beginning of virtual time; the single run stands still meanwhile. */
export function openCompare(model: Model): Model {
  const { compare, live } = model;
  const wanted = [live?.snapshot.scenario.path ?? "", ...FIRST];
  const chosen = compare.chosen.length > 0 ? compare.chosen : model.paths.filter((path) => wanted.includes(path));
  if (chosen.length === 0) {
    return { ...model, notice: { level: "warn", text: "there are no paths to compare" } };
  }
  const base = chosen.includes(compare.base) ? compare.base : chosen.includes("native") ? "native" : chosen[0];
  return begun({
    ...model,
    mode: "compare",
    compare: { ...NO_COMPARISON, ...compare, open: true, chosen, base, chooser: false, resume: model.running },
  });
}

/** The single run is where it was. */
export function closeCompare(model: Model): Model {
  const compare = { ...model.compare, open: false, paths: [], chooser: false };
  return { ...model, mode: "normal", compare, running: compare.resume };
}

/** A comparison that starts, or starts again: time is 0 until the first picture says otherwise. */
export function begun(model: Model): Model {
  const compare = { ...model.compare, round: model.compare.round + 1, paths: [] };
  return { ...model, compare, running: true, finished: false, nowPs: 0, pace: 0 };
}

/** Shows it otherwise. */
export function changed(model: Model, change: Partial<CompareState>): Model {
  return { ...model, notice: null, compare: { ...model.compare, ...change } };
}

/** The same with a notice. */
export function told(model: Model, text: string): Model {
  return { ...model, notice: { level: "info", text } };
}

/** Takes a path up or leaves it out; the last one stays. */
export function toggled(model: Model, path: string): Model {
  const { chosen, base, paths } = model.compare;
  const on = !chosen.includes(path);
  if (!on && chosen.length === 1) {
    return told(model, "one path must stay");
  }
  const next = model.paths.filter((other) => other === path ? on : chosen.includes(other));
  return changed(model, {
    chosen: next,
    base: next.includes(base) ? base : next[0],
    paths: paths.filter((other) => next.includes(other.path)),
  });
}
