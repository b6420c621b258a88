import { Command, Option } from "@commander-js/extra-typings";
import type { Command as PlainCommand } from "commander";
import type { InputLog } from "../cluster/input_log.ts";
import { LogPlayer, type Verdict } from "../cluster/log_player.ts";
import { Recording } from "../cluster/recording.ts";
import { FORMATS } from "../report/formats.ts";
import { takeSnapshot, withProgramOutput } from "../report/take_snapshot.ts";
import { judge, withFailures } from "../report/thresholds.ts";
import { anatomyOf } from "./anatomy.ts";
import { optionText, shellWords } from "./command_line.ts";
import { demandTerminal, openRun, showDashboard } from "./dash.ts";
import { deliver, type DeliveryOptions, demandTable, tryTo } from "./deliver.ts";
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, UsageError } from "./exit.ts";
import { demandApart, OutputFile } from "./files.ts";
import { openLog } from "./log_file.ts";
import { complain } from "./output.ts";
import { Progress } from "./progress.ts";
import { filesRead, openLoggedInput, openRunInput, openSession, type RunInput } from "./run_input.ts";
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
import { StopSignals } from "./stop_signals.ts";
import { CompilerRests } from "./v8.ts";
import { VERSION } from "./version.ts";

interface ReplayOptions extends DeliveryOptions, TraceOptions, PcapOptions, SeriesOptions {
  readonly screen?: true;
  readonly out?: string;
}

/** `mxtop replay`: a run again, from its log of inputs, headless or on the screen. */
export function replayCommand(finish: (exitCode: number) => void): PlainCommand {
  const command = new Command("replay") as unknown as PlainCommand;
  command
    .summary("run a log of inputs again, headless or on the screen")
    .description(
      "Does again what a log says (`dash --log`, `run --log`) and compares the fingerprint of all events with the log's.\n" +
        "Exit code 0: the same, or nothing to compare with; 1: another one, or an input that could not be done.",
    )
    .argument("<log>", "a log of inputs")
    .option("--screen", "on the dashboard, which does the inputs at their times")
    .addOption(new Option("--format <format>", "form of the result").choices(Object.keys(FORMATS)).default("table"))
    .option(...INTERVAL_HELP)
    .option("--out <file>", "write the result to a file instead of stdout")
    .option("--counters", "show the counters of every MX driver, drops too, as omx_counters does");
  addPcapOptions(command);
  return command
    .option("--trace <file>", "also write a trace for the Perfetto UI (ui.perfetto.dev)")
    .option("--trace-from <time>", "virtual time at which the trace begins (default: 0)")
    .option("--trace-for <time>", "virtual time that the trace covers (default: the whole run)")
    .option("--quiet", "no progress line, and nothing on stderr when the run is the same")
    .action(async (file: string, options: ReplayOptions) => finish(await replay(file, options)));
}

/** Options that a replay without a screen has alone. */
const HEADLESS = [
  "interval",
  "out",
  "counters",
  "quiet",
  "pcap",
  "pcapAt",
  "pcapLimit",
  "pcapSnaplen",
  "trace",
  "traceFrom",
  "traceFor",
] as const;

async function replay(file: string, options: ReplayOptions): Promise<number> {
  const other = options.screen ? HEADLESS.find((key) => options[key] !== undefined) : undefined;
  if (other !== undefined) throw new UsageError(`${optionText(other)}: found it with --screen, wanted one of the two`);
  demandTable(options);
  const log = openLog(file);
  const input = await openLoggedInput(log.scenario, file);
  demandApart({ out: options.out, trace: options.trace, pcap: options.pcap }, [
    file,
    ...filesRead(undefined, input.program),
  ]);
  return options.screen ? await onScreen(file, log, input) : await headless(file, log, input, options);
}

async function headless(file: string, log: InputLog, input: RunInput, options: ReplayOptions): Promise<number> {
  const { quiet } = options;
  const out = options.out === undefined ? null : new OutputFile(options.out);
  const trace = await openTrace(options);
  const pcap = await openPcap(options);
  const series = await openSeries(options, out);
  const signals = new StopSignals();
  try {
    const make = () => openSession(input, { endless: log.endless });
    const player = new LogPlayer(new Recording(await make(), make), log);
    const { session } = player.recording;
    pcap?.start(session);
    const command = shellWords(["mxtop", "replay", file]);
    const played = runnable(player);
    const watched = trace?.watch(session, played) ?? played;
    const run = series?.watch(session, command, watched) ?? watched;
    const progress = quiet || series?.isOnTerminal ? null : Progress.onTerminal(log.scenario.name, run.end);
    const rests = CompilerRests.of(session.scenario.guests.length);
    const { wallMs } = await runToEnd(run, signals, progress, rests);
    progress?.clear();
    pcap?.stop();
    let remark = "";
    const traced = trace === null || await tryTo(() => remark = trace.finish(session, command));
    if (remark !== "" && !quiet) await complain(`mxtop: ${remark}`);
    const partial = !session.finished || session.failure !== null;
    series?.finish(partial);
    const snapshot = takeSnapshot(session, { command, version: VERSION, wallMs, partial });
    const judged = judge(snapshot, session.scenario.thresholds);
    const leaks = partial ? [] : session.drain();
    const result = withFailures(withProgramOutput(judged, session), leaks);
    if (session.failure !== null) await complain(`mxtop: ${session.failure}`);
    const captured = await pcap?.write(session, command, quiet ?? false) ?? true;
    const how: DeliveryOptions = { ...options, quiet: true, scenario: session.scenario };
    const delivered = await deliver(result, how, out, null, session.failure, series);
    const code = await sayVerdict(file, log, player.verdict, quiet);
    if (signals.exitCode !== null) return signals.exitCode;
    return delivered && traced && captured ? code : EXIT_USAGE;
  } finally {
    signals.release();
  }
}

/** The player as the run's loop wants it: it is over with the log. */
function runnable(player: LogPlayer): Runnable {
  const { session } = player.recording;
  return {
    advance: (until, maxEvents) => player.advance(until, maxEvents),
    end: player.endPs,
    get now() {
      return session.now;
    },
    get finished() {
      return player.verdict !== null;
    },
    get failure() {
      return session.failure;
    },
    stray: session.stray,
  };
}

async function onScreen(file: string, log: InputLog, input: RunInput): Promise<number> {
  demandTerminal("replay --screen", "`mxtop replay <log>`");
  const { name } = log.scenario;
  let verdict: Verdict | null = null;
  const code = await showDashboard({
    initial: name,
    title: input.scenario.title,
    log: null,
    anatomy: async (_name, path) => await anatomyOf(input, path),
    open: async (chosen, { path, seed }) => {
      if (chosen !== name) return await openRun(await openRunInput(chosen, { path, seed: seed?.toString() }));
      if (path === undefined && seed === undefined) {
        return await openRun(input, { log, tell: (judged) => verdict = judged });
      }
      const options = Object.entries({ path, seed }).flatMap(([key, value]) =>
        value === undefined ? [] : [{ option: `--${key}`, path: [key], value }]
      );
      const changed = { ...log.scenario, options: [...log.scenario.options, ...options] };
      return await openRun(await openLoggedInput(changed, file));
    },
  });
  const verdictCode = await sayVerdict(file, log, verdict, undefined);
  return code === EXIT_OK ? verdictCode : code;
}

/** Says how the run compares with its log; gives the exit code. */
async function sayVerdict(file: string, log: InputLog, verdict: Verdict | null, quiet?: true): Promise<number> {
  if (verdict === null) {
    if (!quiet) await complain(`mxtop: ${file}: stopped before the end of the log`);
    return EXIT_OK;
  }
  if (verdict.same !== true || !quiet) await complain(`mxtop: ${file}: ${verdict.text}`);
  if (verdict.same === false && log.version !== VERSION) {
    await complain(`mxtop: ${file}: written by mxtop ${log.version}, and this is ${VERSION}: runs may differ`);
  }
  return verdict.same === false ? EXIT_FAILED : EXIT_OK;
}
