import { parseDocument } from "yaml";
import { formatFraction, formatTime } from "../base/quantity.ts";
import type { InputRecord } from "./input.ts";
import { LOG_FORMAT, type LoggedInput, logSchema } from "./input_log_schema.ts";
import { ProblemList, ScenarioError } from "./scenario_problem.ts";
import { type Override, ScenarioSource } from "./scenario_source.ts";

/*
 * A run as a file: what it was made from, what was done to it, and where it stood at the end. The format is described in
 * docs/replay.md. Pure: text to data and back.
 */

/** Everything that determines a run, and what came out of it. */
export interface InputLog {
  /** Of mxtop, when the run was recorded. */
  readonly version: string;
  readonly scenario: LoggedScenario;
  /** Goes on past the scenario's duration, as on the dashboard. */
  readonly endless: boolean;
  readonly inputs: readonly InputRecord[];
  /** Null in a file that was cut off. */
  readonly end: LogEnd | null;
}

/** A scenario with all that it takes to load it again. */
export interface LoggedScenario {
  readonly name: string;
  /** What messages call the text. */
  readonly file: string;
  readonly text: string;
  /** Values of options, in place of the text's. One without a value takes away what the text says. */
  readonly options: readonly Override[];
  /** The guest program: its file, and the name of its text. */
  readonly program: { readonly file: string; readonly source: string } | null;
}

/** Where a run stood. */
export interface LogEnd {
  readonly atPs: number;
  readonly events: number;
  readonly fingerprint: string;
}

/** The file's text. */
export function writeLog({ version, scenario, endless, inputs, end }: InputLog): string {
  const { name, file, text, options, program } = scenario;
  const lines = [
    "# A run of mxtop: `mxtop replay` with this file does it again, event for event. See docs/replay.md.",
    `log: ${LOG_FORMAT}`,
    `mxtop: ${quoted(version)}`,
    `scenario: ${quoted(name)}`,
    `file: ${quoted(file)}`,
    `endless: ${endless}`,
  ];
  if (program !== null) lines.push(`program: { file: ${quoted(program.file)}, source: ${quoted(program.source)} }`);
  if (options.length > 0) lines.push("options:", ...options.map(optionLine));
  lines.push(...textLines(text), "inputs:", ...inputs.map(inputLine));
  if (end !== null) {
    const { atPs, events, fingerprint } = end;
    lines.push(`end: { at: ${formatTime(atPs)}, events: ${events}, fingerprint: ${quoted(fingerprint)} }`);
  }
  return lines.join("\n") + "\n";
}

/**
 * Reads a log; a last line that was cut off counts as not there. Throws {@link ScenarioError} with every problem, each
 * with file, line and column, the value found and what is wanted.
 */
export function readLog(text: string, file: string): InputLog {
  const source = new ScenarioSource(withoutTorso(text), file, []);
  if (source.valueAt(["log"]) === undefined) {
    throw new ScenarioError([{ where: `${file}:1:1`, message: "not a log of inputs; wanted a file of --log" }]);
  }
  const problems = new ProblemList(source);
  const schema = logSchema();
  const checked = schema.safeParse(source.value);
  if (!checked.success) problems.addIssues(schema, checked.error.issues);
  problems.raise();
  const { mxtop, scenario, file: named, endless, program, options, scenario_text, inputs, end } = checked.data!;
  const records = (inputs ?? []).map(recordOf);
  checkOrder(records, end, problems);
  problems.raise();
  return {
    version: mxtop,
    scenario: {
      name: scenario,
      file: named,
      text: scenario_text,
      options: (options ?? []).map(({ option, path, value }) => ({ option, path, value })),
      program: program ?? null,
    },
    endless,
    inputs: records,
    end: end === undefined ? null : { atPs: end.at, events: end.events, fingerprint: end.fingerprint },
  };
}

/** Time goes on from line to line, and so do events. */
function checkOrder(
  records: readonly InputRecord[],
  end: { readonly at: number; readonly events: number } | undefined,
  problems: ProblemList,
): void {
  let before = { atPs: 0, events: 0 };
  const check = (path: readonly PropertyKey[], place: { readonly atPs: number; readonly events: number }) => {
    if (place.atPs < before.atPs) {
      const found = `found ${formatTime(place.atPs)}`;
      problems.add([...path, "at"], `${found}, wanted ${formatTime(before.atPs)} or later, as the line before`);
    }
    if (place.events < before.events) {
      problems.add([...path, "events"], `found ${place.events}, wanted ${before.events} or more, as the line before`);
    }
    before = place;
  };
  for (const [i, record] of records.entries()) check(["inputs", i], record);
  if (end !== undefined) check(["end"], { atPs: end.at, events: end.events });
}

function recordOf({ at, events, ...input }: LoggedInput): InputRecord {
  const record = (what: InputRecord["input"]) => ({ atPs: at, events, input: what });
  switch (input.do) {
    case "fault": {
      const { link, loss, corrupt, delay, cut } = input;
      return record({
        kind: "fault",
        link,
        ...(loss === undefined ? {} : { loss }),
        ...(corrupt === undefined ? {} : { corrupt }),
        ...(delay === undefined ? {} : { delayPs: delay }),
        ...(cut === undefined ? {} : { cut }),
        forPs: input.for ?? null,
      });
    }
    case "stall":
      return record({ kind: "stall", host: input.host, forPs: input.for });
    case "hog":
      return record({ kind: "hog", host: input.host, cpus: input.cpus, forPs: input.for ?? null });
    case "crash":
      return record({ kind: "crash", guest: input.guest, forPs: input.for });
    case "set":
      return record({ kind: "set", assignments: input.values });
    case "end":
      return record({ kind: "end", input: input.input });
  }
}

function inputLine({ atPs, events, input }: InputRecord): string {
  const fields: [string, string][] = [["at", formatTime(atPs)], ["events", String(events)], ["do", input.kind]];
  const put = (key: string, value: string | undefined) => value === undefined || fields.push([key, value]);
  switch (input.kind) {
    case "fault":
      put("link", quoted(input.link));
      put("loss", input.loss === undefined ? undefined : formatFraction(input.loss));
      put("corrupt", input.corrupt === undefined ? undefined : formatFraction(input.corrupt));
      put("delay", input.delayPs === undefined ? undefined : formatTime(input.delayPs));
      put("cut", input.cut?.toString());
      break;
    case "stall":
      put("host", quoted(input.host));
      break;
    case "hog":
      put("host", quoted(input.host));
      put("cpus", String(input.cpus));
      break;
    case "crash":
      put("guest", quoted(input.guest));
      break;
    case "set":
      put("values", `[${input.assignments.map(quoted).join(", ")}]`);
      break;
    case "end":
      put("input", String(input.input));
  }
  if ("forPs" in input && input.forPs !== null) put("for", formatTime(input.forPs));
  return `  - { ${fields.map(([key, value]) => `${key}: ${value}`).join(", ")} }`;
}

function optionLine({ option, path, value }: Override): string {
  const fields = [`option: ${quoted(option)}`, `path: ${json(path)}`];
  if (value !== undefined) fields.push(`value: ${json(value)}`);
  return `  - { ${fields.join(", ")} }`;
}

/** A text as a person reads it, where YAML can hold it so; otherwise in quotes. */
function textLines(text: string): string[] {
  const lines = text.split("\n");
  const endsInLine = lines[lines.length - 1] === "";
  if (endsInLine) lines.pop();
  const block = [`scenario_text: |2${endsInLine ? "+" : "-"}`, ...lines.map((line) => line === "" ? "" : `  ${line}`)];
  // What follows it must not change what it says.
  const read = parseDocument(`${block.join("\n")}\ninputs:\n`, { logLevel: "silent" });
  const isSame = read.errors.length === 0 && (read.toJS() as { scenario_text?: unknown }).scenario_text === text;
  return isSame ? block : [`scenario_text: ${json(text)}`];
}

/** Words as they are, everything else as JSON, which is YAML too. */
function quoted(text: string): string {
  const isWord = /^[A-Za-z][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return isWord ? text : json(text);
}

/** JSON in ASCII: a file that is cut anywhere is still text. */
function json(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A file without a last line end may have been cut off in its last line: then the line is left out. */
function withoutTorso(text: string): string {
  if (text === "" || text.endsWith("\n")) return text;
  const start = text.lastIndexOf("\n") + 1;
  const last = text.slice(start);
  const isWhole = last.endsWith("}") && parseDocument(last, { logLevel: "silent" }).errors.length === 0;
  return isWhole ? text : text.slice(0, start);
}
