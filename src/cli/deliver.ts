import type { Scenario } from "../cluster/scenario.ts";
import { FORMATS } from "../report/formats.ts";
import type { Snapshot } from "../report/snapshot.ts";
import { UsageError } from "./exit.ts";
import type { OutputFile } from "./files.ts";
import { complain, print, sayResultIn, wantsColor } from "./output.ts";
import type { SeriesOutput } from "./series_output.ts";

/** How a result is wanted, as commander delivers it. */
export interface DeliveryOptions {
  readonly format: string;
  readonly quiet?: true;
  readonly counters?: true;
  /** What ran. */
  readonly scenario?: Scenario;
}

/** Counters are lines of the table. Throws {@link UsageError} when they are asked for elsewhere. */
export function demandTable({ format, counters }: DeliveryOptions): void {
  if (!counters || format === "table") return;
  throw new UsageError(`--counters goes with --format table, found ${format}; json has them in hosts[].boards[]`);
}

/** Writes a text where it was asked for; whether it got there. What cannot be saved is at least shown. */
export async function deliverText(text: string, out: OutputFile | null): Promise<boolean> {
  const saved = out !== null && await save(out, text);
  if (!saved) await print(text);
  return saved || out === null;
}

/**
 * Writes the result where it was asked for, as {@link deliverText} does it; whether all of it got there. `said` is a
 * failure that the user has been told of, `series` what was written of the run while it went on.
 */
export async function deliver(
  snapshot: Snapshot,
  { format, quiet, counters, scenario }: DeliveryOptions,
  out: OutputFile | null,
  junit: OutputFile | null,
  said: string | null,
  series: SeriesOutput | null = null,
): Promise<boolean> {
  let delivered = await (series?.deliver(snapshot) ?? write(snapshot, { format, counters, scenario }, out));
  if (junit !== null) {
    const { toJunit } = await import("../report/junit.ts");
    if (!await save(junit, toJunit(snapshot))) delivered = false;
  }
  if (quiet) return delivered;
  // A table on stdout already ends with the verdict.
  if (out !== null || format !== "table") {
    const failures = snapshot.failures.filter((failure) => failure !== said);
    for (const failure of failures) await complain(`mxtop: failed: ${failure}`);
    if (snapshot.partial) await complain("mxtop: stopped before the end; the result is partial");
  }
  if (out !== null && delivered) await sayResultIn(snapshot, out.path);
  return delivered;
}

/** The whole result at once. */
async function write(
  snapshot: Snapshot,
  { format, counters, scenario }: DeliveryOptions,
  out: OutputFile | null,
): Promise<boolean> {
  const toTerminal = out === null && wantsColor();
  const toText = await FORMATS[format]();
  return deliverText(toText(snapshot, { color: toTerminal, counters, scenario }), out);
}

export function save(file: OutputFile, text: string): Promise<boolean> {
  return tryTo(() => file.write(text));
}

/** Whether something could be written; says why not. */
export async function tryTo(write: () => void): Promise<boolean> {
  try {
    write();
    return true;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await complain(`mxtop: ${error.message}`);
    return false;
  }
}
