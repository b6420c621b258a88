import * as stages from "../metrics/stage.ts";
import type { Processor } from "./processor.ts";
import * as scheduling from "./scheduling.ts";
import type { Wait } from "./scheduling.ts";

export * from "./scheduling.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { WAIT_BLOCK, WAIT_EXIT, WAIT_POLL, WAIT_SPIN, WAIT_YIELD } = scheduling;
const { THREAD_BLOCKED, THREAD_COMPUTE, THREAD_DONE, THREAD_POLL, THREAD_READY, THREAD_SPIN } = scheduling;
const { KERNEL, USER } = stages;

/**
 * A guest program: it yields how it wants to wait, and is resumed in a burst. It may also yield another process, which
 * runs to its end first. `yield*` would do the same, but then every resumption passes through all that are under way.
 */
export interface Process extends Generator<Wait | Process, void, void> {}

/** One burst of a thread, which answers how it waits; `of` is what the thread was made with. */
export type ThreadStep<T> = (cpu: Processor, of: T) => Wait;

/**
 * A kernel or user thread, placed on one processor for good. Each step is one burst; its answer says how it waits.
 * {@link notify} ends any wait, and is remembered when it comes before the wait began.
 */
export class Thread {
  readonly name: string;
  readonly processor: Processor;
  state = THREAD_BLOCKED;
  /** Picoseconds of computing left. */
  computeLeft = 0;
  /** Its processor's: picoseconds of its turn that are left when a woken thread pushes it aside, 0 for a new turn. */
  sliceLeft = 0;
  /** It has blocked, and has not run since it was woken. */
  isWoken = false;
  /** A program of users: when it has blocked, its processor switches from the idle task to it. */
  isProcess = false;
  /** Of nobody in the run: what it computes holds up whoever needs its CPU, and no one else. */
  isForeign = false;
  #step: ThreadStep<unknown>;
  #of: unknown;
  #notified = false;

  constructor(name: string, processor: Processor, step: ThreadStep<unknown>, of: unknown = null) {
    this.name = name;
    this.processor = processor;
    this.#step = step;
    this.#of = of;
  }

  /** One whose steps are a function that all threads of its kind have, and what it runs `of`: see `Engine.handler`. */
  static of<T>(name: string, processor: Processor, step: ThreadStep<T>, of: T): Thread {
    return new Thread(name, processor, step as ThreadStep<unknown>, of);
  }

  /** Ends the thread's present wait, or the next one if it is not waiting. */
  notify(): void {
    if (this.state === THREAD_BLOCKED) {
      this.state = THREAD_READY;
      this.processor.ready(this, true);
    } else if (this.state !== THREAD_DONE) {
      this.#notified = true;
      if (this.state === THREAD_POLL || this.state === THREAD_SPIN) this.processor.ready(this, false);
    }
  }

  /** Whatever it does or waits for, it does this instead from its next burst on: a signal that it cannot refuse. */
  divert(program: Process, onExit?: () => void): void {
    this.#step = stepProgram as ThreadStep<unknown>;
    this.#of = new Running(program, onExit);
    this.computeLeft = 0;
    if (this.state === THREAD_COMPUTE) this.processor.ready(this, false);
    else this.notify();
  }

  /** Whether it holds the processor without having anything to execute. */
  get isOccupying(): boolean {
    return this.state === THREAD_COMPUTE ? this.computeLeft > 0 : this.isPolling;
  }

  /** Whether it looks again and again, and has not been notified. */
  get isPolling(): boolean {
    return (this.state === THREAD_POLL || this.state === THREAD_SPIN) && !this.#notified;
  }

  get occupyingClass(): number {
    return this.state === THREAD_SPIN ? KERNEL : USER;
  }

  /** Called by the processor: `duration` picoseconds of computing are done. */
  computed(duration: number): void {
    this.computeLeft -= duration;
  }

  /** Called by the processor: executes one step; returns whether the thread gives way to others. */
  burst(cpu: Processor): boolean {
    this.state = THREAD_READY;
    this.#notified = false;
    const wait = this.#step(cpu, this.#of);
    if (wait >= 0) {
      this.state = THREAD_COMPUTE;
      this.computeLeft = wait;
    } else if (wait === WAIT_EXIT) {
      this.state = THREAD_DONE;
      cpu.forget(this);
    } else if (wait === WAIT_POLL || wait === WAIT_SPIN) {
      this.state = wait === WAIT_POLL ? THREAD_POLL : THREAD_SPIN;
    } else if (wait === WAIT_BLOCK && !this.#notified) {
      this.state = THREAD_BLOCKED;
    }
    return wait === WAIT_YIELD;
  }
}

/** A thread that runs a generator to its end. */
export function processThread(name: string, processor: Processor, program: Process, onExit?: () => void): Thread {
  const thread = Thread.of(name, processor, stepProgram, new Running(program, onExit));
  thread.isProcess = true;
  return thread;
}

/** A program that runs. */
class Running {
  current: Process;
  /** Those that wait for the end of another, the first one first. */
  readonly callers: Process[] = [];
  readonly onExit: (() => void) | undefined;

  constructor(program: Process, onExit?: () => void) {
    this.current = program;
    this.onExit = onExit;
  }
}

function stepProgram(_cpu: Processor, of: Running): Wait {
  const { callers } = of;
  let thrown: { readonly error: unknown } | null = null;
  for (;;) {
    try {
      const turn = thrown === null ? of.current.next() : of.current.throw(thrown.error);
      thrown = null;
      if (!turn.done) {
        if (typeof turn.value === "number") return turn.value;
        callers.push(of.current);
        of.current = turn.value;
        continue;
      }
    } catch (error) {
      if (callers.length === 0) throw error;
      thrown = { error };
    }
    const caller = callers.pop();
    if (caller === undefined) break;
    of.current = caller;
  }
  of.onExit?.();
  return WAIT_EXIT;
}
