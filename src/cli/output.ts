import { UsageError } from "./exit.ts";

/*
 * What goes where: results to stdout, everything else to stderr. A reader that has seen enough (`| head`) is no error.
 */

const encoder = new TextEncoder();

/**
 * Writes all of a text to stdout; whether there still is a reader. Throws {@link UsageError} when stdout takes no more,
 * such as a file on a full disk.
 */
export async function print(text: string): Promise<boolean> {
  try {
    return await writeAll(Deno.stdout, text);
  } catch (error) {
    throw new UsageError(`stdout: ${error instanceof Error ? error.message : error}`);
  }
}

/** Writes a line to stderr. Where that takes no more, there is nobody left to be told. */
export async function complain(line: string): Promise<void> {
  try {
    await writeAll(Deno.stderr, `${line}\n`);
  } catch {
    return;
  }
}

/** Says where a result is, and its verdict: of one that is partial, what it has come to. */
export async function sayResultIn(
  { ok, partial }: { readonly ok: boolean; readonly partial: boolean },
  path: string,
): Promise<void> {
  await complain(`mxtop: ${!ok ? "failed" : partial ? "ok so far" : "ok"}; result in ${path}`);
}

/** Whether colour is wanted on stdout: a terminal, and NO_COLOR not set. */
export function wantsColor(): boolean {
  return !Deno.noColor && Deno.stdout.isTerminal();
}

/** Whether all of it was taken: not by a reader that has gone. */
async function writeAll(stream: { write(bytes: Uint8Array): Promise<number> }, text: string): Promise<boolean> {
  const bytes = encoder.encode(text);
  try {
    for (let done = 0; done < bytes.length;) done += await stream.write(bytes.subarray(done));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw error;
  }
}
