import { Command, Option } from "@commander-js/extra-typings";
import type { Command as PlainCommand } from "commander";
import { counted } from "../base/counted.ts";
import {
  sensitivityCsv,
  sensitivityJson,
  sensitivityMarkdown,
  sensitivityTable,
} from "../report/sensitivity/render.ts";
import {
  type BaseRun,
  type ChangedRun,
  failureLines,
  type Sensitivity,
  sensitivityOf,
  type Values,
} from "../report/sensitivity/sensitivity.ts";
import type { Snapshot } from "../report/snapshot.ts";
import { metricValue } from "../report/thresholds.ts";
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, UsageError } from "./exit.ts";
import { demandApart, type OutputFile } from "./files.ts";
import { jobsOption } from "./jobs/job_count.ts";
import { ManyRuns, type ManyRunsOptions } from "./jobs/many_runs.ts";
import { collect, withScenarioOptions } from "./options.ts";
import { complain, sayResultIn } from "./output.ts";
import { type Change, planSensitivity, type SensitivityPlan, type SensitivityWish } from "./sensitivity/plan.ts";

interface SensitivityOptions extends SensitivityWish, ManyRunsOptions {
  readonly format: string;
}

const FORMATS: Readonly<Record<string, (result: Sensitivity) => string>> = {
  table: sensitivityTable,
  json: sensitivityJson,
  csv: sensitivityCsv,
  markdown: sensitivityMarkdown,
};

/** Failures that stderr names; the result has all of them. */
const FAILURES_TOLD = 10;

/** `mxtop sensitivity`: a scenario with each cost of its machine a little lower and higher. */
export function sensitivityCommand(finish: (exitCode: number) => void): PlainCommand {
  // Plain commander, as for `run`.
  const command = withScenarioOptions(new Command("sensitivity")) as unknown as PlainCommand;
  return command
    .summary("show how far a result rests on each cost of the machine")
    .description(
      "Runs a scenario headless as it is, then with each cost of its machine lowered and raised by a share, by itself, " +
        "and prints what that does to a metric. Elasticity is the relative change of the metric for a relative change " +
        "of the cost: 0.2 says that a cost 10 % higher makes the metric 2 % higher.",
    )
    .argument("[scenario]", "a built-in scenario or a YAML file; not needed with --program")
    .option(
      "--metric <metric>",
      "what to look at (default: rtt_us.mean or throughput_MBps, and host_cpu); repeatable",
      collect,
    )
    .option("--by <share>", "by how much costs are lowered and raised", "10 %")
    .option("--costs <names>", "these costs only, such as 'grant*,hypercall' (default: all that the run uses)")
    .addOption(new Option("--format <format>", "form of the result").choices(Object.keys(FORMATS)).default("table"))
    .option("--out <file>", "write the result to a file instead of stdout")
    .addOption(jobsOption())
    .option("--quiet", "no progress line and no remarks on stderr")
    .action(async (scenario: string | undefined, options: SensitivityOptions) =>
      finish(await sensitivity(scenario, options))
    );
}

async function sensitivity(name: string | undefined, options: SensitivityOptions): Promise<number> {
  const { format, quiet } = options;
  const plan = await planSensitivity(name, options);
  demandApart({ out: options.out }, plan.filesRead);
  // Most costs are not used: how long it all takes shows when the first run is through.
  const ahead = { name: plan.head.scenario.name, runs: 1 + 2 * plan.changes.length, endPs: 0 };
  const many = await ManyRuns.begin(ahead, options);
  try {
    const result = await runAll(plan, many);
    const delivered = await many.deliver(FORMATS[format](result));
    if (!quiet) await conclude(result, format, delivered ? many.out : null);
    if (many.stopCode !== null) return many.stopCode;
    if (!delivered) return EXIT_USAGE;
    return result.ok ? EXIT_OK : EXIT_FAILED;
  } finally {
    many.close();
  }
}

/** The scenario as it is, and then with each cost changed that it has read. Throws what a run throws. */
async function runAll(plan: SensitivityPlan, many: ManyRuns): Promise<Sensitivity> {
  const { head, zero } = plan;
  const read = new Set<string>();
  const snapshot = await many.watched(plan.base, (cost) => read.add(cost));
  const isUsed = ({ figure }: Change) => read.has(figure.cost);
  const unused = plan.changes.filter((change) => !isUsed(change)).map(({ figure }) => figure.cost);
  if (snapshot === null || isStopped(snapshot, many)) {
    return sensitivityOf(head, { base: null, metrics: [], costs: [], unused: [], zero });
  }
  const metrics = plan.metrics.length > 0 ? plan.metrics : usualMetrics(snapshot);
  const base: BaseRun = {
    values: valuesOf(metrics, snapshot),
    messageShare: messageShare(snapshot, plan),
    failures: snapshot.failures,
  };
  const missing = metrics.find((metric) => base.values[metric] === null);
  if (missing !== undefined) {
    // What has failed is what there is to say of it, and there is nothing to compare.
    if (!snapshot.ok) return sensitivityOf(head, { base, metrics, costs: [], unused, zero });
    throw new UsageError(`--metric: found ${missing}, which has no value in this run; wanted another metric`);
  }
  const changes = plan.changes.filter(isUsed);
  many.planned = 1 + 2 * changes.length;
  const runs: (ChangedRun | null)[] = [];
  const changed = changes.flatMap(({ low, high }) => [low, high]);
  for await (const snapshot of many.inOrder(changed.map(({ job }) => job))) {
    const { value } = changed[runs.length];
    runs.push(
      snapshot === null || isStopped(snapshot, many) ? null : {
        value,
        values: valuesOf(metrics, snapshot),
        failures: snapshot.failures,
      },
    );
  }
  const costs = changes.map(({ figure }, i) => ({ ...figure, low: runs[2 * i], high: runs[2 * i + 1] }));
  return sensitivityOf(head, { base, metrics, costs, unused, zero });
}

/** A part of a run cannot be compared with a whole one. */
function isStopped({ partial }: Snapshot, many: ManyRuns): boolean {
  return partial && many.stopCode !== null;
}

/** Round trips where there are any: throughput says little of them. */
function usualMetrics({ totals }: Snapshot): string[] {
  return [totals.rtt_us === null ? "throughput_MBps" : "rtt_us.mean", "host_cpu"];
}

/** Where a run ends by the clock, a message that is late is not counted. */
function messageShare({ totals, measured_ns }: Snapshot, { durationPs }: SensitivityPlan): number {
  return measured_ns * 1000 < durationPs ? 0 : 1 / Math.max(1, totals.messages);
}

function valuesOf(metrics: readonly string[], snapshot: Snapshot): Values {
  return Object.fromEntries(metrics.map((metric) => {
    const value = metricValue(metric, snapshot);
    return [metric, Number.isNaN(value) ? null : value];
  }));
}

/** A table ends with what failed, and the verdict. */
async function conclude(result: Sensitivity, format: string, out: OutputFile | null): Promise<void> {
  const { partial, runs_made, runs_planned } = result;
  if (out !== null || format !== "table") {
    for (const failure of failureLines(result, FAILURES_TOLD)) await complain(`mxtop: failed: ${failure}`);
  }
  if (partial) {
    await complain(`mxtop: stopped after ${runs_made} of ${counted(runs_planned, "run")}; the result is partial`);
  }
  if (out !== null) await sayResultIn(result, out.path);
}
