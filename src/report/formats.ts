import type { Snapshot } from "./snapshot.ts";
import type { Scenario } from "../cluster/scenario.ts";
import type { TableOptions } from "./table.ts";

/** What a form of a result may want beside it. */
export interface FormatOptions extends TableOptions {
  /** What ran: some form shows what was published for exactly that. */
  readonly scenario?: Scenario;
}

/** A result as text. */
export type Format = (snapshot: Snapshot, options?: FormatOptions) => string;

/**
 * Formats of `run --format`, by name, each loaded when it is asked for. A new format is one file and one line here.
 */
export const FORMATS: Readonly<Record<string, () => Promise<Format>>> = {
  table: async () => (await import("./table.ts")).toTable,
  json: async () => (await import("./json.ts")).toJson,
  ndjson: async () => (await import("./ndjson.ts")).toNdjson,
  csv: async () => (await import("./csv.ts")).toCsv,
  markdown: async () => (await import("./markdown.ts")).toMarkdown,
  html: async () => (await import("./html/run.ts")).runHtml,
};
