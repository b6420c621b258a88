import type { Processor } from "../../hw/processor.ts";
import type { Thread, Wait } from "../../hw/thread.ts";
import * as threads from "../../hw/thread.ts";
import * as stages from "../../metrics/stage.ts";
import type { Engine } from "../../sim/engine.ts";
import * as status from "../status.ts";
import type { LibraryEndpoint } from "./endpoint.ts";
import type { Request } from "./request.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { WAIT_BLOCK, WAIT_POLL, WAIT_SPIN } = threads;
const { POLL, USER, WAKEUP } = stages;
const { MX_BAD_ENDPOINT, MX_BAD_MATCH_MASK, MX_BAD_REQUEST, MX_SUCCESS, STATUS_REJECTED } = status;

/** How to wait: by polling (default), which occupies the CPU, or asleep. At most `timeoutPs` picoseconds. */
export interface WaitOptions {
  readonly mode?: "poll" | "block";
  readonly timeoutPs?: number;
}

export const POLLING: WaitOptions = { mode: "poll" };

/**
 * A call in progress, to be awaited by `yield*` at once, or over already. `yield*` would do for both; who looks at `done`
 * first saves itself the ceremony.
 */
export type QuickCall<T> = Immediate<T> | (Generator<Wait, T, void> & { readonly done?: undefined });

/** A call that needed no waiting: what a generator would be that returns at once, for a fraction of its cost. */
export class Immediate<T> implements Iterable<Wait, T, void>, Iterator<Wait, T, void> {
  readonly done: true = true;
  readonly value: T;

  constructor(value: T) {
    this.value = value;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorReturnResult<T> {
    return this;
  }
}

/** The process that makes the calls. */
export interface CallingProcess {
  readonly engine: Engine;
  readonly thread: Thread;
  /** Handler that calls `timerFired` of the endpoint whose `slot` is its first argument. */
  readonly timer: number;
}

/**
 * How calls wait. A call executes in a burst of the calling thread; when it has given commands it spins until the driver
 * is through with them (settling), and when it needs something from outside it polls or sleeps, with one timer for the
 * library's own deadlines: the next ack, resend, or the call's timeout.
 */
export class EndpointCalls {
  readonly library: LibraryEndpoint;
  /** MX_* of the last call. */
  code = MX_SUCCESS;
  /** Number of this endpoint in its process. */
  slot = 0;
  protected opened = true;
  protected progressing = true;
  protected wakeups = 0;
  readonly #process: CallingProcess;
  #waiting = false;
  #waitUntil = Infinity;
  #timer = -1;
  #timerAt = 0;

  constructor(process: CallingProcess, library: LibraryEndpoint) {
    this.#process = process;
    this.library = library;
  }

  /** The processor of the calling thread, whose burst executes. */
  protected get cpu(): Processor {
    return this.#process.thread.processor;
  }

  // ---- settling

  /** Waits until every command that was given is done, with what follows from it. */
  *settle(): Generator<Wait, void> {
    while (!this.isSettled()) yield WAIT_SPIN;
  }

  protected *settled<T>(result: T): Generator<Wait, T> {
    while (!this.isSettled()) yield WAIT_SPIN; // not by `settle`: every generator in between costs at each resumption
    return result;
  }

  /** Goes on with commands; false while the thread has to spin for the driver. */
  protected isSettled(): boolean {
    const cpu = this.cpu;
    for (;;) {
      this.library.resume(cpu);
      if (!this.library.driver.advance(cpu)) return false;
      if (!this.library.hasResults) return true;
    }
  }

  /** One round of progress; false when it has to be settled. */
  protected progressNow(): boolean {
    this.round();
    return this.isSettled();
  }

  /** One round of progress, unless it is disabled; true when more events are there. */
  protected round(): boolean {
    return this.progressing && this.library.progress(this.cpu);
  }

  protected *makeProgress(): Generator<Wait, void> {
    this.round();
    yield* this.settle();
  }

  protected *poll<T>(look: () => T | null): Generator<Wait, T | null> {
    if (!this.progressNow()) yield* this.settle();
    return look();
  }

  protected *waitFor<T>(look: () => T | null, options: WaitOptions): Generator<Wait, T | null> {
    const until = this.deadline(options);
    const wakeups = this.wakeups;
    for (;;) {
      const before = look();
      if (before !== null) return before;
      let more = this.round();
      if (!this.isSettled()) {
        yield* this.settle();
        more = this.hasMore;
      }
      const found = look();
      if (found !== null) return found;
      if (this.isOver(until, wakeups)) return null;
      const how = this.prepareWait(more, options, until);
      yield how;
      this.waited(how);
    }
  }

  protected deadline(options: WaitOptions): number {
    return options.timeoutPs === undefined ? Infinity : this.cpu.now + options.timeoutPs;
  }

  protected isOver(until: number, wakeups: number): boolean {
    const failures = this.library.core.failures;
    return this.cpu.now >= until || this.wakeups !== wakeups || (failures !== null && failures.length > 0);
  }

  /** Charges one turn of a program's own loop that has found nothing. It must give the processor up then. */
  chargeLook(): void {
    this.cpu.charge(POLL, USER, this.library.core.costs.pollPickup);
  }

  /** Picoseconds that the program has reached, and how often it was woken up. */
  get now(): number {
    return this.cpu.now;
  }

  get wakeupCount(): number {
    return this.wakeups;
  }

  /** Whether there are events or results: who has spun for the driver has to ask, as they have used up its wake. */
  protected get hasMore(): boolean {
    return this.library.hasEvents || this.library.hasResults;
  }

  /** How the thread goes on after a round without the result: not at all, while there is more to handle. */
  protected prepareWait(more: boolean, options: WaitOptions, until: number): Wait {
    const library = this.library;
    if (this.progressing && (more || library.core.tryAgain)) return 0;
    this.#arm(this.progressing ? Math.min(until, library.nextDeadline()) : until);
    if (options.mode !== "block") return WAIT_POLL;
    library.driver.chargeSleep(this.cpu);
    return WAIT_BLOCK;
  }

  protected waited(how: Wait): void {
    this.#waiting = false;
    if (how === WAIT_POLL) this.library.polled = true;
    else if (how === WAIT_BLOCK) this.library.pickupStage = WAKEUP;
  }

  /** The timer is left alone when it is early enough: it finds out itself that the deadline has moved. */
  #arm(deadline: number): void {
    this.#waiting = true;
    this.#waitUntil = deadline;
    if (deadline === Infinity || (this.#timer >= 0 && this.#timerAt <= deadline)) return;
    if (this.#timer >= 0) this.#process.engine.cancel(this.#timer);
    this.#startTimer(Math.max(deadline, this.cpu.now));
  }

  #startTimer(time: number): void {
    this.#timerAt = time;
    this.#timer = this.#process.engine.timer(time, this.#process.timer, this.slot);
  }

  protected stopTimer(): void {
    if (this.#timer >= 0) this.#process.engine.cancel(this.#timer);
    this.#timer = -1;
  }

  /** Called by the process's timer handler. */
  timerFired(): void {
    this.#timer = -1;
    if (!this.#waiting || this.#waitUntil === Infinity) return;
    if (this.#process.engine.now < this.#waitUntil) this.#startTimer(this.#waitUntil);
    else this.#process.thread.notify();
  }

  protected oldestDone(): Request | null {
    const first = this.library.core.done.first;
    return first === null ? null : first.of;
  }

  protected takeDone(matchA: number, matchB: number, maskA: number, maskB: number): Request | null {
    const core = this.library.core;
    for (let link = core.done.first; link !== null; link = link.next) {
      const request = link.of;
      if ((request.matchA & maskA) !== (matchA | 0) || (request.matchB & maskB) !== (matchB | 0)) continue;
      core.consume(request);
      return request;
    }
    return null;
  }

  protected checkOpen(): boolean {
    this.code = this.opened ? MX_SUCCESS : MX_BAD_ENDPOINT;
    return this.opened;
  }

  protected checkMask(matchA: number, matchB: number, maskA: number, maskB: number): boolean {
    if ((matchA & ~maskA) !== 0 || (matchB & ~maskB) !== 0) this.code = MX_BAD_MATCH_MASK;
    return this.code === MX_SUCCESS;
  }

  protected own(request: object): Request | null {
    const own = request as Request;
    // Only requests say that they are not pooled: their class, which it takes longer to ask for, says no more.
    const usable = this.checkOpen() && own?.pooled === false && !own.released;
    if (!usable && this.opened) this.code = MX_BAD_REQUEST;
    return usable ? own : null;
  }

  /** A request that was refused with {@link code}. */
  protected rejected(context: unknown): Request {
    const request = this.library.core.requests.take(0);
    request.context = context;
    request.returnCode = this.code;
    this.library.core.complete(request, STATUS_REJECTED);
    return request;
  }
}
