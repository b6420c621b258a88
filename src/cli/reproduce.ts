import { Command, Option } from "@commander-js/extra-typings";
import { reproductionCsv, reproductionJson, reproductionMarkdown, reproductionTable } from "../report/study/render.ts";
import { type Reproduction, type StudyParts, WHOLE_STUDY } from "../report/study/reproduce.ts";
import { StudyPlan } from "../report/study/plan.ts";
import { showValue } from "../base/quantity.ts";
import { didYouMean } from "../base/suggest.ts";
import { deliverText } from "./deliver.ts";
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, UsageError } from "./exit.ts";
import { demandApart, OutputFile } from "./files.ts";
import { jobCount, jobsOption, sayJobs } from "./jobs/job_count.ts";
import { JobPool } from "./jobs/pool.ts";
import { shellWords } from "./command_line.ts";
import { complain } from "./output.ts";
import { ManyProgress } from "./progress.ts";
import { StopSignals } from "./stop_signals.ts";
import { VERSION } from "./version.ts";

type Format = (report: Reproduction) => string;

/** A page and its charts are loaded where they are asked for. */
const FORMATS: Readonly<Record<string, () => Format | Promise<Format>>> = {
  table: () => reproductionTable,
  json: () => reproductionJson,
  markdown: () => reproductionMarkdown,
  csv: () => reproductionCsv,
  html: async () => (await import("../report/html/study.ts")).studyHtml,
};

/** The study has more runs than anybody has cores. */
const MOST_RUNS = Infinity;

/** `mxtop reproduce`: the study's numbers, claims and figures beside our own. */
export function reproduceCommand(finish: (exitCode: number) => void) {
  return new Command("reproduce")
    .summary("redo the study: published results beside emulated ones")
    .description(
      "Runs the experiments of the Xen2MX study and prints every published result beside the emulated one, with the " +
        "error and the bounds within which it counts as met; every claim, with each statement that is checked of it; " +
        "and every figure as a table. Exit code 1 when a result is missed, or a statement fails that is not known to.",
    )
    .addOption(new Option("--format <format>", "form of the report").choices(Object.keys(FORMATS)).default("table"))
    .option("--no-figures", "only the results and the claims")
    .option("--only <ids>", "these results, claims and figures, such as A1b,D2,latency-16k")
    .addOption(jobsOption())
    .option("--out <file>", "write the report to a file instead of stdout")
    .option("--quiet", "no progress on stderr")
    .action(async (options) => finish(await reproduce(options)));
}

interface ReproduceOptions {
  readonly format: string;
  readonly figures: boolean;
  readonly only?: string;
  readonly jobs?: string;
  readonly out?: string;
  readonly quiet?: true;
}

async function reproduce({ format, figures, only, jobs: asked, out, quiet }: ReproduceOptions): Promise<number> {
  const plan = new StudyPlan(VERSION, partsOf(only, figures), commandOf(only, figures));
  const count = jobCount(asked, MOST_RUNS);
  demandApart({ out });
  const file = out === undefined ? null : new OutputFile(out);
  const signals = new StopSignals();
  const progress = quiet ? null : ManyProgress.onTerminal("reproduce");
  if (!quiet) await sayJobs(count, progress !== null);
  const pool = new JobPool(count.jobs, signals);
  try {
    const report = await runStudy(plan, pool, progress);
    progress?.clear();
    const delivered = await deliverText((await FORMATS[format]())(report), file);
    if (report.partial && !quiet) {
      await complain(`mxtop: stopped after ${plan.done} of ${plan.done + plan.left} runs; the report is partial`);
    }
    if (signals.exitCode !== null) return signals.exitCode;
    if (!delivered) return EXIT_USAGE;
    return report.ok ? EXIT_OK : EXIT_FAILED;
  } finally {
    pool.close();
    signals.release();
  }
}

/** Keeps the pool busy until no experiment is missing, or a signal stops it; the report of what is known then. */
async function runStudy(plan: StudyPlan, pool: JobPool, progress: ManyProgress | null): Promise<Reproduction> {
  const running = new Set<Promise<void>>();
  for (let number = 0;;) {
    while (running.size < pool.size && !pool.stopped) {
      const experiment = plan.take();
      if (experiment === null) break;
      const run = number++;
      const runs = () => plan.done + plan.left;
      const made = pool.run(
        { kind: "experiment", experiment },
        (nowPs, endPs) => progress?.at(run, nowPs, endPs, runs()),
      ).then((snapshot) => {
        running.delete(made);
        // One that was stopped on its way says nothing of the study.
        if (snapshot === null || snapshot.partial) return;
        plan.learn(experiment, snapshot);
        progress?.through(run, snapshot.virtual_ns * 1000, runs());
      });
      running.add(made);
    }
    if (running.size === 0) return plan.report();
    await Promise.race(running);
  }
}

/** The command that repeats a report. */
function commandOf(only: string | undefined, figures: boolean): string {
  return shellWords([
    ...["mxtop", "reproduce"],
    ...(figures ? [] : ["--no-figures"]),
    ...(only === undefined ? [] : ["--only", only]),
  ]);
}

/** What `--only` and `--no-figures` leave of the study. Throws {@link UsageError} for an id that is not there. */
function partsOf(only: string | undefined, withFigures: boolean): StudyParts {
  const { results, claims, figures } = WHOLE_STUDY;
  if (only === undefined) return withFigures ? WHOLE_STUDY : { results, claims, figures: [] };
  const ids = only.split(",").map((id) => id.trim());
  const known = [...results, ...claims, ...figures].map(({ id }) => id);
  for (const id of ids) {
    if (known.includes(id)) continue;
    const hint = didYouMean(id, known) || `; wanted some of ${known.join(", ")}`;
    throw new UsageError(`--only: unknown id ${showValue(id)}${hint}`);
  }
  const chosen = <Part extends { readonly id: string }>(parts: readonly Part[]) =>
    parts.filter(({ id }) => ids.includes(id));
  return { results: chosen(results), claims: chosen(claims), figures: chosen(figures) };
}
