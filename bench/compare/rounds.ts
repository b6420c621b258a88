import type { Measurement, Subject } from "./subjects.ts";
import { median } from "../measure.ts";
import { compareRounds, type Interval } from "./statistics.ts";

/** All rounds of one subject. */
export interface Rounds {
  readonly subject: string;
  readonly base: readonly Measurement[];
  readonly head: readonly Measurement[];
}

/** How base and head of a round are run. */
export interface Manner {
  readonly rounds: number;
  /**
   * At the same time on one CPU, where the kernel lets them take turns of some milliseconds. Whatever else goes on in
   * the machine slows both alike, so that a difference of some percent is seen that is lost in runs in turn. It is one
   * of CPU time: their wall times say nothing.
   */
  readonly together: boolean;
}

/**
 * A run of each to warm up, which tells whether both can do it; then base and head in turn or together, the other one
 * first in every second round.
 */
export async function measureRounds(
  { name, measure }: Subject,
  trees: { readonly base: string; readonly head: string },
  { rounds, together }: Manner,
  progress: (round: number) => void,
): Promise<Rounds> {
  const base: Measurement[] = [];
  const head: Measurement[] = [];
  const once = async (which: "base" | "head") => {
    try {
      return await measure(trees[which], together);
    } catch (error) {
      throw new Error(`${which}: ${error instanceof Error ? error.message : error}`);
    }
  };
  await once("base");
  await once("head");
  for (let round = 0; round < rounds; round++) {
    progress(round);
    const order = round % 2 === 0 ? ["base", "head"] as const : ["head", "base"] as const;
    const runs = [once(order[0])];
    if (!together) await runs[0];
    runs.push(once(order[1]));
    for (const [i, measurement] of (await Promise.all(runs)).entries()) {
      (order[i] === "base" ? base : head).push(measurement);
    }
  }
  return { subject: name, base, head };
}

/** One figure of a subject, compared. */
export interface Finding extends Interval {
  readonly subject: string;
  readonly figure: string;
  readonly unit: string;
  /** Medians. */
  readonly base: number;
  readonly head: number;
}

/** Every figure of every subject; `error` is that of all of them together. */
export function findings(all: readonly Rounds[], error: number): Finding[] {
  const figures = all.flatMap((rounds) => Object.keys(rounds.base[0].figures).map((figure) => ({ rounds, figure })));
  return figures.map(({ rounds: { subject, base, head }, figure }) => {
    const ours = base.map(({ figures }) => figures[figure]);
    const theirs = head.map(({ figures }) => figures[figure]);
    const interval = compareRounds(ours, theirs, error / figures.length);
    const unit = figure === "ns/op" ? "ns" : "s";
    return { subject, figure, unit, base: median(ours), head: median(theirs), ...interval };
  });
}

/** Whether both did the same work, in words; null where they did. */
export function workDiffers({ subject, base, head }: Rounds): string | null {
  const hashes = (list: readonly Measurement[]) => [...new Set(list.map(({ hash }) => hash))];
  const [ours, theirs] = [hashes(base), hashes(head)];
  for (const [name, own] of [["base", ours], ["head", theirs]] as const) {
    if (own.length > 1) return `${subject}: ${name} does other work from run to run: hashes ${own.join(", ")}`;
  }
  if (ours[0] === theirs[0]) return null;
  const events = base[0].events === null ? "" : `, events ${base[0].events} and ${head[0].events}`;
  return `${subject}: hash ${ours[0]} in base, ${theirs[0]} in head${events}`;
}
