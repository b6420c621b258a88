import { type Case, caseName } from "./cluster/cases.ts";
import type { CaseOutcome, CaseResult } from "./cluster/run_case.ts";
import type { MicroResult } from "./micro/mod.ts";

/** A column: its heading, its width, and what it shows. */
type Column = readonly [heading: string, width: number, show: (result: CaseResult) => string];

const rate = (perSecond: number) =>
  perSecond >= 1e6
    ? `${(perSecond / 1e6).toFixed(2)}M`
    : perSecond >= 1e3
    ? `${(perSecond / 1e3).toFixed(1)}k`
    : perSecond.toFixed(0);
const ratio = (value: number | null) => value === null ? "-" : value.toFixed(2);

const factor = (value: number) => value.toFixed(value < 0.1 ? 4 : 3);

const COLUMNS: readonly Column[] = [
  ["x real", 7, ({ realtime }) => factor(realtime)],
  ["later", 6, ({ laterRealtime }) => factor(laterRealtime)],
  ["frames/s", 9, ({ framesPerS }) => rate(framesPerS)],
  ["/cpu s", 7, ({ framesPerCpuS }) => rate(framesPerCpuS)],
  ["msgs/s", 7, ({ messagesPerS }) => rate(messagesPerS)],
  ["/cpu s", 7, ({ messagesPerCpuS }) => rate(messagesPerCpuS)],
  ["events/s", 9, ({ eventsPerS }) => rate(eventsPerS)],
  ["/cpu s", 7, ({ eventsPerCpuS }) => rate(eventsPerCpuS)],
  ["copied", 7, ({ copiedPerByte }) => ratio(copiedPerByte)],
  ["alloc", 6, ({ allocatedPerEvent }) => allocatedPerEvent.toFixed(0)],
  ["heap", 6, ({ heapMB }) => heapMB.toFixed(0)],
  ["rss", 6, ({ residentMB }) => residentMB.toFixed(0)],
  ["set-up", 7, ({ setUpMs }) => setUpMs.toFixed(0)],
  ["frame", 6, ({ firstFrameMs }) => firstFrameMs.toFixed(0)],
];
const NAME = 38;

export const CASE_HEADER = [
  "runs".padEnd(NAME),
  ...COLUMNS.map(([heading, width]) => heading.padStart(width)),
  " hash",
].join(" ");

export function caseLine(run: Case, outcome: CaseOutcome): string {
  const name = caseName(run).padEnd(NAME);
  if ("skipped" in outcome) return `${name} skipped: ${outcome.skipped}`;
  const cells = COLUMNS.map(([, width, show]) => show(outcome.result).padStart(width));
  return [name, ...cells, ` ${outcome.result.hash}`].join(" ");
}

export const MICRO_HEADER = `${"micro".padEnd(14)} ${"ns/op".padStart(8)} ${"best".padStart(8)}  ${
  "hash".padEnd(16)
}  one operation`;

export function microLine({ name, nsPerOp, bestNsPerOp, hash, operation }: MicroResult): string {
  const cells = [nsPerOp, bestNsPerOp].map((ns) => ns.toFixed(1).padStart(8));
  return `${name.padEnd(14)} ${cells.join(" ")}  ${hash.padEnd(16)}  ${operation}`;
}
