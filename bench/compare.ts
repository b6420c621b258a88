import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { type Finding, findings, measureRounds, type Rounds, workDiffers } from "./compare/rounds.ts";
import { isBeyondNoise, roundsFor } from "./compare/statistics.ts";
import { SUBJECTS } from "./compare/subjects.ts";
import { openTree } from "./compare/trees.ts";
import { machine, machineText } from "./measure.ts";

/*
 * Has a change made the program faster or slower? `deno run -A bench/compare.ts BASE HEAD`, each a git revision or a
 * folder. Runs both in turn on this machine, or both at once on one CPU, and reports only what is beyond the noise; how
 * that is told is in compare/statistics.ts. Both are run by their command line, `main.ts run --format json`, so that a
 * base may be older than this file. CPU time is that of the whole process, start-up and compiler included: it does not
 * count what others do on the machine, wall time does. Exit code 1 when a figure is worse by more than `--fail-above`,
 * 2 for wrong use.
 */

/** Of all figures of a comparison together. */
const ERROR = 0.05;
const NO_FIGURES = "no figures: nothing could be run on both";

const command = new Command("compare")
  .description("Compares the speed of two versions, each a git revision or a folder.")
  .argument("<base>").argument("<head>")
  .option("--rounds <n>", "runs of each", whole, 10)
  .option(
    "--together",
    "both at once on one CPU: compares CPU time, and better on a noisy machine; wants taskset",
    false,
  )
  .option("--only <words>", "subjects whose name has one of these in it, such as native,start")
  .option("--all", "every path at both MTUs, and micro-benchmarks")
  .option("--every", "shows every figure, also within the noise")
  .option("--fail-above <percent>", "how much slower is too much", percent, 5)
  .option("--json", "figures as JSON")
  .exitOverride(({ exitCode }) => Deno.exit(exitCode === 0 ? 0 : 2))
  .parse();
const [baseName, headName] = command.processedArgs;
const options = command.opts();

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("wanted a whole number from 1 on.");
  return value;
}

function percent(text: string): number {
  const value = Number(text.replace(/\s*%$/, ""));
  if (!(value >= 0)) throw new InvalidArgumentError("wanted a percentage from 0 on.");
  return value;
}

const words = options.only?.split(",");
const subjects = SUBJECTS.filter(({ name, extra }) =>
  words === undefined ? options.all === true || !extra : words.some((word) => name.includes(word))
);
if (subjects.length === 0) {
  console.error(
    `compare: no subject is called ${options.only}; there are ${SUBJECTS.map(({ name }) => name).join(", ")}`,
  );
  Deno.exit(2);
}

const temporary = Deno.makeTempDirSync({ prefix: "mxtop-compare-" });
const cleanUp = () => Deno.removeSync(temporary, { recursive: true });
Deno.addSignalListener("SIGINT", () => {
  cleanUp();
  Deno.exit(130);
});
let code = 2;
try {
  code = await compare();
} catch (error) {
  console.error(`compare: ${error instanceof Error ? error.message : error}`);
} finally {
  cleanUp();
}
Deno.exit(code);

async function compare(): Promise<number> {
  const [base, head] = [await openTree(baseName, temporary), await openTree(headName, temporary)];
  const here = await machine();
  console.error(`base ${base.title}, head ${head.title}; ${options.rounds} rounds\n${machineText(here)}`);
  const done: Rounds[] = [];
  for (const subject of subjects) {
    const progress = (round: number) => tell(`${subject.name}: round ${round + 1} of ${options.rounds}`);
    try {
      done.push(await measureRounds(subject, { base: base.folder, head: head.folder }, options, progress));
    } catch (error) {
      tell("");
      console.error(`${subject.name} is left out: ${error instanceof Error ? error.message : error}`);
    }
  }
  tell("");
  const found = findings(done, ERROR);
  const differing = done.map(workDiffers).filter((text) => text !== null);
  if (options.json) console.log(JSON.stringify({ machine: here, base, head, found, differing, rounds: done }, null, 2));
  else print(found, differing);
  const worse = found.filter((finding) => isBeyondNoise(finding) && finding.ratio > 1 + options.failAbove / 100);
  if (worse.length === 0) return found.length > 0 ? 0 : 2;
  console.error(
    `slower by more than ${options.failAbove} %: ${
      worse.map(({ subject, figure }) => `${subject} ${figure}`).join(", ")
    }`,
  );
  return 1;
}

/** A line that the next one takes the place of, where there is somebody to see it. */
function tell(text: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

function print(found: readonly Finding[], differing: readonly string[]): void {
  const shown = options.every ? found : found.filter(isBeyondNoise);
  if (shown.length > 0) {
    const headings = ["base", "head", "change"].map((word) => word.padStart(10));
    console.log(["subject".padEnd(26), "figure", ...headings, "  interval"].join(" "));
  }
  for (const finding of shown) console.log(findingText(finding));
  console.log(verdict(found));
  if (differing.length === 0) console.log("the work is the same: all hashes agree");
  for (const text of differing) console.log(`other work, so that times may differ for it: ${text}`);
}

/** How much can be told, and of how many figures. */
function verdict(found: readonly Finding[]): string {
  if (found.length === 0) return NO_FIGURES;
  const needed = roundsFor(ERROR / found.length);
  if (options.rounds < needed) return `${found.length} figures: too few rounds to tell, wanted ${needed} or more`;
  const beyond = found.filter(isBeyondNoise).length;
  return `${found.length} figures, ${beyond} beyond the noise (${(1 - ERROR) * 100} % sure of all of them)`;
}

function findingText(finding: Finding): string {
  const { subject, figure, unit, base, head, ratio, low, high } = finding;
  const value = (number: number) => `${number.toFixed(unit === "ns" ? 1 : 3)} ${unit}`.padStart(10);
  const change = (to: number) => Number.isFinite(to) ? `${to >= 1 ? "+" : ""}${((to - 1) * 100).toFixed(1)} %` : "?";
  const word = !isBeyondNoise(finding) ? "" : ratio < 1 ? "  faster" : "  slower";
  const cells = [value(base), value(head), change(ratio).padStart(10)];
  return [subject.padEnd(26), figure.padEnd(6), ...cells, `  ${change(low)} to ${change(high)}${word}`].join(" ");
}
