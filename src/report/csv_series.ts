import {
  type Cell,
  cpuCells,
  FIGURE_COLUMNS,
  figureCells,
  MADE_COLUMNS,
  madeCells,
  RUN_COLUMNS,
  runCells,
  type RunOfRecord,
} from "./csv.ts";
import { busyCpus } from "./hardware_figures.ts";
import type { IntervalFigures } from "./interval_figures.ts";
import { rounded } from "./round.ts";

/*
 * A time series as one table: a record for each interval. Columns have the names of those of a result; who it is of is
 * all guests together, and so `from_ns` and `to_ns` stand where a result has the subject.
 */

/** The busiest direction of any link; what was lost, damaged and dropped anywhere, frames. */
const LOAD = ["link_utilisation", "link_MBps", "link_lost", "link_corrupted", "queue_drops", "nic_drops"];

/** Names of the columns, in order. */
export const SERIES_COLUMNS: readonly string[] = [
  ...RUN_COLUMNS,
  "from_ns",
  "to_ns",
  ...FIGURE_COLUMNS,
  ...LOAD,
  ...MADE_COLUMNS,
];

/** An interval as a record of a time series. */
export function seriesRecord(interval: IntervalFigures, run: Omit<RunOfRecord, "fingerprint" | "partial">): Cell[] {
  const { from_ns, to_ns, measured_ns, fingerprint, partial, totals, hosts, links } = interval;
  const busy = hosts.map(({ cpu, cpus }) => busyCpus(cpu, cpus));
  const directions = links.flatMap((link) => link.directions);
  const most = (values: number[]) => values.length === 0 ? "" : Math.max(...values);
  const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);
  return [
    ...runCells({ ...run, fingerprint, partial }),
    from_ns,
    to_ns,
    ...figureCells(totals),
    ...cpuCells(totals.cpu),
    rounded(sum(busy.map(({ host }) => host))),
    rounded(sum(busy.map(({ guest }) => guest))),
    most(directions.map(({ utilisation }) => utilisation)),
    most(directions.map(({ wire_bytes }) => measured_ns > 0 ? rounded((wire_bytes / measured_ns) * 1e3) : 0)),
    sum(directions.map(({ lost }) => lost)),
    sum(directions.map(({ corrupted = 0 }) => corrupted)),
    sum(directions.map(({ queue }) => queue.drops)),
    sum(hosts.map(({ nic }) => nic.drops)),
    ...madeCells(run),
  ];
}
