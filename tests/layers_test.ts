import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/*
 * The layers of the program, read from its imports. An arrow may point down or stay in its layer; what stands on one
 * line is one layer, and its members do not know each other unless it says so below.
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** From the top. */
const LAYERS: readonly (readonly string[])[] = [
  ["cli"],
  ["tui"],
  ["report"],
  ["cluster"],
  ["guest"],
  ["workload"],
  ["path"],
  ["mx"],
  ["xen", "kvm"],
  ["hw"],
  ["metrics"],
  ["sim"],
  ["base"],
];

/** Packages that only one module may know, so that replacing one is a change in one place. */
const GUARDED: Readonly<Record<string, string>> = {
  blessed: "src/tui/terminal.ts",
  asciichart: "src/tui/chart.ts",
};

/** What nothing below the command line and the dashboard may touch: the real world. */
const REAL_WORLD =
  /\b(?:Date(?:\.now|\()|new Date\b|performance\.|Math\.random|console\.|Deno\.|setTimeout|setInterval|process\.(?:env|argv|exit|hrtime|nextTick|std))/;
const MAY_SEE_THE_WORLD = ["cli", "tui"];

interface Import {
  readonly from: string;
  readonly specifier: string;
}

function sourceFiles(directory: string): string[] {
  return [...Deno.readDirSync(directory)].sort((x, y) => (x.name < y.name ? -1 : 1)).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory ? sourceFiles(path) : /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

/** Code without comments and without the contents of texts, line by line; imports are read before. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, "")).replace(
    /(^|[^:])\/\/.*$/gm,
    "$1",
  );
}

function importsOf(file: string, text: string): Import[] {
  const pattern = /(?:\bfrom|\bimport|\bimport\()\s*["']([^"']+)["']/g;
  return [...withoutComments(text).matchAll(pattern)].map(([, specifier]) => ({ from: file, specifier }));
}

/** Name of the folder below src that a file is in, null outside src. */
function layerOf(file: string): string | null {
  const [top, folder] = relative(ROOT, file).split("/");
  return top === "src" ? folder : null;
}

const files = sourceFiles(join(ROOT, "src")).map((path) => ({ path, text: Deno.readTextFileSync(path) }));
const imports = files.flatMap(({ path, text }) => importsOf(path, text));

/** What is wrong with an import, or null. */
function problem({ from, specifier }: Import): string | null {
  const name = relative(ROOT, from);
  if (specifier === "node:buffer") return null; // computes, and sees nothing
  if (specifier.startsWith("node:")) {
    return MAY_SEE_THE_WORLD.includes(layerOf(from)!) ? null : `${name} imports ${specifier}: the real world`;
  }
  if (!specifier.startsWith(".")) {
    const bare = specifier.replace(/^npm:/, "").replace(/(.)[@/].*$/, "$1");
    const owner = GUARDED[bare];
    return owner === undefined || owner === name ? null : `${name} imports ${bare}: only ${owner} may`;
  }
  const target = layerOf(join(dirname(from), specifier));
  const source = layerOf(from)!;
  // Data beside src (built-in scenarios, the version) belongs to the command line.
  if (target === null) return source === "cli" ? null : `${name} imports ${specifier} from outside src`;
  if (target === source) return null;
  const [above, below] = [source, target].map((layer) => LAYERS.findIndex((names) => names.includes(layer)));
  if (above < 0 || below < 0) return `${name}: no layer for ${above < 0 ? source : target}`;
  return above < below ? null : `${name} (${source}) imports ${specifier} (${target}): the arrow points up`;
}

Deno.test("imports point down", () => {
  assert.ok(imports.length > 50, "the imports were found");
  assert.deepEqual(imports.map(problem).filter((text) => text !== null), []);
});

Deno.test("the check itself sees an arrow that points up, and a stranger's package", () => {
  const from = join(ROOT, "src/hw/nic.ts");
  const text = 'import { a } from "../xen/domain.ts";\n// import "../cli/run.ts";\nconst b = await import("blessed");';
  assert.deepEqual(importsOf(from, text).map(problem), [
    "src/hw/nic.ts (hw) imports ../xen/domain.ts (xen): the arrow points up",
    "src/hw/nic.ts imports blessed: only src/tui/terminal.ts may",
  ]);
  assert.match(problem({ from: join(ROOT, "src/xen/a.ts"), specifier: "../kvm/b.ts" }) ?? "", /points up/);
});

Deno.test("nothing below the command line and the dashboard reads the real world", () => {
  const found: string[] = [];
  for (const { path, text } of files) {
    if (MAY_SEE_THE_WORLD.includes(layerOf(path)!)) continue;
    withoutComments(text).split("\n").forEach((line, i) => {
      const word = REAL_WORLD.exec(line);
      if (word !== null) found.push(`${relative(ROOT, path)}:${i + 1}: ${word[0]}`);
    });
  }
  assert.deepEqual(found, []);
});
