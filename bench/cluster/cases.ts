import { PATHS } from "../../src/path/registry.ts";

/*
 * The matrix of whole runs: path x MTU x message size x guests. Seeds are fixed and virtual times too, so that a case
 * does the same work wherever it runs.
 */

export const MTUS: readonly number[] = [9000, 1500];
/** Message sizes by their names in the table. Up to `PINGPONG_MAX` a ping-pong, beyond it a stream. */
export const SIZES = { "16B": 16, "32KiB": 32768, "512KiB": 524288 } as const;
export type SizeName = keyof typeof SIZES;
export const GUESTS: readonly number[] = [2, 10, 40, 400, 4000];
/** Guests of a host, at most: beyond two hosts' worth there are more hosts, and a switch between them. */
const PER_HOST = 20;
const PINGPONG_MAX = 128;

export interface Case {
  readonly path: string;
  readonly mtu: number;
  readonly size: SizeName;
  readonly guests: number;
}

/** All of them, in the order of the table. */
export function allCases(): Case[] {
  const sizes = Object.keys(SIZES) as SizeName[];
  return PATHS.flatMap(({ name: path }) =>
    MTUS.flatMap((mtu) => sizes.flatMap((size) => GUESTS.map((guests) => ({ path, mtu, size, guests }))))
  );
}

/** Those that run unless more is asked for: a saturated link at 40 guests everywhere, and the corners on three paths. */
export function isChosen({ path, mtu, size, guests }: Case): boolean {
  if (size === "512KiB" && guests === 40) return true;
  if (!["native", "xen2mx", "bridged"].includes(path) || mtu !== 9000) return false;
  return size === "16B" && guests === 2 || size === "512KiB" && guests === 400 || size === "512KiB" && guests === 4000;
}

/** As filters and the table know a case. */
export function caseWords({ path, mtu, size, guests }: Case): string[] {
  return ["runs", path, `mtu${mtu}`, size, `guests${guests}`];
}

export function caseName(run: Case): string {
  return caseWords(run).slice(1).join(" ");
}

export interface Stretch {
  /** Virtual milliseconds before measuring begins, and those that are measured. */
  readonly warmupMs: number;
  readonly measuredMs: number;
}

/**
 * So long that 40 guests on one link take some seconds, and that more guests, which have more links, take no longer. With
 * 400 guests or more a stream is measured while its first messages are under way: frames count, messages hardly do.
 */
export function stretchOf({ size, guests }: Case): Stretch {
  if (SIZES[size] <= PINGPONG_MAX) {
    const measuredMs = Math.max(2, 2000 / Math.max(2, guests));
    return { warmupMs: measuredMs / 4, measuredMs };
  }
  const links = Math.max(1, guests / 2 / PER_HOST);
  return { warmupMs: Math.max(10, 150 / links), measuredMs: Math.max(10, 600 / links) };
}

/** The case as a scenario file. */
export function caseScenario(run: Case, { warmupMs, measuredMs }: Stretch): string {
  const { path, mtu, size, guests } = run;
  const hosts = Math.max(2, Math.ceil(guests / PER_HOST));
  const bytes = SIZES[size];
  // Busy waiting is what a pair alone does; many guests on few CPUs would only keep each other from theirs.
  const wait = guests === 2 ? "poll" : "block";
  const workload = bytes <= PINGPONG_MAX
    ? `{ kind: pingpong, sizes: [${bytes} B], iterations: 100000000, wait: ${wait} }`
    : `{ kind: stream, size: ${bytes} B, outstanding: 8, wait: block }`;
  const names = Array.from({ length: hosts }, (_, i) => `{ name: h${String(i + 1).padStart(3, "0")} }`);
  return `name: bench
hosts: [${names.join(", ")}]
guests: ${guests}
path: ${path}
link: { rate: 10 Gb/s, mtu: ${mtu}, latency: 300 ns }
workload: ${workload}
costs: { txQueueLength: 32768 } # the windows of all pairs
warmup: ${warmupMs} ms
duration: ${measuredMs} ms
seed: 1
`;
}
