import { STEAL } from "../metrics/stage.ts";

/*
 * What is counted of CPUs, as records:
 *
 *   processor   [SINCE] ... [THREAD_PS], [WAKING_FROM] [WAKING_TO]   see there
 *               [PASSED + class]        picoseconds that have passed
 *               [PIECES + 2 i]          class of the i-th piece that waits to be booked, in the order of time
 *               [PIECES + 2 i + 1]      how long it takes, picoseconds
 *   physical    [IDLE_SINCE] [POLLED]   see there
 *               [SPENT + 4 owner + class]   picoseconds that have passed
 *               [FOREIGN]               see there
 */

/** Doubles of a processor's record: four lines of the cache, of which most bursts need three. */
export const PROCESSOR_RECORD = 32;
/** Start of what is not in the accounts yet of the present burst, idle, steal or occupation. */
export const SINCE = 0;
/** Until when work had to wait for the processor the latest time. */
export const OFFLINE_TO = 1;
/** How long deferred bursts have taken since threads last had a turn, and the time that threads have had since. */
export const DEFERRED_PS = 2;
export const THREAD_PS = 3;
export const PASSED = 4;
/** Up to when the work that had to wait had not come, and up to when a CPU left its idle state. */
export const WAKING_FROM = 10;
export const WAKING_TO = 11;
export const PIECES = 12;

/** Doubles of a physical CPU's record. */
export const PHYSICAL_RECORD = 16;
/** Since when nothing has run here, -1 while something does. */
export const IDLE_SINCE = 0;
/** Picoseconds that threads spent looking again and again for something to do. */
export const POLLED = 1;
export const SPENT = 2;
/** Classes that a physical CPU is charged for; steal and idle are what is left. */
export const CHARGED: number = STEAL;
/** Picoseconds that threads of somebody else's computed, behind those of the three owners. */
export const FOREIGN: number = SPENT + 3 * CHARGED;
