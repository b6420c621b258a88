import { formatSize } from "../base/quantity.ts";
import { PAGE_SIZE, roundUp, TIME_LIMIT_PS, US } from "../base/units.ts";
import { type Wait, WAIT_BLOCK } from "../hw/thread.ts";
import { KERNEL, SYSCALL } from "../metrics/stage.ts";
import type { ProcessContext } from "../workload/workload.ts";
import { MemoryBuffer } from "./buffer.ts";
import { ProgramError } from "./guard.ts";
import type { Guest, GuestBuffer } from "./guest.ts";
import type { Call, MxLibrary } from "./mx_types.ts";
import type { RunOutput } from "./output.ts";

export type ProgramArgs = Readonly<Record<string, string | number | boolean>>;

/** What a rank's guest is made of beyond the process itself. */
export interface GuestParts {
  readonly mx: MxLibrary;
  readonly args: ProgramArgs;
  /** Bytes that the rank may allocate. */
  readonly memoryBytes: number;
  readonly output: RunOutput;
  /** Runs what an alarm calls; what that throws ends the run. */
  alarm(action: () => void): void;
}

/** Whoever gives an alarm a generator function means it to be run; nobody would. */
export const ALARM_CANNOT_WAIT = "an alarm's action cannot wait; wanted a plain function";

/** What a program has at hand (see `Guest`), over the process that the emulator runs. */
export class ProcessGuest implements Guest {
  readonly rank: number;
  readonly ranks: number;
  readonly name: string;
  readonly mx: MxLibrary;
  readonly args: ProgramArgs;
  readonly #context: ProcessContext;
  readonly #parts: GuestParts;
  readonly #wake: number;
  readonly #alarm: number;
  /** What the alarms that are set will call, and slots of those that have rung. */
  readonly #alarms: (() => void)[] = [];
  readonly #rung: number[] = [];
  /** An alarm's code runs now: its instant is the engine's, and the process sleeps at an earlier one. */
  #isRinging = false;
  #allocated = 0;
  readonly #stretches: { readonly address: number; readonly end: number }[] = [];

  constructor(context: ProcessContext, parts: GuestParts) {
    this.#context = context;
    this.#parts = parts;
    this.rank = context.rank;
    this.ranks = context.ranks;
    this.name = context.name;
    this.mx = parts.mx;
    this.args = parts.args;
    const { engine } = context.mx;
    this.#wake = engine.handler(`${context.name} sleep`, () => context.mx.thread.notify());
    this.#alarm = engine.handler(`${context.name} alarm`, (slot) => this.#ring(slot));
  }

  get boards(): number {
    return this.#context.mx.boards;
  }

  hostname(rank: number, board = 0): string {
    this.#checkRank(rank);
    if (!Number.isInteger(board) || board < 0 || board >= this.boards) {
      throw new ProgramError(`hostname: found board ${board}, wanted 0 to ${this.boards - 1}`);
    }
    return this.#context.hostOf(rank, board);
  }

  endpoint(rank: number): number {
    this.#checkRank(rank);
    return this.#context.endpointOf(rank);
  }

  setenv(name: string, value: string): void {
    this.#context.mx.environment[String(name)] = String(value);
  }

  alloc(bytes: number): GuestBuffer {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new ProgramError(`alloc: found ${bytes}, wanted a whole number of bytes`);
    }
    const whole = Math.max(PAGE_SIZE, roundUp(bytes, PAGE_SIZE));
    const limit = this.#parts.memoryBytes;
    if (this.#allocated + whole > limit) {
      const left = formatSize(limit - this.#allocated);
      throw new ProgramError(
        `alloc: found ${bytes} bytes, and ${left} of ${
          formatSize(limit)
        } are left; \`export const memory\` sets the limit`,
      );
    }
    this.#allocated += whole;
    const address = this.#context.alloc(whole);
    this.#stretches.push({ address, end: address + whole });
    return new MemoryBuffer(this.#context.memory, address, bytes);
  }

  /** Whether memory is the program's: a segment that names other memory is refused. */
  owns(address: number, length: number): boolean {
    return this.#stretches.some((stretch) => address >= stretch.address && address + length <= stretch.end);
  }

  now(): number {
    return this.#now() / US;
  }

  #now(): number {
    return this.#isRinging ? this.#context.mx.engine.now : this.#context.now();
  }

  *compute(microseconds: number): Call<void> {
    yield duration("compute", microseconds);
  }

  /** A system call, a timer, and the wake-up that the scheduler charges. */
  *sleep(microseconds: number): Generator<Wait, void, void> {
    const { engine, thread, costs } = this.#context.mx;
    const picoseconds = duration("sleep", microseconds);
    thread.processor.charge(SYSCALL, KERNEL, costs.syscall);
    const until = Math.min(this.#context.now() + picoseconds, TIME_LIMIT_PS);
    engine.at(until, this.#wake);
    do yield WAIT_BLOCK; while (this.#context.now() < until);
  }

  alarm(microseconds: number, action: () => void): void {
    if (typeof action !== "function") throw new ProgramError("alarm: wanted a function to call");
    // Found here it has a place: nothing of it would run when it rings.
    if (/Generator/.test(Object.prototype.toString.call(action))) throw new ProgramError(ALARM_CANNOT_WAIT);
    const at = Math.min(this.#now() + duration("alarm", microseconds), TIME_LIMIT_PS);
    const slot = this.#rung.pop() ?? this.#alarms.length;
    this.#alarms[slot] = action;
    this.#context.mx.engine.at(at, this.#alarm, slot);
  }

  #ring(slot: number): void {
    const action = this.#alarms[slot];
    this.#alarms[slot] = nothing;
    this.#rung.push(slot);
    if (this.#context.mx.died) return;
    this.#isRinging = true;
    this.#parts.alarm(action);
    this.#isRinging = false;
  }

  print(text: string): void {
    this.#parts.output.print(this.now(), this.name, String(text));
  }

  check(ok: boolean, text: string): boolean {
    this.#parts.output.check(ok, this.now(), this.name, String(text));
    if (!ok) this.#context.meter.integrityErrors++;
    return ok;
  }

  random(): number {
    return this.#context.random.unit();
  }

  stopping(): boolean {
    return this.#context.stopping();
  }

  #checkRank(rank: number): void {
    if (Number.isInteger(rank) && rank >= 0 && rank < this.ranks) return;
    throw new ProgramError(`found rank ${rank}, wanted 0 to ${this.ranks - 1}`);
  }
}

/** In the place of an alarm that has rung. */
const nothing = () => {};

/** Microseconds of a program as picoseconds. */
function duration(call: string, microseconds: number): number {
  const picoseconds = Math.round(microseconds * US);
  if (picoseconds >= 0 && picoseconds <= TIME_LIMIT_PS) return picoseconds;
  throw new ProgramError(`${call}: found ${microseconds}, wanted microseconds, 0 to ${TIME_LIMIT_PS / US}`);
}
