import { Command, Option } from "@commander-js/extra-typings";
import { reproductionCsv, reproductionJson, reproductionMarkdown, reproductionTable } from "../report/study/render.ts";
import { reproduce, type ReproduceProgress, type Reproduction } from "../report/study/reproduce.ts";
import { EXIT_FAILED, EXIT_OK } from "./exit.ts";
import { OutputFile } from "./files.ts";
import { complain, print } from "./output.ts";
import { StopSignals } from "./stop_signals.ts";
import { VERSION } from "./version.ts";

const FORMATS: Readonly<Record<string, (report: Reproduction) => string>> = {
  table: reproductionTable,
  json: reproductionJson,
  markdown: reproductionMarkdown,
  csv: reproductionCsv,
};

/** `mxtop reproduce`: the study's numbers, claims and figures beside our own. */
export function reproduceCommand(finish: (exitCode: number) => void) {
  return new Command("reproduce")
    .summary("redo the study: published results beside emulated ones")
    .description(
      "Runs the experiments of the Xen2MX study and prints every published result beside the emulated one, with the\n" +
        "error and the source, every claim with its evidence, and every figure as a table. Exit code 1 when a result\n" +
        "is missed or a claim fails.",
    )
    .addOption(new Option("--format <format>", "form of the report").choices(Object.keys(FORMATS)).default("table"))
    .option("--no-figures", "only the results and the claims")
    .option("--out <file>", "write the report to a file instead of stdout")
    .option("--quiet", "no progress on stderr")
    .action(async ({ format, figures, out, quiet }) => {
      const file = out === undefined ? null : new OutputFile(out);
      const signals = new StopSignals();
      try {
        const report = await runStudy(figures, signals, quiet === true);
        if (report === null) return finish(signals.exitCode ?? EXIT_FAILED);
        const text = FORMATS[format](report);
        if (file === null) await print(text);
        else file.write(text);
        finish(report.ok ? EXIT_OK : EXIT_FAILED);
      } finally {
        signals.release();
      }
    });
}

async function runStudy(figures: boolean, signals: StopSignals, quiet: boolean): Promise<Reproduction | null> {
  const study = reproduce(VERSION, figures);
  const shows = !quiet && Deno.stderr.isTerminal();
  for (;;) {
    const turn = study.next();
    if (turn.done) {
      if (shows) await clearLine();
      return turn.value;
    }
    if (shows) await showProgress(turn.value);
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (signals.exitCode !== null) {
      await complain("mxtop: stopped; a study is only reported whole");
      return null;
    }
  }
}

const encoder = new TextEncoder();

async function showProgress({ done, steps, text }: ReproduceProgress): Promise<void> {
  await Deno.stderr.write(encoder.encode(`\r\x1b[K${done} of ${steps}: ${text.slice(0, 60)}`));
}

async function clearLine(): Promise<void> {
  await Deno.stderr.write(encoder.encode("\r\x1b[K"));
}
