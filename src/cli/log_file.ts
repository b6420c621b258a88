import { MIB } from "../base/units.ts";
import type { InputRecord } from "../cluster/input.ts";
import { type InputLog, readLog, writeLog } from "../cluster/input_log.ts";
import type { Session } from "../cluster/session.ts";
import { readUserFile } from "./files.ts";
import type { RunInput } from "./run_input.ts";
import { VERSION } from "./version.ts";

/** A run so far: all of it, or the part of it that a log says. */
export interface LoggedRun {
  readonly session: Pick<Session, "now" | "events" | "fingerprint">;
  readonly inputs: readonly InputRecord[];
  readonly endless: boolean;
}

/** The log of a run up to this instant: a text that `replay` reads. */
export function logText({ logged }: RunInput, { session, inputs, endless }: LoggedRun): string {
  const { now, events, fingerprint } = session;
  return writeLog({ version: VERSION, scenario: logged, endless, inputs, end: { atPs: now, events, fingerprint } });
}

/** A log holds a whole scenario, and an input for each key that did something: far more than anybody presses. */
const LOG_LIMIT_BYTES = 16 * MIB;

/** Reads a user's log. Throws UsageError for the file, ScenarioError for what is in it. */
export function openLog(path: string): InputLog {
  return readLog(readUserFile(path, "a log of inputs", LOG_LIMIT_BYTES), path.replace(/\p{Cc}/gu, "?"));
}
