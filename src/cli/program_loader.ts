import { hash64 } from "../base/hash.ts";
import { parseSize, QuantityError, showValue } from "../base/quantity.ts";
import { GIB, KIB, MIB } from "../base/units.ts";
import { GUEST_LIMIT } from "../cluster/scenario_file.ts";
import { Guard } from "../guest/guard.ts";
import type { GuestMain } from "../guest/guest.ts";
import { guestLibrary } from "../guest/library.ts";
import * as frontDoor from "../guest/mod.ts";
import { describe, type GuestProgram } from "../guest/program.ts";
import { UsageError } from "./exit.ts";
import { readUserFile } from "./files.ts";
import { programLoads } from "./program_loads.ts";
import { hideStacks, ProgramPlaces } from "./program_places.ts";
import { type ModuleImport, type ModuleSource, parseModule } from "./program_source.ts";
import { FORBIDDEN, forbidden, mathWithoutRandom } from "./program_stand_ins.ts";

/*
 * A guest program from its file to functions. Its modules are read with the user's permission, instrumented, and
 * imported through Blob URLs, which need no permission and leave line numbers as they are. Every run imports them anew:
 * what one run leaves in a module's variables must not be there in the next.
 */

/** Guest memory of a rank whose program does not say; 40 guests with it fit. */
const MEMORY_DEFAULT = 32 * MIB;
const MEMORY_LEAST = 4 * KIB;
const MEMORY_MOST = GIB;
/** Modules of one program. */
const MODULE_LIMIT = 100;
/** Frames of a stack that are looked at for the program's own. */
const STACK_FRAMES = 100;

/** Where the text of an instance finds what belongs to it. */
const INSTANCES = Symbol.for("mxtop.programs");
type Instances = { [INSTANCES]?: Map<number, { guard: Guard; names: Record<string, unknown>; mxtop: object }> };
let instances = 0;

/** What a program says of itself. */
export interface ProgramFile {
  readonly file: string;
  /** All its modules, itself among them. */
  readonly files: readonly string[];
  /** 16 hexadecimal digits that name the text of all its modules. */
  readonly source: string;
  /** Bytes that a rank may allocate (`export const memory`). */
  readonly memoryBytes: number;
  /** Guests that it is made for (`export const guests`), null when it does not say. */
  readonly guests: number | null;
  /** Whether it has a program for a rank. */
  has(rank: number): boolean;
  /** The program for one run. Throws {@link UsageError} when it cannot be loaded. */
  instance(): Promise<GuestProgram>;
}

/** Reads, checks and once loads a program. Throws {@link UsageError}: one message, with file, line and column. */
export async function openProgram(file: string): Promise<ProgramFile> {
  const modules = new Map<string, ModuleSource>();
  await collect(file, modules, []);
  const { namespace, program } = await load(file, modules);
  let fresh: GuestProgram | null = program;
  return {
    file,
    files: [...modules.keys()],
    source: hash64([...modules.values()].map(({ hash }) => hash).join(" ")),
    memoryBytes: memoryOf(file, namespace),
    guests: guestsOf(file, namespace),
    has: (rank) => program.main(rank) !== null,
    instance: async () => {
      const first = fresh;
      fresh = null;
      return first ?? (await load(file, modules)).program;
    },
  };
}

/** Reads a module and those that it imports, the deepest first. */
async function collect(file: string, modules: Map<string, ModuleSource>, path: readonly string[]): Promise<void> {
  if (modules.size >= MODULE_LIMIT) throw new UsageError(`${file}: found more than ${MODULE_LIMIT} modules`);
  const module = await parseModule(file, readUserFile(file, "a program in TypeScript"));
  for (const { specifier, line, column } of module.imports) {
    const where = `${file}:${line}:${column}`;
    const target = targetOf(specifier, file, where);
    if (target === null || modules.has(target)) continue;
    if (target === file || path.includes(target)) {
      throw new UsageError(
        `${where}: ${showValue(specifier)} imports this module again; wanted imports without a cycle`,
      );
    }
    await collect(target, modules, [...path, file]);
  }
  modules.set(file, module);
}

/** The file that a specifier names, null for mxtop itself. */
function targetOf(specifier: string, from: string, where: string): string | null {
  if (specifier === "mxtop") return null;
  if (/^\.\.?\//.test(specifier)) return joined(from, specifier);
  throw new UsageError(`${where}: found import ${showValue(specifier)}, wanted "mxtop" or a file such as "./other.ts"`);
}

/** A relative specifier as a path, from the file that it stands in. */
function joined(from: string, specifier: string): string {
  const slash = from.lastIndexOf("/");
  const steps = slash < 0 ? [] : from.slice(0, slash).split("/");
  for (const step of specifier.split("/")) {
    const last = steps[steps.length - 1];
    if (step === ".." && last !== undefined && last !== ".." && last !== "." && last !== "") steps.pop();
    else if (step !== ".") steps.push(step);
  }
  return steps.join("/");
}

/** Imports every module of a program with a guard of its own. */
async function load(file: string, modules: ReadonlyMap<string, ModuleSource>) {
  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, STACK_FRAMES);
  const guard = new Guard();
  const number = instances++;
  const names: Record<string, unknown> = Object.fromEntries([...FORBIDDEN].map((name) => [name, forbidden(name)]));
  const known = ((globalThis as Instances)[INSTANCES] ??= new Map());
  known.set(number, { guard, names: { ...names, Math: mathWithoutRandom(), console: guard.log }, mxtop: frontDoor });
  const expression = `globalThis[Symbol.for("mxtop.programs")].get(${number})`;
  const own = urlOf(`export const { guard, names } = ${expression};`);
  const urls = new Map<string | null, string>([[null, urlOf(facade(expression))]]);
  const places = new ProgramPlaces();
  for (const [name, module] of modules) {
    const specifiers = module.imports.map((entry) => specifierEdit(entry, name, urls));
    const text = module.edits.with([{ at: 0, removed: 0, text: module.prelude(own) }, ...specifiers]);
    const url = urlOf(text.text());
    urls.set(name, url);
    places.add(url, name, text);
  }
  hideStacks(guard, places);
  const { locate } = places;
  let namespace: Record<string, unknown>;
  try {
    Guard.running = guard;
    namespace = await import(urls.get(file)!);
  } catch (error) {
    throw new UsageError(loadFailure({ file, guard, locate }, error, places));
  } finally {
    Guard.running = null;
    for (const url of [own, ...urls.values()]) URL.revokeObjectURL(url);
    known.delete(number);
    programLoads.count++;
  }
  const mains = namespace as Record<string, GuestMain | undefined>;
  const program: GuestProgram = {
    file,
    guard,
    locate,
    library: guestLibrary,
    main: (rank) => {
      const main = mains[`rank${rank}`] ?? mains.default;
      return typeof main === "function" ? main : null;
    },
  };
  return { namespace, program };
}

function specifierEdit({ specifier, start, end }: ModuleImport, from: string, urls: Map<string | null, string>) {
  const url = urls.get(targetOf(specifier, from, from))!;
  return { at: start, removed: end - start, text: JSON.stringify(url) };
}

/** The module that `import ... from "mxtop"` means. */
function facade(expression: string): string {
  const names = Object.keys(frontDoor);
  return `const it = ${expression}.mxtop;\n${names.map((name) => `export const ${name} = it.${name};`).join("\n")}\n`;
}

function urlOf(text: string): string {
  return URL.createObjectURL(new Blob([text], { type: "application/typescript" }));
}

/** Why an import has failed: what the runtime says of its own URLs is put in the user's words. */
function loadFailure(
  program: Pick<GuestProgram, "file" | "guard" | "locate">,
  error: unknown,
  places: ProgramPlaces,
): string {
  const text = error instanceof Error ? error.message.split("\n")[0] : "";
  const missing = /does not provide an export named '([^']+)'/.exec(text);
  const place = places.placeIn(text);
  if (missing !== null) return `${place ?? program.file}: the imported module has no export ${showValue(missing[1])}`;
  if (place === null) return describe(program, error);
  return `${place}: ${text.replace(/ at blob:null\/\S+$/, "")}`;
}

function memoryOf(file: string, { memory }: Record<string, unknown>): number {
  if (memory === undefined) return MEMORY_DEFAULT;
  const wanted = 'wanted a size from 4 KiB to 1 GiB, such as "64 MiB"';
  let bytes = NaN;
  try {
    if (typeof memory === "string" || typeof memory === "number") bytes = parseSize(memory);
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
  }
  if (bytes >= MEMORY_LEAST && bytes <= MEMORY_MOST) return bytes;
  throw new UsageError(`${file}: export memory: found ${showValue(memory)}, ${wanted}`);
}

function guestsOf(file: string, { guests }: Record<string, unknown>): number | null {
  if (guests === undefined) return null;
  if (Number.isInteger(guests) && (guests as number) >= 1 && (guests as number) <= GUEST_LIMIT) return guests as number;
  throw new UsageError(`${file}: export guests: found ${showValue(guests)}, wanted 1 to ${GUEST_LIMIT}`);
}
