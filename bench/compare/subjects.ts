import { PATHS } from "../../src/path/registry.ts";
import { exists } from "./trees.ts";

/*
 * What is compared: commands that any version of the program understands, run in its own folder.
 */

/** One run of a subject in a tree. */
export interface Measurement {
  /** Seconds, or nanoseconds of an operation: the less the better. */
  readonly figures: Readonly<Record<string, number>>;
  readonly hash: string;
  /** Events of the run, where it has any. */
  readonly events: number | null;
}

export interface Subject {
  readonly name: string;
  /** Runs only if it is asked for. */
  readonly extra: boolean;
  /** `pinned` keeps it on one CPU. Throws an Error whose message says why it cannot be had in that tree. */
  measure(tree: string, pinned: boolean): Promise<Measurement>;
}

const TINY = ["pingpong-tiny", "--set", "workload.warmup_iterations=0"];
const MANY = ["scale-40-vms", "--set", "warmup=20 ms"];

/** Paths that every change of the engine shows on, each in its own way. */
const USUAL = ["native", "xen2mx", "bridged", "virtio"];

export const SUBJECTS: readonly Subject[] = [
  headless("start", false, [...TINY, "--path", "native", "--set", "workload.iterations=1"]),
  ...["native", "xen2mx"].map((path) =>
    headless(`tiny-${path}`, false, [...TINY, "--path", path, "--set", "workload.iterations=4000"])
  ),
  ...PATHS.flatMap(({ name: path }) =>
    [9000, 1500].map((mtu) =>
      headless(`stream-${path}-${mtu}`, !USUAL.includes(path) || mtu === 1500 && path !== "native", [
        ...MANY,
        ...["--path", path, "--set", `link.mtu=${mtu}`, "--duration", mtu === 9000 ? "400 ms" : "80 ms"],
      ])
    )
  ),
  ...["queue-200", "ring", "virtqueue", "wire-encode", "wire-decode", "matching-8", "histogram"].map(micro),
];

/**
 * A run by the command line. CPU time is that of the whole process, with all its threads and its start; the shell knows
 * it. Wall time is that of the run alone, as the result says.
 */
function headless(name: string, extra: boolean, args: readonly string[]): Subject {
  return {
    name,
    extra,
    async measure(tree, pinned) {
      const { stdout, cpuS } = await timed(tree, pinned, ["main.ts", "run", ...args, "--quiet", "--format", "json"]);
      const { wall, fingerprint } = JSON.parse(stdout);
      const figures: Record<string, number> = { cpu: cpuS };
      if (!pinned) figures.wall = wall.ms / 1000; // of two that share a CPU it says nothing
      return { figures, hash: fingerprint, events: wall.events };
    },
  };
}

/** A micro-benchmark of the tree's own suite. */
function micro(name: string): Subject {
  return {
    name,
    extra: true,
    async measure(tree, pinned) {
      // An older suite would not know the options, and run everything.
      if (!exists(`${tree}/bench/micro/mod.ts`)) throw new Error("its benchmarks cannot be run one by one");
      const { stdout } = await timed(tree, pinned, ["bench/main.ts", "--only", name, "--rounds", "1", "--json"]);
      const [result] = JSON.parse(stdout).micro;
      return { figures: { "ns/op": result.nsPerOp }, hash: result.hash, events: null };
    },
  };
}

/** `times` prints the shell's own times in its first line, and those of what it ran in the second. */
const SCRIPT = '"$@"; code=$?; times >&2; exit $code';

async function timed(cwd: string, pinned: boolean, args: readonly string[]): Promise<{ stdout: string; cpuS: number }> {
  const run = [Deno.execPath(), "run", "-q", "-A", ...args];
  const command = ["-c", SCRIPT, "sh", ...pinned ? ["taskset", "-c", "0", ...run] : run];
  const { code, stdout, stderr } = await new Deno.Command("sh", { args: command, cwd, stdin: "null", stderr: "piped" })
    .output();
  const text = new TextDecoder().decode(stderr);
  // 1: a threshold of the scenario has failed, which is no matter here.
  if (code > 1 || stdout.length === 0) throw new Error(text.split("\n")[0]);
  return { stdout: new TextDecoder().decode(stdout), cpuS: childSeconds(text) };
}

/** User and system time of the children, from what `times` has printed: `0m1.230s 0m0.040s`. */
export function childSeconds(text: string): number {
  const line = text.trimEnd().split("\n").at(-1)!;
  const times = [...line.matchAll(/(\d+)m([\d.]+)s/g)].map(([, minutes, seconds]) =>
    Number(minutes) * 60 + Number(seconds)
  );
  if (times.length !== 2) throw new Error(`the shell says no times but ${JSON.stringify(line)}`);
  return times[0] + times[1];
}
