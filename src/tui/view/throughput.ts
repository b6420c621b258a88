import { chart, LABEL_WIDTH } from "../chart.ts";
import { decimalsFor, number } from "../format.ts";
import { columnsWithGhost, ghostSeries } from "../ghost.ts";
import type { Model } from "../model.ts";
import { paint } from "../text.ts";
import { frame } from "./frame.ts";

/** Delivered payload of all guests, and the busiest link direction against its capacity. */
export function throughput(model: Model, width: number, height: number): string[] {
  const live = model.live;
  const samples = live?.samples ?? [];
  const columns = width - 3 - LABEL_WIDTH;
  const { present: sum, ghost } = columnsWithGhost(model, columns, (s) => s.throughput_MBps);
  const { present: link } = columnsWithGhost(model, columns, (s) => s.link_MBps);
  const limit = live?.link_limit_MBps ?? 0;
  const lines = chart({
    width: width - 3,
    height: height - 2,
    series: [
      ...ghostSeries(ghost),
      { role: "link", values: link.values, broken: true },
      { role: "throughput", values: sum.values },
    ],
    fromNs: sum.fromNs,
    toNs: sum.toNs,
    reference: limit > 0 ? { value: limit, role: "dim" } : undefined,
  });
  const last = samples.at(-1);
  const show = (value: number | undefined) => number(value, decimalsFor(value ?? 0));
  const sumNote = paint("throughput", `─ sum ${show(last?.throughput_MBps)}`);
  const linkNote = paint("link", `╌ link ${show(last?.link_MBps)}`);
  const limitNote = limit > 0 ? paint("dim", ` of ${show(limit)}`) : "";
  return frame(lines, {
    title: "Throughput MB/s",
    note: [`${sumNote}  ${linkNote}${limitNote}`, `${sumNote}  ${linkNote}`, sumNote],
    width,
    height,
    focused: model.pane === "throughput",
  });
}
