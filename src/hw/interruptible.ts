import { Burst } from "./burst.ts";
import * as layout from "./cpu_records.ts";
import type { Interrupt } from "./interrupt.ts";
import type { Processor } from "./processor.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { DEFERRED_PS, THREAD_PS } = layout;

/** Bursts of deferred work before a thread gets its share: the weight of one NAPI poll. */
const BUDGET = 64;

/**
 * What a processor runs before any thread: interrupts, then deferred work, each in the order in which they were raised.
 * Two lists through them, which take no memory, and begin in the processor itself: an object for each would have to come
 * from memory whenever something is raised. The end of a list is looked for, as there is hardly ever more than one in it:
 * for each reference that is stored, V8 looks at the page of what it refers to, which has left the caches as well.
 */
export abstract class Interruptible extends Burst {
  #firstInterrupt: Interrupt | null = null;
  #firstDeferred: Interrupt | null = null;
  /** Deferred bursts since threads last had a turn. */
  #deferredRuns = 0;
  /**
   * Whether deferred work is handed over to a thread: since a budget of bursts was spent, for as long as there has been
   * any.
   */
  protected isDeferredThreads = false;

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

  // ---- deferred work goes before threads, but not for ever: after a budget of bursts it has to share the processor with
  // a thread that has something to do, as Linux does by handing it to ksoftirqd. The thread then runs for as long as the
  // work has.

  /** Deferred work took so long; returns whether it is handed over to a thread now. */
  protected ranDeferred(picoseconds: number): boolean {
    this.records.words[this.record + DEFERRED_PS] += picoseconds;
    this.#deferredRuns = (this.#deferredRuns + 1) | 0;
    if (this.#deferredRuns < BUDGET || this.isDeferredThreads) return false;
    this.isDeferredThreads = true;
    return true;
  }

  protected ranThread(picoseconds: number): void {
    if (this.#deferredRuns > 0) this.records.words[this.record + THREAD_PS] += picoseconds;
  }

  protected get isBudgetSpent(): boolean {
    return this.#deferredRuns >= BUDGET;
  }

  /** Once it is spent: what a thread that wants to run still has to come of its share, picoseconds. */
  protected get owedToThreads(): number {
    const { words } = this.records;
    return words[this.record + DEFERRED_PS] - words[this.record + THREAD_PS];
  }

  /** No deferred work is left. */
  protected endDeferred(): void {
    this.isDeferredThreads = false;
    if (this.#deferredRuns > 0) this.restartBudget();
  }

  /** Threads have had their turn. */
  protected restartBudget(): void {
    const { words } = this.records;
    this.#deferredRuns = words[this.record + DEFERRED_PS] = words[this.record + THREAD_PS] = 0;
  }
}
