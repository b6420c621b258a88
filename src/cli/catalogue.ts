import { showValue } from "../base/quantity.ts";
import { nearest } from "../base/suggest.ts";
import { loadScenario, type Override, parseSet } from "../cluster/scenario_file.ts";
import type { Scenario } from "../cluster/scenario.ts";
import type { Catalogue } from "../cluster/scenario_schema.ts";
import { MACHINES } from "../hw/profiles/registry.ts";
import { PATHS } from "../path/registry.ts";
import { checkThreshold } from "../report/thresholds.ts";
import { WORKLOADS } from "../workload/registry.ts";
import { UsageError } from "./exit.ts";
import { readUserFile } from "./files.ts";
import { BUILT_IN } from "./scenarios.ts";

/** Every name that a scenario may use: the registries, brought together. */
export const CATALOGUE: Catalogue = { paths: PATHS, workloads: WORKLOADS, machines: MACHINES };

/** Options that change a scenario, as commander delivers them. */
export interface ScenarioOptions {
  readonly path?: string;
  readonly guests?: string;
  readonly duration?: string;
  readonly seed?: string;
  readonly machine?: string;
  readonly set?: readonly string[];
}

/** The options as values to put in place of the scenario's. Throws ScenarioError for a `--set` that is not `key=value`. */
export function overridesOf(options: ScenarioOptions): Override[] {
  const overrides: Override[] = [];
  const put = (key: string, value: unknown) => {
    if (value !== undefined) overrides.push({ option: `--${key}`, path: [key], value });
  };
  put("path", options.path);
  put("guests", numberIfOne(options.guests));
  put("duration", options.duration);
  put("seed", numberIfOne(options.seed));
  put("machine", options.machine);
  return [...overrides, ...(options.set ?? []).map(parseSet)];
}

/**
 * Loads a scenario by the name of a built-in one or of a file, and checks all of it. Throws an error whose message is
 * ready to print: {@link UsageError} for the name or the file, ScenarioError for what is in it.
 */
export function openScenario(name: string, overrides: readonly Override[] = []): Scenario {
  const { file, text } = scenarioText(name);
  return loadChecked(text, file, overrides);
}

/** The text of a scenario, and what messages call it. Throws {@link UsageError}. */
export function scenarioText(name: string): { file: string; text: string } {
  const builtIn = BUILT_IN.find((known) => known.name === name);
  const file = builtIn === undefined ? name : `${name}.yaml`;
  return { file: printable(file), text: builtIn?.text ?? readUserFile(asFile(name)) };
}

/** Checks a scenario with everything that mxtop knows. Throws ScenarioError. */
export function loadChecked(
  text: string,
  file: string,
  overrides: readonly Override[],
  program?: { readonly source: string; readonly memoryBytes: number },
): Scenario {
  return loadScenario(text, { ...CATALOGUE, file, overrides, program, checkThreshold });
}

/** Whether a name is meant as a file: it has a directory or the ending of one. */
export function isFileName(name: string): boolean {
  return /[/\\]|\.ya?ml$/i.test(name);
}

function asFile(name: string): string {
  if (isFileName(name)) return name;
  const near = nearest(name, BUILT_IN.map((known) => known.name));
  const hint = near === null ? "; `mxtop list scenarios` shows them" : `; did you mean ${near}?`;
  throw new UsageError(`unknown scenario ${showValue(name)}${hint} (the name of a file ends in .yaml)`);
}

/** Digits become a number, as in YAML; anything else stays text, for the message to show. */
function numberIfOne(text: string | undefined): string | number | undefined {
  return text !== undefined && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** A file's name may hold what would move the cursor. */
function printable(file: string): string {
  return file.replace(/\p{Cc}/gu, "?");
}
