import { assert } from "../../base/assert.ts";
import type { CostEntry, CostName, MachineProfile } from "../../hw/machine_profile.ts";
import { MACHINES } from "../../hw/profiles/registry.ts";
import { PATHS } from "../../path/registry.ts";
import { CLAIMS } from "./claims.ts";
import { FIGURE_COUNT, type StudyFigure, studyFigures } from "./figures.ts";
import { Lab } from "./lab.ts";
import { RESULTS } from "./results.ts";

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
  readonly results: readonly ResultLine[];
  readonly claims: readonly ClaimLine[];
  readonly figures: readonly StudyFigure[];
  readonly fitted: readonly FittedLine[];
  readonly ok: boolean;
}

/** What is to be done, for a progress line: `done` of `steps`. */
export interface ReproduceProgress {
  readonly done: number;
  readonly steps: number;
  readonly text: string;
}

/**
 * Runs the study: every published number, every claim, every figure. Yields between experiments, so that the caller can
 * show progress and stop; returns the report.
 */
export function* reproduce(version: string, withFigures: boolean): Generator<ReproduceProgress, Reproduction> {
  const lab = new Lab(version);
  const steps = RESULTS.length + CLAIMS.length + (withFigures ? FIGURE_COUNT : 0);
  let done = 0;
  const results: ResultLine[] = [];
  for (const result of RESULTS) {
    yield { done: done++, steps, text: result.quantity };
    const emulated = result.measure(lab);
    const { id, quantity, unit, published, wanted, kind, source } = result;
    const error = emulated / published - 1;
    results.push({
      id,
      quantity,
      unit,
      published,
      emulated,
      error,
      wanted,
      ok: result.accepts(emulated),
      kind,
      source,
    });
  }
  const claims: ClaimLine[] = [];
  for (const { id, text, check } of CLAIMS) {
    yield { done: done++, steps, text: `claim ${id}` };
    claims.push({ id, text, ...check(lab) });
  }
  const figures: StudyFigure[] = [];
  if (withFigures) {
    for (const figure of studyFigures(lab, PATHS.map(({ name }) => name))) {
      figures.push(figure);
      yield { done: done++, steps, text: figure.title };
    }
  }
  assert(done + figures.length === steps, "reproduce: the progress line counts every step");
  return {
    schema: "mxtop-reproduce/1",
    results,
    claims,
    figures,
    fitted: MACHINES.flatMap(fittedOf),
    ok: results.every(({ ok }) => ok) && claims.every(({ holds }) => holds),
  };
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
