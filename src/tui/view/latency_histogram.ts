import type { LatencyHistogram } from "../../report/live_snapshot.ts";
import { LABEL_WIDTH } from "../chart.ts";
import { decimalsFor, number, si } from "../format.ts";
import type { Model } from "../model.ts";
import { logScale } from "../scale.ts";
import { left, paint, right, type Role, width as widthOf } from "../text.ts";

const BLOCKS = " ▁▂▃▄▅▆▇█";
/** Columns from one label to the next below the bars, at least. */
const LABEL_SPACING = 9;

/**
 * How many messages took how long, since the warm-up: latency from left to right and counts from bottom to top, both on
 * logarithmic scales, so that one message in a hundred thousand is seen. Exactly `height` lines of `width` columns.
 */
export function latencyHistogram(model: Model, width: number, height: number): string[] {
  const histogram = model.live?.latency_histogram ?? null;
  const distribution = model.live?.snapshot.totals.latency_us ?? null;
  const plotWidth = width - LABEL_WIDTH;
  const rows = height - 4;
  if (histogram === null || distribution === null || plotWidth < 8 || rows < 2) {
    const text = paint("dim", rows < 2 || plotWidth < 8 ? "  too small for a histogram" : "  no messages measured yet");
    return Array.from({ length: height }, (_, i) => left(i === Math.floor((height - 1) / 2) ? text : "", width));
  }
  const bars = merged(histogram, plotWidth);
  const scale = logScale(1, Math.max(...bars.counts, 10), rows);
  const lines = [left(summary(model, width), width)];
  const column = (us: number) => Math.floor((Math.log2(us) * bars.perOctave - bars.first) * bars.each);
  const [half, most] = [column(distribution.p50), column(distribution.p99)];
  const roleOf = (i: number): Role => i * bars.each <= half ? "p50" : i * bars.each <= most ? "p99" : "p999";
  for (let row = rows; row >= 0; row--) {
    const label = scale.labels.get(row);
    const cells = bars.counts.map((count, i) => {
      const fill = count === 0 ? 0 : Math.min(1, Math.max(0, scale.place(count) + 1 - row));
      const block = BLOCKS[Math.round(fill * 8)].repeat(bars.each);
      return fill === 0 ? block : paint(roleOf(i), block);
    });
    lines.push(
      paint("dim", right(label ?? "", LABEL_WIDTH - 2) + (label === undefined ? " │" : " ┤")) +
        left(cells.join(""), plotWidth),
    );
  }
  const marks: [Role, string, number][] = [
    ["p50", "p50", distribution.p50],
    ["p99", "p99", distribution.p99],
    ["p999", "p99.9", distribution.p999],
  ];
  lines.push(" ".repeat(LABEL_WIDTH) + left(edges(bars, plotWidth), plotWidth));
  lines.push(
    " ".repeat(LABEL_WIDTH) + pointers(marks.map(([role, text, us]) => ({ role, text, at: column(us) })), plotWidth),
  );
  return lines.slice(0, height);
}

function summary({ live }: Model, width: number): string {
  const { messages, latency_us } = live!.snapshot.totals;
  const decimals = decimalsFor(latency_us!.p99);
  const show = (name: string, us: number) => `${paint("dim", name)} ${number(us, decimals)}`;
  const { min, mean, p50, p99, p999, max } = latency_us!;
  const points = [["p50", p50], ["p99", p99], ["p99.9", p999], ["max", max], ["min", min], ["mean", mean]] as const;
  let line = ` ${si(messages)} ${paint("dim", "messages")}`;
  for (const [name, us] of points) {
    const item = `  ${show(name, us)}`;
    if (widthOf(line) + widthOf(item) > width) break;
    line += item;
  }
  return line;
}

/** Buckets that fit: neighbours added up two by two, or each drawn several columns wide. */
interface Bars {
  readonly counts: readonly number[];
  readonly perOctave: number;
  readonly first: number;
  /** Columns of a bar. */
  readonly each: number;
}

function merged({ counts, per_octave, first }: LatencyHistogram, columns: number): Bars {
  let bars: Bars = { counts, perOctave: per_octave, first, each: 1 };
  while (bars.counts.length > columns) {
    const start = Math.floor(bars.first / 2);
    const halved = new Array<number>(Math.floor((bars.first + bars.counts.length - 1) / 2) - start + 1).fill(0);
    bars.counts.forEach((count, i) => halved[Math.floor((bars.first + i) / 2) - start] += count);
    bars = { counts: halved, perOctave: bars.perOctave / 2, first: start, each: 1 };
  }
  return { ...bars, each: Math.min(8, Math.floor(columns / bars.counts.length)) };
}

/** Latencies at the left edges of some bars, with as many digits as tell them apart. */
function edges({ counts, perOctave, first, each }: Bars, width: number): string {
  const cells = new Array<string>(width).fill(" ");
  const every = Math.max(1, Math.ceil(LABEL_SPACING / each));
  const at = Array.from({ length: Math.ceil(counts.length / every) }, (_, i) => i * every);
  const values = at.map((i) => 2 ** ((first + i) / perOctave));
  let digits = 2;
  const texts = () => values.map((us) => String(Number(us.toPrecision(digits))));
  while (digits < 6 && new Set(texts()).size < values.length) digits++;
  texts().forEach((text, i) => {
    const column = at[i] * each;
    if (column + 1 + text.length <= width) cells.splice(column, 1 + text.length, "╵", ...text);
  });
  return paint("dim", cells.join(""));
}

/** Names under the bars that they point at; of two that would collide, the second joins the first. */
function pointers(marks: readonly { role: Role; text: string; at: number }[], width: number): string {
  let line = "";
  let used = 0;
  for (const { role, text, at } of marks) {
    const start = Math.min(Math.max(0, at), width - text.length - 1);
    const gap = start - used;
    const joined = gap < 0 ? `,${text}` : `${" ".repeat(gap)}^${text}`;
    if (used + joined.length > width) break;
    line += paint(role, joined);
    used += joined.length;
  }
  return line + " ".repeat(width - used);
}
