import { FORMATS } from "../report/formats.ts";
import type { Snapshot } from "../report/snapshot.ts";
import { UsageError } from "./exit.ts";
import type { OutputFile } from "./files.ts";
import { complain, print, wantsColor } from "./output.ts";

/** How a result is wanted, as commander delivers it. */
export interface DeliveryOptions {
  readonly format: string;
  readonly quiet?: true;
  readonly counters?: true;
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
 * failure that the user has been told of.
 */
export async function deliver(
  snapshot: Snapshot,
  { format, quiet, counters }: DeliveryOptions,
  out: OutputFile | null,
  junit: OutputFile | null,
  said: string | null,
): Promise<boolean> {
  const toTerminal = out === null && wantsColor();
  const toText = await FORMATS[format]();
  const text = toText(snapshot, { color: toTerminal, counters });
  let delivered = await deliverText(text, out);
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
  if (out !== null && delivered) await complain(`mxtop: ${snapshot.ok ? "ok" : "failed"}; result in ${out.path}`);
  return delivered;
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
