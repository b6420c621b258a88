import type { Model, Pane } from "../model.ts";

/** The views of each pane that has several, in the order in which the key `v` walks through them. */
const VIEWS = {
  latency: ["time", "histogram", "sizes"],
  throughput: ["time", "guests"],
} as const;

/** Which view each of these panes shows. */
export type PaneViews = { readonly [P in keyof typeof VIEWS]: typeof VIEWS[P][number] };

export const FIRST_VIEWS: PaneViews = { latency: "time", throughput: "time" };

/** The model with the next view of the focused pane; one that has only one says so. */
export function nextView(model: Model): Model {
  const { pane, views } = model;
  if (!hasViews(pane)) {
    return { ...model, notice: { level: "info", text: "v changes the view of the latency and the throughput pane" } };
  }
  const names: readonly string[] = VIEWS[pane];
  const next = names[(names.indexOf(views[pane]) + 1) % names.length];
  return { ...model, views: { ...views, [pane]: next } };
}

/** "v 2/3": which view is shown, for the edge of a pane that has the focus. */
export function viewMark(model: Model, pane: keyof PaneViews): string {
  if (model.pane !== pane) return "";
  const names: readonly string[] = VIEWS[pane];
  return `v ${names.indexOf(model.views[pane]) + 1}/${names.length}`;
}

function hasViews(pane: Pane): pane is keyof PaneViews {
  return pane in VIEWS;
}
