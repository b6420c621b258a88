import { Command, Option } from "@commander-js/extra-typings";
import type { Command as PlainCommand } from "commander";
import type { Session } from "../cluster/session.ts";
import { FORMATS } from "../report/formats.ts";
import { takeSnapshot, withProgramOutput } from "../report/take_snapshot.ts";
import { judge, withFailures } from "../report/thresholds.ts";
import { commandLine } from "./command_line.ts";
import { deliver, type DeliveryOptions, demandTable, save, tryTo } from "./deliver.ts";
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from "./exit.ts";
import { demandApart, OutputFile } from "./files.ts";
import { withScenarioOptions } from "./options.ts";
import { complain } from "./output.ts";
import { Progress } from "./progress.ts";
import { filesRead, openRunInput, openSession, type RunInput, type RunOptions } from "./run_input.ts";
import { type Runnable, runToEnd } from "./run_loop.ts";
import {
  addPcapOptions,
  INTERVAL_HELP,
  openPcap,
  openSeries,
  openTrace,
  type PcapOptions,
  type SeriesOptions,
  type TraceOptions,
} from "./run_outputs.ts";
import { SlowHint } from "./slow_hint.ts";
import { StopSignals } from "./stop_signals.ts";
import type { TraceFile } from "./trace_file.ts";
import { CompilerRests } from "./v8.ts";
import { VERSION } from "./version.ts";

interface RunCommandOptions extends RunOptions, TraceOptions, PcapOptions, SeriesOptions {
  readonly out?: string;
  readonly junit?: string;
  readonly log?: string;
  readonly quiet?: true;
  readonly counters?: true;
}

/** `mxtop run`: one scenario from start to end, and its result. */
export function runCommand(finish: (exitCode: number) => void): PlainCommand {
  // Plain commander: the types of so many options, inferred, take the compiler minutes.
  const command = withScenarioOptions(new Command("run")) as unknown as PlainCommand;
  command
    .summary("run a scenario headless and print its result")
    .description("Runs a scenario headless and prints its result.")
    .argument("[scenario]", "a built-in scenario or a YAML file; not needed with --program")
    .addOption(new Option("--format <format>", "form of the result").choices(Object.keys(FORMATS)).default("table"))
    .option(...INTERVAL_HELP)
    .option("--out <file>", "write the result to a file instead of stdout")
    .option("--junit <file>", "also write the verdict as a JUnit report")
    .option("--counters", "show the counters of every MX driver, drops too, as omx_counters does");
  addPcapOptions(command);
  return command
    .option("--trace <file>", "also write a trace for the Perfetto UI (ui.perfetto.dev)")
    .option("--trace-from <time>", "virtual time at which the trace begins (default: 0)")
    .option("--trace-for <time>", "virtual time that the trace covers (default: the whole run)")
    .option("--log <file>", "also write a log that `mxtop replay` runs again")
    .option("--quiet", "no progress line and no remarks on stderr")
    .action(async (scenario: string | undefined, options: RunCommandOptions) => finish(await run(scenario, options)));
}

async function run(name: string | undefined, options: RunCommandOptions): Promise<number> {
  demandTable(options);
  const input = await openRunInput(name, options);
  const { scenario } = input;
  demandApart(filesWritten(options), filesRead(name, input.program));
  const out = options.out === undefined ? null : new OutputFile(options.out);
  const junit = options.junit === undefined ? null : new OutputFile(options.junit);
  const log = options.log === undefined ? null : new OutputFile(options.log);
  const trace = await openTrace(options);
  const pcap = await openPcap(options);
  const series = await openSeries(options, out);
  const signals = new StopSignals();
  try {
    const session = await openSession(input);
    const command = commandLine("run", name, options);
    pcap?.start(session);
    const progress = options.quiet || series?.isOnTerminal ? null : Progress.onTerminal(scenario.name, session.end);
    const watched = trace?.watch(session) ?? session;
    const runnable = series?.watch(session, command, watched) ?? watched;
    const watcher = progress && withHint(progress, session, runnable, trace?.isWhole ?? false);
    // Where nothing but the series is wanted, its reader says how long.
    const stop = (junit ?? log ?? trace ?? pcap) === null ? series?.stopsWith(signals) ?? signals : signals;
    const { partial, wallMs } = await runToEnd(runnable, stop, watcher, CompilerRests.of(scenario.guests.length));
    progress?.clear();
    pcap?.stop();
    series?.finish(partial);
    const traced = trace === null || await saveTrace(trace, session, command, options.quiet);
    const judged = judge(takeSnapshot(session, { command, version: VERSION, wallMs, partial }), scenario.thresholds);
    const logged = log === null || await saveLog(log, input, session);
    // Figures are final now; what the run leaves behind is looked for after it has come to rest.
    const leaks = partial ? [] : session.drain();
    const snapshot = withFailures(withProgramOutput(judged, session), leaks);
    if (session.failure !== null) await complain(`mxtop: ${session.failure}`);
    const captured = await pcap?.write(session, command, options.quiet ?? false) ?? true;
    const how: DeliveryOptions = { ...options, scenario, ...(series?.isUnread ? { quiet: true } : {}) };
    const delivered = await deliver(snapshot, how, out, junit, session.failure, series) && captured;
    session.release();
    if (signals.exitCode !== null) return signals.exitCode;
    if (!delivered || !traced || !logged) return EXIT_USAGE;
    return snapshot.ok ? EXIT_OK : EXIT_FAILED;
  } finally {
    signals.release();
  }
}

function filesWritten({ out, junit, log, trace, pcap }: RunCommandOptions) {
  return { out, junit, log, trace, pcap };
}

/** The progress line, with a hint above it once the run turns out to be slow. */
function withHint(progress: Progress, session: Session, runnable: Runnable, traced: boolean): Pick<Progress, "show"> {
  const hint = new SlowHint(
    session,
    (until, events) => runnable.advance(until, events),
    traced,
    (text) => progress.say(text),
  );
  return {
    show(nowPs) {
      progress.show(nowPs);
      hint.look(nowPs);
    },
  };
}

/** Whether the trace was written; says how much it holds, or why it was not. */
async function saveTrace(trace: TraceFile, session: Session, command: string, quiet?: true): Promise<boolean> {
  let remark = "";
  const written = await tryTo(() => remark = trace.finish(session, command));
  if (written && !quiet) await complain(`mxtop: ${remark}`);
  return written;
}

/** Whether the log was written. What reads and writes logs is loaded only where one is wanted. */
async function saveLog(log: OutputFile, input: RunInput, session: Session): Promise<boolean> {
  const { logText } = await import("./log_file.ts");
  return await save(log, logText(input, { session, inputs: [], endless: false }));
}
