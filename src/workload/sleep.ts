import { KERNEL, SYSCALL } from "../metrics/stage.ts";
import { type Wait, WAIT_BLOCK } from "../hw/thread.ts";
import type { ProcessContext } from "./workload.ts";

/** How a program sleeps that has no endpoint open to wait at. */
export class Sleeper {
  readonly #context: ProcessContext;
  readonly #wake: number;

  /** To be made with the program, not while it runs: order of declaration is part of a run's identity. */
  constructor(context: ProcessContext) {
    this.#context = context;
    const { mx } = context;
    this.#wake = mx.engine.handler(`${context.name} sleep`, () => mx.thread.notify());
  }

  /** A system call, a timer, and the wake-up that the scheduler charges. */
  *sleep(picoseconds: number): Generator<Wait, void> {
    const { engine, thread, costs } = this.#context.mx;
    thread.processor.charge(SYSCALL, KERNEL, costs.syscall);
    const until = this.#context.now() + picoseconds;
    engine.at(until, this.#wake);
    while (this.#context.now() < until) yield WAIT_BLOCK;
  }
}
