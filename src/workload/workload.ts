import type { z } from "zod";
import type { Prng } from "../base/prng.ts";
import type { Memory } from "../hw/memory.ts";
import type { Process } from "../hw/thread.ts";
import type { Mx } from "../mx/api.ts";
import type { RankMeter, RowMeter } from "./meter.ts";
import type { Pattern } from "./payload.ts";

/** What one process of a workload (a rank) has at hand. */
export interface ProcessContext {
  readonly rank: number;
  readonly ranks: number;
  /** Name of the guest, or of the native process. */
  readonly name: string;
  readonly mx: Mx;
  readonly memory: Memory;
  readonly meter: RankMeter;
  /** The meter of another rank, to tell it what of its messages has arrived. */
  meterOf(rank: number): RankMeter;
  /** Rows of a workload that sweeps sizes: one rank fills them. */
  readonly rows: RowMeter;
  readonly pattern: Pattern;
  readonly random: Prng;
  /** Virtual time that the executing code has reached, picoseconds. */
  now(): number;
  /** Page-aligned memory of the guest; returns its address. */
  alloc(bytes: number): number;
  /** MX boards that this rank may open endpoints on. Those of one number reach each other and no others. */
  readonly boards: number;
  /** Host name of another rank's MX board, the first one unless `board` says otherwise, for connect. */
  hostOf(rank: number, board?: number): string;
  /** MX endpoint index that a rank opens on each board: guests of one host share their boards' endpoint numbers. */
  endpointOf(rank: number): number;
  /** Called when this process dies: for the accounts of what a death takes with it, which nobody else knows. */
  onDeath(action: () => void): void;
  /**
   * How often the process of a rank has died. Whoever has started the ranks tells the others at once: a wait that they
   * are in ends without a result, as by mx_wakeup.
   */
  deathsOf(rank: number): number;
  /** Of all ranks together: while it stays the same nobody has died. */
  deaths(): number;
  /** Tells all that this rank has opened its endpoints and knows of so many deaths. They are woken up too. */
  announce(deaths: number): void;
  /** What a rank has announced last, 0 before; Infinity when it has ended. */
  announcedBy(rank: number): number;
  /**
   * The run is over: a program that goes on for ever should finish what it has begun, and return. Waits that are under
   * way when this becomes true end without a result.
   */
  stopping(): boolean;
  /** Somebody is watching: a program that would end by itself starts over instead. */
  readonly endless: boolean;
}

/** Where the ranks are, for a workload that plans who talks to whom. */
export interface Crew {
  readonly ranks: number;
  /** MX boards of every rank. */
  readonly boards: number;
  /** Index of the host that a rank is on. */
  hostIndexOf(rank: number): number;
}

/**
 * A message-passing program for every rank. One file for each; one line in the registry makes it known to the command
 * line, the dashboard and the tests.
 */
export interface Workload<P = unknown> {
  readonly kind: string;
  readonly title: string;
  /** Parameters as written in a scenario file (with units), and their defaults. */
  readonly params: z.ZodType<P>;
  /** Bytes of guest memory that one of so many ranks will allocate in the mean, for sizing the emulated memory. */
  memoryBytes(params: P, ranks: number): number;
  /** Endpoints that a rank opens, on all boards. One where this is absent. */
  endpoints?(params: P, rank: number): number;
  /** Parts of a result that only its runs have: an open-loop load, a solver. None where this is absent. */
  readonly reports?: readonly ("offered" | "solver")[];
  /** Throws {@link WorkloadError} when these ranks cannot run it. */
  check(params: P, crew: Crew): void;
  /** The program of one rank. */
  program(params: P, crew: Crew, context: ProcessContext): Process;
  /** Where in its text a rank waits, and since when: a user's program knows. Null before it does. */
  waitOf?(rank: number): string | null;
}

/** A scenario asks for something that its workload cannot do; the text says what is wanted. */
export class WorkloadError extends Error {
  override name = "WorkloadError";
}

/**
 * The program of a rank cannot go on: MX has given up a message or a connection. MX's own programs stop then as well
 * (MX_ERRORS_ARE_FATAL, the default error handler), and so does the run.
 */
export class RankFailed extends Error {
  override name = "RankFailed";
}
