import type { AnatomyClass, AnatomyStep } from "../../report/anatomy.ts";

/** One line of the list of steps: a step, or several of one sort that are shown as one. */
export interface Row {
  /** The step, or the first of several. */
  readonly step: AnatomyStep;
  /** Indexes into the steps of the message, in order. */
  readonly members: readonly number[];
}

/** So many steps of one sort, and more, are shown as one. */
const FOLD_FROM = 4;

/** What the list shows: steps of one sort folded, and steps beside the message's way left out. */
export interface RowChoice {
  readonly unfolded: boolean;
  readonly wayOnly: boolean;
}

const made = new WeakMap<AnatomyClass, Map<string, readonly Row[]>>();

/** The rows of a message; the same array for the same choice. */
export function rowsOf(message: AnatomyClass, { unfolded, wayOnly }: RowChoice): readonly Row[] {
  let known = made.get(message);
  if (known === undefined) made.set(message, known = new Map());
  const key = `${unfolded} ${wayOnly}`;
  let rows = known.get(key);
  if (rows === undefined) known.set(key, rows = makeRows(message.steps, { unfolded, wayOnly }));
  return rows;
}

/** Steps fold between two steps of the way: what goes on while the message waits stays where it belongs. */
function makeRows(steps: readonly AnatomyStep[], { unfolded, wayOnly }: RowChoice): Row[] {
  const rows: Row[] = [];
  let stretch: number[] = [];
  const flush = () => {
    rows.push(...fold(steps, stretch, unfolded));
    stretch = [];
  };
  steps.forEach((step, index) => {
    if (!step.onWay) {
      if (!wayOnly) stretch.push(index);
      return;
    }
    flush();
    rows.push({ step, members: [index] });
  });
  flush();
  return rows;
}

function fold(steps: readonly AnatomyStep[], stretch: readonly number[], unfolded: boolean): Row[] {
  const sorts = new Map<string, number[]>();
  for (const index of stretch) {
    const { sort } = steps[index];
    const known = sorts.get(sort);
    if (known === undefined) sorts.set(sort, [index]);
    else known.push(index);
  }
  const rows: Row[] = [];
  for (const index of stretch) {
    const members = sorts.get(steps[index].sort)!;
    if (unfolded || members.length < FOLD_FROM) rows.push({ step: steps[index], members: [index] });
    else if (members[0] === index) rows.push({ step: steps[index], members });
  }
  return rows;
}

/** Whether the row stands for several steps. */
export function isFolded({ members }: Row): boolean {
  return members.length > 1;
}

/** From the first step's beginning to the last one's end, picoseconds. */
export function spanOf(row: Row, steps: readonly AnatomyStep[]): number {
  const last = steps[row.members[row.members.length - 1]];
  return isFolded(row) ? last.atPs + last.durationPs - row.step.atPs : row.step.durationPs;
}

/** The row that holds a step, or the nearest before it. */
export function rowOfStep(rows: readonly Row[], step: number): number {
  const holder = rows.findIndex(({ members }) => members.includes(step));
  if (holder >= 0) return holder;
  return Math.max(0, rows.findLastIndex(({ members }) => members[0] <= step));
}
