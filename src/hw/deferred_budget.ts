import * as layout from "./cpu_records.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { DEFERRED_PS, DEFERRED_RUNS, IS_HANDED_OVER, THREAD_PS } = layout;

/** Bursts of deferred work before a thread gets its share: the weight of one NAPI poll. */
const BUDGET = 64;

/*
 * Deferred work goes before threads, but not for ever: after a budget of bursts it has to share the CPU with a thread
 * that has something to do, as Linux does by handing it to ksoftirqd. The thread then runs for as long as the work has.
 * What is known of it is in the processor's record `at`.
 */

/** A budget was spent, and there has been deferred work ever since: it is a thread's now. */
export function isHandedOver(words: Float64Array, at: number): boolean {
  return words[at + IS_HANDED_OVER] !== 0;
}

/** Returns whether it is handed over now. */
export function ranDeferred(words: Float64Array, at: number, picoseconds: number): boolean {
  words[at + DEFERRED_PS] += picoseconds;
  const runs = words[at + DEFERRED_RUNS] + 1;
  words[at + DEFERRED_RUNS] = runs;
  if (runs < BUDGET || words[at + IS_HANDED_OVER] !== 0) return false;
  words[at + IS_HANDED_OVER] = 1;
  return true;
}

export function ranThread(words: Float64Array, at: number, picoseconds: number): void {
  if (words[at + DEFERRED_RUNS] > 0) words[at + THREAD_PS] += picoseconds;
}

export function isBudgetSpent(words: Float64Array, at: number): boolean {
  return words[at + DEFERRED_RUNS] >= BUDGET;
}

/** Once it is spent: what a thread that wants to run still has to come of its share, picoseconds. */
export function owedToThreads(words: Float64Array, at: number): number {
  return words[at + DEFERRED_PS] - words[at + THREAD_PS];
}

/** No deferred work is left. */
export function endDeferred(words: Float64Array, at: number): void {
  words[at + IS_HANDED_OVER] = 0;
  if (words[at + DEFERRED_RUNS] > 0) restartBudget(words, at);
}

/** Threads have had their turn. */
export function restartBudget(words: Float64Array, at: number): void {
  words[at + DEFERRED_RUNS] = words[at + DEFERRED_PS] = words[at + THREAD_PS] = 0;
}
