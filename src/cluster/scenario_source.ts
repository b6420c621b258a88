import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { showValue } from "../base/quantity.ts";
import { countedHosts } from "./scenario_layout.ts";
import { type Problem, ScenarioError } from "./scenario_problem.ts";

type Path = readonly PropertyKey[];

/** What the parser finds, where its words are for programmers. */
const OWN_WORDS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "this key is written twice",
  MULTIPLE_DOCS: "found a second document, wanted one",
};

/** A value that an option of the command line puts in place of the file's. */
export interface Override {
  /** As the user wrote it, for messages: `--duration`, `--set workload.size`. */
  readonly option: string;
  /** Keys from the top of the file: `["workload", "size"]`; list entries by number. */
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

/** Reads `dotted.key=value` of `--set`; the value is written as in the file. Throws {@link ScenarioError}. */
export function parseSet(text: string): Override {
  const equals = text.indexOf("=");
  const key = equals < 0 ? text : text.slice(0, equals);
  const option = `--set ${key}`;
  const path = key.replaceAll(/\[(\d+)\]/g, ".$1").split(".").map((step) => /^\d+$/.test(step) ? Number(step) : step);
  const goodKey = path.every((step) =>
    typeof step === "number" || /^[A-Za-z_][\w-]*$/.test(step) && step !== "__proto__"
  );
  if (equals < 1 || !goodKey) {
    throw new ScenarioError([{
      where: "--set",
      message: `found ${showValue(text)}, wanted a key and a value such as workload.size=4 KiB`,
    }]);
  }
  try {
    const document = parseDocument(text.slice(equals + 1), { prettyErrors: false, logLevel: "error" });
    const problem = [...document.errors, ...document.warnings][0];
    if (problem !== undefined) throw problem;
    return { option, path, value: document.toJS() };
  } catch (error) {
    throw new ScenarioError([{ where: option, message: notYaml(error) }]);
  }
}

/**
 * The text of a scenario: its value, with the options' values in place, and the line and column (or the option) that
 * any part of it came from.
 */
export class ScenarioSource {
  readonly file: string;
  readonly value: unknown;
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();
  readonly #overrides: readonly Override[];

  /** Throws {@link ScenarioError} when the text is no YAML, or an option's value has no place in it. */
  constructor(text: string, file: string, overrides: readonly Override[]) {
    this.file = file;
    this.#overrides = overrides;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, logLevel: "error" });
    const problems = this.#syntaxProblems();
    if (problems.length > 0) throw new ScenarioError(problems);
    if (this.#document.contents === null && overrides.length === 0) {
      throw new ScenarioError([{ where: `${file}:1:1`, message: "found an empty file, wanted a scenario" }]);
    }
    this.value = this.#withOverrides(this.#plain());
  }

  /** Where the value at `path` was written; `known` when that place names the value by itself (an option). */
  locate(path: Path): { where: string; known: boolean } {
    const set = this.#overrides.findLast(({ path: prefix }) => prefix.every((step, i) => step === path[i]));
    if (set !== undefined) return { where: set.option, known: set.path.length === path.length };
    return { where: this.#at(this.#find(path).value), known: false };
  }

  /** Where the key at the end of `path` was written. */
  locateKey(path: Path): { where: string } {
    const { where } = this.locate(path);
    if (where.startsWith("--")) return { where };
    // A block that is not in the file is there for what an option has set in it.
    const inside = this.#overrides.findLast(({ path: longer }) => path.every((step, i) => step === longer[i]));
    return { where: inside !== undefined && !this.isInFile(path) ? inside.option : this.#at(this.#find(path).key) };
  }

  /** Whether the file itself has something there, whatever the options put in its place. */
  isInFile(path: Path): boolean {
    return this.#find(path).depth === path.length;
  }

  valueAt(path: Path): unknown {
    let value: unknown = this.value;
    for (const step of path) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
      value = (value as Record<PropertyKey, unknown>)[step];
    }
    return value;
  }

  /** One problem for each place: what a parser says after its first surprise in a place is an echo of it. */
  #syntaxProblems(): Problem[] {
    const byPlace = new Map<string, Problem>();
    for (const error of [...this.#document.errors, ...this.#document.warnings]) {
      const where = this.#at(error.pos[0]);
      const message = OWN_WORDS[error.code] ?? notYaml(error);
      if (message === TOO_DEEP) return [{ where: `${this.file}:1:1`, message }];
      if (!byPlace.has(where)) byPlace.set(where, { where, message });
    }
    return [...byPlace.values()];
  }

  #plain(): unknown {
    try {
      // Sharing by anchors is undone, so that an option changes one place and not its copies.
      return copy(this.#document.toJS({ maxAliasCount: 100 }));
    } catch (error) {
      throw new ScenarioError([{ where: `${this.file}:1:1`, message: notYaml(error) }]);
    }
  }

  #withOverrides(value: unknown): unknown {
    const root = value === null && this.#overrides.length > 0 ? {} : value;
    for (const override of this.#overrides) apply(root, override);
    return root;
  }

  /** Offsets of the key and the value at `path`, or of the deepest part that is there, and how deep that is. */
  #find(path: Path): { key: number; value: number; depth: number } {
    let node: Node | null = this.#document.contents;
    let found = { key: offset(node), value: offset(node), depth: 0 };
    for (const step of path) {
      if (isAlias(node)) node = node.resolve(this.#document) ?? null;
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) ? String(key.value) === String(step) : key === step);
        if (pair === undefined) break;
        const key: number = isNode(pair.key) ? offset(pair.key) : found.key;
        node = isNode(pair.value) ? pair.value : null;
        found = { key, value: node === null ? key : offset(node), depth: found.depth + 1 };
      } else if (isSeq(node) && isNode(node.items[Number(step)])) {
        node = node.items[Number(step)] as Node;
        found = { key: offset(node), value: offset(node), depth: found.depth + 1 };
      } else break;
    }
    return found;
  }

  #at(position: number): string {
    const { line, col } = this.#lines.linePos(position);
    return `${this.file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  }
}

function offset(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

/** What a parser says that ran out of stack, in the words of the file. */
const TOO_DEEP = "found lists or blocks that go too deep, or contain themselves";

function notYaml(error: unknown): string {
  const text = String(error instanceof Error ? error.message : error).split("\n")[0];
  return /call stack|stack overflow/i.test(text) ? TOO_DEEP : `not valid YAML: ${text}`;
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]));
}

function apply(root: unknown, { option, path, value }: Override): void {
  let place = root;
  spellOut(root, path);
  for (const [depth, step] of path.entries()) {
    if (typeof place !== "object" || place === null || Array.isArray(place) !== (typeof step === "number")) {
      const name = depth === 0 ? "the scenario" : path.slice(0, depth).join(".");
      const wanted = typeof step === "number" ? "a list" : "a block of keys";
      throw new ScenarioError([{
        where: option,
        message: `${name} is ${showValue(place)}, wanted ${wanted} to set ${step} in`,
      }]);
    }
    const block = place as Record<PropertyKey, unknown>;
    if (Array.isArray(place) && Number(step) >= place.length) {
      throw new ScenarioError([{ where: option, message: `found entry ${step}, wanted 0 to ${place.length - 1}` }]);
    }
    if (depth === path.length - 1) block[step] = value;
    else if ((!Object.hasOwn(block, step) || block[step] === null) && typeof path[depth + 1] === "string") {
      block[step] = {};
    }
    place = block[step];
  }
}

/** Hosts that a file only counts become a list, where one of them is to be set apart from the others. */
function spellOut(root: unknown, [key, entry]: Override["path"]): void {
  if (key !== "hosts" || typeof entry !== "number" || typeof root !== "object" || root === null) return;
  const file = root as { hosts?: unknown };
  const list = countedHosts(file.hosts);
  if (list !== null) file.hosts = list;
}
