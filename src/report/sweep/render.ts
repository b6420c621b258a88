import { counted } from "../../base/counted.ts";
import { type Cell, CSV_COLUMNS, csvRecords, csvText } from "../csv.ts";
import { toJsonLine } from "../json.ts";
import { markdownTable } from "../markdown.ts";
import { provenanceMarkdown, sweepProvenance } from "../provenance.ts";
import { grid } from "../table.ts";
import { type SweepLine, sweepLines } from "./lines.ts";
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

/** How many runs there are, of how many. */
export function countText({ runs, runs_planned }: Sweep): string {
  return `${runs.length === runs_planned ? "" : `${runs.length} of `}${counted(runs_planned, "run")}`;
}

function cells(sweep: Sweep, { show }: SweepTableOptions): { head: string[]; rows: string[][] } {
  const { keys, figures, limit, lines } = sweepLines(sweep, show);
  const texts = (cells: SweepLine["keys"]) => cells.map(({ text }) => text);
  return {
    head: [...keys, ...figures, ...limit, ""],
    rows: lines.map((line) => [...texts(line.keys), ...texts(line.figures), ...line.limit, line.verdict]),
  };
}
