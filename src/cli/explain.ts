import { Command, Option } from "@commander-js/extra-typings";
import { didYouMean } from "../base/suggest.ts";
import { explainPath } from "../report/explain.ts";
import { explainJson, explainMarkdown, explainTable } from "../report/explain_text.ts";
import { PATHS } from "../path/registry.ts";
import { CATALOGUE } from "./catalogue.ts";
import { EXIT_OK, UsageError } from "./exit.ts";
import { print } from "./output.ts";

/** `mxtop explain`: the steps of one message on a path. */
export function explainCommand(finish: (exitCode: number) => void) {
  return new Command("explain")
    .summary("show the steps of one message on a path, with times")
    .description(
      "Follows one tiny, one medium and one large message between two guests on two idle hosts, and shows " +
        "each step: who has it, what is done, when it starts, how long it takes, and the running total.",
    )
    .argument("<path>", "an I/O path: see `mxtop list paths`")
    .option("--machine <name>", "cost profile of the hosts", CATALOGUE.machines[0].name)
    .addOption(
      new Option("--format <format>", "form of the result").choices(["table", "json", "markdown"]).default("table"),
    )
    .action(async (name, { machine, format }) => {
      const path = PATHS.find((known) => known.name === name);
      if (path === undefined) throw unknown("path", name, PATHS.map((known) => known.name));
      const machines = CATALOGUE.machines.map((known) => known.name);
      if (!machines.includes(machine)) throw unknown("machine", machine, machines);
      const explanations = explainPath(path, { machine, costs: {}, mtu: 9000 });
      if (format === "json") await print(explainJson(name, machine, explanations));
      else await print(format === "markdown" ? explainMarkdown(name, explanations) : explainTable(name, explanations));
      finish(EXIT_OK);
    });
}

function unknown(what: string, name: string, known: readonly string[]): UsageError {
  return new UsageError(`unknown ${what} '${name}'${didYouMean(name, known)}; wanted one of ${known.join(", ")}`);
}
