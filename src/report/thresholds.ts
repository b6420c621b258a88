import { counted } from "../base/counted.ts";
import { parseSize, showValue } from "../base/quantity.ts";
import { didYouMean } from "../base/suggest.ts";
import type { Scenario } from "../cluster/scenario.ts";
import type { Snapshot, ThresholdResult } from "./snapshot.ts";
import { DERIVED, derivedValue } from "./derived.ts";
import { OPEN_LISTS, templateSnapshot } from "./template.ts";

/*
 * Conditions on a result: `throughput_MBps > 1100`, `totals.latency_us.p99 < 50`, `guests[0].cpu.user < 0.5`,
 * `guests.*.integrity_errors == 0`, `stages[grant].us < 2`, `rows[4 KiB].latency_us < 20`.
 *
 * A metric is a path into the snapshot; one that begins with no field of the snapshot is meant of `totals`, or is one
 * that is computed from it (derived.ts). Entries
 * of lists are chosen by number, by name (rows: by size), or all at once with `*`. A condition on `*` must hold for
 * every entry. A metric that does not exist is an error before the run: a gate must not pass by accident.
 */

type Operator = ">" | ">=" | "<" | "<=" | "==" | "!=";

interface Threshold {
  readonly metric: string;
  readonly steps: readonly string[];
  readonly operator: Operator;
  readonly bound: number;
}

/** A threshold expression that cannot be understood, or whose metric does not exist. */
export class ThresholdError extends Error {
  override name = "ThresholdError";
}

const GRAMMAR = /^\s*(\S.*?)\s*(>=|<=|==|!=|>|<)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*$/;
const STEP = /\[([^\]]*)\]|([^.[\]]+)/g;

/** What is wrong with an expression for a run of `scenario`, or null. */
export function checkThreshold(expression: string, scenario?: Scenario): string | null {
  try {
    const values = lookUp(parse(expression), templateSnapshot(scenario), true);
    return values.length > 0 ? null : `found ${showValue(expression)}, wanted a metric that this scenario has`;
  } catch (error) {
    if (error instanceof ThresholdError) return error.message;
    throw error;
  }
}

/**
 * Evaluates every expression. A metric without a value (no samples, no such row) does not satisfy anything; of several
 * values the result shows the one nearest to failing. Throws {@link ThresholdError} for an unknown metric.
 */
export function evaluateThresholds(expressions: readonly string[], snapshot: Snapshot): ThresholdResult[] {
  // A run that ended early has not come to those of its parts that begin with a request or an iteration.
  const whole = { offered: null, solver: null, ...snapshot } as unknown as Snapshot;
  return expressions.map((expression) => {
    const threshold = parse(expression);
    const values = lookUp(threshold, whole, false);
    const failing = values.find((value) => !holds(value, threshold));
    return {
      expression,
      value: values.length === 0 ? NaN : failing ?? tightest(values, threshold.operator),
      ok: values.length > 0 && failing === undefined,
    };
  });
}

/** The value that a metric has in a snapshot, the first of several; NaN when it has none. Throws {@link ThresholdError}. */
export function metricValue(metric: string, snapshot: Snapshot): number {
  return lookUp(parse(`${metric} >= 0`), snapshot, false)[0] ?? NaN;
}

/**
 * The verdict on a run: the snapshot with its thresholds evaluated, and `ok` and `failures` to match. A run without a
 * completed message fails, because every limit from above would hold for it; but a guest program may say its result in
 * other ways.
 */
export function judge(snapshot: Snapshot, expressions: readonly string[]): Snapshot {
  const thresholds = evaluateThresholds(expressions, snapshot);
  const { messages, integrity_errors } = snapshot.totals;
  const failures = [...snapshot.failures];
  if (messages === 0 && failures.length === 0 && !saysSomething(snapshot)) {
    failures.push(NO_SAMPLES);
  }
  if (integrity_errors > 0 && snapshot.checks === undefined) {
    failures.push(wrongPayload(integrity_errors));
  }
  for (const { expression, value, ok } of thresholds) {
    if (!ok) failures.push(`${THRESHOLD}${expression}: found ${Number.isNaN(value) ? "no value" : shortNumber(value)}`);
  }
  return { ...snapshot, thresholds, failures, ok: failures.length === 0 };
}

const NO_SAMPLES = "no samples: no message was completed after warm-up";
const THRESHOLD = "threshold ";
const wrongPayload = (messages: number) => `${counted(messages, "message")} arrived with a wrong payload`;

/** Failures of a run that are neither of a threshold, nor of its payload, nor that there was none. */
export function otherFailures({ failures, totals }: Omit<Snapshot, "wall">): string[] {
  const judged = [NO_SAMPLES, wrongPayload(totals.integrity_errors)];
  return withoutThresholds(failures).filter((failure) => !judged.includes(failure));
}

/** Failures that are not of a threshold: those are told with the thresholds themselves. */
export function withoutThresholds(failures: readonly string[]): string[] {
  return failures.filter((failure) => !failure.startsWith(THRESHOLD));
}

/** Whether a guest program has printed or checked something. */
function saysSomething({ output = [], output_dropped = 0, checks }: Snapshot): boolean {
  return output.length > 0 || output_dropped > 0 || (checks?.made ?? 0) > 0;
}

/** A verdict with further failures: what was not given back at the end of the run. */
export function withFailures(snapshot: Snapshot, failures: readonly string[]): Snapshot {
  if (failures.length === 0) return snapshot;
  return { ...snapshot, failures: [...snapshot.failures, ...failures], ok: false };
}

function parse(expression: string): Threshold {
  const match = GRAMMAR.exec(expression);
  if (match === null) {
    throw new ThresholdError(`found ${showValue(expression)}, wanted a condition such as throughput_MBps > 1100`);
  }
  const steps = [...match[1].matchAll(STEP)].map((step) => (step[1] ?? step[2]).trim());
  return { metric: match[1], steps, operator: match[2] as Operator, bound: Number(match[3]) };
}

/** The numbers that a metric names. `known` looks in a template, in which entries of {@link OPEN_LISTS} stand for all. */
function lookUp({ metric, steps }: Threshold, snapshot: Snapshot, known: boolean): number[] {
  const atTop = steps.length > 0 && Object.hasOwn(snapshot, steps[0]);
  if (steps[0] === "wall") {
    throw new ThresholdError(`found ${metric}, which differs from run to run; wanted another metric`);
  }
  if (steps[0] === "thresholds" || steps[0] === "failures") {
    throw new ThresholdError(`found ${metric}, which is a verdict; wanted a figure that it is made from`);
  }
  const derived = steps.length === 1 ? derivedValue(steps[0], snapshot) : undefined;
  if (derived !== undefined) return [derived];
  let places: unknown[] = [atTop ? snapshot : snapshot.totals];
  for (const [depth, step] of steps.entries()) {
    const candidates = depth === 0 && !atTop ? firstNames(snapshot) : undefined;
    const within = { metric, known, name: steps[depth - 1], candidates };
    places = places.flatMap((place) => enter(place, step, within));
  }
  return places.map((place) => {
    if (typeof place === "number") return place;
    if (place === null) return NaN;
    const wanted = typeof place === "object" ? `one of its numbers, such as ${metric}.${leafOf(place)}` : "a number";
    throw new ThresholdError(`found metric ${showValue(metric)}, wanted ${wanted}`);
  });
}

/** What a metric may begin with. */
function firstNames(snapshot: Snapshot): string[] {
  return [snapshot.totals, snapshot, DERIVED].flatMap(Object.keys);
}

/** Where a step is taken. */
interface Within {
  readonly metric: string;
  readonly known: boolean;
  /** Of the field that the step goes into; undefined at the top. */
  readonly name: string | undefined;
  readonly candidates?: readonly string[];
}

function enter(place: unknown, step: string, within: Within): unknown[] {
  // A distribution without samples is null, and so is everything in it.
  if (place === null) return [null];
  if (Array.isArray(place)) return select(place, step, within);
  if (typeof place === "object" && Object.hasOwn(place, step)) return [(place as Record<string, unknown>)[step]];
  const { metric, known, name, candidates } = within;
  if (name === "counters" && !known) return [0]; // those at 0 are left out
  const names = candidates ?? (typeof place === "object" ? Object.keys(place) : []);
  throw new ThresholdError(`unknown metric ${showValue(metric)}: no ${showValue(step)}${didYouMean(step, names)}`);
}

/** Entries of a list. Before the run one that cannot be there is an error; after it, one that is not there is none. */
function select(list: readonly unknown[], step: string, { metric, known, name = "" }: Within): unknown[] {
  if (step === "*") return [...list];
  const isNumber = /^\d+$/.test(step);
  const isRows = name === "rows";
  const size = isRows && !isNumber ? sizeOf(step, metric) : null;
  const entries = list as { name?: string; stage?: string; size?: number }[];
  const chosen = isNumber
    ? entries.slice(Number(step), Number(step) + 1)
    : entries.filter((entry) => isRows ? entry.size === size : (entry.name ?? entry.stage) === step);
  if (chosen.length > 0) return chosen;
  // A run reports the stages that took time; another of the known ones took none.
  if (name === "stages" && !isNumber && !known) return [{ stage: step, us: 0 }];
  if (!known) return [];
  const hasNames = isRows || entries.some((entry) => entry.name !== undefined || entry.stage !== undefined);
  if (OPEN_LISTS.has(name) && (isNumber || hasNames)) return [list[0]];
  const place = `unknown metric ${showValue(metric)}:`;
  if (isNumber) throw new ThresholdError(`${place} found entry ${step}, wanted 0 to ${list.length - 1}`);
  const names = entries.map(({ name, stage }) => name ?? stage ?? "");
  throw new ThresholdError(`${place} no ${showValue(step)}${didYouMean(step, names)}`);
}

function sizeOf(step: string, metric: string): number {
  try {
    return parseSize(step);
  } catch (error) {
    throw new ThresholdError(`unknown metric ${showValue(metric)}: ${(error as Error).message}`);
  }
}

function holds(value: number, { operator, bound }: Threshold): boolean {
  switch (operator) {
    case ">":
      return value > bound;
    case ">=":
      return value >= bound;
    case "<":
      return value < bound;
    case "<=":
      return value <= bound;
    case "==":
      return value === bound;
    case "!=":
      // NaN is unequal to everything, but "no value" must not pass a gate.
      return value !== bound && !Number.isNaN(value);
  }
}

function tightest(values: readonly number[], operator: Operator): number {
  if (operator === "<" || operator === "<=") return Math.max(...values);
  if (operator === ">" || operator === ">=") return Math.min(...values);
  return values[0];
}

function leafOf(place: object): string {
  if (Array.isArray(place)) return "*";
  return Object.entries(place).find(([, value]) => typeof value === "number")?.[0] ?? Object.keys(place)[0];
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}
