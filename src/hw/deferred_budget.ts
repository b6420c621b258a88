/** Bursts of deferred work before a thread gets its share: the weight of one NAPI poll. */
const BUDGET = 64;

/**
 * Deferred work goes before threads, but not for ever: after a budget of bursts it has to share the CPU with a thread
 * that has something to do, as Linux does by handing it to ksoftirqd. The thread then runs for as long as the work has.
 */
export class DeferredBudget {
  /** Deferred bursts since threads last had a turn, the time they took, and the time threads have had since. */
  #runs = 0;
  #deferredPs = 0;
  #threadPs = 0;
  /** A budget was spent, and there has been deferred work ever since: it is a thread's now. */
  isHandedOver = false;

  /** Returns whether it is handed over now. */
  ranDeferred(picoseconds: number): boolean {
    this.#deferredPs += picoseconds;
    if (++this.#runs < BUDGET || this.isHandedOver) return false;
    this.isHandedOver = true;
    return true;
  }

  ranThread(picoseconds: number): void {
    if (this.#runs > 0) this.#threadPs += picoseconds;
  }

  get isSpent(): boolean {
    return this.#runs >= BUDGET;
  }

  /** Once it is spent: what a thread that wants to run still has to come of its share, picoseconds. */
  get owedPs(): number {
    return this.#deferredPs - this.#threadPs;
  }

  /** No deferred work is left. */
  end(): void {
    this.isHandedOver = false;
    if (this.#runs > 0) this.restart();
  }

  /** Threads have had their turn. */
  restart(): void {
    this.#runs = 0;
    this.#deferredPs = 0;
    this.#threadPs = 0;
  }
}
