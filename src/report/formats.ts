import type { Snapshot } from "./snapshot.ts";
import type { TableOptions } from "./table.ts";

/** A result as text. */
export type Format = (snapshot: Snapshot, options?: TableOptions) => string;

/**
 * Formats of `run --format`, by name, each loaded when it is asked for. A new format is one file and one line here.
 */
export const FORMATS: Readonly<Record<string, () => Promise<Format>>> = {
  table: async () => (await import("./table.ts")).toTable,
  json: async () => (await import("./json.ts")).toJson,
  ndjson: async () => (await import("./ndjson.ts")).toNdjson,
  csv: async () => (await import("./csv.ts")).toCsv,
  markdown: async () => (await import("./markdown.ts")).toMarkdown,
};
