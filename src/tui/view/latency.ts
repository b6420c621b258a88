import { chart, LABEL_WIDTH } from "../chart.ts";
import { decimalsFor, number } from "../format.ts";
import { columnsWithGhost, ghostSeries } from "../ghost.ts";
import type { Model } from "../model.ts";
import { paint } from "../text.ts";
import { frame } from "./frame.ts";

/** p50 and p99 of all messages over virtual time. */
export function latency(model: Model, width: number, height: number): string[] {
  const samples = model.live?.samples ?? [];
  const columns = width - 3 - LABEL_WIDTH;
  const { present: p50, ghost: ghost50 } = columnsWithGhost(model, columns, (s) => s.p50_us, true);
  const { present: p99, ghost: ghost99 } = columnsWithGhost(model, columns, (s) => s.p99_us, true);
  const lines = chart({
    width: width - 3,
    height: height - 2,
    series: [
      ...ghostSeries(ghost99, ghost50),
      { role: "p99", values: p99.values, broken: true },
      { role: "p50", values: p50.values },
    ],
    fromNs: p50.fromNs,
    toNs: p50.toNs,
  });
  const last = samples.at(-1);
  const totals = model.live?.snapshot.totals.latency_us;
  const now50 = last?.p50_us ?? totals?.p50 ?? null;
  const now99 = last?.p99_us ?? totals?.p99 ?? null;
  const decimals = decimalsFor(now99 ?? 0);
  const p50Note = paint("p50", `─ p50 ${number(now50, decimals)}`);
  const p99Note = paint("p99", `╌ p99 ${number(now99, decimals)}`);
  return frame(lines, {
    title: "Latency us",
    note: [`${p50Note}  ${p99Note}`, p99Note],
    width,
    height,
    focused: model.pane === "latency",
  });
}
