import { toCsv } from "./csv.ts";
import { toJson } from "./json.ts";
import { toMarkdown } from "./markdown.ts";
import { toNdjson } from "./ndjson.ts";
import type { Snapshot } from "./snapshot.ts";
import { type TableOptions, toTable } from "./table.ts";

/** Formats of `run --format`, by name. A new format is one file and one line here. */
export const FORMATS: Readonly<Record<string, (snapshot: Snapshot, options?: TableOptions) => string>> = {
  table: toTable,
  json: toJson,
  ndjson: toNdjson,
  csv: toCsv,
  markdown: toMarkdown,
};
