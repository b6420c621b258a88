import type { Model } from "../model.ts";
import { overlayChart, plotWidth } from "../overlay_chart.ts";
import { paint } from "../text.ts";
import { frame } from "../view/frame.ts";
import { ordered, roleOf } from "./cells.ts";
import { type ComparePoint, digitOf } from "./state.ts";

/** Medians of all messages over virtual time, a line for each path. */
export function latencyChart(model: Model, width: number, height: number): string[] {
  return overlaid(model, "Latency p50 us", ({ p50_us }) => p50_us, true, width, height);
}

/** Delivered payload over virtual time, a line for each path. */
export function throughputChart(model: Model, width: number, height: number): string[] {
  return overlaid(model, "Throughput MB/s", ({ throughput_MBps }) => throughput_MBps, false, width, height);
}

function overlaid(
  model: Model,
  title: string,
  pick: (point: ComparePoint) => number | null,
  worst: boolean,
  width: number,
  height: number,
): string[] {
  const paths = ordered(model);
  const columns = plotWidth(width - 2, paths.length);
  const { fromNs, toNs, binNs } = timeOf(paths.map(({ points }) => points), columns);
  const lines = overlayChart({
    width: width - 2,
    height: height - 2,
    series: paths.map(({ path, points }) => ({
      mark: digitOf(model.paths, path),
      role: roleOf(model, path),
      values: binned(points, pick, { fromNs, binNs, columns }, worst),
    })),
    fromNs,
    toNs,
    logarithmic: model.compare.logarithmic,
  });
  const scale = model.compare.logarithmic ? "logarithmic" : "linear";
  return frame(lines, { title, note: paint("dim", `l: ${scale}`), width, height, focused: true });
}

/** What the columns of all paths have in common. */
interface Bins {
  readonly fromNs: number;
  readonly binNs: number;
  readonly columns: number;
}

const NICE = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** One time axis for all: from the first point of any path, in columns of a round span, so that they do not tremble. */
function timeOf(all: readonly (readonly ComparePoint[])[], columns: number) {
  const points = all.filter((list) => list.length > 0);
  if (points.length === 0 || columns < 1) return { fromNs: 0, toNs: 0, binNs: 1 };
  const first = Math.min(...points.map((list) => list[0].at_ns));
  const last = Math.max(...points.map((list) => list[list.length - 1].at_ns));
  const raw = Math.max(1, (last - first) / Math.max(1, columns - 1));
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const binNs = magnitude * NICE.find((nice) => nice * magnitude >= raw * (1 - 1e-9))!;
  const fromNs = Math.floor(first / binNs) * binNs;
  return { fromNs, toNs: fromNs + binNs * columns, binNs };
}

/** Mean of each column weighted by time, or the largest value; a column without a value is a gap. */
function binned(
  points: readonly ComparePoint[],
  pick: (point: ComparePoint) => number | null,
  { fromNs, binNs, columns }: Bins,
  worst: boolean,
): (number | null)[] {
  const sums = new Float64Array(columns);
  const weights = new Float64Array(columns);
  const silence = new Float64Array(columns);
  let start = points.length > 1 ? Math.max(0, 2 * points[0].at_ns - points[1].at_ns) : 0;
  for (const point of points) {
    const value = pick(point);
    const from = Math.max(0, (start - fromNs) / binNs);
    const to = (point.at_ns - fromNs) / binNs;
    start = point.at_ns;
    for (let column = Math.floor(from); column < Math.min(to, columns); column++) {
      const weight = Math.min(to, column + 1) - Math.max(from, column);
      if (weight <= 0) continue;
      if (value === null) {
        silence[column] += weight;
        continue;
      }
      sums[column] = worst ? Math.max(sums[column], value) : sums[column] + value * weight;
      weights[column] += weight;
    }
  }
  // Mostly silent is silent, or a short gap would hide in the columns that it shares with its neighbours.
  return Array.from(
    sums,
    (sum, i) => weights[i] === 0 || silence[i] > weights[i] ? null : worst ? sum : sum / weights[i],
  );
}
