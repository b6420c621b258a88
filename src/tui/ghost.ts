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
  const begin = present[0].at_ns;
  const ghost = points(other.samples.filter(({ at_ns }) => at_ns >= begin));
  const times = [...new Set([...present, ...ghost].map(({ at_ns }) => at_ns))].sort((a, b) => a - b);
  return {
    present: toColumns(resampled(present, times, -Infinity), columns, worst),
    ghost: toColumns(resampled(ghost, times, partNs), columns, worst),
  };
}

/** Each of `times` ends an interval of its own, with the value of the interval of `points` that it lies in. */
function resampled(points: readonly Point[], times: readonly number[], fromNs: number): Point[] {
  let index = 0;
  return times.map((at_ns) => {
    while (index < points.length && points[index].at_ns < at_ns) index++;
    const covered = at_ns > fromNs && index < points.length;
    return { at_ns, value: covered ? points[index].value : null };
  });
}

/** Dim and broken: what had been, behind what is. */
export function ghostSeries(...ghosts: readonly (Columns | null)[]): Series[] {
  return ghosts.filter((ghost) => ghost !== null).map(({ values }) => ({ role: "dim", values, broken: true }));
}
