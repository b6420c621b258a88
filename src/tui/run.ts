import type { Input, InputRecord } from "../cluster/input.ts";
import type { LiveSnapshot } from "../report/snapshot.ts";
import type { Paced } from "./pacer.ts";
import type { Setting } from "./settings.ts";

/** One run as the dashboard sees it. */
export interface DashboardRun extends Paced {
  /** Runs exactly one event. */
  step(): void;
  /** Runs until the next message is complete, at most `maxEvents` events; whether one is. */
  nextMessage(maxEvents: number): boolean;
  /** Takes a sample and gives the snapshot; cheap enough for 20 calls a second. */
  live(): LiveSnapshot;
  /** What was done to the run so far, in order. */
  readonly inputs: readonly InputRecord[];
  /** Does something to the world at this instant. Returns null, or why it cannot be done, in one line. */
  apply(input: Input): string | null;
  /** Begins to make the run again up to an earlier instant, picoseconds; this run stays as it is. */
  rewind(toPs: number): Promise<Rewinding>;
  /** What was done to the run as a file that `replay` reads; absent where a run has none. */
  inputLog?(): string;
  /** What can be set while it runs, with its present value. */
  settings?(): readonly Setting[];
  /** The log that the run follows; absent where it follows none. */
  readonly replay?: Following;
}

/** A run that does again what a log of inputs says. */
export interface Following {
  /** Until the log is over, or the user takes another turn. */
  readonly isFollowing: boolean;
  /**
   * How the run compares with its log, given once at the end of the log, where the run holds; from then on the run is its
   * own. Null before and after.
   */
  takeVerdict(): { readonly level: "info" | "error"; readonly text: string } | null;
}

/** A run on its way to where another one has been. */
export interface Rewinding {
  /** 0 to 1. */
  readonly progress: number;
  /** Runs at most `maxEvents` events; the run when it is there, null before. */
  advance(maxEvents: number): DashboardRun | null;
}
