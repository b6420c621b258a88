import type { Sample } from "../report/snapshot.ts";
import { type ColumnGrid, gridOf, NO_COLUMNS, timeOf } from "./columns.ts";
import type { Model } from "./model.ts";
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
  const farNs = nowNs + 3 * (nowNs - startNs);
  const all = [...samples, ...ghost.filter(({ at_ns }) => at_ns > nowNs && at_ns <= farNs)];
  const grid = gridOf(all, columns, true) ?? NO_COLUMNS;
  return { grid, time: timeOf(all, grid), ghost };
}
