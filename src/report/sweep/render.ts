import { type Cell, CSV_COLUMNS, csvRecords, csvText } from "../csv.ts";
import { toJsonLine } from "../json.ts";
import { markdownTable } from "../markdown.ts";
import { bytes, count, duration, figure, percent } from "../number_text.ts";
import { provenanceMarkdown, sweepProvenance } from "../provenance.ts";
import type { Snapshot } from "../snapshot.ts";
import { grid } from "../table.ts";
import { metricValue, ThresholdError } from "../thresholds.ts";
import { type Sweep, sweepFailures, type SweepResult, type SweepRun, valueText } from "./sweep.ts";

/** What a table shows of each run, beside the values that make it. */
export interface SweepTableOptions {
  /** Metrics as thresholds name them; the usual ones where there are none. */
  readonly show?: readonly string[];
}

/** One table: a line for each run, or one for each message size of it; then what failed, and the verdict. */
export function sweepTable(sweep: Sweep, options: SweepTableOptions = {}): string {
  const { scenario, over } = sweep;
  const { head, rows } = cells(sweep, options);
  const title = `${scenario.name}${scenario.title === "" ? "" : `  ${scenario.title}`}`;
  const lines = [title, `over ${over.map(({ key }) => key).join(", ")}: ${countText(sweep)}`, ""];
  // A verdict is a word; a limit can be a long one.
  lines.push(...grid(head, rows, over.length));
  const failures = sweepFailures(sweep.runs);
  if (failures.length > 0) lines.push("", ...failures.map((failure) => `FAIL  ${failure}`));
  lines.push("", ...(sweep.partial ? ["PARTIAL  the sweep was stopped before its end"] : []));
  lines.push(!sweep.ok ? "FAILED" : sweep.partial ? "OK so far" : "OK");
  return lines.join("\n") + "\n";
}

export function sweepMarkdown(sweep: Sweep, options: SweepTableOptions = {}): string {
  const { head, rows } = cells(sweep, options);
  const verdict = `${sweep.ok ? "ok" : "failed"}${sweep.partial ? " (partial)" : ""}`;
  const failures = sweepFailures(sweep.runs).map((failure) => `- ${failure}\n`);
  return [
    `# ${sweep.scenario.name} over ${sweep.over.map(({ key }) => key).join(", ")}: ${verdict}\n`,
    markdownTable(head, rows),
    ...(failures.length > 0 ? [failures.join("")] : []),
    provenanceMarkdown(sweepProvenance(sweep)),
  ].join("\n");
}

/** One object; each result is as `run --format json` has it, but for `wall`. */
export function sweepJson({ runs, ...head }: Sweep): string {
  const results = runs.map(({ over, result }) => ({ over, result: inOrder(result) }));
  return JSON.stringify({ ...head, runs: results }, null, 2) + "\n";
}

/** A `run` line for each run, in the order of the sweep; a line can be written as soon as the runs before it are. */
export function sweepRunLine({ over, result }: SweepRun): string {
  return JSON.stringify({ type: "run", over, ...inOrder(result) }) + "\n";
}

/** The last line: a sweep without its runs. */
export function sweepSummaryLine({ runs, ...head }: Sweep): string {
  return JSON.stringify({ type: "summary", ...head, runs_made: runs.length }) + "\n";
}

/** The records of every run, as `run --format csv` has them, behind the values that make it. */
export function sweepCsv({ over, runs }: Sweep): string {
  const records: Cell[][] = [[...over.map(({ key }) => `over.${key}`), ...CSV_COLUMNS]];
  for (const run of runs) {
    const values = over.map(({ key }) => valueText(run.over[key]));
    for (const record of csvRecords(run.result)) records.push([...values, ...record]);
  }
  return csvText(records);
}

function inOrder(result: SweepResult): SweepResult {
  return JSON.parse(toJsonLine(result));
}

function countText({ runs, runs_planned }: Sweep): string {
  return runs.length === runs_planned ? `${runs_planned} runs` : `${runs.length} of ${runs_planned} runs`;
}

interface Cells {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function cells({ over, runs }: Sweep, { show = [] }: SweepTableOptions): Cells {
  const values = (run: SweepRun) => over.map(({ key }) => valueText(run.over[key]));
  const head = over.map(({ key }) => key);
  if (show.length > 0) {
    const rows = runs.map((run) => [...values(run), ...show.map((metric) => metricText(metric, run.result))]);
    return { head: [...head, ...show, ""], rows: rows.map((row, i) => [...row, verdictOf(runs[i].result)]) };
  }
  if (runs.some(({ result }) => result.rows.length > 1)) {
    const rows = runs.flatMap((run) => sizeRows(run.result).map((row) => [...values(run), ...row]));
    return { head: [...head, "size", "latency us", "rtt us", "MB/s", "host cpu %", "guest cpu %", ""], rows };
  }
  const rows = runs.map((run) => [...values(run), ...usualCells(run.result)]);
  return { head: [...head, "p50 us", "p99 us", "MB/s", "msg/s", "host cpu %", "guest cpu %", "limit", ""], rows };
}

/** A metric that only other runs have, such as that of a guest, has no value here. */
function metricText(metric: string, result: SweepResult): string {
  try {
    return figure(metricValue(metric, result as Snapshot));
  } catch (error) {
    if (error instanceof ThresholdError) return "-";
    throw error;
  }
}

function sizeRows(result: SweepResult): string[][] {
  return result.rows.map((row) => [
    bytes(row.size),
    figure(row.latency_us),
    figure(row.rtt_us),
    figure(row.throughput_MBps),
    percent(row.host_cpu),
    percent(row.guest_cpu),
    verdictOf(result),
  ]);
}

/** Host CPU is that of all CPUs of all hosts, guests' work included; guest CPU the mean of all guests. */
function usualCells(result: SweepResult): string[] {
  const { totals, hosts, guests, bottleneck } = result;
  const mean = (fractions: readonly number[]) => fractions.reduce((sum, one) => sum + one, 0) / fractions.length;
  return [
    figure(totals.latency_us?.p50),
    figure(totals.latency_us?.p99),
    figure(totals.throughput_MBps),
    count(totals.messages_per_s),
    percent(mean(hosts.map(({ cpu }) => 1 - cpu.idle))),
    percent(mean(guests.map(({ cpu }) => 1 - cpu.idle - cpu.steal))),
    bottleneck?.what ?? "-",
    verdictOf(result),
  ];
}

function verdictOf({ ok, partial, virtual_ns }: SweepResult): string {
  if (!ok) return "FAILED";
  return partial ? `partial, at ${duration(virtual_ns)}` : "ok";
}
