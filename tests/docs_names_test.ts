import assert from "node:assert/strict";
import { STAGES } from "../src/metrics/stage.ts";
import { PATHS } from "../src/path/registry.ts";
import { PAGES, read, ROOT } from "./support/docs.ts";

/* What README.md and docs/ name is in the program, and what there are several of has a row for each. */

/** What pages name that is not of src: of the language, the runtime, the environment, keys, a test, Open-MX. */
const FOREIGN =
  /^(?:DataView|Deno|Enter|Esc|Intl|NEVER_COUNTED|NO_COLOR|OMX_DISABLE_SHARED|Promise|Temporal|Text(?:De|En)coder|WeakRef|toLocaleString)$/;

/** Every word of the program, comments left out. */
function wordsOf(folder: URL, words: Set<string> = new Set()): Set<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) wordsOf(new URL(`${name}/`, folder), words);
    else if (name.endsWith(".ts")) {
      const code = Deno.readTextFileSync(new URL(name, folder)).replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*/g, "");
      for (const [word] of code.matchAll(/[A-Za-z_]\w*/g)) words.add(word);
    }
  }
  return words;
}

Deno.test("docs: classes, functions, fields and constants that are named are in the program", () => {
  const words = wordsOf(new URL("src/", ROOT));
  const isKnown = (word: string) =>
    FOREIGN.test(word) || ["", "MX_", "MX_STATUS_"].some((prefix) => words.has(prefix + word));
  const wrong: string[] = [];
  for (const page of PAGES) {
    // An identifier with a capital in it, a path of them, or a call.
    for (const [, name] of read(page).matchAll(/`([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?:\([^`\n]*\))?`/g)) {
      if (!/[A-Z]/.test(name) || /^(?:[A-Z]{1,4}|NAME)$/.test(name)) continue;
      if (!name.split(".").every(isKnown)) wrong.push(`${page}: ${name}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("docs: every path and every stage has its row, in the order of the lists", () => {
  /** Names in the first column of the table that begins so. */
  const rows = (page: string, start: string) => {
    const [table] = read(page).split(start)[1].split("\n\n");
    return [...table.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name);
  };
  assert.deepEqual(rows("README.md", "| path  "), PATHS.map(({ name }) => name));
  assert.deepEqual(rows("docs/life-of-a-message.md", "| stage  "), [...STAGES]);
});
