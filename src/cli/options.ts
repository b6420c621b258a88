import type { Command } from "@commander-js/extra-typings";
import type { Command as PlainCommand } from "commander";

/** The values of the options that {@link withScenarioOptions} adds. */
type ScenarioValues = {
  path?: string;
  guests?: string;
  duration?: string;
  seed?: string;
  machine?: string;
  program?: string;
  programArg?: string[];
  set?: string[];
};

/**
 * Adds the options that change a scenario, the same for every command that takes one. Their types are written out:
 * inferred from so many flags, they take the compiler minutes.
 */
export function withScenarioOptions<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): Command<Args, Opts & ScenarioValues> {
  (command as unknown as PlainCommand)
    .option("--path <path>", "I/O path of the guests")
    .option("--guests <number>", "number of guests, over the hosts in turn")
    .option("--duration <time>", "measured virtual time, such as 200 ms")
    .option("--seed <number>", "seed of every random choice")
    .option("--machine <name>", "cost profile of the hosts")
    .option("--program <file>", "guest program in TypeScript, instead of the workload")
    .option("--program-arg <key=value>", "what the program finds in guest.args; repeatable", collect)
    .option("--set <key=value>", "any field of the scenario, such as workload.size=4 KiB; repeatable", collect);
  return command as unknown as Command<Args, Opts & ScenarioValues>;
}

/** What a repeatable option has gathered. */
export function collect(value: string, values: string[] | undefined): string[] {
  return [...(values ?? []), value];
}
