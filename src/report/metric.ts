/** A figure of a result as users name it: its unit, and what it is. */
export interface Metric {
  /** `share` is from 0 to 1; a count has none. */
  readonly unit: "ns" | "us" | "MB/s" | "Gb/s" | "/s" | "B" | "CPUs" | "share" | "";
  /** In one line. */
  readonly help: string;
}

/** Metrics by field; what is in a list is described once, for any entry. */
export interface Metrics {
  readonly [field: string]: Metric | Metrics | Entries;
}

/** A list of a result, whose entries are chosen by number or by name. */
export interface Entries {
  /** An entry as one writes it, such as `[0]` or `[vm01]`. */
  readonly entry: string;
  readonly each: Metrics;
}

export const count = (help: string): Metric => ({ unit: "", help });
export const share = (help: string): Metric => ({ unit: "share", help });
export const us = (help: string): Metric => ({ unit: "us", help });

/** The same fields with a number for each metric. */
export type Numbers<T> = T extends Metric ? number : { -readonly [K in keyof T]: Numbers<T[K]> };

/** Every metric as 0. */
export function zeros<T extends Metrics>(metrics: T): Numbers<T> {
  return Object.fromEntries(
    Object.entries(metrics).map(([field, inner]) => [field, isMetric(inner) ? 0 : zeros(inner as Metrics)]),
  ) as Numbers<T>;
}

/** A metric with the name that thresholds take, `path` being where it is in the result. */
export interface NamedMetric extends Metric {
  readonly name: string;
}

/** All metrics of a tree, depth first. */
export function named(metrics: Metrics, path = ""): NamedMetric[] {
  return Object.entries(metrics).flatMap(([field, inner]) => {
    const name = path === "" ? field : `${path}.${field}`;
    if (isMetric(inner)) return [{ name, unit: inner.unit, help: inner.help }];
    return isList(inner) ? named(inner.each, name + inner.entry) : named(inner, name);
  });
}

function isMetric(inner: Metric | Metrics | Entries): inner is Metric {
  return typeof (inner as Metric).help === "string";
}

function isList(inner: Metrics | Entries): inner is Entries {
  return typeof (inner as Entries).entry === "string";
}
