import { hash64 } from "../base/hash.ts";
import { TURN_LIMIT } from "../guest/guard.ts";
import { UsageError } from "./exit.ts";
import { EditedText } from "./program_edits.ts";
import { refusalOf } from "./program_refusals.ts";
import { FORBIDDEN, REPLACED } from "./program_stand_ins.ts";
import { childrenOf, type Located, nameOf } from "./program_syntax.ts";

/*
 * The text of a guest program: read into a syntax tree, checked for what a program cannot have, and changed so that its
 * loops count their turns and calls without `yield*` are noticed (see guest/guard.ts). Types stay: the runtime takes
 * them off when the module is imported.
 */

/** The name under which the changed text finds its guard. */
const GUARD = "__mxtop";

/** An import or re-export: where its specifier stands in the text, quotes included. */
export interface ModuleImport {
  readonly specifier: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly column: number;
}

/** A module of a program, ready to be copied with the specifiers and the guard of one run. */
export interface ModuleSource {
  /** As messages name it. */
  readonly file: string;
  readonly hash: string;
  readonly imports: readonly ModuleImport[];
  readonly edits: EditedText;
  /** What goes before the first line, on it: takes guard and stand-ins from the module of that URL. */
  prelude(url: string): string;
}

/** Calls of the guest and of a communicator that are generators, by the name after the dot. */
const GENERATORS = new Set([
  ...["compute", "sleep", "send", "recv", "barrier", "broadcast", "reduce", "allReduce", "allToAll", "gather"],
]);
const isGeneratorName = (name: string) => GENERATORS.has(name) || name.startsWith("mx_");

/** What has variables of its own. */
const SCOPES = /Function|Method|StaticBlock|TSModuleBlock/;

/** Reads a module. Throws {@link UsageError} with file, line and column for what cannot be a program. */
export async function parseModule(file: string, text: string): Promise<ModuleSource> {
  // Only programs pay for loading the parser.
  const { parse } = await import("@babel/parser");
  let program: unknown;
  try {
    program = parse(text, { sourceType: "module", plugins: ["typescript"] }).program;
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number; column: number } };
    const where = loc === undefined ? file : `${file}:${loc.line}:${loc.column + 1}`;
    throw new UsageError(`${where}: not TypeScript: ${message.split("\n")[0].replace(/ \(\d+:\d+\)$/, "")}`);
  }
  const instrumented = new Instrumenter(file, text);
  instrumented.module(program as Located);
  const { edits, imports, declared, mentioned } = instrumented;
  const hashbang = text.startsWith("#!") ? "//" : "";
  return {
    file,
    hash: hash64(text),
    imports,
    edits,
    prelude: (url) => {
      const free = [...mentioned].filter((name) => !declared.has(name));
      const names = `${GUARD}_names`;
      const shadows = `const {${free.join(", ")}} = ${names};`;
      return `import {guard as ${GUARD}, names as ${names}} from ${JSON.stringify(url)}; ${shadows} ${hashbang}`;
    },
  };
}

/** Walks over the tree once and notes the changes. */
class Instrumenter {
  readonly edits: EditedText;
  readonly imports: ModuleImport[] = [];
  /** Names that the module declares at its top. */
  readonly declared = new Set<string>();
  /** Names with a stand-in that stand anywhere in the text, whatever they mean there. */
  readonly mentioned = new Set<string>();
  readonly #file: string;
  /** Names of the module's own generator functions, and of what it imports from the program's other modules. */
  readonly #generators = new Set<string>();
  /** What goes after nodes that are still to be visited. */
  readonly #after = new Map<Located, string>();

  constructor(file: string, text: string) {
    this.#file = file;
    this.edits = new EditedText(text);
  }

  module(program: Located): void {
    for (const statement of program.body as Located[]) this.#declare(statement);
    this.#visit(program, null);
  }

  #declare(statement: Located): void {
    const declaration = (statement.declaration ?? statement) as Located;
    if (declaration.declare === true || statement.importKind === "type") return; // not there at run time
    const name = (declaration.id as Located | null | undefined)?.name;
    if (typeof name === "string" && !/^(TS(Interface|TypeAlias))/.test(declaration.type)) this.declared.add(name);
    if (declaration.type === "FunctionDeclaration" && declaration.generator === true && typeof name === "string") {
      this.#generators.add(name);
    }
    if (declaration.type === "VariableDeclaration") {
      for (const { id } of declaration.declarations as { id: Located }[]) this.#names(id);
    }
    if (statement.type === "ImportDeclaration") {
      for (const { local, importKind } of statement.specifiers as { local: Located; importKind?: string }[]) {
        if (importKind === "type") continue;
        this.declared.add(String(local.name));
        if ((statement.source as Located).value !== "mxtop") this.#generators.add(String(local.name));
      }
    }
  }

  /** The names of a pattern; one too many only means that the program keeps the real thing. */
  #names(pattern: Located): void {
    if (pattern.type === "Identifier") this.declared.add(String(pattern.name));
    else for (const child of childrenOf(pattern)) this.#names(child);
  }

  #visit(node: Located, parent: Located | null, isTop = true): void {
    const refusal = refusalOf(node, parent);
    if (refusal !== null) throw new UsageError(`${this.#at(node)}: ${refusal}`);
    this.#import(node);
    this.#mention(node, isTop);
    const close = this.#open(node, parent);
    const isInside = isTop && !SCOPES.test(node.type);
    for (const child of childrenOf(node)) this.#visit(child, node, isInside);
    // What goes after a node comes after what was put in at the end of its last child.
    const after = close + (this.#after.get(node) ?? "");
    if (after !== "") this.edits.insert(node.end, after);
  }

  /** A name that may be in want of a stand-in; a `var` of a block at the top is declared at the top. */
  #mention(node: Located, isTop: boolean): void {
    if (node.type === "Identifier") {
      const name = String(node.name);
      if (FORBIDDEN.has(name) || REPLACED.includes(name)) this.mentioned.add(name);
    }
    if (!isTop || node.type !== "VariableDeclaration" || node.kind !== "var" || node.declare === true) return;
    for (const { id } of node.declarations as { id: Located }[]) this.#names(id);
  }

  /** Imports of types alone are taken off with the types. */
  #import(node: Located): void {
    const source = node.source as Located | null | undefined;
    if (!/^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type) || !source) return;
    if (node.importKind === "type" || node.exportKind === "type") return;
    const { line, column } = source.loc.start;
    const { start, end } = source;
    this.imports.push({ specifier: String(source.value), start, end, line, column: column + 1 });
  }

  /** Puts in what goes before a node; gives what goes after it. */
  #open(node: Located, parent: Located | null): string {
    switch (node.type) {
      case "ForStatement":
      case "ForOfStatement":
      case "ForInStatement":
      case "WhileStatement":
      case "DoWhileStatement":
        this.#loop(node);
        return "";
      case "CallExpression":
        return this.#call(node, parent!);
      case "ThrowStatement":
        return this.#argument(node, "thrown");
      case "YieldExpression":
        return node.delegate === true ? this.#wait(node.argument as Located) : this.#argument(node, "yielded");
      default:
        return "";
    }
  }

  #loop(node: Located): void {
    const body = node.body as Located;
    const { line, column } = node.loc.start;
    const place = `${JSON.stringify(this.#file)}, ${line}, ${column + 1}`;
    const count = `if (++${GUARD}.turns > ${TURN_LIMIT}) ${GUARD}.over(${place});`;
    if (body.type === "BlockStatement") {
      this.edits.insert(body.start + 1, ` ${count} `);
      return;
    }
    this.edits.insert(body.start, `{ ${count} `);
    this.#after.set(body, " }");
  }

  #call(node: Located, parent: Located): string {
    const name = nameOf(node.callee as Located);
    if (parent.type === "YieldExpression" && parent.delegate === true) return "";
    if ((node.callee as Located).type === "Super") return "";
    if (parent.type === "ExpressionStatement") {
      this.edits.insert(node.start, `${GUARD}.dropped(`);
      return this.#named(node, name ?? "a generator");
    }
    if (name === null || !(isGeneratorName(name) || this.#generators.has(name))) return "";
    this.edits.insert(node.start, `${GUARD}.called(`);
    return this.#named(node, name);
  }

  #named(node: Located, name: string): string {
    const { line, column } = node.loc.start;
    return `, ${JSON.stringify(name)}, ${JSON.stringify(this.#file)}, ${line}, ${column + 1})`;
  }

  /** `throw x` and `yield x`, with or without the x. */
  #argument(node: Located, note: "thrown" | "yielded"): string {
    const { line, column } = node.loc.start;
    const place = `${JSON.stringify(this.#file)}, ${line}, ${column + 1})`;
    const argument = node.argument as Located | null;
    if (argument === null) return ` ${GUARD}.${note}(undefined, ${place}`;
    this.edits.insert(argument.start, `${GUARD}.${note}((`);
    this.#after.set(argument, `), ${place}`);
    return "";
  }

  /** What `yield*` begins to wait for. */
  #wait(argument: Located): string {
    const { line, column } = argument.loc.start;
    this.edits.insert(argument.start, `(${GUARD}.waits(${JSON.stringify(this.#file)}, ${line}, ${column + 1}), `);
    this.#after.set(argument, ")");
    return "";
  }

  #at(node: Located): string {
    return `${this.#file}:${node.loc.start.line}:${node.loc.start.column + 1}`;
  }
}
