import type { StageName } from "../metrics/stage.ts";
import type { ExplainedStep, Explanation } from "./explain.ts";
import type { MachineStamp } from "./provenance.ts";

/*
 * Two explanations of messages of one size, side by side: which step of the one is which of the other, and what each of
 * them takes more or less.
 */

/** Messages on a path, and what they are followed on. */
export interface Side {
  readonly path: string;
  readonly machine: MachineStamp;
  /** Assignments that make it what it is. */
  readonly set: readonly string[];
  readonly messages: readonly Explanation[];
}

/** A step of one of the two, or of both. Microseconds; null for the one that has no such step. */
export interface ComparedStep {
  /** Who has it; two names where it is somebody else's. */
  who: string;
  stage: StageName;
  what: string;
  against_us: number | null;
  us: number | null;
  difference_us: number;
}

/** Microseconds of a stage in both, and the difference. */
export interface ComparedStage {
  stage: StageName;
  against_us: number;
  us: number;
  difference_us: number;
}

/** What has moved of a message; differences are what it takes more than the other one. */
export interface Comparison {
  size: number;
  against_us: number;
  us: number;
  difference_us: number;
  steps: ComparedStep[];
  /** The one that has moved most first. */
  stages: ComparedStage[];
}

/** Times are whole picoseconds: their differences are to stay that. */
function difference(us: number, against: number): number {
  return (Math.round(us * 1e6) - Math.round(against * 1e6)) / 1e6;
}

/** Compares a message with one of the same size. The differences of the steps add up to that of the latencies exactly. */
export function compare(explained: Explanation, against: Explanation): Comparison {
  return {
    size: explained.size,
    against_us: against.latency_us,
    us: explained.latency_us,
    difference_us: difference(explained.latency_us, against.latency_us),
    steps: paired(explained.steps, against.steps).map(([step, other]) => comparedStep(step, other)),
    stages: comparedStages(explained, against),
  };
}

function comparedStep(step: ExplainedStep | null, other: ExplainedStep | null): ComparedStep {
  const { stage, what } = (step ?? other)!;
  const names = new Set([other, step].flatMap((one) => one === null ? [] : [one.who]));
  return {
    who: [...names].join(" / "),
    stage,
    what,
    against_us: other?.us ?? null,
    us: step?.us ?? null,
    difference_us: difference(step?.us ?? 0, other?.us ?? 0),
  };
}

function comparedStages(explained: Explanation, against: Explanation): ComparedStage[] {
  const names = new Set([...against.stages, ...explained.stages].map(({ stage }) => stage));
  const usOf = ({ stages }: Explanation, name: StageName) => stages.find(({ stage }) => stage === name)?.us ?? 0;
  return [...names].map((stage) => {
    const [us, before] = [usOf(explained, stage), usOf(against, stage)];
    return { stage, against_us: before, us, difference_us: difference(us, before) };
  }).sort((x, y) => Math.abs(y.difference_us) - Math.abs(x.difference_us) || y.us - x.us);
}

/** How alike two steps are: 0 where one cannot be the other. */
const SAME_HOLDER = 3;
const SAME_HOST = 2;

function likeness(step: ExplainedStep, other: ExplainedStep): number {
  if (step.stage !== other.stage) return 0;
  if (step.who === other.who) return SAME_HOLDER;
  return hostOf(step) === hostOf(other) ? SAME_HOST : 0;
}

/** A host, or the wire between two. */
function hostOf({ who }: ExplainedStep): string {
  return who.split(" ")[0];
}

/**
 * Both lists in their order, with pairs where a step is in both: the pairs that are most alike in all, found as the
 * longest common subsequence is. Lists have some tens of steps.
 */
function paired(
  steps: readonly ExplainedStep[],
  others: readonly ExplainedStep[],
): [ExplainedStep | null, ExplainedStep | null][] {
  // best[i][j]: how alike the lists are from steps[i] and others[j] on.
  const best = Array.from({ length: steps.length + 1 }, () => new Int32Array(others.length + 1));
  const asPair = (i: number, j: number) => {
    const alike = likeness(steps[i], others[j]);
    return alike === 0 ? 0 : alike + best[i + 1][j + 1];
  };
  for (let i = steps.length - 1; i >= 0; i--) {
    for (let j = others.length - 1; j >= 0; j--) {
      best[i][j] = Math.max(asPair(i, j), best[i + 1][j], best[i][j + 1]);
    }
  }
  const rows: [ExplainedStep | null, ExplainedStep | null][] = [];
  let [i, j] = [0, 0];
  while (i < steps.length && j < others.length) {
    if (asPair(i, j) === best[i][j] && best[i][j] > 0) rows.push([steps[i++], others[j++]]);
    else if (best[i][j + 1] === best[i][j]) rows.push([null, others[j++]]);
    else rows.push([steps[i++], null]);
  }
  while (j < others.length) rows.push([null, others[j++]]);
  while (i < steps.length) rows.push([steps[i++], null]);
  return rows;
}
