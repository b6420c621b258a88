import type { InputRecord } from "../cluster/input.ts";
import { cutAt, type Interval, type Stretch, stretchOf } from "../report/interval.ts";
import type { LiveSnapshot, Sample } from "../report/live_snapshot.ts";
import type { Model } from "./model.ts";

/*
 * Time as the user handles it: steps, going back, and the turns that a run has taken. All of it is data; the run itself
 * is moved by drive/travel.ts.
 */

export type StepKind = "event" | "message" | "millisecond";

/** Where to go in virtual time. */
export type Order =
  | { readonly kind: "message" }
  | { readonly kind: "forward"; readonly byPs: number }
  | { readonly kind: "to"; readonly atPs: number }
  | { readonly kind: "back"; readonly by: StepKind }
  | { readonly kind: "stop" };

/** A way that takes its time. */
export interface Travel {
  readonly kind: "back" | "forward" | "message";
  /** 0 to 1; always 0 on the way to the next message: nobody knows where that is. */
  readonly progress: number;
  /** Estimated wall time that is left, milliseconds; null until there is something to estimate from. */
  readonly leftMs: number | null;
}

/** What a run had been when it was left for another turn. Data only: to be there again, it has to be run again. */
export interface Turn {
  /** 1 is the first. */
  readonly number: number;
  readonly inputs: readonly InputRecord[];
  readonly samples: readonly Sample[];
  readonly intervals: readonly Interval[];
  /** How far it had come, picoseconds. */
  readonly endPs: number;
}

export interface TimeState {
  /** Null when the run is where the user wants it. */
  readonly travel: Travel | null;
  /** Virtual time over wall time of the latest way back; null before the first. */
  readonly paceBack: number | null;
  /** Of the present run. */
  readonly inputs: readonly InputRecord[];
  readonly intervals: readonly Interval[];
  /** Turns that were left, the latest last. */
  readonly turns: readonly Turn[];
  /** Number of the turn to compare with; null: none is shown. */
  readonly chosen: number | null;
  /** Whether the figures stand beside each other in a box, or only the charts show the other turn. */
  readonly boxed: boolean;
  /** The way in which the user stepped last, and `,` goes back. */
  readonly step: StepKind;
}

export const NO_TIME: TimeState = {
  travel: null,
  paceBack: null,
  inputs: [],
  intervals: [],
  turns: [],
  chosen: null,
  boxed: false,
  step: "millisecond",
};

/** Turns kept beside the present one; the one that was left longest ago goes first. */
const TURNS = 3;

export type TimeMessage =
  | { type: "travelling"; travel: Travel | null }
  /** After each look at the run. */
  | { type: "seen"; inputs: readonly InputRecord[]; intervals: readonly Interval[] }
  /** The run that was left is another object than the one that is there now. */
  | {
    type: "arrived";
    left: Omit<Turn, "number">;
    inputs: readonly InputRecord[];
    intervals: readonly Interval[];
    live: LiveSnapshot;
    nowPs: number;
    finished: boolean;
    pace: number;
  };

export function updateTime(model: Model, message: TimeMessage): Model {
  const { time } = model;
  switch (message.type) {
    case "travelling":
      return { ...model, time: { ...time, travel: message.travel } };
    case "seen":
      if (message.inputs === time.inputs && message.intervals === time.intervals) return model;
      return { ...model, time: { ...time, inputs: message.inputs, intervals: message.intervals } };
    case "arrived": {
      const { left, inputs, intervals, live, nowPs, finished, pace } = message;
      const turns = withTurn(time.turns, left);
      const chosen = turns.at(-1)!.number;
      const next: TimeState = { ...time, travel: null, paceBack: pace, inputs, intervals, turns, chosen };
      // Time and its keys are the comparison's while there is one; the run stands when that is left.
      if (model.compare.open) return { ...model, live, time: next, compare: { ...model.compare, resume: false } };
      return { ...model, live, nowPs, finished, pace: 0, running: false, eventEnd: null, time: next };
    }
  }
}

/** `turns` with what was left: new, or further along one that is known. */
function withTurn(turns: readonly Turn[], left: Omit<Turn, "number">): readonly Turn[] {
  const known = turns.find((turn) => forkOf(left.inputs, left.endPs, turn) === null);
  if (known === undefined) return [...turns, { ...left, number: nextNumber(turns) }].slice(-TURNS);
  const kept = left.endPs < known.endPs ? known : { ...left, number: known.number };
  return [...turns.filter((turn) => turn !== known), kept];
}

function nextNumber(turns: readonly Turn[]): number {
  return Math.max(0, ...turns.map(({ number }) => number)) + 1;
}

/**
 * When a run with these inputs, which has come to `nowPs`, began to differ from `turn`, picoseconds. Null while it does
 * not: the same inputs give the same run.
 */
export function forkOf(inputs: readonly InputRecord[], nowPs: number, turn: Omit<Turn, "number">): number | null {
  const longer = Math.max(inputs.length, turn.inputs.length);
  for (let i = 0; i < longer; i++) {
    const [a, b] = [inputs[i], turn.inputs[i]];
    if (a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b)) continue;
    const atPs = Math.min(a?.atPs ?? Infinity, b?.atPs ?? Infinity);
    return atPs <= Math.min(nowPs, turn.endPs) ? atPs : null;
  }
  return null;
}

/** Number of the present turn: that of the one which it repeats so far, or a new one. */
export function presentNumber({ time, nowPs }: Model): number {
  const same = time.turns.findLast((turn) => forkOf(time.inputs, nowPs, turn) === null);
  return same?.number ?? nextNumber(time.turns);
}

/** The turn to compare with, if it is to be shown. */
export function otherTurn({ time }: Model): Turn | null {
  return time.turns.find(({ number }) => number === time.chosen) ?? null;
}

export interface Comparison {
  /** Null while nothing differs. */
  readonly forkPs: number | null;
  /** Figures of the same stretch of virtual time; null before there is one. */
  readonly stretches: { readonly other: Stretch; readonly present: Stretch } | null;
}

/** Both turns from where they part to where the shorter one ends: exactly, between instants at which both were looked at. */
export function compareTurns({ time, nowPs }: Model, other: Turn): Comparison {
  const forkPs = forkOf(time.inputs, nowPs, other);
  if (forkPs === null) return { forkPs, stretches: null };
  const theirs = cutAt(other.intervals, forkPs, time.intervals);
  const ours = cutAt(time.intervals, forkPs, other.intervals);
  const ends = new Set(theirs.flatMap(({ fromPs, toPs }) => [fromPs, toPs]));
  const both = ours.flatMap(({ fromPs, toPs }) => [fromPs, toPs]).filter((ps) => ps >= forkPs && ends.has(ps));
  const [from, to] = [Math.min(...both), Math.max(...both)];
  const a = from < to ? stretchOf(theirs, from, to) : null;
  const b = from < to ? stretchOf(ours, from, to) : null;
  return { forkPs, stretches: a === null || b === null ? null : { other: a, present: b } };
}
