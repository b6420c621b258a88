import { Interrupt } from "../../hw/interrupt.ts";
import type { Processor } from "../../hw/processor.ts";

/** The jobs that wait on one processor. */
class Work<T> {
  readonly queue: T[] = [];
  readonly interrupt: Interrupt;
  readonly #step: (cpu: Processor, job: T) => boolean;

  constructor(name: string, step: (cpu: Processor, job: T) => boolean) {
    this.#step = step;
    this.interrupt = Interrupt.of(name, 1, Work.#onInterrupt, this as Work<unknown>);
  }

  static readonly #onInterrupt = (cpu: Processor, of: Work<unknown>): boolean => {
    const { queue } = of;
    if (of.#step(cpu, queue[0])) queue.shift();
    return queue.length > 0;
  };
}

/**
 * Long work in pieces: jobs that were submitted on a processor run there one after another, a burst for each piece,
 * before any thread and alternating with received packets, as a softirq does.
 */
export class DeferredJobs<T> {
  readonly #name: string;
  readonly #step: (cpu: Processor, job: T) => boolean;
  readonly #byProcessor = new Map<Processor, Work<T>>();

  /** `step` does one piece of a job and returns whether the job is done. */
  constructor(name: string, step: (cpu: Processor, job: T) => boolean) {
    this.#name = name;
    this.#step = step;
  }

  /** Called in a burst of `cpu`: the job's first piece follows that burst. */
  submit(cpu: Processor, job: T): void {
    let work = this.#byProcessor.get(cpu);
    if (work === undefined) {
      work = new Work(this.#name, this.#step);
      this.#byProcessor.set(cpu, work);
    }
    work.queue.push(job);
    cpu.raise(work.interrupt);
  }
}
