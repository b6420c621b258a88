import { Command } from "@commander-js/extra-typings";
import { Recording } from "../cluster/recording.ts";
import type { InputLog } from "../cluster/input_log.ts";
import { inputText } from "../cluster/input_text.ts";
import { LogPlayer, type Verdict } from "../cluster/log_player.ts";
import { LiveView } from "../report/live.ts";
import type { DashboardOptions } from "../tui/app.ts";
import type { DashboardRun, Following } from "../tui/run.ts";
import { CATALOGUE } from "./catalogue.ts";
import { save } from "./deliver.ts";
import { EXIT_USAGE, UsageError } from "./exit.ts";
import { OutputFile } from "./files.ts";
import { logText } from "./log_file.ts";
import { withScenarioOptions } from "./options.ts";
import { openRunInput, openSession, type RunInput, type RunOptions } from "./run_input.ts";
import { BUILT_IN } from "./scenarios.ts";
import { settingsOf } from "./settings.ts";
import { VERSION } from "./version.ts";

/** `mxtop dash`: the dashboard, on the first scenario or on one of the user's. */
export function dashCommand(finish: (exitCode: number) => void) {
  return withScenarioOptions(new Command("dash"))
    .summary("open the dashboard")
    .description("Opens the dashboard on a scenario. The options apply to that scenario, not to others opened later.")
    .argument("[scenario]", `a built-in scenario or a YAML file (default: "${BUILT_IN[0].name}")`)
    .option("--log <file>", "at the end, write a log of the run on the screen, for `mxtop replay`")
    .action(async (scenario, options) => finish(await dash(scenario, options)));
}

interface DashOptions extends RunOptions {
  readonly log?: string;
}

async function dash(scenario: string | undefined, options: DashOptions): Promise<number> {
  demandTerminal("the dashboard", "`mxtop run <scenario>`");
  const name = scenario ?? (options.program === undefined ? BUILT_IN[0].name : undefined);
  // A mistake in the scenario, or a question for permission to read it, belongs before the screen opens.
  const first = await openRunInput(name, options);
  const initial = name ?? first.scenario.name;
  return await showDashboard({
    initial,
    title: titleOf(first),
    log: options.log === undefined ? null : new OutputFile(options.log),
    open: async (chosen, keys) => {
      const own = chosen === initial ? options : {};
      const { path = own.path, seed } = keys;
      const seedText = seed?.toString() ?? own.seed;
      return await openRun(await openRunInput(chosen === initial ? name : chosen, { ...own, path, seed: seedText }));
    },
  });
}

/** Throws {@link UsageError} where there is nothing to draw on. */
export function demandTerminal(what: string, otherwise: string): void {
  if (Deno.stdin.isTerminal() && Deno.stdout.isTerminal()) return;
  throw new UsageError(`${what} needs a terminal; use ${otherwise} without one`);
}

/** What the dashboard begins with. */
export interface Shown {
  /** Name of the first scenario; `title` is shown where it is none of the built-in ones. */
  readonly initial: string;
  readonly title: string;
  readonly open: DashboardOptions["open"];
  /** Where a log of the last run goes. */
  readonly log: OutputFile | null;
}

/** The dashboard until the user leaves it; gives the exit code. */
export async function showDashboard({ initial, title, open, log }: Shown): Promise<number> {
  const listed = BUILT_IN.map(({ name, title, number }) => ({ name, title, number }));
  if (!listed.some(({ name }) => name === initial)) listed.push({ name: initial, title, number: 0 });
  // Only the dashboard pays for loading the terminal library.
  const { runDashboard } = await import("../tui/app.ts");
  let last: DashboardRun | null = null;
  const code = await runDashboard({
    scenarios: listed,
    initial,
    paths: CATALOGUE.paths.map(({ name }) => name),
    version: VERSION,
    open,
    closed: (run) => last = run,
  });
  const text = (last as DashboardRun | null)?.inputLog?.();
  const isSaved = log === null || text === undefined || await save(log, text);
  return isSaved ? code : EXIT_USAGE;
}

/**
 * A run as the dashboard wants it: the session, and a view that samples it. One with a log follows that, and tells what
 * came of it.
 */
export async function openRun(
  input: RunInput,
  log: InputLog | null = null,
  tell: (verdict: Verdict) => void = () => {},
): Promise<DashboardRun> {
  const make = () => openSession(input, log?.endless ?? true);
  const source = { input, endless: log?.endless ?? true, tell };
  return runOf(new Recording(await make(), make), source, log);
}

/** What all turns of a run have in common. */
interface RunSource {
  readonly input: RunInput;
  readonly endless: boolean;
  readonly tell: (verdict: Verdict) => void;
}

function runOf(recording: Recording, source: RunSource, log: InputLog | null): DashboardRun {
  const { input, endless } = source;
  const { session } = recording;
  const view = new LiveView(session, { command: `mxtop dash ${input.scenario.name}`, version: VERSION });
  const player = log === null ? null : new LogPlayer(recording, log);
  const runner = player ?? session;
  let noted = 0;
  const run: DashboardRun = {
    get now() {
      return session.now;
    },
    get end() {
      return player?.isFollowing ? player.endPs : session.end;
    },
    get finished() {
      return session.finished;
    },
    get inputs() {
      return recording.inputs;
    },
    advance: (until, maxEvents) => runner.advance(until, maxEvents),
    step: () => runner.step(),
    nextMessage: (maxEvents) => runner.nextMessage(maxEvents),
    live() {
      for (const { atPs, input } of recording.inputs.slice(noted)) view.note(inputText(input), atPs);
      noted = recording.inputs.length;
      return view.live();
    },
    apply(what) {
      const problem = recording.apply(what);
      if (problem === null) player?.letGo();
      return problem;
    },
    inputLog: () => logText(input, { session, inputs: recording.inputs, endless }),
    settings: () => settingsOf(session.scenario, recording.inputs),
    async rewind(toPs) {
      const replay = await recording.rewind(toPs);
      return {
        get progress() {
          return replay.progress;
        },
        advance(maxEvents) {
          const there = replay.advance(maxEvents);
          return there === null ? null : runOf(there, source, player?.isFollowing ? log : null);
        },
      };
    },
  };
  return player === null ? run : Object.defineProperty(run, "replay", { value: followingOf(player, source.tell) });
}

function followingOf(player: LogPlayer, tell: (verdict: Verdict) => void): Following {
  return {
    get isFollowing() {
      return player.isFollowing;
    },
    takeVerdict() {
      const { verdict } = player;
      if (verdict === null || !player.isFollowing) return null;
      player.letGo();
      tell(verdict);
      return { level: verdict.same === false ? "error" : "info", text: verdict.text };
    },
  };
}

function titleOf({ scenario, program }: RunInput): string {
  return scenario.title || (program === null ? "" : `the guest program ${program.file}`);
}
