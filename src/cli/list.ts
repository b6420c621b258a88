import { Argument, Command } from "@commander-js/extra-typings";
import { scenarioJsonSchema } from "../cluster/scenario_schema.ts";
import { CATALOGUE } from "./catalogue.ts";
import { EXIT_OK } from "./exit.ts";
import { print } from "./output.ts";
import { BUILT_IN } from "./scenarios.ts";

type Row = readonly string[];

const LISTS: Readonly<Record<string, () => Row[]>> = {
  scenarios: () => BUILT_IN.map(({ number, name, title }) => [String(number), name, title]),
  paths: () => CATALOGUE.paths.map(({ name, hypervisor, title }) => [name, hypervisor, title]),
  workloads: () => CATALOGUE.workloads.map(({ kind, title }) => [kind, title]),
  machines: () => CATALOGUE.machines.map(({ name, title }) => [name, title]),
};

/** `mxtop list`: the names that other commands take. */
export function listCommand(finish: (exitCode: number) => void) {
  return new Command("list")
    .summary("list scenarios, paths, workloads or machines")
    .description("Lists the names that the other commands take; `schema` prints the JSON Schema of scenario files.")
    .addArgument(
      new Argument("[what]", "what to list; all names by default").choices([...Object.keys(LISTS), "schema"]),
    )
    .action(async (what) => {
      await print(textOf(what));
      finish(EXIT_OK);
    });
}

function textOf(what: string | undefined): string {
  if (what === "schema") return JSON.stringify(scenarioJsonSchema(CATALOGUE), null, 2) + "\n";
  if (what !== undefined) return columns(LISTS[what]());
  return Object.entries(LISTS).map(([name, rows]) => `${name}\n${indent(columns(rows()))}`).join("\n");
}

/** Rows as columns two spaces apart; the last one as long as it is. */
function columns(rows: readonly Row[]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd() + "\n").join("");
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
