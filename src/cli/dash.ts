import process from "node:process";
import { Command, Option } from "@commander-js/extra-typings";
import { Recording } from "../cluster/recording.ts";
import type { InputLog } from "../cluster/input_log.ts";
import type { Verdict } from "../cluster/log_player.ts";
import type { DashboardOptions } from "../tui/options.ts";
import type { DashboardRun } from "../tui/run.ts";
import { THEME_NAMES, type ThemeName } from "../tui/theme.ts";
import { anatomyOf } from "./anatomy.ts";
import { CATALOGUE } from "./catalogue.ts";
import { save } from "./deliver.ts";
import { EXIT_USAGE, UsageError } from "./exit.ts";
import { demandApart, OutputFile } from "./files.ts";
import { LiveRun } from "./live_run.ts";
import { withScenarioOptions } from "./options.ts";
import { programLoads } from "./program_loads.ts";
import { filesRead, openRunInput, openSession, type RunInput, type RunOptions } from "./run_input.ts";
import { REPORT_FILES } from "./report_files.ts";
import { BUILT_IN } from "./scenarios.ts";
import { VERSION } from "./version.ts";

/** `mxtop dash`: the dashboard, on the first scenario or on one of the user's. */
export function dashCommand(finish: (exitCode: number) => void) {
  return withScenarioOptions(new Command("dash"))
    .summary("open the dashboard")
    .description(
      "Opens the dashboard on a scenario. The options apply to that scenario, not to others opened later. A run goes on " +
        "past its duration, up to two hours of virtual time; a guest program ends it when every rank has returned.",
    )
    .argument("[scenario]", `a built-in scenario or a YAML file (default: "${BUILT_IN[0].name}")`)
    .addOption(new Option("--theme <name>", "colours (the key T changes them)").choices(THEME_NAMES))
    .option("--log <file>", "at the end, write a log of the run on the screen, for `mxtop replay`")
    .action(async (scenario, options) => finish(await dash(scenario, options)));
}

interface DashOptions extends RunOptions {
  readonly theme?: ThemeName;
  readonly log?: string;
}

async function dash(scenario: string | undefined, options: DashOptions): Promise<number> {
  demandTerminal("the dashboard", "`mxtop run <scenario>`");
  const name = scenario ?? (options.program === undefined ? BUILT_IN[0].name : undefined);
  // A mistake in the scenario, or a question for permission to read it, belongs before the screen opens.
  const first = await openRunInput(name, options);
  demandApart({ log: options.log }, filesRead(scenario, first.program));
  const initial = name ?? first.scenario.name;
  return await showDashboard({
    initial,
    theme: options.theme,
    title: titleOf(first),
    log: options.log === undefined ? null : new OutputFile(options.log),
    open: async (chosen, keys) => {
      const own = chosen === initial ? options : {};
      const { path = own.path, seed, oneOfMany } = keys;
      const seedText = seed?.toString() ?? own.seed;
      return await openRun(
        await openRunInput(chosen === initial ? name : chosen, { ...own, path, seed: seedText }),
        { oneOfMany },
      );
    },
    anatomy: async (chosen, path) => {
      const own = chosen === initial ? options : {};
      return anatomyOf(await openRunInput(chosen === initial ? name : chosen, { ...own, path }), path);
    },
  });
}

/** Throws {@link UsageError} where there is nothing to draw on. */
export function demandTerminal(what: string, otherwise: string): void {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) {
    throw new UsageError(`${what} needs a terminal; use ${otherwise} without one`);
  }
  // Known only where the variable may be read; to ask for that would be a question before every start.
  if (process.env.TERM === "dumb") {
    throw new UsageError(
      `${what} draws all over the screen, which a terminal of TERM=dumb cannot; use ${otherwise} there`,
    );
  }
}

/** What the dashboard begins with. */
export interface Shown {
  /** Name of the first scenario; `title` is shown where it is none of the built-in ones. */
  readonly initial: string;
  readonly title: string;
  readonly open: DashboardOptions["open"];
  readonly anatomy: DashboardOptions["anatomy"];
  readonly theme?: ThemeName;
  /** Where a log of the last run goes. */
  readonly log: OutputFile | null;
}

/** The dashboard until the user leaves it; gives the exit code. */
export async function showDashboard({ initial, title, open, anatomy, theme, log }: Shown): Promise<number> {
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
    theme,
    files: REPORT_FILES,
    disturbances: () => programLoads.count,
    open,
    anatomy,
    closed: (run) => last = run,
  });
  const text = (last as DashboardRun | null)?.inputLog?.();
  const isSaved = log === null || text === undefined || await save(log, text);
  return isSaved ? code : EXIT_USAGE;
}

export interface OpenOptions {
  /** The log that the run follows. */
  readonly log?: InputLog | null;
  /** Told at the end of the log what came of it. */
  readonly tell?: (verdict: Verdict) => void;
  /** One of several runs at the same time. */
  readonly oneOfMany?: boolean;
}

/** A run as the dashboard wants it. One with a log follows that. */
export async function openRun(input: RunInput, options: OpenOptions = {}): Promise<DashboardRun> {
  const { log = null, tell, oneOfMany } = options;
  const endless = log?.endless ?? true;
  const make = () => openSession(input, { endless, oneOfMany });
  const meta = { command: `mxtop dash ${input.scenario.name}`, version: VERSION };
  return new LiveRun(new Recording(await make(), make), { ...meta, source: { input, endless }, log, tell });
}

function titleOf({ scenario, program }: RunInput): string {
  return scenario.title || (program === null ? "" : `the guest program ${program.file}`);
}
