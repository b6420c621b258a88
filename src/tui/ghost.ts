import type { Sample } from "../report/snapshot.ts";
import { type Columns, type Point, type Series, toColumns } from "./chart.ts";
import type { Model } from "./model.ts";
import { forkOf, otherTurn } from "./time.ts";

/** Values of the present run and, behind them, of the turn that it is compared with, on the same time axis. */
export interface WithGhost {
  readonly present: Columns;
  /** Null when no turn is shown. */
  readonly ghost: Columns | null;
}

/** As {@link toColumns} of the model's samples, with the other turn from where it differs, or from now on, to its end. */
export function columnsWithGhost(
  model: Model,
  columns: number,
  pick: (sample: Sample) => number | null,
  worst = false,
): WithGhost {
  const points = (samples: readonly Sample[]) => samples.map((s) => ({ at_ns: s.at_ns, value: pick(s) }));
  const present = points(model.live?.samples ?? []);
  const other = otherTurn(model);
  if (other === null || present.length === 0) return { present: toColumns(present, columns, worst), ghost: null };
  const partNs = Math.floor((forkOf(model.time.inputs, model.nowPs, other) ?? model.nowPs) / 1000);
  const axis = axisOver(present, other.endPs / 1000, columns);
  const ghost = points(other.samples).filter(({ at_ns }) => at_ns > partNs);
  return {
    present: { ...axis, values: binned(present, axis, worst) },
    ghost: { ...axis, values: binned(ghost, { ...axis, startNs: partNs }, worst) },
  };
}

interface Axis {
  /** Edge of the first column, and the end of what is drawn. */
  readonly fromNs: number;
  readonly toNs: number;
  readonly binNs: number;
  readonly count: number;
  /** Where the interval of the first point begins. */
  readonly startNs: number;
}

const STEPS = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** From the first of the present points on, to `endNs` but not so far that the present would be a corner of the chart. */
function axisOver(present: readonly Point[], endNs: number, columns: number): Axis {
  const startNs = present.length > 1 ? Math.max(0, 2 * present[0].at_ns - present[1].at_ns) : 0;
  const nowNs = present[present.length - 1].at_ns;
  const toNs = Math.max(nowNs, Math.min(endNs, nowNs + 3 * (nowNs - startNs)));
  const least = Math.max(1, (toNs - startNs) / Math.max(1, columns - 1));
  const magnitude = 10 ** Math.floor(Math.log10(least));
  const binNs = magnitude * STEPS.find((step) => step * magnitude >= least)!;
  const first = Math.floor(startNs / binNs);
  return { fromNs: first * binNs, toNs, binNs, count: Math.ceil(toNs / binNs) - first, startNs };
}

/** By column the worst or the mean of the intervals that reach into it; null where none does. */
function binned(points: readonly Point[], axis: Axis, worst: boolean): (number | null)[] {
  const { fromNs, toNs, binNs, count } = axis;
  const sums = new Float64Array(count);
  const weights = new Float64Array(count);
  let startNs = axis.startNs;
  for (const { at_ns, value } of points) {
    const [from, to] = [(Math.max(startNs, fromNs) - fromNs) / binNs, (Math.min(at_ns, toNs) - fromNs) / binNs];
    startNs = at_ns;
    for (let c = Math.floor(from); value !== null && c < to; c++) {
      const weight = Math.min(to, c + 1) - Math.max(from, c);
      sums[c] = worst ? Math.max(sums[c], value) : sums[c] + value * weight;
      weights[c] += weight;
    }
  }
  return Array.from(sums, (sum, c) => weights[c] === 0 ? null : worst ? sum : sum / weights[c]);
}

/** Dim and broken: what had been, behind what is. */
export function ghostSeries(...ghosts: readonly (Columns | null)[]): Series[] {
  return ghosts.filter((ghost) => ghost !== null).map(({ values }) => ({ role: "dim", values, broken: true }));
}
