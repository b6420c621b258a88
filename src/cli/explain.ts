import { Command, Option } from "@commander-js/extra-typings";
import { didYouMean } from "../base/suggest.ts";
import { explainPath } from "../report/explain.ts";
import { explainJson, explainMarkdown, explainTable } from "../report/explain_text.ts";
import { machineStamp, ownProvenance } from "../report/provenance.ts";
import { MACHINES } from "../hw/profiles/registry.ts";
import { PATHS } from "../path/registry.ts";
import { shellWords } from "./command_line.ts";
import { EXIT_OK, UsageError } from "./exit.ts";
import { print } from "./output.ts";
import { VERSION } from "./version.ts";

/** `mxtop explain`: the steps of one message on a path. */
export function explainCommand(finish: (exitCode: number) => void) {
  return new Command("explain")
    .summary("show the steps of one message on a path, with times")
    .description(
      "Follows one tiny, one medium and one large message between two guests on two idle hosts, and shows " +
        "each step: who has it, what is done, when it starts, how long it takes, and the running total.",
    )
    .argument("<path>", "an I/O path: see `mxtop list paths`")
    .option("--machine <name>", "cost profile of the hosts", MACHINES[0].name)
    .addOption(
      new Option("--format <format>", "form of the result").choices(["table", "json", "markdown"]).default("table"),
    )
    .action(async (name, { machine, format }) => {
      const path = PATHS.find((known) => known.name === name);
      if (path === undefined) throw unknown("path", name, PATHS.map((known) => known.name));
      const profile = MACHINES.find((known) => known.name === machine);
      if (profile === undefined) throw unknown("machine", machine, MACHINES.map((known) => known.name));
      const explanations = explainPath(path, { machine, costs: {}, mtu: 9000 });
      const command = shellWords(["mxtop", "explain", name, "--machine", machine]);
      const made = ownProvenance({ command, version: VERSION }, [machineStamp(profile)]);
      if (format === "json") await print(explainJson(name, explanations, made));
      else if (format === "markdown") await print(explainMarkdown(name, explanations, made));
      else await print(explainTable(name, explanations));
      finish(EXIT_OK);
    });
}

function unknown(what: string, name: string, known: readonly string[]): UsageError {
  return new UsageError(`unknown ${what} '${name}'${didYouMean(name, known)}; wanted one of ${known.join(", ")}`);
}
