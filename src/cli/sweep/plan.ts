import { ScenarioError } from "../../cluster/scenario_file.ts";
import { type Override, parseSet } from "../../cluster/scenario_source.ts";
import type { Scenario } from "../../cluster/scenario.ts";
import type { Setting, SweepHead } from "../../report/sweep/sweep.ts";
import { overridesOf } from "../catalogue.ts";
import { commandLine, shellWords } from "../command_line.ts";
import { UsageError } from "../exit.ts";
import type { Job } from "../jobs/job.ts";
import { checkMetric } from "../metric_option.ts";
import { filesRead, openRunInput, type RunOptions } from "../run_input.ts";
import { VERSION } from "../version.ts";
import { type Axis, combinations, parseOver } from "./over.ts";

/** What is asked for, as commander delivers it. */
export interface SweepWish extends RunOptions {
  readonly over?: readonly string[];
  readonly show?: readonly string[];
}

/** One run that is to be made. */
export interface SweepPoint {
  readonly over: Setting;
  readonly job: Job;
}

export interface SweepPlan {
  readonly head: SweepHead;
  readonly points: readonly SweepPoint[];
  /** Files of the user that its runs are read from. */
  readonly filesRead: readonly string[];
  /** Virtual time of all runs together, at most, picoseconds. */
  readonly endPs: number;
}

/**
 * Every run of a sweep, checked before the first one begins. Throws errors whose message is ready to print: UsageError
 * and ScenarioError, which name the value that cannot be.
 */
export async function planSweep(name: string | undefined, wish: SweepWish): Promise<SweepPlan> {
  const axes = (wish.over ?? []).map(parseOver);
  if (axes.length === 0) throw new UsageError("sweep: missing --over; wanted one such as --over guests=2,10,40");
  const all = combinations(axes);
  checkTwins(axes);
  checkConflicts(axes, wish);
  const points: SweepPoint[] = [];
  const scenarios: Scenario[] = [];
  const read = new Set<string>();
  for (const values of all) {
    const overrides = axes.map(({ key }, i) => overrideOf(key, values[i]));
    const assignments = axes.map(({ key }, i) => `${key}=${values[i]}`);
    const { logged, scenario, program } = await openPoint(name, wish, overrides, assignments);
    const command = commandLine("run", name, { ...wish, set: [...wish.set ?? [], ...assignments] });
    const over = Object.fromEntries(axes.map(({ key }, i) => [key, overrides[i].value]));
    points.push({ over, job: { kind: "run", logged, command } });
    for (const file of filesRead(name, program)) read.add(file);
    scenarios.push(scenario);
  }
  const show = wish.show ?? [];
  for (const [i, metric] of show.entries()) {
    if (show.indexOf(metric) !== i) throw new UsageError(`--show: found ${metric} twice, wanted each metric once`);
    checkMetric("--show", metric, scenarios);
  }
  // What is shown is no part of any run, and yet of the table or the page that the command makes again.
  const words = [
    ...(wish.over ?? []).flatMap((text) => ["--over", text]),
    ...show.flatMap((metric) => ["--show", metric]),
  ];
  return {
    head: {
      tool: { name: "mxtop", version: VERSION },
      command: `${commandLine("sweep", name, wish)} ${shellWords(words)}`,
      scenario: { name: scenarios[0].name, title: scenarios[0].title },
      over: axes.map(({ key, values }) => ({ key, values: values.map((value) => overrideOf(key, value).value) })),
    },
    points,
    filesRead: [...read],
    endPs: scenarios.reduce((sum, { warmupPs, durationPs }) => sum + warmupPs + durationPs, 0),
  };
}

/** Opens one run. What is wrong elsewhere than in a value itself is said with the values that make it so. */
async function openPoint(
  name: string | undefined,
  wish: SweepWish,
  overrides: readonly Override[],
  assignments: readonly string[],
) {
  try {
    return await openRunInput(name, wish, overrides);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    throw new ScenarioError(error.problems.map(({ where, message }) => ({
      where,
      message: where.startsWith("--over ") ? message : `${message} (with ${assignments.join(", ")})`,
    })));
  }
}

/** As `--set` would, but its messages name `--over`. */
function overrideOf(key: string, value: string): Override {
  const option = `--over ${key}`;
  try {
    return { ...parseSet(`${key}=${value}`), option };
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    throw new ScenarioError(error.problems.map(({ message }) => ({ where: option, message })));
  }
}

/** One value may be written in two ways, such as 1 and 1.0. */
function checkTwins(axes: readonly Axis[]): void {
  for (const { key, values } of axes) {
    const meant = values.map((value) => JSON.stringify(overrideOf(key, value).value));
    const twin = meant.findIndex((value, i) => meant.indexOf(value) !== i);
    if (twin >= 0) throw new UsageError(`--over ${key}: found ${values[twin]} twice, wanted each value once`);
  }
}

/** What is set once cannot be swept over, and the other way round. */
function checkConflicts(axes: readonly Axis[], wish: SweepWish): void {
  const done: Pick<Override, "option" | "path">[] = [...overridesOf(wish), ...ofProgram(wish)];
  for (const { key, values } of axes) {
    const over = overrideOf(key, values[0]);
    // What comes later takes the place of what was set before, if that is the same or a part of it.
    const lost = done.find(({ path }) => over.path.every((step, i) => step === path[i]));
    if (lost !== undefined) throw new UsageError(`${over.option}: found ${lost.option} too, wanted one of the two`);
    done.push(over);
  }
}

/** What the options of a program set: they come last of all. */
function ofProgram({ program, programArg = [] }: SweepWish): Pick<Override, "option" | "path">[] {
  const args = programArg.map((text) => text.slice(0, text.indexOf("=")));
  return [
    ...(program === undefined ? [] : [{ option: "--program", path: ["program", "file"] }]),
    ...args.map((key) => ({ option: `--program-arg ${key}`, path: ["program", "args", key] })),
  ];
}
