import assert from "node:assert/strict";
import { namedByTask, PARTS, together } from "./suite/parts.ts";

/* The parts of the suite (tests/suite/parts.ts) and the files that the task names hold every test between them. */

Deno.test("there is a file for each part, and none for another", async () => {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(new URL("suite", import.meta.url))) {
    if (/^part_/.test(name)) files.push(name);
  }
  assert.deepEqual(files.sort(), Array.from({ length: PARTS }, (_, i) => `part_${i + 1}.ts`));
  for (const [i, name] of files.entries()) {
    const text = await Deno.readTextFile(new URL(`suite/${name}`, import.meta.url));
    assert.equal(text, `import { importPart } from "./parts.ts";\n\nawait importPart(${i + 1});\n`);
  }
});

Deno.test("a file is in a part, or named by the task: patterns mean what the runner takes them for", async () => {
  const files = await together();
  assert.ok(files.includes("tests/suite_test.ts") && files.includes("tests/mx/lib/matching_test.ts"));
  const named = (file: string) => namedByTask().some((pattern) => pattern.test(file));
  for (const file of ["tests/tui/pty_test.ts", "tests/tui/compare/compare_pty_test.ts"]) {
    assert.equal(named(file), true);
    assert.equal(files.includes(file), false);
  }
  assert.equal(named("tests/tui/empty_test.tsx"), false);
  assert.equal(named("tests/hw/memory_test.ts"), false);
});
