import type { Processor } from "./processor.ts";

/**
 * Something that a processor runs before any thread: an interrupt handler (level 0) or deferred work (level 1).
 * `run` does one burst and returns whether it wants another one.
 */
export class Interrupt {
  readonly name: string;
  readonly level: 0 | 1;
  readonly run: (cpu: Processor) => boolean;
  /** Waiting to run, or running and asked to run again. */
  pending = false;
  /** The one that waits behind it. */
  next: Interrupt | null = null;

  constructor(name: string, level: 0 | 1, run: (cpu: Processor) => boolean) {
    this.name = name;
    this.level = level;
    this.run = run;
  }
}
