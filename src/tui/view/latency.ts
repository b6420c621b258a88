import type { Sample } from "../../report/live_snapshot.ts";
import { chart, LABEL_WIDTH, MARK_WIDTH, nothingWords, type Reference, type Series } from "../chart.ts";
import { type ColumnGrid, intoColumns } from "../columns.ts";
import { decimalsFor, figure, number } from "../format.ts";
import { ghostNote, turnGrid } from "../ghost.ts";
import { type Model, showsRecent } from "../model.ts";
import { paint } from "../text.ts";
import { beside, frame } from "./frame.ts";
import { latencyHistogram } from "./latency_histogram.ts";
import { latencySizes } from "./latency_sizes.ts";
import { viewMark } from "./pane_views.ts";

/** p99 this far above p50 would press it into the lowest row. */
const FAR_APART = 20;
/** Wide panes have the histogram, and the sizes below it, beside the time. */
const WIDE = 120;
/** A round trip this near to two messages' latency is one of a ping-pong. */
const ABOUT = 0.02;
/** Lines of the histogram that the sizes leave to it. */
const LEAST_HISTOGRAM = 13;
/** The third percentile, where there is room to tell three lines apart. */
const THREE_LINES = 60;

/** Latency of all messages: percentiles over virtual time, a histogram of the run, medians by message size. */
export function latency(model: Model, width: number, height: number): string[] {
  const view = model.views.latency;
  const [inner, room] = [width - 3, height - 2];
  const box = { mark: viewMark(model, "latency"), width, height, focused: model.pane === "latency" };
  if (view === "histogram") {
    const note = withRounds(model, notes(model.live?.snapshot.totals.latency_us ?? null, true));
    return frame(latencyHistogram(model, inner, room), { ...box, title: "Latency us, whole run", note });
  }
  if (view === "sizes") return frame(latencySizes(model, inner, room), { ...box, title: "Latency us by size" });
  const { lines, isLog, now } = width >= WIDE ? withHistogram(model, inner, room) : percentiles(model, inner, room);
  return frame(lines, {
    ...box,
    title: isLog ? "Latency us, log" : "Latency us",
    note: withRounds(model, notes(now, width >= THREE_LINES, ghostNote(model))),
  });
}

/** The latest values of a chart, microseconds; null while there is none. */
type Latest = { readonly [P in "p50" | "p99" | "p999"]: number | null };

const NO_LATEST: Latest = { p50: null, p99: null, p999: null };

/** Which line is which, and where it is now: widest first. */
function notes(now: Latest | null, threeLines: boolean, ghost = ""): string[] {
  const decimals = decimalsFor(now?.p99 ?? 0);
  const p50 = paint("p50", `─ p50 ${figure(now?.p50, decimals)}`);
  const p99 = paint("p99", `╌ p99 ${figure(now?.p99, decimals)}`);
  const p999 = paint("p999", `∙ p99.9 ${figure(now?.p999, decimals)}`);
  return [...(threeLines ? [`${p50}  ${p99}  ${p999}`] : []), `${p50}  ${p99}`, p99].map((text) => ghost + text);
}

/**
 * Where a round trip is not twice a message's latency it is what users wait for: a request's reply, a collective, an
 * iteration. Median and 99th percentile of the whole run stand before the notes, where there is room.
 */
function withRounds(model: Model, notes: string[]): string[] {
  const { rtt_us: rtt = null, latency_us: message = null } = model.live?.snapshot.totals ?? {};
  if (rtt === null || message === null || Math.abs(rtt.p50 - 2 * message.p50) < ABOUT * rtt.p50) return notes;
  const decimals = rtt.p99 < 100 ? 1 : 0;
  const text = paint("dim", `rtt ${rtt.p50.toFixed(decimals)}/${rtt.p99.toFixed(decimals)}`);
  return [...notes.map((note) => `${text}  ${note}`), ...notes];
}

interface Chart {
  readonly lines: string[];
  readonly isLog: boolean;
  readonly now: Latest;
}

/** Percentiles, the histogram beside them, and below that the sizes where the workload sweeps them. */
function withHistogram(model: Model, width: number, height: number): Chart {
  const right = Math.floor(width * 0.4);
  const left = width - right - 3;
  const chart = percentiles(model, left, height);
  const rows = model.live?.snapshot.rows ?? [];
  const sizes = rows.length > 0 && height >= LEAST_HISTOGRAM + 6
    ? Math.min(rows.length + 2, height - LEAST_HISTOGRAM)
    : 0;
  const second = latencyHistogram(model, right, height - sizes);
  if (sizes > 0) second.push("", ...latencySizes(model, right, sizes - 1));
  return { ...chart, lines: beside(chart.lines, second, left, right) };
}

function percentiles(model: Model, width: number, height: number): Chart {
  const samples = model.live?.samples ?? [];
  const { grid, time, ghost } = turnGrid(model, width - LABEL_WIDTH - MARK_WIDTH, !showsRecent(model));
  const of = (pick: (sample: Sample) => number | null | undefined) => intoColumns(samples, grid, pick, true);
  const p50 = of((sample) => sample.p50_us);
  const p99 = of((sample) => sample.p99_us);
  const p999 = of((sample) => sample.p999_us);
  const series: Series[] = [
    { role: "p99", values: p99, broken: true },
    { role: "p50", values: p50 },
  ];
  if (width >= THREE_LINES - 3) {
    series.unshift({
      role: "p999",
      values: p999,
      dots: true,
    });
  }
  const behind = (pick: (sample: Sample) => number | null): Series => ({
    role: "dim",
    values: intoColumns(ghost, grid, pick, true),
  });
  const ghosts = ghost.length === 0 ? [] : [behind((sample) => sample.p99_us), behind((sample) => sample.p50_us)];
  const nothing = nothingWords(model.live?.snapshot.totals.messages ?? 0);
  const isLog = farApart(p50, series.flatMap(({ values }) => values));
  return {
    lines: chart({ ...{ width, height, series, ...time, ghosts }, references: published(model), log: isLog, nothing }),
    isLog,
    now: latestOf({ p50, p99, p999 }, grid, samples.at(-1)?.at_ns ?? 0),
  };
}

/** The values of the latest column; of one before it as long as no message is missing: the next takes as long as that. */
function latestOf(
  lines: { readonly [P in keyof Latest]: readonly (number | null)[] },
  { count, spanNs, fromNs }: ColumnGrid,
  nowNs: number,
): Latest {
  // Where another turn is shown, the lines of this one end before the chart does.
  const last = Math.min(count, Math.ceil((nowNs - fromNs) / spanNs - 1e-6)) - 1;
  const at = lines.p99.findLastIndex((value, column) => value !== null && column <= last);
  if (at < 0 || (last - at) * spanNs > Math.max(lines.p99[at]! * 1000, spanNs)) return NO_LATEST;
  return { p50: lines.p50[at], p99: lines.p99[at], p999: lines.p999[at] };
}

function farApart(usual: readonly (number | null)[], all: readonly (number | null)[]): boolean {
  const sorted = usual.filter((value) => value !== null).sort((a, b) => a - b);
  if (sorted.length === 0) return false;
  const largest = all.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
  return largest > FAR_APART * sorted[sorted.length >> 1];
}

function published(model: Model): Reference[] {
  const value = model.live?.published?.latency_us;
  return value === undefined ? [] : [{ value, role: "study", label: `study ${number(value, decimalsFor(value))}` }];
}
