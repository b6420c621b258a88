import type { Summary } from "../../report/summary.ts";
import { decimalsFor, number, percent, si } from "../format.ts";

/** A figure of a path: a row of the table, or a column where paths are rows. */
export interface Metric {
  /** With its unit, at most 12 columns. */
  readonly label: string;
  /** Where paths are rows, and how wide it is there. */
  readonly short: string;
  readonly width: number;
  readonly better: "less" | "more" | null;
  /** Null for none. */
  value(summary: Summary): number | null;
  /** Text of a value; `largest` is that of all paths, so that the points of a row line up. */
  show(value: number, largest: number): string;
  /** Rows with a higher number give way first where there is no room. */
  readonly rank: number;
}

const decimal = (value: number, largest: number) => number(value, decimalsFor(largest));
const cpus = (value: number) => value.toFixed(2);
const whole = (value: number) => value < 1e6 ? String(Math.round(value)) : si(value);

/** Figures without a single message would only be noise. */
const measured = (pick: (summary: Summary) => number) => (summary: Summary) =>
  summary.totals.messages > 0 ? pick(summary) : null;
const elapsed = (pick: (summary: Summary) => number | null) => (summary: Summary) =>
  summary.measured_ns > 0 ? pick(summary) : null;

/** CPUs that are busy, whoever has them. */
function busyCpus({ cpus: { dom0, host, guest, hypervisor } }: Summary): number {
  return dom0 + host + guest + hypervisor;
}

const P50: Metric = {
  label: "p50 us",
  short: "p50 us",
  width: 9,
  better: "less",
  value: ({ totals }) => totals.latency_us?.p50 ?? null,
  show: decimal,
  rank: 0,
};
const P99: Metric = {
  label: "p99 us",
  short: "p99 us",
  width: 9,
  better: "less",
  value: ({ totals }) => totals.latency_us?.p99 ?? null,
  show: decimal,
  rank: 1,
};
const THROUGHPUT: Metric = {
  label: "MB/s",
  short: "MB/s",
  width: 8,
  better: "more",
  value: measured(({ totals }) => totals.throughput_MBps),
  show: decimal,
  rank: 0,
};
const RATE: Metric = {
  label: "msg/s",
  short: "msg/s",
  width: 7,
  better: "more",
  value: measured(({ totals }) => totals.messages_per_s),
  show: (value) => si(value),
  rank: 2,
};
const CPU_PER_MESSAGE: Metric = {
  label: "CPU us/msg",
  short: "us/msg",
  width: 8,
  better: "less",
  value: measured((summary) => busyCpus(summary) * 1e6 / summary.totals.messages_per_s),
  show: decimal,
  rank: 1,
};

/** In the order of the table. */
export const METRICS: readonly Metric[] = [
  P50,
  P99,
  THROUGHPUT,
  RATE,
  CPU_PER_MESSAGE,
  {
    label: "busy CPUs",
    short: "CPUs",
    width: 7,
    better: "less",
    value: elapsed(busyCpus),
    show: cpus,
    rank: 3,
  },
  owner("dom0 CPUs", "dom0", 4, ({ dom0 }) => dom0),
  owner("host CPUs", "host", 6, ({ host }) => host),
  owner("guest CPUs", "guest", 5, ({ guest }) => guest),
  owner("hyperv. CPUs", "hyp.", 7, ({ hypervisor }) => hypervisor),
  {
    label: "guest CPU %",
    short: "vm %",
    width: 6,
    better: "less",
    value: elapsed(({ totals: { cpu: { user, kernel, irq, hypervisor } } }) => user + kernel + irq + hypervisor),
    show: percent,
    rank: 8,
  },
  {
    label: "steal %",
    short: "steal",
    width: 6,
    better: "less",
    value: elapsed(({ totals }) => totals.cpu.steal),
    show: percent,
    rank: 9,
  },
  {
    label: "sent again",
    short: "again",
    width: 6,
    better: "less",
    value: ({ totals }) => totals.retransmits,
    show: whole,
    rank: 8,
  },
  {
    label: "lost frames",
    short: "lost",
    width: 6,
    better: "less",
    value: ({ drops }) => drops,
    show: whole,
    rank: 8,
  },
];

/** Whose the busy CPUs are. Less is not better: it may only be more of another's. Who is not there has none. */
function owner(label: string, short: string, rank: number, pick: (cpus: Summary["cpus"]) => number): Metric {
  const value = elapsed((summary) => pick(summary.cpus) || null);
  return { label, short, width: 7, better: null, value, show: cpus, rank };
}

/** What is divided by the base's. */
export const RATIOS: readonly Metric[] = [P50, P99, THROUGHPUT, RATE, CPU_PER_MESSAGE];

/** By what the paths can be put in order. */
export const ORDER_METRICS = { p50: P50, "MB/s": THROUGHPUT, CPU: CPU_PER_MESSAGE } as const;

/** Three digits that say how many times. */
export function times(value: number): string {
  if (value >= 1e4) return si(value);
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}
