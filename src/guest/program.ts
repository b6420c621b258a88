import { ProgramFault } from "../base/assert.ts";
import { type Process, WAIT_BLOCK, WAIT_YIELD } from "../hw/thread.ts";
import { MX_NO_RESOURCES } from "../mx/status.ts";
import type { ProcessContext, Workload } from "../workload/workload.ts";
import { bound } from "./bound.ts";
import { Guard, isGenerator, ProgramError } from "./guard.ts";
import type { GuestMain } from "./guest.ts";
import type { MxLibrary } from "./mx_types.ts";
import { printable, type RunOutput } from "./output.ts";
import { ALARM_CANNOT_WAIT, ProcessGuest, type ProgramArgs } from "./process.ts";

/** What results call the workload of a run that has a program instead. */
export const PROGRAM_KIND = "program";

/** A user's program, loaded for one run: its module's variables are that run's alone. */
export interface GuestProgram {
  /** The file as the user named it. */
  readonly file: string;
  /** The program of a rank, null where the module has none. */
  main(rank: number): GuestMain | null;
  readonly guard: Guard;
  /** `file:line:column` of an error's origin in the program's text; null when it has none there. */
  locate(error: unknown): string | null;
  /** The MX library of a rank; `owns` says which memory its segments may name. */
  library(context: ProcessContext, owns: (address: number, length: number) => boolean): MxLibrary;
}

/** What a run gives to its programs. */
export interface ProgramHost {
  readonly args: ProgramArgs;
  readonly memoryBytes: number;
  readonly output: RunOutput;
  /** Why a rank that was told MX_NO_RESOURCES had no room for another endpoint; null when it has used up its own. */
  noEndpoint(rank: number): string | null;
  /** A program has failed: the run ends, with this text. */
  fail(text: string): void;
}

/** The program as a workload: what a scenario with `program` runs. */
export function programWorkload(program: GuestProgram, host: ProgramHost): Workload {
  return {
    kind: PROGRAM_KIND,
    title: `the guest program ${program.file}`,
    // The scenario's `program` block is checked by the schema of scenarios.
    params: undefined as never,
    memoryBytes: () => host.memoryBytes,
    check: () => {},
    program: (_params, _crew, context) => runRank(program, host, context),
    waitOf: (rank) => program.guard.waitOf(rank),
  };
}

/** Runs the program of one rank; whatever it does wrong ends the run with a message that names place and guest. */
function* runRank(program: GuestProgram, host: ProgramHost, context: ProcessContext): Process {
  const { guard } = program;
  const { rank, name } = context;
  const failed = (error: unknown) => {
    Guard.running = null;
    if (error instanceof ProgramFault) throw error;
    // A program that goes on without an endpoint fails in ways of its own: the latest open says what is behind it.
    const reason = context.mx.code === MX_NO_RESOURCES ? host.noEndpoint(rank) : null;
    const because = reason === null ? "" : `; ${reason}`;
    host.fail(`${name} (rank ${rank}) at ${guest.now()} us: ${describe(program, error)}${because}`);
  };
  const guest: ProcessGuest = bound(
    new ProcessGuest(context, {
      ...host,
      mx: program.library(context, (address, length) => guest.owns(address, length)),
      alarm: (action) => {
        try {
          guard.print = (text) => guest.print(text);
          guard.enter(context.ranks + rank, guest.now());
          const made: unknown = action();
          guard.leave();
          if (isGenerator(made)) throw new ProgramError(ALARM_CANNOT_WAIT);
        } catch (error) {
          failed(error);
        }
      },
    }),
  );
  let main: ReturnType<GuestMain> | null = null;
  guard.begin(rank);
  for (;;) {
    let turn: IteratorResult<unknown>;
    try {
      guard.print = (text) => guest.print(text);
      guard.enter(rank, guest.now());
      main ??= begin(program, rank, guest);
      turn = main.next();
      guard.leave();
      if (!turn.done) checkWait(turn.value, guard.lastPlace);
    } catch (error) {
      failed(error);
      break;
    }
    if (turn.done) return;
    yield turn.value as number;
  }
  for (;;) yield WAIT_BLOCK;
}

function begin(program: GuestProgram, rank: number, guest: ProcessGuest): ReturnType<GuestMain> {
  const generator = program.main(rank)!(guest);
  if (typeof generator === "object" && generator !== null && typeof generator.next === "function") return generator;
  throw new ProgramError(
    `the program of rank ${rank} is no generator; wanted function* (guest) { ... }`,
    `${program.file}:1:1`,
  );
}

/** What the library yields are ways to wait; a program that yields by itself may have meant `yield*`. */
function checkWait(value: unknown, place: string | null): void {
  const isWait = Number.isSafeInteger(value) && (value as number) >= WAIT_YIELD;
  if (!isWait) throw new ProgramError("yield without a star: wanted yield* and a call of the library", place);
}

/** Place and message of what a program has thrown, in one line. */
export function describe(program: Pick<GuestProgram, "file" | "guard" | "locate">, error: unknown): string {
  const known = error instanceof ProgramError ? error.place : null;
  const place = known ?? program.locate(error) ?? (error instanceof Error ? null : program.guard.lastPlace);
  return `${place ?? program.file}: ${printable(messageOf(error))}`;
}

function messageOf(error: unknown): string {
  if (error instanceof ProgramError) return error.message;
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    return `recursion without end, or too deep (${error.message})`;
  }
  if (error instanceof Error) {
    const text = error.message.split("\n")[0];
    // A plain Error is a program's own way of saying something; the others say what kind of mistake it is.
    return error.name === "Error" ? text || "an Error without a message" : `${error.name}: ${text}`;
  }
  return `threw ${textOf(error)}`;
}

function textOf(thrown: unknown): string {
  try {
    const isPlain = typeof thrown === "object" && thrown !== null &&
      (thrown.toString === undefined || thrown.toString === Object.prototype.toString);
    return (isPlain ? JSON.stringify(thrown) : undefined) ?? String(thrown);
  } catch {
    return "something without a text";
  }
}
