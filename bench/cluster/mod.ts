import { median } from "../measure.ts";
import { type Case, type Stretch, stretchOf } from "./cases.ts";
import type { CaseOutcome, CaseResult } from "./run_case.ts";

const CHILD = new URL("child.ts", import.meta.url).href;

/** Runs a case `rounds` times, each in a new process; medians of all figures. Throws when a hash is not the others'. */
export async function measureCase(run: Case, rounds: number, stretch: Stretch = stretchOf(run)): Promise<CaseOutcome> {
  const results: CaseResult[] = [];
  for (let i = 0; i < rounds; i++) {
    const outcome = await inChild(run, stretch);
    if ("skipped" in outcome) return outcome;
    results.push(outcome.result);
  }
  return { result: medians(results) };
}

async function inChild(run: Case, stretch: Stretch): Promise<CaseOutcome> {
  const args = ["run", "-q", "-A", "--no-check", "--v8-flags=--expose-gc", CHILD, JSON.stringify([run, stretch])];
  const { success, code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, stderr: "piped" }).output();
  if (!success) return { skipped: lastLine(new TextDecoder().decode(stderr)) ?? `exit code ${code}` };
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** What a process died of: the line that says so. */
function lastLine(text: string): string | undefined {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.find((line) => /error|fatal/i.test(line)) ?? lines.at(-1);
}

/** The median of each figure over the rounds. */
export function medians(results: readonly CaseResult[]): CaseResult {
  const [first] = results;
  const other = results.find(({ hash }) => hash !== first.hash);
  if (other !== undefined) throw new Error(`the same work has two hashes: ${first.hash} and ${other.hash}`);
  const middle = Object.entries(first).map(([name, value]) => {
    if (typeof value !== "number") return [name, value];
    return [name, median(results.map((result) => result[name as keyof CaseResult] as number))];
  });
  return Object.fromEntries(middle) as CaseResult;
}
