import assert from "node:assert/strict";

/* The table of rules in docs/conformance.md against the tests: what it names exists, and it counts right. */

const PAGE = Deno.readTextFileSync(new URL("../docs/conformance.md", import.meta.url));
const NOT_MODELLED = /^not modelled: \S/;
const OPEN = /^open: \S/;
/** A test as a row names it: its file below tests/, and its own name. */
const REFERENCE = /^`([\w/]+)`: (.+)$/;

interface Row {
  readonly id: string;
  readonly rule: string;
  readonly source: string;
  readonly held: string;
}

/** The rows of every table, by section. */
function sections(): Map<string, Row[]> {
  const found = new Map<string, Row[]>();
  let title = "";
  for (const line of PAGE.split("\n")) {
    if (line.startsWith("## ")) title = line.slice(3);
    if (!line.startsWith("|") || /^\| (id|---)/.test(line)) continue;
    const cells = line.slice(1, -1).split("|").map((cell) => cell.trim());
    assert.equal(cells.length, 4, line);
    const [id, rule, source, held] = cells;
    found.set(title, [...found.get(title) ?? [], { id, rule, source, held }]);
  }
  return found;
}

const files = new Map<string, RegExp[]>();

const textOf = (file: URL) => Deno.readTextFileSync(file);

/** Patterns of the names of a file's tests: what a template fills in may be anything. */
function testsOf(file: string): RegExp[] {
  const known = files.get(file);
  if (known !== undefined) return known;
  const own = new URL(`${file}_test.ts`, import.meta.url);
  // Tests that several files share are registered by a module beside them.
  const shared = [...textOf(own).matchAll(/^import \{ test\w+ \} from "(\.\/\w+\.ts)";$/gm)];
  const source = [own, ...shared.map(([, module]) => new URL(module, own))].map(textOf).join("\n");
  const names = source.matchAll(
    /Deno\.test\(\s*(?:"((?:[^"\\]|\\.)*)"|`((?:\$\{(?:[^{}`]|`[^`]*`|\{[^}]*\})*\}|[^`\\]|\\.)*)`)/g,
  );
  const patterns = [...names].map(([, literal, template]) => {
    const parts = (literal ?? template).split(/\$\{(?:[^{}`]|`[^`]*`)*\}/);
    const escaped = parts.map((part) => part.replace(/[.*+?^$()[\]{}|\\/]/g, "\\$&"));
    return new RegExp(`^${literal === undefined ? escaped.join(".+") : escaped[0]}$`);
  });
  files.set(file, patterns);
  return patterns;
}

/** Markdown's escapes taken off. */
const plain = (text: string) => text.replace(/\\([\\`*_{}[\]()#+\-.!<>$&])/g, "$1").replaceAll("&lt;", "<");

Deno.test("conformance: ids are unique and in order, one letter for each section", () => {
  const letters = new Set<string>();
  for (const [title, rows] of sections()) {
    const letter = rows[0].id[0];
    assert.ok(!letters.has(letter), `${title}: ${letter} is another section's`);
    letters.add(letter);
    assert.deepEqual(rows.map(({ id }) => id), rows.map((_, i) => `${letter}-${i + 1}`), title);
  }
  assert.ok(letters.size > 10);
});

Deno.test("conformance: every row has a rule, a source, and a test, a reason or what is missing", () => {
  for (const { id, rule, source, held } of [...sections().values()].flat()) {
    assert.ok(rule.length > 8 && source.length > 2, id);
    const parts = held.split("<br>");
    const isHeld = parts.every((part) => REFERENCE.test(part));
    const kinds = [isHeld, NOT_MODELLED.test(held), OPEN.test(held)].filter(Boolean).length;
    assert.equal(kinds, 1, `${id}: ${held}`);
  }
});

Deno.test("conformance: the tests that rows name exist", () => {
  for (const { id, held } of [...sections().values()].flat()) {
    for (const part of held.split("<br>")) {
      const reference = REFERENCE.exec(part);
      if (reference === null) continue;
      const [, file, name] = reference;
      assert.ok(
        testsOf(file).some((pattern) => pattern.test(plain(name))),
        `${id}: ${file} has no test "${plain(name)}"`,
      );
    }
  }
});

Deno.test("conformance: the page counts its rows", () => {
  const rows = [...sections().values()].flat();
  const missing = rows.filter(({ held }) => NOT_MODELLED.test(held)).length;
  const open = rows.filter(({ held }) => OPEN.test(held)).length;
  const text = `Of ${rows.length} rules ${rows.length - missing - open} are held by a test, ${missing} are not ` +
    `modelled, and ${open} are open.`;
  assert.ok(PAGE.replace(/\s+/g, " ").includes(text), text);
});
