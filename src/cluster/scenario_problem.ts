import type { z } from "zod";
import { showValue } from "../base/quantity.ts";
import { didYouMean } from "../base/suggest.ts";
import { knownKeys } from "./scenario_shape.ts";
import type { ScenarioSource } from "./scenario_source.ts";

type Path = readonly PropertyKey[];

/** One thing that is wrong with a scenario: where it is written, and what was found and what is wanted. */
export interface Problem {
  /** `file:line:column`, or the option that set the value. */
  readonly where: string;
  readonly message: string;
}

/** As many problems as fit on one screen; the rest are counted. */
const PROBLEMS_SHOWN = 18;

/** A scenario that cannot be run. Its message is ready to print: one line for each problem. */
export class ScenarioError extends Error {
  override name = "ScenarioError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.slice(0, PROBLEMS_SHOWN).map(({ where, message }) => `${where}: ${message}`);
    if (problems.length > PROBLEMS_SHOWN) lines.push(`and ${problems.length - PROBLEMS_SHOWN} more problems`);
    super(lines.join("\n"));
    this.problems = problems;
  }
}

/** Collects problems, so that a file with five mistakes needs one run to be told of all. */
export class ProblemList {
  readonly #source: ScenarioSource;
  readonly #problems: Problem[] = [];

  constructor(source: ScenarioSource) {
    this.#source = source;
  }

  /** Adds a problem with the value at `path`. */
  add(path: Path, message: string): void {
    const { where, known } = this.#source.locate(path);
    this.#push(where, known ? message : `${pathText(path)}: ${message}`);
  }

  /** Adds what a zod schema found wrong with the value at `at`. */
  addIssues(schema: z.ZodType, issues: readonly z.core.$ZodIssue[], at: Path = []): void {
    for (const issue of issues) {
      const path = [...at, ...issue.path];
      if (issue.code === "unrecognized_keys") {
        for (const key of issue.keys) this.unknownKey([...path, key], knownKeys(schema, issue.path));
      } else if (issue.code === "invalid_union" && issue.message === "Invalid input") {
        this.#addUnion(schema, issue, path, at);
      } else {
        this.add(path, describe(issue, this.#source.valueAt(path)));
      }
    }
  }

  unknownKey(path: Path, known: readonly string[]): void {
    const key = String(path[path.length - 1]);
    const near = didYouMean(key, known);
    const { where } = this.#source.locateKey(path);
    this.#push(where, `unknown key ${showValue(key)}${near || `; wanted ${oneOf(known)}`}`);
  }

  /** Throws {@link ScenarioError} when anything was added. */
  raise(): void {
    if (this.#problems.length > 0) throw new ScenarioError(this.#problems);
  }

  /** Of a union's branches, the one that the value was meant for is the one whose type it has. */
  #addUnion(schema: z.ZodType, issue: z.core.$ZodIssueInvalidUnion, path: Path, at: Path): void {
    const meant = issue.errors.find((branch) =>
      !branch.some((inner) => inner.code === "invalid_type" && inner.path.length === 0)
    );
    if (meant === undefined) {
      const wanted = issue.errors.flatMap((branch) => branch.slice(0, 1)).map((inner) => wantedText(inner));
      this.add(path, `found ${showValue(this.#source.valueAt(path))}, wanted ${[...new Set(wanted)].join(" or ")}`);
      return;
    }
    this.addIssues(schema, meant.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })), at);
  }

  #push(where: string, message: string): void {
    // A missing field may be reported by more than one rule; once is enough.
    if (this.#problems.some((problem) => problem.where === where && problem.message === message)) return;
    this.#problems.push({ where, message });
  }
}

/** `guests[0].path`, as messages name a place. */
function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    text += typeof step === "number" ? `[${step}]` : text === "" ? String(step) : `.${String(step)}`;
  }
  return text === "" ? "the scenario" : text;
}

/** `a, b or c`. */
export function oneOf(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}`;
}

function describe(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.message.startsWith("found ")) return issue.message;
  if (value === undefined) return `missing; wanted ${wantedText(issue)}`;
  return `found ${showValue(value)}, wanted ${wantedText(issue)}`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
  array: "a list",
  object: "a block of keys",
  record: "a block of keys",
};

/** What an issue wants, in the words of a scenario's author and not of the schema library. */
function wantedText(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith("wanted ")) return issue.message.slice("wanted ".length);
  switch (issue.code) {
    case "invalid_type":
      return TYPE_NAMES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return oneOf(issue.values.map(String));
    case "too_small":
      return `${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${counted(issue.origin)}`;
    case "too_big":
      return `${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${counted(issue.origin)}`;
    default:
      return issue.message;
  }
}

function counted(origin: string): string {
  return origin === "array" ? " entries" : origin === "string" ? " characters" : "";
}
