import { Command } from "@commander-js/extra-typings";
import { Recording } from "../cluster/recording.ts";
import { LiveView } from "../report/live.ts";
import type { DashboardRun } from "../tui/run.ts";
import { CATALOGUE } from "./catalogue.ts";
import { UsageError } from "./exit.ts";
import { withScenarioOptions } from "./options.ts";
import { openRunInput, openSession, type RunInput, type RunOptions } from "./run_input.ts";
import { BUILT_IN } from "./scenarios.ts";
import { VERSION } from "./version.ts";

/** `mxtop dash`: the dashboard, on the first scenario or on one of the user's. */
export function dashCommand(finish: (exitCode: number) => void) {
  return withScenarioOptions(new Command("dash"))
    .summary("open the dashboard")
    .description("Opens the dashboard on a scenario. The options apply to that scenario, not to others opened later.")
    .argument("[scenario]", `a built-in scenario or a YAML file (default: "${BUILT_IN[0].name}")`)
    .action(async (scenario, options) => finish(await dash(scenario, options)));
}

async function dash(scenario: string | undefined, options: RunOptions): Promise<number> {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) {
    throw new UsageError("the dashboard needs a terminal; use `mxtop run <scenario>` without one");
  }
  const name = scenario ?? (options.program === undefined ? BUILT_IN[0].name : undefined);
  // A mistake in the scenario, or a question for permission to read it, belongs before the screen opens.
  const first = await openRunInput(name, options);
  const initial = name ?? first.scenario.name;
  const listed = BUILT_IN.map(({ name, title, number }) => ({ name, title, number }));
  if (!listed.some(({ name }) => name === initial)) listed.push({ name: initial, title: titleOf(first), number: 0 });
  // Only the dashboard pays for loading the terminal library.
  const { runDashboard } = await import("../tui/app.ts");
  return await runDashboard({
    scenarios: listed,
    initial,
    paths: CATALOGUE.paths.map(({ name }) => name),
    version: VERSION,
    open: async (chosen, keys) => {
      const own = chosen === initial ? options : {};
      const { path = own.path, seed } = keys;
      const seedText = seed?.toString() ?? own.seed;
      return await openRun(await openRunInput(chosen === initial ? name : chosen, { ...own, path, seed: seedText }));
    },
  });
}

/** A run as the dashboard wants it: the session, and a view that samples it. */
async function openRun(input: RunInput): Promise<DashboardRun> {
  const make = () => openSession(input, true);
  return runOf(new Recording(await make(), make), input);
}

function runOf(recording: Recording, input: RunInput): DashboardRun {
  const { session } = recording;
  const view = new LiveView(session, { command: `mxtop dash ${input.scenario.name}`, version: VERSION });
  return {
    get now() {
      return session.now;
    },
    get end() {
      return session.end;
    },
    get finished() {
      return session.finished;
    },
    get inputs() {
      return recording.inputs;
    },
    advance: (until, maxEvents) => session.advance(until, maxEvents),
    step: () => session.step(),
    nextMessage: (maxEvents) => session.nextMessage(maxEvents),
    live: () => view.live(),
    apply: (what) => recording.apply(what),
    async rewind(toPs) {
      const replay = await recording.rewind(toPs);
      return {
        get progress() {
          return replay.progress;
        },
        advance(maxEvents) {
          const there = replay.advance(maxEvents);
          return there === null ? null : runOf(there, input);
        },
      };
    },
  };
}

function titleOf({ scenario, program }: RunInput): string {
  return scenario.title || (program === null ? "" : `the guest program ${program.file}`);
}
