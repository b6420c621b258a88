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
    .option("--program <file>", "guest program in TypeScript, instead of the workload")
    .option("--program-arg <key=value>", "what the program finds in guest.args; repeatable", collect)
    .option("--set <key=value>", "any field of the scenario, such as workload.size=4 KiB; repeatable", collect);
}

function collect(value: string, values: string[] | undefined): string[] {
  return [...(values ?? []), value];
}
