import type { IntervalFigures } from "./interval_figures.ts";
import type { Snapshot } from "./snapshot.ts";
import { templateInterval, templateSnapshot } from "./template.ts";

/** An interval, or what is known of one. */
type PartOfInterval = Pick<IntervalFigures, "from_ns" | "to_ns" | "measured_ns">;

/** A result as JSON: keys in the order of the contract, two spaces, one newline at the end. */
export function toJson(snapshot: Snapshot): string {
  return JSON.stringify(inOrder(snapshot), null, 2) + "\n";
}

/** The same with what the run did in intervals of virtual time, as `series`. */
export function toJsonWithSeries(snapshot: Snapshot, series: readonly PartOfInterval[]): string {
  const { wall, ...figures } = inOrder(snapshot) as Snapshot;
  return JSON.stringify({ ...figures, series: series.map(intervalInOrder), wall }, null, 2) + "\n";
}

/** An interval as an object whose keys are in the order of the contract. */
export function intervalInOrder(interval: PartOfInterval): unknown {
  return ordered(interval, templateInterval());
}

/** A result on one line, keys in the same order. */
export function toJsonLine(snapshot: Omit<Snapshot, "wall">): string {
  return JSON.stringify(inOrder(snapshot));
}

function inOrder(snapshot: Omit<Snapshot, "wall">): unknown {
  return ordered(snapshot, templateSnapshot());
}

/**
 * The value with the keys of every object in the order of the template's, whoever built it in whatever order. Keys
 * that the template lacks come last, in alphabetical order.
 */
function ordered(value: unknown, template: unknown): unknown {
  if (Array.isArray(value)) {
    const entry = Array.isArray(template) ? template[0] : undefined;
    return value.map((inner) => ordered(inner, entry));
  }
  if (typeof value !== "object" || value === null) return value;
  const known = typeof template === "object" && template !== null ? template as Record<string, unknown> : {};
  const fields = value as Record<string, unknown>;
  const names = Object.keys(known).filter((name) => Object.hasOwn(fields, name));
  const others = Object.keys(fields).filter((name) => !Object.hasOwn(known, name)).sort();
  return Object.fromEntries([...names, ...others].map((name) => [name, ordered(fields[name], known[name])]));
}
