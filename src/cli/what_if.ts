import { formatFraction, formatSize, parseSize, QuantityError, showValue } from "../base/quantity.ts";
import { nearest } from "../base/suggest.ts";
import { MIB } from "../base/units.ts";
import { type Override, parseSet, ScenarioError } from "../cluster/scenario_file.ts";
import { oneOf } from "../cluster/scenario_problem.ts";
import { COST_NAMES, LIMIT_NAMES } from "../hw/machine_profile.ts";
import { VARIABLE_NAMES } from "../mx/environment.ts";
import { MECHANISM_NAMES } from "../path/mechanisms.ts";
import { type OneMessageOptions, optionsOf } from "../report/one_message.ts";
import { loadChecked } from "./catalogue.ts";
import { UsageError } from "./exit.ts";

/** Blocks of a scenario that one message has too, each with its keys. */
const BLOCKS: Readonly<Record<string, readonly string[]>> = {
  costs: [...COST_NAMES, ...LIMIT_NAMES],
  mechanisms: MECHANISM_NAMES,
  machine: [],
  link: ["rate", "mtu", "wire", "latency"],
  coalescing: [],
  environment: VARIABLE_NAMES,
};

/** What says the rest of what a message is. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  path: "the argument of explain, or --against",
  workload: "--size",
};

/** A larger message has thousands of steps, and following it takes minutes. */
const SIZE_LIMIT = 16 * MIB;

/**
 * What a message is followed on: a machine, with assignments of `--set` that are read and checked as a scenario's are.
 * Throws ScenarioError.
 */
export function readWhatIf(path: string, machine: string, set: readonly string[]): OneMessageOptions {
  const assignments = set.map(parseSet);
  for (const assignment of assignments) checkKey(assignment);
  const scenario = loadChecked("workload: {kind: pingpong}", "explain", [
    { option: "path", path: ["path"], value: path },
    { option: "--machine", path: ["machine"], value: machine },
    ...assignments,
  ]);
  const { loss } = scenario.link;
  if (loss > 0) {
    const message = `found ${formatFraction(loss)}, wanted none: explain follows messages that arrive`;
    throw new ScenarioError([{ where: "--set link.loss", message }]);
  }
  return optionsOf(scenario);
}

/** Bytes of a message to follow. Throws {@link UsageError}. */
export function sizeOption(text: string): number {
  try {
    const size = parseSize(text);
    if (size <= SIZE_LIMIT) return size;
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    throw new UsageError(`--size: ${error.message}`);
  }
  throw new UsageError(`--size: found ${showValue(text)}, wanted at most ${formatSize(SIZE_LIMIT)}`);
}

/** Keys inside the blocks are for the scenario's schema. */
function checkKey({ option, path: [block, ...inner] }: Override): void {
  const name = String(block);
  if (Object.hasOwn(BLOCKS, name)) return;
  const elsewhere = Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : null;
  const near = elsewhere === null ? nearestKey(name, inner.map(String)) : null;
  const hint = near === null ? `; wanted ${elsewhere ?? oneOf(Object.keys(BLOCKS))}` : `; did you mean ${near}?`;
  throw new ScenarioError([{ where: option, message: `one message has no ${showValue(name)}${hint}` }]);
}

/** `hypercall` is meant as `costs.hypercall`, and so is `cost.hypercal`. */
function nearestKey(name: string, [key, ...more]: readonly string[]): string | null {
  if (key === undefined) {
    const near = nearest(name, Object.values(BLOCKS).flat());
    const found = Object.keys(BLOCKS).find((block) => near !== null && BLOCKS[block].includes(near));
    if (found !== undefined) return `${found}.${near}`;
  }
  const block = nearest(name, Object.keys(BLOCKS));
  if (block === null || key === undefined) return block;
  return [block, nearest(key, BLOCKS[block]) ?? key, ...more].join(".");
}
