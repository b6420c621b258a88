import { Burst } from "./burst.ts";
import * as budget from "./deferred_budget.ts";
import type { Interrupt } from "./interrupt.ts";
import type { Processor } from "./processor.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { endDeferred, isBudgetSpent, isHandedOver, owedToThreads, ranDeferred, ranThread, restartBudget } = budget;

/**
 * What a processor runs before any thread: interrupts, then deferred work, each in the order in which they were raised.
 * Two lists through them, which take no memory, and begin in the processor itself: an object for each would have to come
 * from memory whenever something is raised. The end of a list is looked for, as there is hardly ever more than one in it:
 * for each reference that is stored, V8 looks at the page of what it refers to, which has left the caches as well.
 */
export abstract class Interruptible extends Burst {
  #firstInterrupt: Interrupt | null = null;
  #firstDeferred: Interrupt | null = null;

  /** Whether an interrupt or deferred work waits that a kernel runs before any thread. */
  get hasInterrupt(): boolean {
    return this.#firstInterrupt !== null || (this.#firstDeferred !== null && !this.isDeferredThreads);
  }

  protected get hasInterrupts(): boolean {
    return this.#firstInterrupt !== null;
  }

  protected get hasDeferred(): boolean {
    return this.#firstDeferred !== null;
  }

  /** Whether deferred work is handed over to a thread. */
  protected get isDeferredThreads(): boolean {
    return isHandedOver(this.records.words, this.record);
  }

  protected enqueue(interrupt: Interrupt): void {
    interrupt.pending = true;
    const isDeferred = interrupt.level === 1;
    let last = isDeferred ? this.#firstDeferred : this.#firstInterrupt;
    if (last === null) {
      if (isDeferred) this.#firstDeferred = interrupt;
      else this.#firstInterrupt = interrupt;
      return;
    }
    while (last.next !== null) last = last.next;
    last.next = interrupt;
  }

  /** Runs the interrupt that has waited longest; the caller has seen that there is one. */
  protected runInterrupt(cpu: Processor): void {
    const interrupt = this.#firstInterrupt!;
    this.#firstInterrupt = interrupt.next;
    this.#run(cpu, interrupt);
  }

  /** The same of deferred work. */
  protected runDeferred(cpu: Processor): void {
    const interrupt = this.#firstDeferred!;
    this.#firstDeferred = interrupt.next;
    this.#run(cpu, interrupt);
  }

  #run(cpu: Processor, interrupt: Interrupt): void {
    interrupt.next = null;
    interrupt.pending = false;
    const again = interrupt.run(cpu, interrupt.of);
    if (again && !interrupt.pending) this.enqueue(interrupt);
  }

  // ---- deferred work that has to share the processor with threads: see deferred_budget.ts

  /** Deferred work took so long; returns whether it is handed over to a thread now. */
  protected ranDeferred(picoseconds: number): boolean {
    return ranDeferred(this.records.words, this.record, picoseconds);
  }

  protected ranThread(picoseconds: number): void {
    ranThread(this.records.words, this.record, picoseconds);
  }

  protected get isBudgetSpent(): boolean {
    return isBudgetSpent(this.records.words, this.record);
  }

  protected get owedToThreads(): number {
    return owedToThreads(this.records.words, this.record);
  }

  protected endDeferred(): void {
    endDeferred(this.records.words, this.record);
  }

  protected restartBudget(): void {
    restartBudget(this.records.words, this.record);
  }
}
