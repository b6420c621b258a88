import { formatFraction, parseFraction, QuantityError } from "../../base/quantity.ts";
import { didYouMean } from "../../base/suggest.ts";
import { ScenarioError } from "../../cluster/scenario_file.ts";
import { machineHash, scenarioHash } from "../../cluster/scenario_hash.ts";
import type { Scenario } from "../../cluster/scenario.ts";
import {
  basisOf,
  COST_NAMES,
  type CostName,
  LIMIT_NAMES,
  type MachineProfile,
  withOverrides,
} from "../../hw/machine_profile.ts";
import { MACHINES } from "../../hw/profiles/registry.ts";
import type { CostFigure, SensitivityHead } from "../../report/sensitivity/sensitivity.ts";
import { commandLine, shellWords } from "../command_line.ts";
import { UsageError } from "../exit.ts";
import type { Job } from "../jobs/job.ts";
import { checkMetric } from "../metric_option.ts";
import { filesRead, openRunInput, type RunInput, type RunOptions } from "../run_input.ts";
import { VERSION } from "../version.ts";

/** What is asked for, as commander delivers it. */
export interface SensitivityWish extends RunOptions {
  readonly by: string;
  readonly costs?: string;
  readonly metric?: readonly string[];
}

/** A cost that is to be lowered and raised. */
export interface Change {
  readonly figure: CostFigure;
  readonly low: ChangedJob;
  readonly high: ChangedJob;
}

interface ChangedJob {
  /** The cost in it, in its unit. */
  readonly value: number;
  readonly job: Job;
}

export interface SensitivityPlan {
  readonly head: SensitivityHead;
  /** The scenario as it is. */
  readonly base: Job;
  /** In the order of the profile. */
  readonly changes: readonly Change[];
  /** Costs that are 0: no share of them is anything. */
  readonly zero: readonly CostName[];
  /** Metrics that were asked for; empty for the usual ones. */
  readonly metrics: readonly string[];
  /** Measured virtual time of each run, at most, picoseconds. */
  readonly durationPs: number;
  /** Files of the user that its runs are read from. */
  readonly filesRead: readonly string[];
}

/** The least share: a tenth of a per cent of 1 ns is the picosecond that time is counted in. */
const LEAST = 0.001;
const MOST = 0.99;

/**
 * Every run of a sensitivity, checked before the first one begins; which of the costs the scenario uses is not known
 * yet. Throws errors whose message is ready to print: UsageError and ScenarioError.
 */
export async function planSensitivity(name: string | undefined, wish: SensitivityWish): Promise<SensitivityPlan> {
  const by = shareOf(wish.by);
  const chosen = chosenCosts(wish.costs);
  const input = await openRunInput(name, wish);
  const { scenario, program } = input;
  const metrics = wish.metric ?? [];
  for (const [i, metric] of metrics.entries()) {
    if (metrics.indexOf(metric) !== i) throw new UsageError(`--metric: found ${metric} twice, wanted each metric once`);
    checkMetric("--metric", metric, [scenario]);
  }
  const machine = machineOf(scenario);
  const zero = chosen.filter((cost) => machine.costs[cost].value === 0);
  const changed = chosen.filter((cost) => machine.costs[cost].value !== 0);
  checkRaised(input, machine, changed, by);
  const jobOf = (set: readonly string[]) => commandLine("run", name, { ...wish, set: [...wish.set ?? [], ...set] });
  const changeTo = (cost: CostName, factor: number): ChangedJob => {
    const value = changedValue(machine, cost, factor);
    const override = { option: "--by", path: ["costs", cost], value };
    const logged = { ...input.logged, options: [...input.logged.options, override] };
    return { value, job: { kind: "run", logged, command: jobOf([`costs.${cost}=${value}`]) } };
  };
  const words = [
    ...["--by", formatFraction(by)],
    ...(wish.costs === undefined ? [] : ["--costs", wish.costs]),
    ...metrics.flatMap((metric) => ["--metric", metric]),
  ];
  return {
    head: {
      tool: { name: "mxtop", version: VERSION },
      command: `${commandLine("sensitivity", name, wish)} ${shellWords(words)}`,
      scenario: {
        name: scenario.name,
        title: scenario.title,
        hash: scenarioHash(scenario),
        path: scenario.path,
        seed: scenario.seed,
      },
      machine: machine.name,
      machine_hash: machineHash(machine),
      by,
    },
    base: { kind: "run", logged: input.logged, command: jobOf([]) },
    changes: changed.map((cost) => ({
      figure: figureOf(machine, cost),
      low: changeTo(cost, 1 - by),
      high: changeTo(cost, 1 + by),
    })),
    zero,
    metrics,
    durationPs: scenario.durationPs,
    filesRead: filesRead(name, program),
  };
}

function shareOf(text: string): number {
  const wanted = `wanted a share from ${formatFraction(LEAST)} to ${formatFraction(MOST)}, such as 10 %`;
  let by: number;
  try {
    by = parseFraction(text);
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    throw new UsageError(`--by: found ${JSON.stringify(text)}, ${wanted}`);
  }
  if (by < LEAST || by > MOST) throw new UsageError(`--by: found ${JSON.stringify(text)}, ${wanted}`);
  return by;
}

/** Names with commas between them, in which `*` stands for any letters. Throws {@link UsageError}. */
function chosenCosts(text: string | undefined): CostName[] {
  if (text === undefined) return [...COST_NAMES];
  const chosen = new Set<CostName>();
  for (const pattern of text.split(",").map((part) => part.trim())) {
    const known = matching(COST_NAMES, pattern);
    if (known.length === 0) throw new UsageError(`--costs: ${unknownCost(pattern)}`);
    for (const cost of known) chosen.add(cost);
  }
  return COST_NAMES.filter((cost) => chosen.has(cost));
}

function matching<Name extends string>(names: readonly Name[], pattern: string): Name[] {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const whole = new RegExp(`^${parts.join(".*")}$`);
  return names.filter((name) => whole.test(name));
}

function unknownCost(pattern: string): string {
  const [limit] = matching(LIMIT_NAMES, pattern);
  if (limit !== undefined) {
    return `found ${JSON.stringify(pattern)}, a size or a limit of the machine, wanted costs; ` +
      `mxtop sweep --over costs.${limit}=... changes it`;
  }
  const hint = didYouMean(pattern.replaceAll("*", ""), COST_NAMES) || "; `mxtop list costs` shows them";
  return `no cost ${JSON.stringify(pattern)}${hint}`;
}

/** A cost must not be raised beyond what a scenario may say. */
function checkRaised({ resolve }: RunInput, machine: MachineProfile, costs: readonly CostName[], by: number): void {
  try {
    resolve(costs.map((cost) => `costs.${cost}=${changedValue(machine, cost, 1 + by)}`));
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    throw new ScenarioError(error.problems.map(({ where, message }) => ({
      where: where.replace("--set ", "--by: "),
      message,
    })));
  }
}

/** Decimal fractions are not exact in binary: 1.1 times 150 is 165.00000000000003. */
function changedValue(machine: MachineProfile, cost: CostName, factor: number): number {
  return Number((machine.costs[cost].value * factor).toPrecision(12));
}

function figureOf(machine: MachineProfile, cost: CostName): CostFigure {
  const entry = machine.costs[cost];
  const { value, unit, source, fittedTo } = entry;
  const fitted = fittedTo === undefined ? {} : { fitted_to: fittedTo };
  return { cost, value, unit, basis: basisOf(entry), source, ...fitted };
}

/** The machine's figures, those in their place that the scenario says. */
function machineOf({ machine, costs }: Scenario): MachineProfile {
  return withOverrides(MACHINES.find(({ name }) => name === machine) ?? MACHINES[0], costs);
}
