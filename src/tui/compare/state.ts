import type { Summary } from "../../report/summary.ts";

/** What one look at a run added to its charts. */
export interface ComparePoint {
  readonly at_ns: number;
  readonly p50_us: number | null;
  readonly throughput_MBps: number;
}

/** A path as the comparison shows it. */
export interface ComparedPath {
  readonly path: string;
  readonly state: "opening" | "late" | "on time" | "over" | "refused";
  /** How much of its way a late run has behind it, 0 to 1. */
  readonly progress: number;
  /** Why a scenario cannot run on it. */
  readonly problem: string | null;
  readonly summary: Summary | null;
  readonly points: readonly ComparePoint[];
}

/** What Tab walks through on a small screen. */
export const PAGES = ["figures", "ratios", "latency", "throughput", "stages"] as const;
export type ComparePage = typeof PAGES[number];

/** What `s` walks through: the order in which the paths stand. */
export const ORDERS = ["as listed", "p50", "MB/s", "CPU"] as const;
export type CompareOrder = typeof ORDERS[number];

/** What the mode knows. What is to be compared stands here; the drive sees to it that it is. */
export interface CompareState {
  readonly open: boolean;
  /** In the order of the catalogue. */
  readonly chosen: readonly string[];
  /** Counts the times that the comparison was started over. */
  readonly round: number;
  readonly paths: readonly ComparedPath[];
  /** What the others are measured against. */
  readonly base: string;
  readonly order: CompareOrder;
  readonly logarithmic: boolean;
  /** Charts over message sizes, where the workload goes through them, in place of virtual time. */
  readonly bySize: boolean;
  readonly page: ComparePage;
  /** First row shown of a page that has more than fits. */
  readonly top: number;
  /** The box that paths are chosen in, and the line that is marked in it. */
  readonly chooser: boolean;
  readonly cursor: number;
  /** Whether the single run went on when it was left. */
  readonly resume: boolean;
}

export const NO_COMPARISON: CompareState = {
  open: false,
  chosen: [],
  round: 0,
  paths: [],
  base: "",
  order: "as listed",
  logarithmic: false,
  bySize: true,
  page: "figures",
  top: 0,
  chooser: false,
  cursor: 0,
  resume: true,
};

/** The digit that stands for a path: its key in the chooser, and its mark in the charts. */
export function digitOf(paths: readonly string[], path: string): string {
  const index = paths.indexOf(path);
  return index >= 0 && index < 9 ? String(index + 1) : "*";
}
