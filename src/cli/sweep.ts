import { Command, Option } from "@commander-js/extra-typings";
import type { Command as PlainCommand } from "commander";
import { counted } from "../base/counted.ts";
import {
  sweepCsv,
  sweepJson,
  sweepMarkdown,
  sweepRunLine,
  sweepSummaryLine,
  sweepTable,
} from "../report/sweep/render.ts";
import { type Sweep, sweepFailures, sweepOf, type SweepRun } from "../report/sweep/sweep.ts";
import { save } from "./deliver.ts";
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, UsageError } from "./exit.ts";
import { demandApart, OutputFile } from "./files.ts";
import { jobsOption } from "./jobs/job_count.ts";
import { ManyRuns, type ManyRunsOptions } from "./jobs/many_runs.ts";
import { collect, withScenarioOptions } from "./options.ts";
import { complain, print, sayResultIn } from "./output.ts";
import type { RunOptions } from "./run_input.ts";
import { planSweep, type SweepPlan } from "./sweep/plan.ts";

interface SweepOptions extends RunOptions, ManyRunsOptions {
  readonly over?: readonly string[];
  readonly show?: readonly string[];
  readonly format: string;
  readonly junit?: string;
}

type Format = (sweep: Sweep, options: { readonly show?: readonly string[] }) => string;

/** `ndjson` is written line by line; a page and its charts are loaded where they are asked for. */
const FORMATS: Readonly<Record<string, () => Format | Promise<Format>>> = {
  table: () => sweepTable,
  json: () => sweepJson,
  ndjson: () => sweepSummaryLine,
  csv: () => sweepCsv,
  markdown: () => sweepMarkdown,
  html: async () => (await import("../report/html/sweep.ts")).sweepHtml,
};

/** Formats that show a few figures of each run. */
const SHOWING = ["table", "markdown", "html"];

/** Failures that stderr names; the result has all of them. */
const FAILURES_TOLD = 10;

/** `mxtop sweep`: a scenario with every combination of some values. */
export function sweepCommand(finish: (exitCode: number) => void): PlainCommand {
  // Plain commander, as for `run`.
  const command = withScenarioOptions(new Command("sweep")) as unknown as PlainCommand;
  return command
    .summary("run a scenario with every combination of some values")
    .description(
      "Runs a scenario headless with every combination of some values, and prints one table. Values are a list " +
        "(path=native,xen2mx) or a range (guests=10..40 by 10, 'workload.size=1 KiB..1 MiB by x4').",
    )
    .argument("[scenario]", "a built-in scenario or a YAML file; not needed with --program")
    .option("--over <key=values>", "a key of the scenario, as for --set, and its values; repeatable", collect)
    .option("--show <metric>", "a column of the table, such as latency_us.p99; repeatable", collect)
    .addOption(new Option("--format <format>", "form of the result").choices(Object.keys(FORMATS)).default("table"))
    .option("--out <file>", "write the result to a file instead of stdout")
    .option("--junit <file>", "also write the verdict of each run as a JUnit report")
    .addOption(jobsOption())
    .option("--quiet", "no progress line and no remarks on stderr")
    .action(async (scenario: string | undefined, options: SweepOptions) => finish(await sweep(scenario, options)));
}

async function sweep(name: string | undefined, options: SweepOptions): Promise<number> {
  const { format, show, quiet } = options;
  if (show !== undefined && !SHOWING.includes(format)) {
    throw new UsageError(`--show goes with --format table, markdown or html, found ${format}; it has every metric`);
  }
  const plan = await planSweep(name, options);
  demandApart({ out: options.out, junit: options.junit }, plan.filesRead);
  const junit = options.junit === undefined ? null : new OutputFile(options.junit);
  const { name: title } = plan.head.scenario;
  const many = await ManyRuns.begin({ name: title, runs: plan.points.length, endPs: plan.endPs }, options);
  try {
    // Lines of a long sweep can be read while it goes on.
    const isLive = format === "ndjson" && many.out === null;
    const lines: string[] = [];
    let isRead = true;
    let isGood = true;
    const made = async (run: SweepRun) => {
      if (format !== "ndjson") return;
      if (!isLive) lines.push(sweepRunLine(run));
      else if (isRead || junit !== null) {
        isGood &&= run.result.ok;
        isRead &&= await print(sweepRunLine(run));
        if (!isRead && junit === null) many.stop(); // who has seen enough wants no more of it made
      }
    };
    const runs = await runAll(plan, many, made);
    const result = sweepOf(plan.head, runs, plan.points.length, many.stopCode !== null);
    const delivered = !isRead || await many.deliver(lines.join("") + (await FORMATS[format]())(result, { show }));
    const judged = junit === null || await saveJunit(junit, result);
    if (!quiet && isRead) await conclude(result, format, delivered ? many.out : null);
    if (many.stopCode !== null) return many.stopCode;
    if (!delivered || !judged) return EXIT_USAGE;
    return (isRead ? result.ok : isGood) ? EXIT_OK : EXIT_FAILED;
  } finally {
    many.close();
  }
}

/** All runs, in their order; those of which nothing was done when a signal came are left out. Throws what a run throws. */
async function runAll(
  { points }: SweepPlan,
  many: ManyRuns,
  made: (run: SweepRun) => Promise<void>,
): Promise<SweepRun[]> {
  const runs: SweepRun[] = [];
  let i = 0;
  for await (const snapshot of many.inOrder(points.map(({ job }) => job))) {
    const { over } = points[i++];
    if (snapshot === null) continue;
    const { wall: _, ...result } = snapshot;
    const run = { over, result };
    runs.push(run);
    await made(run);
  }
  return runs;
}

/** Whether the report was written; what makes it is loaded only where one is wanted. */
async function saveJunit(junit: OutputFile, result: Sweep): Promise<boolean> {
  const { sweepJunit } = await import("../report/sweep/junit.ts");
  return await save(junit, sweepJunit(result));
}

/** A table ends with what failed, and the verdict. */
async function conclude(sweep: Sweep, format: string, out: OutputFile | null): Promise<void> {
  const { runs, runs_planned, partial } = sweep;
  if (out !== null || format !== "table") {
    // One that was stopped early has no samples: its own result says so.
    const failed = runs.filter(({ result }) => !result.ok && !(partial && result.partial));
    const failures = sweepFailures(failed);
    for (const failure of failures.slice(0, FAILURES_TOLD)) await complain(`mxtop: failed: ${failure}`);
    if (failed.length > 0) await complain(`mxtop: failed: ${failed.length} of ${counted(runs.length, "run")}`);
  }
  if (partial) {
    const whole = runs.filter(({ result }) => !result.partial).length;
    await complain(`mxtop: stopped after ${whole} of ${counted(runs_planned, "run")}; the result is partial`);
  }
  if (out !== null) await sayResultIn(sweep, out.path);
}
