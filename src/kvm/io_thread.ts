import type { Costs } from "../hw/machine_profile.ts";
import type { Processor } from "../hw/processor.ts";
import { Thread, type Wait, WAIT_BLOCK } from "../hw/thread.ts";
import * as stages from "../metrics/stage.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { KERNEL, QUEUEING, SYSCALL, WAKEUP } = stages;

/** QEMU's I/O thread, as far as one device keeps it busy: it sleeps in its poll system call and does one thing a burst. */
export class IoThread {
  readonly thread: Thread;
  readonly #costs: Costs;
  readonly #work: (cpu: Processor, waitStage: number) => boolean;
  #asleep = true;
  #woken = false;
  #waitStage = QUEUEING;

  /** `work` does one thing and answers whether there was any; messages that it takes up have waited by `waitStage`. */
  constructor(
    name: string,
    processor: Processor,
    costs: Costs,
    work: (cpu: Processor, waitStage: number) => boolean,
  ) {
    this.#costs = costs;
    this.#work = work;
    this.thread = Thread.of(name, processor, IoThread.#onStep, this);
  }

  static readonly #onStep = (cpu: Processor, of: IoThread): Wait => of.#step(cpu);

  wake(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    this.#woken = true;
    this.thread.notify();
  }

  #step(cpu: Processor): Wait {
    if (this.#woken) {
      this.#woken = false;
      // It comes back from its poll system call.
      cpu.charge(WAKEUP, KERNEL, this.#costs.workQueueWake);
      cpu.charge(SYSCALL, KERNEL, this.#costs.syscall);
      this.#waitStage = WAKEUP;
      return 0;
    }
    const moved = this.#work(cpu, this.#waitStage);
    this.#waitStage = QUEUEING;
    if (moved) return 0;
    this.#asleep = true;
    return WAIT_BLOCK;
  }
}
