import { Option } from "@commander-js/extra-typings";
import { UsageError } from "../exit.ts";
import { complain } from "../output.ts";

/** More Workers than this no machine has cores for. */
const MOST = 256;

/** `--jobs`, the same for every command that makes several runs. */
export function jobsOption() {
  return new Option("--jobs <number>", "runs at the same time (default: one for each core)");
}

/** How many runs go on at the same time. */
export interface JobCount {
  readonly jobs: number;
  /** Why there are fewer than could be, in one line; null when there is nothing to say. */
  readonly remark: string | null;
  /** Whether the user asked for more, and has to be told. */
  readonly asked: boolean;
}

/**
 * As many as `--jobs` says, or as there are cores; never more than runs. A Worker reads the modules that it is made of,
 * for which Deno wants permission; without that, runs go one after another. Throws {@link UsageError}.
 */
export function jobCount(option: string | undefined, runs: number): JobCount {
  const asked = option !== undefined;
  if (asked && (!/^\d+$/.test(option) || Number(option) < 1 || Number(option) > MOST)) {
    throw new UsageError(`--jobs: found ${JSON.stringify(option)}, wanted 1 to ${MOST}`);
  }
  const jobs = Math.max(1, Math.min(asked ? Number(option) : navigator.hardwareConcurrency, runs));
  if (jobs === 1 || mayReadModules()) return { jobs, remark: null, asked };
  const remark = `one run at a time; for ${jobs} at a time: deno run -P main.ts ..., or --allow-read`;
  return { jobs: 1, remark, asked };
}

/** Tells why there are fewer, where it was asked for or somebody watches. */
export async function sayJobs({ remark, asked }: JobCount, onTerminal: boolean): Promise<void> {
  if (remark !== null && (asked || onTerminal)) await complain(`mxtop: ${remark}`);
}

/** Never asks: whoever has not given the permission waits longer for the same result. */
function mayReadModules(): boolean {
  const root = new URL("../../../", import.meta.url);
  if (root.protocol !== "file:") return false;
  return Deno.permissions.querySync({ name: "read", path: root }).state === "granted";
}
