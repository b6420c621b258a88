import { canonicalJson, hash64 } from "../base/hash.ts";
import type { MachineProfile } from "../hw/machine_profile.ts";
import type { Scenario } from "./scenario.ts";

/**
 * 16 hexadecimal digits that name what a scenario runs: everything in it but the words for people. Two files that
 * resolve to the same cluster, workload and times have the same hash. One board is left out: it was all that a host
 * could have when the first hashes were made.
 */
export function scenarioHash(scenario: Scenario): string {
  const {
    name: _name,
    title: _title,
    description: _description,
    thresholds: _thresholds,
    tour: _tour,
    boards,
    ...what
  } = scenario;
  // A program is what its text says, wherever the file is.
  const program = what.program === undefined ? undefined : { ...what.program, file: undefined };
  return hash64(canonicalJson({ ...what, program, boards: boards === 1 ? undefined : boards }));
}

/** 16 hexadecimal digits that name a machine profile with all its figures (give it the overridden one). */
export function machineHash(machine: MachineProfile): string {
  const figures = (entries: Readonly<Record<string, { value: number; unit: string }>>) =>
    Object.fromEntries(Object.entries(entries).map(([name, { value, unit }]) => [name, `${value} ${unit}`]));
  return hash64(canonicalJson({ costs: figures(machine.costs), limits: figures(machine.limits) }));
}
