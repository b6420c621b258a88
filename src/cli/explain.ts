import { Command, Option } from "@commander-js/extra-typings";
import { formatSize } from "../base/quantity.ts";
import { didYouMean } from "../base/suggest.ts";
import { withOverrides } from "../hw/machine_profile.ts";
import { MACHINES } from "../hw/profiles/registry.ts";
import type { Path } from "../path/path.ts";
import { PATHS } from "../path/registry.ts";
import { explainPath, NoArrival } from "../report/explain.ts";
import type { Side } from "../report/explain_compare.ts";
import { explainJson, explainMarkdown, explainTable } from "../report/explain_text.ts";
import { machineStamp, type Made, ownProvenance } from "../report/provenance.ts";
import { shellWords } from "./command_line.ts";
import { EXIT_OK, UsageError } from "./exit.ts";
import { collect } from "./options.ts";
import { print } from "./output.ts";
import { VERSION } from "./version.ts";
import { readWhatIf, sizeOption } from "./what_if.ts";

/** What is asked for, as commander delivers it. */
interface ExplainOptions {
  readonly machine: string;
  readonly size?: readonly string[];
  readonly set?: readonly string[];
  readonly against?: string;
  readonly format: string;
}

/** `mxtop explain`: the steps of one message on a path. */
export function explainCommand(finish: (exitCode: number) => void) {
  return new Command("explain")
    .summary("show the steps of one message on a path, with times")
    .description(
      "Follows one tiny, one medium and one large message between two guests on two idle hosts, and shows " +
        "each step: who has it, what is done, when it starts, how long it takes, and the running total. With --set " +
        "the same message as it is without stands beside it, with --against that of another path, and what each step " +
        "takes more or less.",
    )
    .argument("<path>", "an I/O path: see `mxtop list paths`")
    .option("--machine <name>", "cost profile of the hosts", MACHINES[0].name)
    .option("--size <size>", "size of a message, instead of the three; repeatable", collect)
    .option("--set <key=value>", "a cost, a mechanism, the link, such as costs.hypercall=400; repeatable", collect)
    .option("--against <path>", "another path to compare with, on the same machine and with the same --set")
    .addOption(
      new Option("--format <format>", "form of the result").choices(["table", "json", "markdown"]).default("table"),
    )
    .action(async (name, options) => {
      await print(await explain(name, options));
      finish(EXIT_OK);
    });
}

/** What is asked for, as text. Throws UsageError and ScenarioError. */
async function explain(name: string, options: ExplainOptions): Promise<string> {
  const { machine, set = [], against, format } = options;
  const path = known("path", name, PATHS);
  known("machine", machine, MACHINES);
  const other = against === undefined ? path : known("path", against, PATHS);
  if (against === name) {
    const wanted = "wanted another path; --set alone is compared with the path as it is";
    throw new UsageError(`--against: found ${name} itself, ${wanted}`);
  }
  const sizes = options.size?.map(sizeOption);
  const twin = sizes?.find((size, i) => sizes.indexOf(size) !== i);
  if (twin !== undefined) throw new UsageError(`--size: found ${formatSize(twin)} twice, wanted each size once`);
  const made = { command: commandOf(name, options), version: VERSION };
  const side = follow(path, machine, set, sizes);
  if (against === undefined && set.length === 0) return alone(side, format, made);
  return await compared(side, follow(other, machine, against === undefined ? [] : set, sizes), format, made);
}

function alone({ path, machine, messages }: Side, format: string, made: Made): string {
  if (format === "table") return explainTable(path, messages);
  return (format === "json" ? explainJson : explainMarkdown)(path, messages, ownProvenance(made, [machine]));
}

async function compared(side: Side, against: Side, format: string, made: Made): Promise<string> {
  const text = await import("../report/explain_compare_text.ts");
  if (format === "table") return text.comparisonTable(side, against);
  return (format === "json" ? text.comparisonJson : text.comparisonMarkdown)(side, against, made);
}

/** Follows the messages that are asked for. Throws UsageError and ScenarioError. */
function follow(path: Path, machine: string, set: readonly string[], sizes?: readonly number[]): Side {
  const options = readWhatIf(path.name, machine, set);
  const profile = withOverrides(known("machine", options.machine, MACHINES), options.costs);
  try {
    return { path: path.name, machine: machineStamp(profile), set, messages: explainPath(path, options, sizes) };
  } catch (error) {
    if (error instanceof NoArrival) throw new UsageError(error.message);
    throw error;
  }
}

/** The command that repeats it. */
function commandOf(name: string, { machine, size = [], set = [], against }: ExplainOptions): string {
  return shellWords([
    ...["mxtop", "explain", name, "--machine", machine],
    ...size.flatMap((value) => ["--size", value]),
    ...set.flatMap((value) => ["--set", value]),
    ...(against === undefined ? [] : ["--against", against]),
  ]);
}

/** The path or machine of a name. Throws {@link UsageError}. */
function known<Named extends { readonly name: string }>(what: string, name: string, all: readonly Named[]): Named {
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = all.map((one) => one.name);
  throw new UsageError(`unknown ${what} '${name}'${didYouMean(name, names)}; wanted one of ${names.join(", ")}`);
}
