import { Command } from "@commander-js/extra-typings";
import { Session } from "../cluster/session.ts";
import type { Scenario } from "../cluster/scenario.ts";
import { LiveView } from "../report/live.ts";
import type { DashboardRun } from "../tui/app.ts";
import { CATALOGUE, openScenario, overridesOf, type ScenarioOptions } from "./catalogue.ts";
import { UsageError } from "./exit.ts";
import { withScenarioOptions } from "./options.ts";
import { BUILT_IN } from "./scenarios.ts";
import { VERSION } from "./version.ts";

/** `mxtop dash`: the dashboard, on the first scenario or on one of the user's. */
export function dashCommand(finish: (exitCode: number) => void) {
  return withScenarioOptions(new Command("dash"))
    .summary("open the dashboard")
    .description("Opens the dashboard on a scenario. The options apply to that scenario, not to others opened later.")
    .argument("[scenario]", "a built-in scenario or a YAML file", BUILT_IN[0].name)
    .action(async (scenario, options) => finish(await dash(scenario, options)));
}

async function dash(initial: string, options: ScenarioOptions): Promise<number> {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) {
    throw new UsageError("the dashboard needs a terminal; use `mxtop run <scenario>` without one");
  }
  const overrides = overridesOf(options);
  // A mistake in the scenario, or a question for permission to read it, belongs before the screen opens.
  const first = openScenario(initial, overrides);
  const listed = BUILT_IN.map(({ name, title, number }) => ({ name, title, number }));
  if (!listed.some(({ name }) => name === initial)) listed.push({ name: initial, title: first.title, number: 0 });
  // Only the dashboard pays for loading the terminal library.
  const { runDashboard } = await import("../tui/app.ts");
  return await runDashboard({
    scenarios: listed,
    initial,
    paths: CATALOGUE.paths.map(({ name }) => name),
    version: VERSION,
    open: (name, { path, seed }) => {
      const keys = overridesOf({ path, seed: seed?.toString() });
      return openRun(openScenario(name, name === initial ? [...overrides, ...keys] : keys));
    },
  });
}

/** A run as the dashboard wants it: the session, and a view that samples it. */
function openRun(scenario: Scenario): DashboardRun {
  const session = new Session(scenario, { endless: true });
  const view = new LiveView(session, { command: `mxtop dash ${scenario.name}`, version: VERSION });
  return {
    get now() {
      return session.now;
    },
    end: session.end,
    get finished() {
      return session.finished;
    },
    advance: (until, maxEvents) => session.advance(until, maxEvents),
    step: () => session.step(),
    live: () => view.live(),
  };
}
