import { PATHS } from "../../src/path/registry.ts";

/*
 * The matrix of whole runs: path x MTU x message size x guests. Seeds are fixed and virtual times too, so that a case
 * does the same work wherever it runs.
 */

export const MTUS: readonly number[] = [9000, 1500];
/**
 * Message sizes by their names in the table. A stream has so many messages under way; 0 is a ping-pong. With one of 64 KiB
 * each, 20 pairs still saturate a link, and buffers of 4000 guests are small enough.
 */
export const SIZES = {
  "16B": { bytes: 16, outstanding: 0 },
  "32KiB": { bytes: 32768, outstanding: 8 },
  "64KiB": { bytes: 65536, outstanding: 1 },
  "512KiB": { bytes: 524288, outstanding: 8 },
} as const;
export type SizeName = keyof typeof SIZES;
export const GUESTS: readonly number[] = [2, 10, 40, 400, 4000];
/** Guests of a host, at most: beyond two hosts' worth there are more hosts, and a switch between them. */
const PER_HOST = 20;

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

/**
 * Those that run unless more is asked for: a saturated link at 40 guests everywhere, and on three paths the corners. Many
 * guests of Xen2MX have an MTU of 1500: their queues for 9000 are more than the emulated world can have.
 */
export function isChosen({ path, mtu, size, guests }: Case): boolean {
  if (size === "512KiB" && guests === 40) return true;
  if (!["native", "xen2mx", "bridged"].includes(path)) return false;
  if (size === "16B") return guests === 2 && mtu === 9000;
  return size === "64KiB" && guests >= 40 && mtu === (path === "xen2mx" ? 1500 : 9000);
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

/** 40 guests on one link as long as scale-40-vms, a second; more guests, which have more links, take no longer. */
export function stretchOf({ size, guests }: Case): Stretch {
  if (SIZES[size].outstanding === 0) {
    const measuredMs = Math.max(2, 2000 / Math.max(2, guests));
    return { warmupMs: measuredMs / 4, measuredMs };
  }
  const links = Math.max(1, guests / 2 / PER_HOST);
  return { warmupMs: Math.max(10, 150 / links), measuredMs: Math.max(10, 1000 / links) };
}

/** The case as a scenario file, which goes on for `laterMs` after the measured stretch. */
export function caseScenario(run: Case, { warmupMs, measuredMs }: Stretch, laterMs = 0): string {
  const { path, mtu, size, guests } = run;
  const hosts = Math.max(2, Math.ceil(guests / PER_HOST));
  const { bytes, outstanding } = SIZES[size];
  // Busy waiting is what a pair alone does; many guests on few CPUs would only keep each other from theirs.
  const wait = guests === 2 ? "poll" : "block";
  const workload = outstanding === 0
    ? `{ kind: pingpong, sizes: [${bytes} B], iterations: 100000000, wait: ${wait} }`
    : `{ kind: stream, size: ${bytes} B, outstanding: ${outstanding}, wait: block }`;
  const names = Array.from({ length: hosts }, (_, i) => `{ name: h${String(i + 1).padStart(3, "0")} }`);
  return `name: bench
hosts: [${names.join(", ")}]
guests: ${guests}
path: ${path}
link: { rate: 10 Gb/s, mtu: ${mtu}, latency: 300 ns }
workload: ${workload}
costs: { txQueueLength: 32768 } # the windows of all pairs
warmup: ${warmupMs} ms
duration: ${measuredMs + laterMs} ms
seed: 1
`;
}
