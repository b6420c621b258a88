import { formatSize } from "../../base/quantity.ts";
import { decimalsFor, number } from "../format.ts";
import type { Model } from "../model.ts";
import { left, paint, right } from "../text.ts";
import { bar } from "./bar.ts";

const SIZE = 8;
const NUMBER = 9;

/** Medians by message size of a workload that sweeps sizes, the bars on a logarithmic scale. At most `height` lines. */
export function latencySizes(model: Model, width: number, height: number): string[] {
  const rows = model.live?.snapshot.rows ?? [];
  if (rows.length === 0) return ["", paint("dim", "  messages of one size: nothing to compare")];
  const decimals = decimalsFor(rows.reduce((max, row) => Math.max(max, row.latency_us), 0));
  const wide = width >= SIZE + 3 * NUMBER + 12;
  const barWidth = Math.max(4, width - SIZE - NUMBER * (wide ? 3 : 2) - 3);
  const heading = right("size", SIZE) + right("us", NUMBER) + (wide ? right("rtt us", NUMBER) : "") +
    right("MB/s", NUMBER);
  const logs = rows.map(({ latency_us }) => Math.log(latency_us));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const room = height - 1;
  const shown = rows.length <= room ? rows : rows.slice(0, Math.max(0, room - 1));
  const lines = shown.map((row, i) => {
    // The shortest has a tenth of the longest bar: none would look like zero.
    const fraction = high > low ? 0.1 + (0.9 * (logs[i] - low)) / (high - low) : 1;
    return right(formatSize(row.size), SIZE) + right(number(row.latency_us, decimals), NUMBER) +
      (wide ? paint("dim", right(number(row.rtt_us, decimals), NUMBER)) : "") +
      right(number(row.throughput_MBps, decimalsFor(row.throughput_MBps)), NUMBER) + "  " +
      bar([{ role: "p50", fraction }], barWidth, model.monochrome, " ");
  });
  if (shown.length < rows.length) lines.push(paint("dim", `  and ${rows.length - shown.length} larger sizes`));
  return [paint("heading", left(heading, width)), ...lines];
}
