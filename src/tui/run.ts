import type { Input, InputRecord } from "../cluster/input.ts";
import type { TourStep } from "../cluster/tour.ts";
import type { LiveSnapshot } from "../report/snapshot.ts";
import type { Paced } from "./pacer.ts";

/** One run as the dashboard sees it. */
export interface DashboardRun extends Paced {
  /** Captions of the scenario's guided tour. */
  readonly tour?: readonly TourStep[];
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
}

/** A run on its way to where another one has been. */
export interface Rewinding {
  /** 0 to 1. */
  readonly progress: number;
  /** Runs at most `maxEvents` events; the run when it is there, null before. */
  advance(maxEvents: number): DashboardRun | null;
}
