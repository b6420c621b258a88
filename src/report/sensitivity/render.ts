import { counted } from "../../base/counted.ts";
import { formatFraction } from "../../base/quantity.ts";
import { BASES } from "../../hw/machine_profile.ts";
import { type Cell, csvText } from "../csv.ts";
import { DERIVED } from "../derived.ts";
import { markdownTable } from "../markdown.ts";
import { provenanceMarkdown, sensitivityProvenance } from "../provenance.ts";
import { grid } from "../table.ts";
import {
  byWeight,
  type ChangedRun,
  type CostLine,
  failureLines,
  isUnmoved,
  type MetricLine,
  type Sensitivity,
} from "./sensitivity.ts";

/** Failures that a table names; the other formats have all. */
const FAILURES_SHOWN = 10;
/** Width of running text. */
const WIDTH = 100;
/** Sources are cut here in a table for terminals. */
const SOURCE_WIDTH = 48;
/** An elasticity that one message more or less makes, and that is worth a word. */
const COARSE = 0.01;
/** Digits of a result: enough to see what a tenth of a small cost does. */
const DIGITS = 6;

/** For each metric, the costs that move it, the heaviest first; then what was left out, what failed, and the verdict. */
export function sensitivityTable(result: Sensitivity): string {
  const { scenario: { name, title, path }, machine, by, runs_made, runs_planned } = result;
  const runs = `${runs_made === runs_planned ? "" : `${runs_made} of `}${counted(runs_planned, "run")}`;
  const sections = [
    [
      `${name}${title === "" ? "" : `  ${title}`}`,
      `path ${path}   machine ${machine}   each cost ${share(by)} lower and higher, by itself: ${runs}`,
    ],
    ...result.metrics.map((line) => [
      metricTitle(result, line),
      ...grid(columns(by), cells(result, line), 2, 6, SOURCE_WIDTH),
      ...footLines(result, line).flatMap(wrapped),
    ]),
    leftOutLines(result).flatMap(wrapped),
    verdict(result),
  ];
  return sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n") + "\n").join("\n");
}

export function sensitivityMarkdown(result: Sensitivity): string {
  const { scenario: { name, path }, machine, by, ok, partial } = result;
  const item = (line: string) => `- ${line}\n`;
  return [
    `# ${name}: what each cost does to it: ${ok ? "ok" : "failed"}${partial ? " (partial)" : ""}\n`,
    `Path ${path}, machine ${machine}; each cost ${share(by)} lower and higher, by itself.\n`,
    ...result.metrics.flatMap((line) => [
      `## ${metricTitle(result, line)}\n`,
      moving(result, line).length === 0 ? "" : markdownTable(columns(by), cells(result, line)),
      footLines(result, line).map(item).join(""),
    ]),
    leftOutLines(result).map(item).join(""),
    failureLines(result, FAILURES_SHOWN).map((failure) => item(`**failed**: ${failure}`)).join(""),
    provenanceMarkdown(sensitivityProvenance(result)),
  ].filter((part) => part !== "").join("\n");
}

export function sensitivityJson(result: Sensitivity): string {
  return JSON.stringify(result, null, 2) + "\n";
}

const CSV_COLUMNS = [
  ...[
    "tool_version",
    "scenario",
    "path",
    "machine",
    "by",
    "partial",
    "metric",
    "base",
    "cost",
    "value",
    "unit",
    "basis",
  ],
  ...["source", "fitted_to", "low_value", "high_value", "low", "high", "elasticity", "state"],
  ...["scenario_hash", "seed", "machine_hash", "command"],
];

/** A record for each metric and cost, also for those that were not changed, which `state` says. */
export function sensitivityCsv(result: Sensitivity): string {
  const { tool, command, scenario, machine, machine_hash, by, partial, metrics } = result;
  const made: Cell[] = [scenario.hash, scenario.seed, machine_hash, command];
  const records: Cell[][] = [];
  for (const line of metrics) {
    const head: Cell[] = [tool.version, scenario.name, scenario.path, machine, by, partial, line.metric, line.base];
    for (const cost of byWeight(result.costs, line.metric)) {
      const { low, high } = cost;
      records.push([
        ...head,
        ...[cost.cost, cost.value, cost.unit, cost.basis, cost.source, cost.fitted_to ?? null],
        ...[low?.value ?? null, high?.value ?? null, valueIn(low, line), valueIn(high, line)],
        ...[cost.elasticity[line.metric], stateOf(cost, line)],
        ...made,
      ]);
    }
    for (const state of ["unused", "zero"] as const) {
      for (const name of result[state]) {
        const nothing = new Array<Cell>(CSV_COLUMNS.length - head.length - 2 - made.length).fill(null);
        records.push([...head, name, ...nothing, state, ...made]);
      }
    }
  }
  return csvText([CSV_COLUMNS, ...records]);
}

function stateOf(cost: CostLine, line: MetricLine): string {
  const unmoved = isUnmoved(cost, line);
  return unmoved === null ? "partial" : unmoved ? "unmoved" : "moved";
}

/** Lines of a metric's table: neither those that did nothing, nor those of which nothing is known. */
function moving(result: Sensitivity, line: MetricLine): CostLine[] {
  return byWeight(result.costs, line.metric).filter((cost) =>
    (cost.low !== null || cost.high !== null) && isUnmoved(cost, line) !== true
  );
}

function metricTitle(result: Sensitivity, line: MetricLine): string {
  const { metric, base } = line;
  // The others have their unit in the name.
  const unit = Object.hasOwn(DERIVED, metric) ? ` ${DERIVED[metric as keyof typeof DERIVED].unit}` : "";
  return `${metric}: ${base?.toFixed(decimalsOf(result, line)) ?? "-"}${unit} with every cost as it is`;
}

function columns(by: number): string[] {
  return ["cost", "basis", "value", `at -${share(by)}`, `at +${share(by)}`, "elasticity", "source"];
}

function cells(result: Sensitivity, line: MetricLine): string[][] {
  const decimals = decimalsOf(result, line);
  const at = (run: ChangedRun | null) => valueIn(run, line)?.toFixed(decimals) ?? "-";
  return moving(result, line).map(({ cost, basis, value, unit, low, high, elasticity, source, fitted_to }) => [
    ...[cost, basis, `${plain(value)} ${unit}`, at(low), at(high), elasticityText(elasticity[line.metric])],
    fitted_to === undefined ? source : `${source}; fitted to: ${fitted_to}`,
  ]);
}

/** What the lines of a metric come to. */
function footLines(result: Sensitivity, line: MetricLine): string[] {
  const { costs, partial } = result;
  const moved = costs.filter((cost) => isUnmoved(cost, line) === false);
  const parts = BASES.filter((basis) => moved.some((cost) => cost.basis === basis))
    .map((basis) => `${basis} ${rounded(line.sum_by_basis[basis], 3)}`);
  const lines: string[] = [];
  if (parts.length > 0 && line.base !== 0) {
    lines.push(`sum of elasticities${partial ? " so far" : ""}: ${rounded(line.sum, 3)} (${parts.join(", ")})`);
  }
  lines.push(...coarseness(result, line));
  if (line.unmoved.length > 0) lines.push(`moved nothing: ${line.unmoved.join(", ")}`);
  return lines;
}

/** Why small elasticities of a metric may be none: percentiles are kept to three digits, messages are whole. */
function coarseness({ message_share, by }: Sensitivity, { metric }: MetricLine): string[] {
  if (/\.p\d+$/.test(metric)) {
    return [`percentiles have three digits: ${metric.replace(/p\d+$/, "mean")} tells smaller changes`];
  }
  const counts = /(^|\.)(throughput_MBps|messages_per_s|messages|bytes)$/.test(metric);
  if (!counts || message_share / (2 * by) < COARSE) return [];
  return [
    `one message more or less is ${share(Number(message_share.toPrecision(2)))} of it: a longer --duration tells finer`,
  ];
}

function leftOutLines({ unused, zero, costs }: Sensitivity): string[] {
  const waiting = costs.filter(({ low, high }) => low === null && high === null).map(({ cost }) => cost);
  return [
    ...(waiting.length > 0 ? [`not come to: ${waiting.join(", ")}`] : []),
    ...(zero.length > 0 ? [`0 on this machine, and left so: ${zero.join(", ")}`] : []),
    ...(unused.length > 0 ? [`not used by this run, and left as they are: ${unused.join(", ")}`] : []),
  ];
}

function verdict(result: Sensitivity): string[] {
  const { partial, ok } = result;
  return [
    ...failureLines(result, FAILURES_SHOWN).map((failure) => `FAIL  ${failure}`),
    ...(partial ? ["PARTIAL  it was stopped before its end"] : []),
    !ok ? "FAILED" : partial ? "OK so far" : "OK",
  ];
}

function valueIn(run: ChangedRun | null, { metric }: MetricLine): number | null {
  return run?.values[metric] ?? null;
}

/** Decimals for the values of a metric, the same for all of them, so that they can be compared; none for counts. */
function decimalsOf({ costs }: Sensitivity, line: MetricLine): number {
  const changed = costs.flatMap(({ low, high }) => [valueIn(low, line), valueIn(high, line)]);
  const values = [line.base, ...changed].filter((value) => value !== null);
  if (values.every(Number.isInteger)) return 0;
  const most = Math.max(...values.map(Math.abs));
  return Math.min(9, Math.max(0, DIGITS - 1 - Math.floor(Math.log10(most))));
}

function elasticityText(value: number | null): string {
  return value === null ? "-" : rounded(value, 4);
}

/** Without the sign of what is 0 at so many decimals. */
function rounded(value: number, decimals: number): string {
  const unit = 10 ** decimals;
  return (Math.round(value * unit) / unit + 0).toFixed(decimals);
}

/** Four digits are all that any cost has. */
function plain(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function share(by: number): string {
  return formatFraction(by);
}

/** Lines no wider than they should be, those that go on indented. */
function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line !== "" && line.length + 1 + word.length > WIDTH) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
