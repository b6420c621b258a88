import { formatSize } from "../../base/quantity.ts";
import type { RowFigures } from "../../report/snapshot.ts";
import { span } from "../format.ts";
import type { Model } from "../model.ts";
import type { View } from "../modes/mode.ts";
import { overlayChart, plotWidth } from "../overlay_chart.ts";
import { paint } from "../text.ts";
import { frame } from "../view/frame.ts";
import { ordered, roleOf } from "./cells.ts";
import { type ComparedPath, type ComparePoint, digitOf } from "./state.ts";

/** A chart: over virtual time, or over message sizes where the workload goes through them. */
interface Subject {
  readonly title: string;
  readonly ofPoint: (point: ComparePoint) => number | null;
  readonly ofRow: (row: RowFigures) => number;
  /** A column shows the largest value of its time, not the mean. */
  readonly worst: boolean;
}

const LATENCY: Subject = {
  title: "Latency p50 us",
  ofPoint: ({ p50_us }) => p50_us,
  ofRow: ({ latency_us }) => latency_us,
  worst: true,
};

const THROUGHPUT: Subject = {
  title: "Throughput MB/s",
  ofPoint: ({ throughput_MBps }) => throughput_MBps,
  ofRow: ({ throughput_MBps }) => throughput_MBps,
  worst: false,
};

/** Medians of all messages, a line for each path. */
export const latencyChart: View = once((model, width, height) => overlaid(model, LATENCY, width, height));

/** Delivered payload, a line for each path. */
export const throughputChart: View = once((model, width, height) => overlaid(model, THROUGHPUT, width, height));

/**
 * Draws again only when what the chart is made of is not what it was: keys are answered between two looks at the runs,
 * and most of them change nothing here. A chart of eight paths is the larger half of a picture.
 */
function once(view: View): View {
  let seen: readonly unknown[] = [];
  let lines: string[] = [];
  return (model, width, height) => {
    const { paths, order, logarithmic, bySize } = model.compare;
    const now = [paths, model.paths, order, logarithmic, bySize, width, height];
    if (now.some((value, i) => value !== seen[i])) {
      seen = now;
      lines = view(model, width, height);
    }
    return lines;
  };
}

function overlaid(model: Model, subject: Subject, width: number, height: number): string[] {
  const paths = ordered(model);
  const { logarithmic, bySize } = model.compare;
  const columns = plotWidth(width - 2, paths.length);
  const sizes = sizesOf(paths);
  const { lines, from, to } = bySize && sizes.length > 1
    ? overSizes(paths, subject, sizes, columns)
    : overTime(paths, subject, columns);
  const text = overlayChart({
    width: width - 2,
    height: height - 2,
    series: paths.map(({ path }, i) => ({
      mark: digitOf(model.paths, path),
      role: roleOf(model, path),
      values: lines[i],
    })),
    from,
    to,
    logarithmic,
  });
  const scale = `l: ${logarithmic ? "logarithmic" : "linear"}`;
  const over = sizes.length > 1 ? `m: over ${bySize ? "sizes" : "time"}  ` : "";
  return frame(text, {
    title: subject.title,
    note: [`${over}${scale}`, scale].map((note) => paint("dim", note)),
    width,
    height,
    focused: true,
  });
}

/** A line for each path, by column, and what stands below the edges. */
interface Lines {
  readonly lines: (number | null)[][];
  readonly from: string;
  readonly to: string;
}

function overTime(paths: readonly ComparedPath[], { ofPoint, worst }: Subject, columns: number): Lines {
  const { fromNs, toNs, binNs } = timeOf(paths.map(({ points }) => points), columns);
  const bins = { fromNs, binNs, columns };
  return {
    lines: paths.map(({ points }) => binned(points, ofPoint, bins, worst)),
    from: span(fromNs),
    to: span(toNs),
  };
}

/** Sizes that at least one path is through with, from the smallest on. */
/** Message sizes that any of the runs has figures of, bytes, ascending. */
export function sizesOf(paths: readonly ComparedPath[]): number[] {
  const all = new Set(paths.flatMap(({ summary }) => summary?.rows.map(({ size }) => size) ?? []));
  return [...all].sort((a, b) => a - b);
}

/** Every size is equally wide: they double from one to the next. */
function overSizes(
  paths: readonly ComparedPath[],
  { ofRow }: Subject,
  sizes: readonly number[],
  columns: number,
): Lines {
  const lines = paths.map(({ summary }) => {
    const bySize = new Map(summary?.rows.map((row) => [row.size, ofRow(row)]));
    return Array.from({ length: columns }, (_, i) => bySize.get(sizes[Math.floor(i * sizes.length / columns)]) ?? null);
  });
  return { lines, from: formatSize(sizes[0]), to: formatSize(sizes[sizes.length - 1]) };
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
