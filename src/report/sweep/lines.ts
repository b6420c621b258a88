import { parseFraction, parseRate, parseSize, parseTime, QuantityError } from "../../base/quantity.ts";
import { bytes, count, duration, figure, percent } from "../number_text.ts";
import type { RowFigures, Snapshot } from "../snapshot.ts";
import { metricValue, ThresholdError } from "../thresholds.ts";
import { type Sweep, type SweepResult, type SweepRun, valueText } from "./sweep.ts";

/*
 * A sweep as lines of figures: one for each run, or for each message size of it. Tables and charts show the same.
 */

/** A figure as a table has it, and as a number; null where the run does not have it. */
export interface Cell {
  readonly text: string;
  readonly value: number | null;
}

export interface SweepLine {
  /** One for each key. */
  readonly keys: readonly Cell[];
  /** One for each figure. */
  readonly figures: readonly Cell[];
  /** What limits the run, where the table says so. */
  readonly limit: readonly string[];
  readonly verdict: string;
}

export interface SweepLines {
  /** What was swept over, and `size` where the runs go through sizes. */
  readonly keys: readonly string[];
  readonly figures: readonly string[];
  /** `limit`, or nothing. */
  readonly limit: readonly string[];
  readonly lines: readonly SweepLine[];
}

/** A figure of a run, or of one size of it. */
interface Column<Of> {
  readonly name: string;
  readonly value: (of: Of) => number | null | undefined;
  readonly text: (value: number | null) => string;
  /** It is a fraction, and shown in per cent. */
  readonly inPercent?: true;
}

/** A fraction, in per cent. */
const share = { text: (value: number | null) => value === null ? "-" : percent(value), inPercent: true } as const;
const mean = (fractions: readonly number[]) => fractions.reduce((sum, one) => sum + one, 0) / fractions.length;

/** Host CPU is that of all CPUs of all hosts, guests' work included; guest CPU the mean of all guests. */
const USUAL: readonly Column<SweepResult>[] = [
  { name: "p50 us", value: ({ totals }) => totals.latency_us?.p50, text: figure },
  { name: "p99 us", value: ({ totals }) => totals.latency_us?.p99, text: figure },
  { name: "MB/s", value: ({ totals }) => totals.throughput_MBps, text: figure },
  { name: "msg/s", value: ({ totals }) => totals.messages_per_s, text: (value) => count(value!) },
  { name: "host cpu %", value: ({ hosts }) => mean(hosts.map(({ cpu }) => 1 - cpu.idle)), ...share },
  {
    name: "guest cpu %",
    value: ({ guests }) => mean(guests.map(({ cpu }) => 1 - cpu.idle - cpu.steal)),
    ...share,
  },
];

const OF_A_SIZE: readonly Column<RowFigures>[] = [
  { name: "latency us", value: (row) => row.latency_us, text: figure },
  { name: "rtt us", value: (row) => row.rtt_us, text: figure },
  { name: "MB/s", value: (row) => row.throughput_MBps, text: figure },
  { name: "host cpu %", value: (row) => row.host_cpu, ...share },
  { name: "guest cpu %", value: (row) => row.guest_cpu, ...share },
];

/** The lines of a sweep: of the metrics that are asked for, as thresholds name them, or of the usual ones. */
export function sweepLines({ over, runs }: Sweep, show: readonly string[] = []): SweepLines {
  const keys = over.map(({ key }) => key);
  const values = over.map(({ values }) => numbersOf(values));
  const keysOf = (run: SweepRun) =>
    over.map(({ key }, i) => {
      const text = valueText(run.over[key]);
      return { text, value: values[i].get(text) ?? null };
    });
  if (show.length > 0) {
    const columns = show.map((name): Column<SweepResult> => ({
      name,
      value: (run) => metric(name, run),
      text: figure,
    }));
    const lines = runs.map((run) => lineOf(keysOf(run), columns, run.result, run.result));
    return { keys, figures: show, limit: [], lines };
  }
  if (runs.some(({ result }) => result.rows.length > 1)) {
    const lines = runs.flatMap((run) =>
      run.result.rows.map((row) => {
        const size = { text: bytes(row.size), value: row.size };
        return lineOf([...keysOf(run), size], OF_A_SIZE, row, run.result);
      })
    );
    return { keys: [...keys, "size"], figures: namesOf(OF_A_SIZE), limit: [], lines };
  }
  const lines = runs.map((run) => {
    const limit = [run.result.bottleneck?.what ?? "-"];
    return { ...lineOf(keysOf(run), USUAL, run.result, run.result), limit };
  });
  return { keys, figures: namesOf(USUAL), limit: ["limit"], lines };
}

function namesOf(columns: readonly { readonly name: string }[]): string[] {
  return columns.map(({ name }) => name);
}

function lineOf<Of>(keys: readonly Cell[], columns: readonly Column<Of>[], of: Of, result: SweepResult): SweepLine {
  const figures = columns.map((column) => {
    const value = column.value(of) ?? null;
    const text = column.text(value);
    if (value === null || !Number.isFinite(value)) return { text, value: null };
    return { text, value: column.inPercent ? 100 * value : value };
  });
  return { keys, figures, limit: [], verdict: verdictOf(result) };
}

/** A metric that only other runs have, such as that of a guest, has no value here. */
function metric(name: string, result: SweepResult): number | null {
  try {
    return metricValue(name, result as Snapshot);
  } catch (error) {
    if (error instanceof ThresholdError) return null;
    throw error;
  }
}

function verdictOf({ ok, partial, virtual_ns }: SweepResult): string {
  if (!ok) return "FAILED";
  return partial ? `partial, at ${duration(virtual_ns)}` : "ok";
}

const KINDS = [Number, parseSize, parseTime, parseRate, parseFraction];

/** Values as numbers of one kind, by their texts: sizes in bytes, times in picoseconds. Empty for words. */
export function numbersOf(values: readonly unknown[]): Map<string, number> {
  const texts = values.map(valueText);
  for (const parse of KINDS) {
    const numbers = texts.map((text) => numberOf(text, parse));
    if (numbers.every(Number.isFinite)) return new Map(texts.map((text, i) => [text, numbers[i]]));
  }
  return new Map();
}

function numberOf(text: string, parse: (text: string) => number): number {
  try {
    return text.trim() === "" ? NaN : parse(text);
  } catch (error) {
    if (error instanceof QuantityError) return NaN;
    throw error;
  }
}
