import type { Records } from "./records.ts";

/*
 * What is counted of CPUs, as records:
 *
 *   processor   [SINCE] ... [IS_HANDED_OVER], [WAKING_FROM] [WAKING_TO]   see there
 *               [PASSED + class]        picoseconds that have passed
 *               [PIECES + 2 i]          class of the i-th piece that waits to be booked, in the order of time
 *               [PIECES + 2 i + 1]      how long it takes, picoseconds
 *   physical    [IDLE_SINCE] [POLLED]   see there
 *               [SPENT + 4 owner + class]   picoseconds that have passed
 */

/** Doubles of a processor's record: four lines of the cache, of which most bursts need three. */
export const PROCESSOR_RECORD = 32;
/** Start of what is not in the accounts yet of the present burst, idle, steal or occupation. */
export const SINCE = 0;
/** Where its last piece ends, from the beginning of the record on. */
export const END = 1;
/** How long the record is. */
export const LENGTH = 2;
/** Until when work had to wait for the processor the latest time. */
export const OFFLINE_TO = 3;
/** Deferred bursts since threads last had a turn, the time they took, and the time threads have had since. */
export const DEFERRED_RUNS = 4;
export const DEFERRED_PS = 5;
export const THREAD_PS = 6;
/** 1 since a budget of deferred bursts was spent, for as long as there is deferred work: it is a thread's now. */
export const IS_HANDED_OVER = 7;
export const PASSED = 8;
/** Up to when the work that had to wait had not come, and up to when a CPU left its idle state. */
export const WAKING_FROM = 14;
export const WAKING_TO = 15;
export const PIECES = 16;

/** Doubles of a physical CPU's record. */
export const PHYSICAL_RECORD = 16;
/** Since when nothing has run here, -1 while something does. */
export const IDLE_SINCE = 0;
/** Picoseconds that threads spent looking again and again for something to do. */
export const POLLED = 1;
export const SPENT = 2;

/** A processor's record, with nothing in it: where it begins. */
export function takeProcessor(records: Records): number {
  const at = records.take(PROCESSOR_RECORD);
  records.words[at + END] = PIECES;
  records.words[at + LENGTH] = PROCESSOR_RECORD;
  return at;
}

/** Gives a processor's record room for more pieces: where it is now. */
export function enlargeProcessor(records: Records, at: number): number {
  const length = records.words[at + LENGTH];
  const larger = records.enlarge(at, length);
  records.words[larger + LENGTH] = 2 * length;
  return larger;
}
