import { type CpuFractions, type Distribution, type Figures, POINTS, type Snapshot } from "./snapshot.ts";

/*
 * One rectangular table: a record for the totals, one for each guest and one for each message size, told apart by
 * `kind`. Every record names its run, so that files of many runs can be put together and still be told apart.
 */

export type Cell = string | number | boolean | null;

/** Those that say which run a record is of. */
export const RUN_COLUMNS: readonly string[] = [
  "tool_version",
  "scenario",
  "scenario_hash",
  "path",
  "guests",
  "seed",
  "machine",
  "fingerprint",
  "partial",
];
const SUBJECT = ["kind", "name", "host", "size"];
const COUNTS = [
  "messages",
  "bytes",
  "throughput_MBps",
  "messages_per_s",
  "integrity_errors",
  "lost",
  "duplicated",
  "retransmits",
];
const CPU: readonly (keyof CpuFractions)[] = ["user", "kernel", "irq", "hypervisor", "steal", "idle"];
const SHARES = ["host_cpu", "guest_cpu"];
/** Of a guest only. */
const SENT = ["sent_MBps"];
/** What else made the run. They came later than the others, which keep their places: they stand at the end. */
export const MADE_COLUMNS: readonly string[] = ["machine_hash", "command"];

/** Those of figures of whatever subject. */
export const FIGURE_COLUMNS: readonly string[] = [
  ...COUNTS,
  ...POINTS.map((point) => `latency_us_${point}`),
  ...POINTS.map((point) => `rtt_us_${point}`),
  ...CPU.map((kind) => `cpu_${kind}`),
  ...SHARES,
];

/** Names of the columns, in order. */
export const CSV_COLUMNS: readonly string[] = [...RUN_COLUMNS, ...SUBJECT, ...FIGURE_COLUMNS, ...SENT, ...MADE_COLUMNS];

/** A result as comma-separated values (RFC 4180, with a header, lines end in CR LF); an empty cell is "not measured". */
export function toCsv(snapshot: Snapshot): string {
  return csvText([CSV_COLUMNS, ...csvRecords(snapshot)]);
}

/** The records of a result, one cell for each column. */
export function csvRecords(snapshot: Omit<Snapshot, "wall">): Cell[][] {
  const run = runCells(snapshot);
  const made = madeCells(snapshot);
  const subjects = [totalCells(snapshot.totals), ...snapshot.guests.map(guestCells), ...snapshot.rows.map(rowCells)];
  return subjects.map((cells) => [...run, ...cells, ...made]);
}

function totalCells(totals: Snapshot["totals"]): Cell[] {
  return ["total", "", "", "", ...figureCells(totals), ...cpuCells(totals.cpu), ...empty(SHARES), ...empty(SENT)];
}

function guestCells(guest: Snapshot["guests"][number]): Cell[] {
  const { name, host, cpu, sent } = guest;
  return ["guest", name, host, "", ...figureCells(guest), ...cpuCells(cpu), ...empty(SHARES), sent.throughput_MBps];
}

/** A row knows medians only. */
function rowCells(row: Snapshot["rows"][number]): Cell[] {
  const counts = COUNTS.map((name) => name === "throughput_MBps" ? row.throughput_MBps : "");
  const latency = POINTS.map((point) => point === "p50" ? row.latency_us : "");
  const rtt = POINTS.map((point) => point === "p50" ? row.rtt_us : "");
  const shares = [row.host_cpu, row.guest_cpu];
  return ["row", "", "", row.size, ...counts, ...latency, ...rtt, ...empty(CPU), ...shares, ...empty(SENT)];
}

/** What a record says of its run. */
export type RunOfRecord = Pick<Snapshot, "tool" | "command" | "scenario" | "machine" | "fingerprint" | "partial">;

export function runCells({ tool, scenario, machine, fingerprint, partial }: RunOfRecord): Cell[] {
  const { name, hash, path, guests, seed } = scenario;
  return [tool.version, name, hash, path, guests, seed, machine.profile, fingerprint, partial];
}

export function madeCells({ machine, command }: Pick<RunOfRecord, "machine" | "command">): Cell[] {
  return [machine.hash, command];
}

export function figureCells(figures: Figures): Cell[] {
  const distribution = (values: Distribution | null) => POINTS.map((point) => values?.[point] ?? "");
  return [
    ...COUNTS.map((name) => figures[name as keyof Figures] as number),
    ...distribution(figures.latency_us),
    ...distribution(figures.rtt_us),
  ];
}

export function cpuCells(cpu: CpuFractions): Cell[] {
  return CPU.map((kind) => cpu[kind]);
}

function empty(columns: readonly unknown[]): Cell[] {
  return columns.map(() => "");
}

/** Records as RFC 4180 has them: what has a comma, a quote or a line end in it is quoted. */
export function csvText(records: readonly (readonly Cell[])[]): string {
  return records.map((cells) => cells.map(escape).join(",") + "\r\n").join("");
}

function escape(cell: Cell): string {
  const text = cell === null ? "" : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
