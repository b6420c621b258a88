import { Argument, Command } from "@commander-js/extra-typings";
import { scenarioJsonSchema } from "../cluster/scenario_schema.ts";
import { CATALOGUE } from "./catalogue.ts";
import { EXIT_OK, UsageError } from "./exit.ts";
import { print } from "./output.ts";
import { openRunInput, openSession } from "./run_input.ts";
import { BUILT_IN } from "./scenarios.ts";

type Row = readonly string[];

const LISTS: Readonly<Record<string, () => Row[]>> = {
  scenarios: () => BUILT_IN.map(({ number, name, title }) => [String(number), name, title]),
  paths: () => CATALOGUE.paths.map(({ name, hypervisor, title }) => [name, hypervisor, title]),
  workloads: () => CATALOGUE.workloads.map(({ kind, title }) => [kind, title]),
  machines: () => CATALOGUE.machines.map(({ name, title }) => [name, title]),
  costs,
};

/** Every figure of every profile; the source is that of the first one. Names are what `--set costs.NAME=` takes. */
function costs(): Row[] {
  const { machines } = CATALOGUE;
  const [first] = machines;
  const figures = { ...first.costs, ...first.limits };
  const valueIn = (machine: typeof first, name: string) =>
    figureText({ ...machine.costs, ...machine.limits }[name as keyof typeof figures].value);
  return [
    ["cost", "unit", ...machines.map(({ name }) => name), `source of ${first.name}'s figure`],
    ...Object.entries(figures).map(([name, { unit, source, fittedTo }]) => [
      name,
      unit,
      ...machines.map((machine) => valueIn(machine, name)),
      fittedTo === undefined ? source : `${source}; fitted to: ${fittedTo}`,
    ]),
  ];
}

/** Four digits are all that any figure has. */
function figureText(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** `mxtop list`: the names that other commands take. */
export function listCommand(finish: (exitCode: number) => void) {
  return new Command("list")
    .summary("list scenarios, paths, workloads, machines, costs, taps or the schema")
    .description(
      "Lists the names that the other commands take; `schema` prints the JSON Schema of\n" +
        "scenario files, `taps` the places of a scenario where frames can be captured.",
    )
    .addArgument(
      new Argument("[what]", "what to list; all names by default").choices([...Object.keys(LISTS), "taps", "schema"]),
    )
    .argument("[scenario]", "whose taps")
    .option("--path <path>", "I/O path of the guests whose taps are listed")
    .action(async (what, scenario, { path }) => {
      if (path !== undefined && what !== "taps") {
        throw new UsageError("--path: found it without taps, wanted list taps");
      }
      if (scenario !== undefined && what !== "taps") {
        throw new UsageError(`list ${what}: found ${scenario} too, wanted nothing, or list taps ${scenario}`);
      }
      await print(what === "taps" ? await taps(scenario, path) : textOf(what));
      finish(EXIT_OK);
    });
}

/** The places of a scenario's cluster where frames can be looked at. */
async function taps(name: string | undefined, path: string | undefined): Promise<string> {
  if (name === undefined) throw new UsageError("list taps: found no scenario; wanted mxtop list taps <scenario>");
  const { cluster } = await openSession(await openRunInput(name, { path }));
  return columns(cluster.taps.map((tap) => [tap.name, tap.comment]));
}

function textOf(what: string | undefined): string {
  if (what === "schema") return JSON.stringify(scenarioJsonSchema(CATALOGUE), null, 2) + "\n";
  if (what !== undefined) return columns(LISTS[what]());
  // The costs fill a screen of their own.
  const names = Object.entries(LISTS).filter(([name]) => name !== "costs");
  return names.map(([name, rows]) => `${name}\n${indent(columns(rows()))}`).join("\n");
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
