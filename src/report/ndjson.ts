import type { IntervalFigures } from "./interval_figures.ts";
import { intervalInOrder, toJsonLine } from "./json.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * One JSON object a line: a `guest` line for each guest, a `row` line for each message size, and a `summary` line that
 * is the whole result in the schema of `--format json`. A reader that wants one kind filters on `type`.
 */
export function toNdjson(snapshot: Snapshot): string {
  const complete = JSON.parse(toJsonLine(snapshot)) as Snapshot;
  const lines = [
    ...complete.guests.map((guest) => ({ type: "guest", ...guest })),
    ...complete.rows.map((row) => ({ type: "row", ...row })),
    { type: "summary", ...complete },
  ];
  return lines.map((line) => JSON.stringify(line) + "\n").join("");
}

/** The line of an interval, which comes before all others; `scenario` says whose it is, should the others be missing. */
export function toIntervalLine(interval: IntervalFigures, scenario: Snapshot["scenario"]): string {
  return JSON.stringify({ type: "interval", scenario, ...intervalInOrder(interval) as object }) + "\n";
}
