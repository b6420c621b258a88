import type { CostEntry, CostName, MachineProfile } from "../../hw/machine_profile.ts";
import { MACHINES } from "../../hw/profiles/registry.ts";
import { PATHS } from "../../path/registry.ts";
import { type Claim, type ClaimPart, CLAIMS } from "./claims/mod.ts";
import { type FigurePlan, FIGURES, makeFigure, type StudyFigure } from "./figures.ts";
import type { MachineStamp } from "../provenance.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Lab } from "./lab.ts";
import { type Bounds, type PublishedResult, type ResultKind, RESULTS } from "./results.ts";

export interface ResultLine {
  readonly id: string;
  readonly quantity: string;
  readonly unit: string;
  /** Null where nobody has published a number for this. */
  readonly published: number | null;
  readonly emulated: number;
  /** Emulated over published, minus one; null where nothing is published, or a bound. */
  readonly error: number | null;
  readonly bounds: Bounds;
  readonly ok: boolean;
  readonly kind: ResultKind;
  readonly source: string;
}

/** Some of its statements do not hold or are not checked, and some hold: in part. */
export type Verdict = "holds" | "in part" | "fails";

export interface ClaimLine {
  readonly id: string;
  readonly text: string;
  readonly verdict: Verdict;
  readonly parts: readonly ClaimPart[];
  readonly notChecked?: string;
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
  readonly schema: "mxtop-reproduce/2";
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
  /** No result is missed, and no statement of a claim fails but those that are known to. */
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
  const claims = parts.claims.flatMap((claim) => step(() => claimLine(claim, lab)));
  const paths = PATHS.map(({ name }) => name);
  const figures = parts.figures.flatMap((figure) => step(() => makeFigure(figure, lab, paths)));
  const { version, command, machines } = lab.provenance;
  return {
    schema: "mxtop-reproduce/2",
    tool: { name: "mxtop", version },
    command,
    machines,
    partial,
    results,
    claims,
    figures,
    fitted: MACHINES.flatMap(fittedOf),
    ok: results.every(({ ok }) => ok) && unexpected(claims) === 0,
  };
}

/** Statements that fail, and are not known to. */
export function unexpected(claims: readonly ClaimLine[]): number {
  return claims.flatMap((claim) => claim.parts).filter(({ holds, known }) => !holds && known === undefined).length;
}

function resultLine(result: PublishedResult, lab: Lab): ResultLine {
  const { id, quantity, unit, published, bounds, kind, source } = result;
  const emulated = result.measure(lab);
  const error = published === null || bounds.least === null ? null : emulated / published - 1;
  const ok = emulated >= (bounds.least ?? -Infinity) && emulated <= bounds.most;
  return { id, quantity, unit, published, emulated, error, bounds, ok, kind, source };
}

function claimLine({ id, text, notChecked, check }: Claim, lab: Lab): ClaimLine {
  const parts = check(lab);
  const held = parts.filter(({ holds }) => holds).length;
  const verdict = held === 0 ? "fails" : held < parts.length || notChecked !== undefined ? "in part" : "holds";
  return { id, text, verdict, parts, ...(notChecked === undefined ? {} : { notChecked }) };
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
