import { Interrupt } from "../../hw/interrupt.ts";
import type { Processor } from "../../hw/processor.ts";

/**
 * Long work in pieces: jobs that were submitted on a processor run there one after another, a burst for each piece,
 * before any thread and alternating with received packets, as a softirq does.
 */
export class DeferredJobs<T> {
  readonly #name: string;
  readonly #step: (cpu: Processor, job: T) => boolean;
  readonly #byProcessor = new Map<Processor, { queue: T[]; interrupt: Interrupt }>();

  /** `step` does one piece of a job and returns whether the job is done. */
  constructor(name: string, step: (cpu: Processor, job: T) => boolean) {
    this.#name = name;
    this.#step = step;
  }

  /** Called in a burst of `cpu`: the job's first piece follows that burst. */
  submit(cpu: Processor, job: T): void {
    let work = this.#byProcessor.get(cpu);
    if (work === undefined) {
      const queue: T[] = [];
      work = { queue, interrupt: new Interrupt(this.#name, 1, (on) => this.#run(on, queue)) };
      this.#byProcessor.set(cpu, work);
    }
    work.queue.push(job);
    cpu.raise(work.interrupt);
  }

  #run(cpu: Processor, queue: T[]): boolean {
    if (this.#step(cpu, queue[0])) queue.shift();
    return queue.length > 0;
  }
}
