import type { RecentGuest } from "../../report/live_snapshot.ts";
import { chart, LABEL_WIDTH, nothingWords, toColumns } from "../chart.ts";
import { busy } from "../guest_list.ts";
import type { Model } from "../model.ts";
import { paint, type Role } from "../text.ts";
import { frame } from "./frame.ts";
import { subjectOf } from "./vm_panes.ts";

type Pick = (guest: RecentGuest) => number | null;

/** The history of one VM as charts: latency, throughput, and CPU time by class. */
export function vmCharts(model: Model, width: number, height: number): string[] {
  const latency = Math.ceil(height / 3);
  const throughput = Math.ceil((height - latency) / 2);
  return [
    ...one(
      model,
      width,
      latency,
      "Latency us",
      [["p99", "p99", (g) => g.p99_us], ["p50", "p50", (g) => g.p50_us]],
      true,
    ),
    ...one(model, width, throughput, "Throughput MB/s", [
      ["in", "throughput", (g) => g.throughput_MBps],
      ["out", "link", (g) => g.sent_MBps],
    ]),
    ...one(model, width, height - latency - throughput, "CPU %", [
      ["steal", "steal", (g) => g.cpu.steal * 100],
      ["busy", "user", (g) => busy(g.cpu) * 100],
    ]),
  ];
}

/** One chart of a few lines, the first of them broken so that they differ without colour. */
function one(
  model: Model,
  width: number,
  height: number,
  title: string,
  lines: readonly (readonly [name: string, role: Role, pick: Pick])[],
  worst = false,
): string[] {
  const subject = subjectOf(model);
  const index = subject?.index ?? -1;
  const guest = subject?.row.guest;
  const history = model.live?.history ?? [];
  const columns = lines.map(([, , pick]) =>
    toColumns(
      history.map(({ at_ns, guests }) => ({ at_ns, value: guests[index] === undefined ? null : pick(guests[index]) })),
      width - 3 - LABEL_WIDTH,
      worst,
    )
  );
  const drawn = chart({
    width: width - 3,
    height: height - 2,
    series: lines.map(([, role], i) => ({ role, values: columns[i].values, broken: i === 0 })),
    fromNs: columns[0].fromNs,
    toNs: columns[0].toNs,
    nothing: nothingWords(guest === undefined ? 0 : guest.messages + guest.sent.messages),
  });
  const note = lines.map(([name, role], i) => paint(role, `${i === 0 ? "╌" : "─"} ${name}`)).reverse().join("  ");
  return frame(drawn, { title, note, width, height });
}
