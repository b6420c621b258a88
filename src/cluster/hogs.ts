import { MS } from "../base/units.ts";
import { Thread, type Wait, WAIT_BLOCK } from "../hw/thread.ts";
import type { Processor } from "../hw/processor.ts";

/** What a hog computes between two looks at whether it is told to stop, picoseconds. */
const CHUNK = MS;

/** Somebody else's thread that computes, until it is told to stop. It is used again by the next hog. */
class HogThread {
  busy = false;
  readonly processor: Processor;
  readonly #thread: Thread;

  constructor(name: string, processor: Processor) {
    this.processor = processor;
    this.#thread = new Thread(name, processor, () => this.#step());
    this.#thread.isForeign = true;
  }

  start(): void {
    this.busy = true;
    this.#thread.notify();
  }

  #step(): Wait {
    return this.busy ? CHUNK : WAIT_BLOCK;
  }
}

/**
 * Somebody else's computation on a host: threads that take every turn the host's scheduler gives them. Each has a VCPU
 * of its own under a hypervisor (a guest of somebody else's, in its accounts too), with the weight of any other; on a
 * native host it shares a CPU with the kernel and its processes.
 */
export class Hogs {
  readonly #threads: HogThread[] = [];
  /** A processor for the next thread, by its number. */
  readonly #place: (index: number) => Processor;
  readonly #name: string;

  constructor(host: string, place: (index: number) => Processor) {
    this.#name = host;
    this.#place = place;
  }

  /** CPUs' worth of computation that is going on. */
  get busy(): number {
    return this.#threads.filter(({ busy }) => busy).length;
  }

  /** Brings the accounts of its processors up to the present instant. */
  settle(): void {
    for (const { processor } of this.#threads) processor.settle();
  }

  /** Starts to compute on so many CPUs more; returns how to stop. What is in its chunk ends that first. */
  start(cpus: number): () => void {
    const mine: HogThread[] = [];
    for (let index = 0; mine.length < cpus; index++) {
      const thread = this.#threads[index] ??= new HogThread(`${this.#name} hog${index}`, this.#place(index));
      if (!thread.busy) mine.push(thread);
    }
    for (const thread of mine) thread.start();
    return () => {
      for (const thread of mine) thread.busy = false;
    };
  }
}
