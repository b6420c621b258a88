import { fileURLToPath } from "node:url";
import type { LoggedScenario } from "../cluster/input_log.ts";
import { type Override, parseSet, ScenarioSource } from "../cluster/scenario_source.ts";
import type { Scenario } from "../cluster/scenario.ts";
import type { Resolver } from "../cluster/inputs.ts";
import { Session, type SessionOptions } from "../cluster/session.ts";
import { isFileName, loadChecked, overridesOf, type ScenarioOptions, scenarioText } from "./catalogue.ts";
import { UsageError } from "./exit.ts";
import type { ProgramFile } from "./program_loader.ts";
import { collectAfterBuilding } from "./v8.ts";

/** Options that name a guest program, as commander delivers them. */
export interface ProgramOptions {
  readonly program?: string;
  readonly programArg?: readonly string[];
}

export type RunOptions = ScenarioOptions & ProgramOptions;

/** What a run is made from. */
export interface RunInput {
  readonly scenario: Scenario;
  /** The guest program, null where a workload runs. */
  readonly program: ProgramFile | null;
  /** The scenario with more assignments of `--set`, one after another. Throws as {@link openRunInput}. */
  readonly resolve: Resolver;
  /** The scenario as a log of inputs keeps it. */
  readonly logged: LoggedScenario;
}

/** Files that a run is read from: its scenario, a built-in one too where mxtop is in files, and a program's modules. */
export function filesRead(name: string | undefined, program: Pick<ProgramFile, "files"> | null): string[] {
  const scenario = name === undefined ? null : isFileName(name) ? name : builtInFile(name);
  return [...(scenario === null ? [] : [scenario]), ...(program?.files ?? [])];
}

function builtInFile(name: string): string | null {
  const url = new URL(`../../scenarios/${name}.yaml`, import.meta.url);
  return url.protocol === "file:" ? fileURLToPath(url) : null;
}

/** What a program has no use for: it was written for the workload that the program stands in for. */
const OF_THE_WORKLOAD = ["workload", "warmup", "duration", "thresholds"];

/**
 * Loads a scenario and the guest program that it or an option names; without a scenario, a program runs on two guests
 * of two hosts. `more` comes after the options. Throws errors whose message is ready to print: UsageError and ScenarioError.
 */
export async function openRunInput(
  name: string | undefined,
  options: RunOptions,
  more: readonly Override[] = [],
): Promise<RunInput> {
  if (name === undefined && options.program === undefined) {
    throw new UsageError("missing required argument 'scenario' (or --program with a file)");
  }
  const { file, text } = name === undefined ? plainScenario(options.program!) : scenarioText(name);
  const given = [...overridesOf(options), ...more];
  const source = new ScenarioSource(text, file, given);
  const chosen = programOf(source, file, options);
  if (chosen === null) return runInput(text, file, given, null);
  const overrides = [...chosen.dropped, ...given, ...(chosen.override === null ? [] : [chosen.override])];
  const program = await openProgram(chosen.file);
  if (program.guests !== null && source.valueAt(["guests"]) === undefined) {
    overrides.push({ option: `${program.file}: export guests`, path: ["guests"], value: program.guests });
  }
  return runInput(text, file, overrides, program);
}

/**
 * The same from a log of inputs, which has all of the scenario; only the text of a guest program is elsewhere. Throws
 * UsageError when that is not the text that ran, and ScenarioError for a scenario that this version cannot load.
 */
export async function openLoggedInput(logged: LoggedScenario, log: string): Promise<RunInput> {
  const { file, text, options } = logged;
  if (logged.program === null) return runInput(text, file, options, null);
  const program = await openProgram(logged.program.file);
  if (program.source !== logged.program.source) {
    const found = `found ${logged.program.file} with the text ${program.source}`;
    throw new UsageError(`${log}: program: ${found}, wanted the text that ran, ${logged.program.source}`);
  }
  return runInput(text, file, options, program);
}

function runInput(
  text: string,
  file: string,
  options: readonly Override[],
  program: ProgramFile | null,
): RunInput {
  const resolve: Resolver = (assignments) => {
    const scenario = loadChecked(text, file, [...options, ...assignments.map(parseSet)], program ?? undefined);
    if (program !== null) checkRanks(program, scenario);
    return scenario;
  };
  const scenario = resolve([]);
  const of = program === null ? null : { file: program.file, source: program.source };
  return { scenario, program, resolve, logged: { name: scenario.name, file, text, options, program: of } };
}

/** A session of it, with a program that no other session has used. */
export async function openSession(
  { scenario, program, resolve }: RunInput,
  options: Pick<SessionOptions, "endless" | "oneOfMany" | "costRead"> = {},
): Promise<Session> {
  const session = new Session(scenario, { ...options, resolve, program: await program?.instance() });
  if (!options.oneOfMany) collectAfterBuilding(scenario.guests.length);
  return session;
}

interface Chosen {
  /** From the working directory. */
  readonly file: string;
  /** What options say of it; null when the scenario says everything. */
  readonly override: Override | null;
  /** Takes away what the scenario says of its workload; options come after and may say it again. */
  readonly dropped: readonly Override[];
}

function programOf(
  source: ScenarioSource,
  file: string,
  { program, programArg = [], set = [] }: RunOptions,
): Chosen | null {
  const written = source.valueAt(["program"]);
  const own = typeof written === "object" && written !== null ? source.valueAt(["program", "file"]) : written;
  const args = Object.fromEntries(programArg.map(parseArg));
  const before = source.valueAt(["program", "args"]);
  const merged = typeof before === "object" && before !== null ? { ...before, ...args } : args;
  if (program !== undefined) {
    const twin = set.map(parseSet).find(({ path: [key, inner] }) => key === "program" && inner !== "args");
    if (twin !== undefined) throw new UsageError(`--program: found ${twin.option} too, wanted one of the two`);
    const dropped = source.isInFile(["program"]) ? ["workload"] : OF_THE_WORKLOAD;
    return {
      file: program,
      override: { option: "--program", path: ["program"], value: { file: program, args: merged } },
      dropped: dropped.map((key) => ({ option: "--program", path: [key], value: undefined })),
    };
  }
  if (typeof own === "string" && own !== "") {
    const told = { option: "--program-arg", path: ["program"], value: { file: own, args: merged } };
    return { file: beside(file, own), override: programArg.length === 0 ? null : told, dropped: [] };
  }
  if (programArg.length > 0) {
    throw new UsageError("--program-arg: no program to give it to; wanted --program too, or a scenario with `program`");
  }
  return null; // the schema says what is wrong, if anything is
}

/** `key=value`: numbers, true and false are what they look like, everything else is text. */
function parseArg(text: string): [string, string | number | boolean] {
  const equals = text.indexOf("=");
  if (equals < 1) throw new UsageError(`--program-arg: found ${JSON.stringify(text)}, wanted key=value`);
  const value = text.slice(equals + 1);
  const isNumber = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value);
  if (isNumber && !Number.isFinite(Number(value))) {
    throw new UsageError(`--program-arg: found ${JSON.stringify(text)}, wanted a number up to 1.8e308`);
  }
  return [text.slice(0, equals), isNumber ? Number(value) : value === "true" || (value === "false" ? false : value)];
}

/** A path that is written in a file is relative to that file. */
function beside(file: string, path: string): string {
  const slash = file.lastIndexOf("/");
  return slash < 0 || path.startsWith("/") ? path : `${file.slice(0, slash)}/${path}`;
}

/** Two hosts, two guests, and the default path, under the program's name. */
function plainScenario(program: string): { file: string; text: string } {
  const base = program.slice(program.lastIndexOf("/") + 1).replace(/\.[cm]?[jt]s$/, "");
  const name = base.replace(/[^A-Za-z0-9._-]/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 32) || "program";
  return { file: "--program", text: `name: "${name}"\n` };
}

/** The loader, and with it all of MX that programs may call, is itself loaded only where there is a program. */
async function openProgram(file: string): Promise<ProgramFile> {
  return (await import("./program_loader.ts")).openProgram(file);
}

function checkRanks(program: ProgramFile, scenario: Scenario): void {
  const missing = missingRank(program, scenario.guests.length);
  if (missing !== null) throw new UsageError(missing);
}

/** What is wrong with a program for so many ranks, or null. */
export function missingRank({ file, has }: ProgramFile, ranks: number): string | null {
  for (let rank = 0; rank < ranks; rank++) {
    if (has(rank)) continue;
    return `${file}: no program for rank ${rank} of ${ranks}; wanted export default function* (guest), ` +
      `or export function* rank${rank}(guest)`;
  }
  return null;
}
