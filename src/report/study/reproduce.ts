import type { CostEntry, CostName, MachineProfile } from "../../hw/machine_profile.ts";
import { MACHINES } from "../../hw/profiles/registry.ts";
import { PATHS } from "../../path/registry.ts";
import { type Claim, CLAIMS } from "./claims.ts";
import { type FigurePlan, FIGURES, makeFigure, type StudyFigure } from "./figures.ts";
import type { MachineStamp } from "../provenance.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Lab } from "./lab.ts";
import { type PublishedResult, RESULTS } from "./results.ts";

export interface ResultLine {
  readonly id: string;
  readonly quantity: string;
  readonly unit: string;
  readonly published: number;
  readonly emulated: number;
  /** Emulated over published, minus one. */
  readonly error: number;
  readonly wanted: string;
  readonly ok: boolean;
  readonly kind: "fitted" | "prediction";
  readonly source: string;
}

export interface ClaimLine {
  readonly id: string;
  readonly text: string;
  readonly holds: boolean;
  readonly evidence: string;
}

/** A constant that has no independent source: it was fitted to a published result. */
export interface FittedLine {
  readonly machine: string;
  readonly cost: string;
  readonly value: string;
  readonly fittedTo: string;
}

/** Everything that `reproduce` reports. */
export interface Reproduction {
  readonly schema: "mxtop-reproduce/1";
  readonly tool: Snapshot["tool"];
  readonly command: string;
  /** Those that experiments ran on. A few claims change single costs of them. */
  readonly machines: readonly MachineStamp[];
  /** It was stopped: what it has is whole, but results, claims or figures are missing. */
  readonly partial: boolean;
  readonly results: readonly ResultLine[];
  readonly claims: readonly ClaimLine[];
  readonly figures: readonly StudyFigure[];
  readonly fitted: readonly FittedLine[];
  readonly ok: boolean;
}

/** What of the study is done: all of it, or what was asked for by id. */
export interface StudyParts {
  readonly results: readonly PublishedResult[];
  readonly claims: readonly Claim[];
  readonly figures: readonly FigurePlan[];
}

export const WHOLE_STUDY: StudyParts = { results: RESULTS, claims: CLAIMS, figures: FIGURES };

/**
 * Runs the study: every published number, every claim, every figure. What a lab has only guessed is left out, and the
 * report is partial then.
 */
export function reproduce(lab: Lab, parts: StudyParts = WHOLE_STUDY): Reproduction {
  let partial = false;
  /** What a step comes to, as a list: empty where it is a guess. */
  const step = <Outcome>(run: () => Outcome): Outcome[] => {
    const before = lab.guesses;
    const outcome = run();
    if (lab.guesses === before) return [outcome];
    partial = true;
    return [];
  };
  const results = parts.results.flatMap((result) => step(() => resultLine(result, lab)));
  const claims = parts.claims.flatMap(({ id, text, check }) => step(() => ({ id, text, ...check(lab) })));
  const paths = PATHS.map(({ name }) => name);
  const figures = parts.figures.flatMap((figure) => step(() => makeFigure(figure, lab, paths)));
  const { version, command, machines } = lab.provenance;
  return {
    schema: "mxtop-reproduce/1",
    tool: { name: "mxtop", version },
    command,
    machines,
    partial,
    results,
    claims,
    figures,
    fitted: MACHINES.flatMap(fittedOf),
    ok: results.every(({ ok }) => ok) && claims.every(({ holds }) => holds),
  };
}

function resultLine(result: PublishedResult, lab: Lab): ResultLine {
  const { id, quantity, unit, published, wanted, kind, source } = result;
  const emulated = result.measure(lab);
  const error = emulated / published - 1;
  return { id, quantity, unit, published, emulated, error, wanted, ok: result.accepts(emulated), kind, source };
}

function fittedOf(machine: MachineProfile): FittedLine[] {
  const lines: FittedLine[] = [];
  for (const [cost, entry] of Object.entries(machine.costs) as [string, CostEntry][]) {
    if (entry.fittedTo === undefined) continue;
    // A profile that takes a figure over from the first one has not fitted it again.
    if (machine !== MACHINES[0] && entry === MACHINES[0].costs[cost as CostName]) continue;
    lines.push({ machine: machine.name, cost, value: `${entry.value} ${entry.unit}`, fittedTo: entry.fittedTo });
  }
  return lines;
}
