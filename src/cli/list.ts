import { Argument, Command, Option } from "@commander-js/extra-typings";
import { scenarioJsonSchema } from "../cluster/scenario_schema.ts";
import { EXIT_OK, UsageError } from "./exit.ts";
import { CATALOGUE } from "./catalogue.ts";
import { KINDS, type ListKind } from "./list_kinds.ts";
import { print } from "./output.ts";
import { openRunInput, openSession } from "./run_input.ts";

type Row = readonly string[];

/** `mxtop list`: the names that other commands take. */
export function listCommand(finish: (exitCode: number) => void) {
  return new Command("list")
    .summary("list scenarios, paths, workloads, machines, mechanisms, costs, metrics, taps or the schema")
    .description(
      "Lists the names that the other commands take; `schema` prints the JSON Schema of\n" +
        "scenario files, `taps` the places of a scenario where frames can be captured.",
    )
    .addArgument(
      new Argument("[what]", "what to list; all names by default").choices([...Object.keys(KINDS), "taps", "schema"]),
    )
    .argument("[scenario]", "whose taps")
    .option("--path <path>", "I/O path of the guests whose taps are listed")
    .addOption(new Option("--format <format>", "form of the list").choices(["table", "json"]).default("table"))
    .action(async (what, scenario, { path, format }) => {
      if (path !== undefined && what !== "taps") {
        throw new UsageError("--path: found it without taps, wanted list taps");
      }
      if (scenario !== undefined && what !== "taps") {
        throw new UsageError(`list ${what}: found ${scenario} too, wanted nothing, or list taps ${scenario}`);
      }
      await print(await textOf(what, format === "json", scenario, path));
      finish(EXIT_OK);
    });
}

async function textOf(what: string | undefined, asJson: boolean, scenario?: string, path?: string): Promise<string> {
  if (what === "schema") return json(scenarioJsonSchema(CATALOGUE));
  if (what === "taps") {
    const taps = await tapsOf(scenario, path);
    return asJson ? json(taps) : columns(taps.map(({ name, comment }) => [name, comment]));
  }
  const kinds = Object.entries(KINDS).filter(([name]) => what === undefined || name === what);
  const all = await Promise.all(kinds.map(async ([name, kind]) => ({ name, kind, entries: await kind.entries() })));
  if (asJson) {
    return json(what === undefined ? Object.fromEntries(all.map((one) => [one.name, one.entries])) : all[0].entries);
  }
  if (what !== undefined) return table(all[0].kind, all[0].entries);
  return all.filter(({ kind }) => !kind.isLong).map(({ name, kind, entries }) =>
    `${name}\n${indent(table(kind, entries))}`
  )
    .join("\n");
}

/** The places of a scenario's cluster where frames can be looked at. */
async function tapsOf(name: string | undefined, path: string | undefined) {
  if (name === undefined) throw new UsageError("list taps: found no scenario; wanted mxtop list taps <scenario>");
  const { cluster } = await openSession(await openRunInput(name, { path }));
  return cluster.taps.map(({ name, comment }) => ({ name, comment }));
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}

function table<Entry>({ head, cells }: ListKind<Entry>, entries: readonly Entry[]): string {
  return columns([...(head === undefined ? [] : [head()]), ...entries.map((entry) => cells(entry))]);
}

/** Rows as columns two spaces apart; the last one as long as it is. */
function columns(rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd() + "\n").join("");
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
