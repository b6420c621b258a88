import { BASES, type Basis } from "../../hw/machine_profile.ts";
import { counted } from "../../base/counted.ts";
import type { Snapshot } from "../snapshot.ts";

/** What a run came to, by metric; null where a metric has no value. */
export type Values = Readonly<Record<string, number | null>>;

/** A cost as the machine has it, and what it rests on. */
export interface CostFigure {
  readonly cost: string;
  readonly value: number;
  readonly unit: string;
  readonly basis: Basis;
  readonly source: string;
  readonly fitted_to?: string;
}

/** A run with one cost changed. */
export interface ChangedRun {
  /** The cost in that run, in its unit. */
  readonly value: number;
  readonly values: Values;
  /** What failed in it. */
  readonly failures: readonly string[];
}

/** One cost, lowered and raised: null where that run did not come to its end. */
export interface CostLine extends CostFigure {
  readonly low: ChangedRun | null;
  readonly high: ChangedRun | null;
  /**
   * By metric, the relative change of the metric for a relative change of the cost, over the whole step from low to high;
   * null where a run is missing, or the metric has no value, or is 0 as the scenario is.
   */
  readonly elasticity: Values;
}

/** What the costs come to together, for one metric. */
export interface MetricLine {
  readonly metric: string;
  /** Of the scenario as it is. */
  readonly base: number | null;
  /** Sum of all elasticities, and of those of costs with one basis. */
  readonly sum: number;
  readonly sum_by_basis: Readonly<Record<Basis, number>>;
  /** Costs that were lowered and raised, and the metric stayed as it was to the last digit. */
  readonly unmoved: readonly string[];
}

/** How far the result of a scenario rests on each cost of its machine. */
export interface Sensitivity {
  readonly schema: "mxtop-sensitivity/1";
  readonly tool: Snapshot["tool"];
  readonly command: string;
  readonly scenario: Pick<Snapshot["scenario"], "name" | "title" | "hash" | "path" | "seed">;
  readonly machine: string;
  /** Of the machine with every cost as it is. */
  readonly machine_hash: string;
  /** The share by which each cost is lowered and raised, 0 to 1. */
  readonly by: number;
  /** Every run that was made is good. */
  readonly ok: boolean;
  /** It was stopped: runs are missing. */
  readonly partial: boolean;
  readonly runs_planned: number;
  readonly runs_made: number;
  /** What failed in the scenario as it is; runs with a cost changed have their own. */
  readonly failures: readonly string[];
  /**
   * What one message more or less is of all messages of the scenario as it is, 0 to 1; 0 where its program ends by itself,
   * with as many messages whatever a cost is, and not by the clock.
   */
  readonly message_share: number;
  /** In the order that was asked for; empty when the scenario itself did not come to its end. */
  readonly metrics: readonly MetricLine[];
  /** By the first metric, what moves it most first. */
  readonly costs: readonly CostLine[];
  /** Costs that were not changed: nothing of the run reads them, or there is nothing to lower and raise. */
  readonly unused: readonly string[];
  readonly zero: readonly string[];
}

/** What a sensitivity is of. */
export type SensitivityHead = Pick<Sensitivity, "tool" | "command" | "scenario" | "machine" | "machine_hash" | "by">;

/** The scenario as it is. */
export interface BaseRun {
  readonly values: Values;
  readonly messageShare: number;
  readonly failures: readonly string[];
}

export interface SensitivityParts {
  /** Null when it was stopped before its end. */
  readonly base: BaseRun | null;
  readonly metrics: readonly string[];
  /** Without their elasticities, in the order of the profile. */
  readonly costs: readonly Omit<CostLine, "elasticity">[];
  readonly unused: readonly string[];
  readonly zero: readonly string[];
}

/** Puts together what some runs have come to. */
export function sensitivityOf(head: SensitivityHead, parts: SensitivityParts): Sensitivity {
  const { base, metrics, unused, zero } = parts;
  const costs = parts.costs.map((cost) => ({ ...cost, elasticity: elasticities(cost, metrics, base) }));
  const made = costs.flatMap(({ low, high }) => [low, high]).filter((run) => run !== null).length;
  const failures = base?.failures ?? [];
  return {
    schema: "mxtop-sensitivity/1",
    ...head,
    ok: failures.length === 0 && costs.every((cost) => failuresOf(cost).length === 0),
    partial: base === null || made < 2 * costs.length,
    runs_planned: 1 + 2 * costs.length,
    runs_made: made + (base === null ? 0 : 1),
    failures,
    message_share: base?.messageShare ?? 0,
    metrics: base === null ? [] : metrics.map((metric) => metricLine(metric, base, costs)),
    costs: metrics.length === 0 ? costs : byWeight(costs, metrics[0]),
    unused,
    zero,
  };
}

/**
 * What failed, a line each, `most` at most: that of the scenario as it is, and of runs with a cost changed where that
 * has made them fail.
 */
export function failureLines({ failures, costs }: Sensitivity, most: number): string[] {
  const failed = costs.map(failuresOf).filter((own) => own.length > 0);
  const all = failures.length === 0 ? failed.flat() : failures;
  const left = all.length - most;
  return [
    ...all.slice(0, most),
    ...(left > 0 ? [`and ${left} more`] : []),
    ...(failures.length > 0 && failed.length > 0 ? [`also with ${counted(failed.length, "cost")} changed`] : []),
  ];
}

/** The costs by what they do to a metric, the heaviest first; equal ones as they come. */
export function byWeight(costs: readonly CostLine[], metric: string): CostLine[] {
  // Of a metric that is 0 as the scenario is, any change is more than any share of it.
  const weight = ({ low, high, elasticity }: CostLine) =>
    Math.abs(elasticity[metric] ?? (high?.values[metric] ?? 0) - (low?.values[metric] ?? 0));
  return [...costs].sort((one, other) => weight(other) - weight(one));
}

/** Whether a metric is the same with a cost lowered and raised as without; null where that is not known. */
export function isUnmoved({ low, high }: CostLine, { metric, base }: MetricLine): boolean | null {
  if (low === null || high === null) return null;
  return low.values[metric] === base && high.values[metric] === base;
}

function metricLine(metric: string, { values }: BaseRun, costs: readonly CostLine[]): MetricLine {
  const sumOf = (some: readonly CostLine[]) => some.reduce((sum, { elasticity }) => sum + (elasticity[metric] ?? 0), 0);
  const line = {
    metric,
    base: values[metric] ?? null,
    sum: digits(sumOf(costs)),
    sum_by_basis: Object.fromEntries(
      BASES.map((basis) => [basis, digits(sumOf(costs.filter((cost) => cost.basis === basis)))]),
    ) as Record<Basis, number>,
    unmoved: [],
  };
  return { ...line, unmoved: costs.filter((cost) => isUnmoved(cost, line)).map(({ cost }) => cost) };
}

function elasticities(
  { value, low, high }: Omit<CostLine, "elasticity">,
  metrics: readonly string[],
  base: BaseRun | null,
): Values {
  return Object.fromEntries(metrics.map((metric) => {
    const [at, from, to] = [base, low, high].map((run) => run?.values[metric] ?? null);
    if (at === null || at === 0 || from === null || to === null) return [metric, null];
    return [metric, digits(((to - from) / at) / ((high!.value - low!.value) / value))];
  }));
}

function failuresOf({ cost, low, high }: Omit<CostLine, "elasticity">): string[] {
  return [low, high].flatMap((run) => run?.failures.map((failure) => `costs.${cost}=${run.value}: ${failure}`) ?? []);
}

/** As many digits as figures of a result have; never -0. */
function digits(value: number): number {
  return Number(value.toPrecision(7)) + 0;
}
