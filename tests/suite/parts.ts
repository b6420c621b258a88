import { join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import config from "../../deno.json" with { type: "json" };

/*
 * The suite in a few parts. The runner gives each file that it is told of an isolate of its own, which loads some 300
 * modules and compiles what is hot in them before it is fast: in 200 isolates that is a third of the suite's time. So
 * it is told of the parts, and each part imports its share of the test files. A test file can be run by itself as ever.
 *
 * Some files the task names beside the parts: those that keep handles of terminals open, which the runner would hold
 * against whatever test comes next, and those that measure the heap of their isolate. All others are in a part.
 */

/** As many as `tests/suite/part_N.ts`: more than processors, for those that are done first to take another. */
export const PARTS = 6;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SUFFIX = "_test.ts";

/** Imports part `n`, counted from 1: every PARTS-th test file. */
export async function importPart(n: number): Promise<void> {
  for (const file of (await together()).filter((_, i) => i % PARTS === n - 1)) {
    await import(pathToFileURL(join(ROOT, file)).href);
  }
}

/** The test files that share an isolate with others, from the root of the project, in one order everywhere. */
export async function together(): Promise<string[]> {
  const alone = namedByTask();
  const files = (await testFiles(join(ROOT, "tests"))).map((file) => relative(ROOT, file).replaceAll(sep, "/"));
  return files.filter((file) => !alone.some((pattern) => pattern.test(file))).sort();
}

/** What `deno task test` names beside the parts: files, or patterns with `**` and `*`. */
export function namedByTask(): RegExp[] {
  const words = config.tasks.test.split(" ").filter((word) => word.endsWith(SUFFIX));
  return words.map((word) => {
    const literal = word.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
    return new RegExp(`^${literal.replace(/\*\*\/|\*/g, (stars) => stars === "*" ? "[^/]*" : "(?:.*/)?")}$`);
  });
}

async function testFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await testFiles(join(folder, name)));
    else if (name.endsWith(SUFFIX)) found.push(join(folder, name));
  }
  return found;
}
