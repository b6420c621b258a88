import type { Snapshot } from "../snapshot.ts";

/** A run's result without `wall`, which is all that differs between two runs of the same input. */
export type SweepResult = Omit<Snapshot, "wall">;

/** What was put in place of the scenario's values: the key, and the value as YAML reads it. */
export type Setting = Readonly<Record<string, unknown>>;

/** One run of a sweep: a combination of values, and what it came to. */
export interface SweepRun {
  readonly over: Setting;
  readonly result: SweepResult;
}

/** A scenario run with every combination of some values. */
export interface Sweep {
  readonly schema: "mxtop-sweep/1";
  readonly tool: Snapshot["tool"];
  readonly command: string;
  readonly scenario: { readonly name: string; readonly title: string };
  /** The values of each key. */
  readonly over: readonly { readonly key: string; readonly values: readonly unknown[] }[];
  /** Every run that was made is good. */
  readonly ok: boolean;
  /** It was stopped: runs are missing, or did not come to their end. */
  readonly partial: boolean;
  /** Runs that there are to make. */
  readonly runs_planned: number;
  readonly runs: readonly SweepRun[];
}

/** What a sweep is of. */
export type SweepHead = Pick<Sweep, "tool" | "command" | "scenario" | "over">;

/**
 * The sweep of so many planned runs, of which these were made, in their order. A run's result may be partial because
 * its guest program failed: the sweep is not, unless somebody has stopped it.
 */
export function sweepOf(head: SweepHead, runs: readonly SweepRun[], planned: number, isStopped: boolean): Sweep {
  const partial = runs.length < planned || (isStopped && runs.some(({ result }) => result.partial));
  const ok = runs.every(({ result }) => result.ok);
  return { schema: "mxtop-sweep/1", ...head, ok, partial, runs_planned: planned, runs };
}

/** What failed in each of some runs, behind the values that make it. */
export function sweepFailures(runs: readonly SweepRun[]): string[] {
  return runs.flatMap(({ over, result }) => result.failures.map((failure) => `${settingText(over)}: ${failure}`));
}

/** `guests=10 path=native`: a run by its values. */
export function settingText(over: Setting): string {
  return Object.entries(over).map(([key, value]) => `${key}=${valueText(value)}`).join(" ");
}

/** A value as one would write it. */
export function valueText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
