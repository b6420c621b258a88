import { MIB } from "../../src/base/units.ts";
import type { ProgramSpec, Scenario } from "../../src/cluster/scenario.ts";
import { Session } from "../../src/cluster/session.ts";
import { Guard } from "../../src/guest/guard.ts";
import type { Guest, GuestMain } from "../../src/guest/guest.ts";
import { guestLibrary } from "../../src/guest/library.ts";
import { type GuestProgram, PROGRAM_KIND } from "../../src/guest/program.ts";
import { scenario, type ScenarioOptions, untilTestEnds } from "./scenario.ts";

export type ProgramOptions = Omit<ScenarioOptions, "workload"> & Partial<Pick<ProgramSpec, "args" | "memoryBytes">>;

/** A scenario that runs a program which is there already, without a file. */
export function programScenario({ args = {}, memoryBytes = 4 * MIB, ...options }: ProgramOptions = {}): Scenario {
  const plain = scenario({ ...options, workload: { kind: "pingpong" } });
  const program = { file: "test.ts", source: "", args, memoryBytes };
  return { ...plain, workload: { kind: PROGRAM_KIND, params: undefined }, program };
}

/** Functions of a test as a program. */
export function programOf(main: (rank: number) => GuestMain | null): GuestProgram {
  return { file: "test.ts", main, guard: new Guard(), library: guestLibrary, locate: () => null };
}

/** A session of the program on every rank, run to its end. */
export function runProgram(
  main: (guest: Guest) => Generator<number, void, void>,
  options: ProgramOptions = {},
): Session {
  const session = untilTestEnds(new Session(programScenario(options), { program: programOf(() => main) }));
  session.advance(session.end);
  return session;
}
