import type { Processor } from "./processor.ts";

/** What an interrupt does; `of` is what it was declared with. */
export type InterruptRun<T> = (cpu: Processor, of: T) => boolean;

/**
 * Something that a processor runs before any thread: an interrupt handler (level 0) or deferred work (level 1).
 * `run` does one burst and returns whether it wants another one.
 */
export class Interrupt {
  readonly name: string;
  readonly level: 0 | 1;
  readonly run: InterruptRun<unknown>;
  /** Whose it is. */
  readonly of: unknown;
  /** Waiting to run, or running and asked to run again. */
  pending = false;
  /** The one that waits behind it. */
  next: Interrupt | null = null;

  constructor(name: string, level: 0 | 1, run: InterruptRun<unknown>, of: unknown = null) {
    this.name = name;
    this.level = level;
    this.run = run;
    this.of = of;
  }

  /** One of several that `of` has: all of them run one function, as handlers of the engine do. */
  static of<T>(name: string, level: 0 | 1, run: InterruptRun<T>, of: T): Interrupt {
    return new Interrupt(name, level, run as InterruptRun<unknown>, of);
  }
}
