import { type Command } from "@commander-js/extra-typings";

/** Adds the options that change a scenario, the same for every command that takes one. */
export function withScenarioOptions<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
) {
  return command
    .option("--path <path>", "I/O path of the guests")
    .option("--guests <number>", "number of guests, over the hosts in turn")
    .option("--duration <time>", "measured virtual time, such as 200 ms")
    .option("--seed <number>", "seed of every random choice")
    .option("--machine <name>", "cost profile of the hosts")
    .option("--set <key=value>", "any field of the scenario, such as workload.size=4 KiB; repeatable", collect);
}

/** What a repeatable option has gathered. */
export function collect(value: string, values: string[] | undefined): string[] {
  return [...(values ?? []), value];
}
