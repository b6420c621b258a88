import { basename, join } from "node:path";

/**
 * Compares a text with the one that is kept beside the test file `of`, in `__snapshots__`. The runner by itself looks
 * beside the file that it was given, and that is one that imports many: see `tests/suite`.
 */
export function matchSnapshot(t: Deno.TestContext, of: ImportMeta, text: string, msg?: string): Promise<void> {
  return t.assertSnapshot(text, { path: join(of.dirname!, "__snapshots__", `${basename(of.filename!)}.snap`), msg });
}
