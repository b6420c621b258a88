import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { allCases, caseWords, isChosen, type Stretch } from "./cluster/cases.ts";
import { measureCase } from "./cluster/mod.ts";
import { compareAll, compareModeText } from "./compare_mode.ts";
import { drawing, drawingText } from "./drawing.ts";
import { machine, machineText, median } from "./measure.ts";
import { measureMicro, MICROS } from "./micro/mod.ts";
import { CASE_HEADER, caseLine, MICRO_HEADER, microLine } from "./table.ts";

/*
 * All benchmarks: `deno task bench`; docs/performance.md says what the columns mean. Figures are to be compared on one
 * machine only, best by bench/compare.ts; a changed hash means that the work itself has changed.
 */

const GROUPS = {
  micro: "one mechanism each, nanoseconds of CPU for an operation",
  runs: "whole runs by path, MTU, message size and guests, each in a process of its own",
  start: "time to the dashboard's first picture with data, and of a headless ping-pong",
  drawing: "the dashboard's pictures of 40 guests",
  "compare-mode": "all paths side by side in the dashboard",
  rewind: "memory and time of going back",
  keys: "from a key to the screen, in a pseudo-terminal",
} as const;
type Group = keyof typeof GROUPS;
/** What is left out unless it is asked for by name: it takes minutes. */
const LONG = ["compare-mode", "rewind", "keys"] as const;

const command = new Command("bench")
  .description(`Benchmarks:\n${Object.entries(GROUPS).map(([name, what]) => `  ${name.padEnd(14)}${what}`).join("\n")}`)
  .option(
    "--only <words>",
    "what bears one of these words, such as xen2mx,native; again to narrow it down",
    collect,
    [],
  )
  .option("--all", "every case of every group")
  .option("--rounds <n>", "runs of each case, of which the medians are shown; 1 by default", whole)
  .option("--json", "figures as JSON on standard output, the table on standard error")
  .option("--list", "what would run")
  .option("--tiny", "milliseconds of each: only shows that they work")
  .exitOverride(({ exitCode }) => Deno.exit(exitCode === 0 ? 0 : 2))
  .parse();
const options = command.opts();
const print = options.json ? console.error : console.log;

function collect(words: string, before: string[][]): string[][] {
  return [...before, words.split(",")];
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("wanted a whole number from 1 on.");
  return value;
}

const only: readonly string[][] = options.only;
/** Whether every `--only` names one of these words. */
const matches = (words: readonly string[]) => only.every((any) => any.some((word) => words.includes(word)));

const isWanted = (group: Group) =>
  only.length > 0 ? matches([group]) : options.all === true || !LONG.some((long) => long === group);
const micros = MICROS.filter(({ name }) => matches(["micro", name]));
const cases = allCases().filter((run) => matches(caseWords(run)) && (options.all === true || isChosen(run)));
const others = (["start", "drawing", ...LONG] as const).filter(isWanted);

if (micros.length + cases.length + others.length === 0) {
  const wanted = only.map((any) => any.join(" or ")).join(", and ");
  console.error(`bench: nothing bears ${wanted}; --list shows the words of what runs, --all --list of all there is`);
  Deno.exit(2);
}
if (options.list) {
  for (const { name } of micros) console.log("micro", name);
  for (const run of cases) console.log(caseWords(run).join(" "));
  for (const group of others) console.log(group);
  Deno.exit(0);
}

const here = await machine();
print(machineText(here));
print(`deno task bench ${Deno.args.join(" ")}`);
print(`DENO_V8_FLAGS=${Deno.env.get("DENO_V8_FLAGS") ?? ""}`);
const report: Record<string, unknown[]> = { micro: [], runs: [] };

if (micros.length > 0) print(`\n${MICRO_HEADER}`);
for (const micro of micros) {
  const result = measureMicro(micro, options.tiny ? 1 : 2 * (options.rounds ?? 4) + 1, options.tiny ? 0.01 : 1);
  report.micro.push(result);
  print(microLine(result));
}

if (cases.length > 0) print(`\n${CASE_HEADER}`);
const tiny: Stretch | undefined = options.tiny ? { warmupMs: 1, measuredMs: 1 } : undefined;
for (const run of cases) {
  const outcome = await measureCase(run, options.rounds ?? 1, tiny);
  report.runs.push({ ...run, ...outcome });
  print(caseLine(run, outcome));
}

if (others.length > 0) print("");
for (const group of others) report[group] = [await runOther(group)];
if (options.json) {
  console.log(
    JSON.stringify(
      {
        schema: "mxtop-bench/1",
        machine: here,
        args: Deno.args,
        v8Flags: Deno.env.get("DENO_V8_FLAGS") ?? "",
        ...report,
      },
      null,
      2,
    ),
  );
}

async function runOther(group: Exclude<Group, "micro" | "runs">): Promise<unknown> {
  switch (group) {
    case "start": {
      const times = JSON.parse(await script("start_up.ts", [options.tiny ? "1" : `${options.rounds ?? 5}`]));
      const text = (name: string) => `${median(times[name]).toFixed(0)} ms`;
      print(`start: dashboard's first picture with data ${text("dashboard")}, headless ping-pong ${text("headless")}`);
      return times;
    }
    case "drawing": {
      const figures = drawing(options.tiny ? 2 : 200);
      print(drawingText(figures));
      return figures;
    }
    case "compare-mode": {
      const figures = await compareAll(options.tiny ? "pingpong-tiny" : "scale-40-vms", options.tiny ? 0.5 : 20);
      print(compareModeText(figures));
      return figures;
    }
    case "rewind":
    case "keys": {
      const [file, args] = group === "keys" ? ["key_delay.ts", ["200", "120x40"]] : ["rewind.ts", ["6", "3"]];
      const text = await script(file, options.tiny ? (group === "keys" ? ["5", "120x40"] : ["0.2", "1"]) : args);
      print(text.trimEnd());
      return text.split("\n");
    }
  }
}

/** What a benchmark prints that is a program of its own. */
async function script(file: string, args: readonly string[]): Promise<string> {
  const path = new URL(file, import.meta.url).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-check", path, ...args],
    stderr: "inherit",
  });
  const { success, stdout } = await child.output();
  if (!success) throw new Error(`bench/${file} has failed`);
  return new TextDecoder().decode(stdout);
}
