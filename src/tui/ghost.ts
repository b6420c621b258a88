import type { Sample } from "../report/live_snapshot.ts";
import { type ColumnGrid, gridOf, NO_COLUMNS, timeOf } from "./columns.ts";
import type { Model } from "./model.ts";
import { paint } from "./text.ts";
import { forkOf, otherTurn } from "./time.ts";

/** The columns of a chart over time, and what is drawn behind it. */
export interface TurnGrid {
  readonly grid: ColumnGrid;
  readonly time: { readonly fromNs: number; readonly toNs: number };
  /** Samples of the turn that the run is compared with, from where it differs on; none when no turn is shown. */
  readonly ghost: readonly Sample[];
}

/**
 * Columns for the present run and, on the same time axis, for the turn that it is compared with, as far as that does not
 * make a corner of the present.
 */
export function turnGrid(model: Model, columns: number, partial: boolean): TurnGrid {
  const samples = model.live?.samples ?? [];
  const other = otherTurn(model);
  if (other === null || samples.length === 0) {
    const grid = gridOf(samples, columns, partial) ?? NO_COLUMNS;
    return { grid, time: timeOf(samples, grid), ghost: [] };
  }
  const partNs = Math.floor((forkOf(model.time.inputs, model.nowPs, other) ?? model.nowPs) / 1000);
  const ghost = other.samples.filter(({ at_ns }) => at_ns > partNs);
  const [startNs, nowNs] = [samples[0].at_ns, samples[samples.length - 1].at_ns];
  const farNs = nowNs + 3 * Math.max(nowNs - startNs, 1);
  const all = [...samples, ...ghost.filter(({ at_ns }) => at_ns > nowNs && at_ns <= farNs)];
  const grid = gridOver(startNs, all[all.length - 1].at_ns, columns);
  return { grid, time: timeOf(all, grid), ghost };
}

/** What the shade behind the lines is, for the heading of a chart; empty where there is none. */
export function ghostNote(model: Model): string {
  const other = otherTurn(model);
  return other === null || turnGrid(model, 1, true).ghost.length === 0
    ? ""
    : `${paint("dim", `░ turn ${other.number}`)}  `;
}

const STEPS = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** Columns of a round span over all of it: by the usual spacing of samples, the present could be pushed out at the left. */
function gridOver(startNs: number, endNs: number, columns: number): ColumnGrid {
  const least = Math.max(1, (endNs - startNs) / Math.max(1, columns - 1));
  const magnitude = 10 ** Math.floor(Math.log10(least));
  const spanNs = magnitude * STEPS.find((step) => step * magnitude >= least)!;
  const first = Math.floor(startNs / spanNs);
  return { count: Math.max(1, Math.ceil(endNs / spanNs) - first), spanNs, fromNs: first * spanNs };
}
