import type { AnatomyClass, AnatomyStep } from "../../report/anatomy.ts";
import type { Model } from "../model.ts";
import { type Row, rowsOf } from "./rows.ts";

/** Virtual microseconds that a wall second of playing takes. */
export const PLAY_SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;
/** Playing begins at the slowest speed that is through within so many wall seconds. */
const PLAY_SECONDS = 30;

/** What the screen of one message knows. */
export interface AnatomyState {
  /** Number of the recording that was asked for last: an answer to another one is late. */
  readonly asked: number;
  readonly scenario: string;
  readonly path: string;
  /** What the run was of by then, see {@link hashesOf}: with other costs, a message takes another time. */
  readonly hashes: string;
  /** Whether more classes are on their way. */
  readonly isComplete: boolean;
  readonly failure: string | null;
  readonly classes: readonly AnatomyClass[];
  /** Which of them. */
  readonly chosen: number;
  /** Which row of its list. */
  readonly row: number;
  readonly unfolded: boolean;
  readonly wayOnly: boolean;
  /** Virtual time since the send call, picoseconds: while playing it runs, else it is the row's. */
  readonly clockPs: number;
  readonly playing: boolean;
  /** Index into {@link PLAY_SPEEDS}; null: what suits the message. */
  readonly speed: number | null;
  /** The box with all of a step is open, and its first line. */
  readonly details: boolean;
  readonly scroll: number;
}

export const NO_ANATOMY: AnatomyState = {
  asked: 0,
  scenario: "",
  path: "",
  hashes: "",
  isComplete: false,
  failure: null,
  classes: [],
  chosen: 0,
  row: 0,
  unfolded: false,
  wayOnly: false,
  clockPs: 0,
  playing: false,
  speed: null,
  details: false,
  scroll: 0,
};

/** What the views show of a message, at a row. */
export interface Position {
  readonly message: AnatomyClass;
  readonly rows: readonly Row[];
  readonly row: Row;
  readonly index: number;
  readonly step: AnatomyStep;
  readonly clockPs: number;
  /** Index of the last step that has happened by now. */
  readonly until: number;
}

/** Null as long as there is no recording. */
export function positionOf({ anatomy }: Pick<Model, "anatomy">): Position | null {
  const message = anatomy.classes[anatomy.chosen];
  if (message === undefined) return null;
  const rows = rowsOf(message, anatomy);
  const index = Math.min(anatomy.row, rows.length - 1);
  const row = rows[index];
  const last = row.members[row.members.length - 1];
  // A stopped row of many is shown with all of them done; a playing one with those that have begun.
  const until = anatomy.playing ? lastBegun(message.steps, anatomy.clockPs) : last;
  return { message, rows, row, index, step: row.step, clockPs: anatomy.clockPs, until };
}

/** Index of the last step that has begun at an instant; the first before that. */
export function lastBegun(steps: readonly AnatomyStep[], clockPs: number): number {
  let index = 0;
  while (index + 1 < steps.length && steps[index + 1].atPs <= clockPs) index++;
  return index;
}

export function speedOf({ speed, classes, chosen }: AnatomyState): number {
  if (speed !== null) return speed;
  const us = (classes[chosen]?.latencyPs ?? 0) / 1e6;
  const fitting = PLAY_SPEEDS.findIndex((perSecond) => us / perSecond <= PLAY_SECONDS);
  return fitting < 0 ? PLAY_SPEEDS.length - 1 : fitting;
}

/** The clock of a row that is stopped at: what moves is shown half-way. */
export function clockOf(step: AnatomyStep): number {
  return step.kind === "frame" ? step.atPs + Math.floor(step.durationPs / 2) : step.atPs;
}

/** Hashes of what the run is of: they change with what is set in it, once that has come to be. */
export function hashesOf({ live }: Model): string {
  return live === null ? "" : `${live.snapshot.scenario.hash} ${live.snapshot.machine.hash}`;
}
