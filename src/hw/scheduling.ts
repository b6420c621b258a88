/** What a library call in progress yields: how it wants to wait. */
export type Wait = number;

/*
 * What a thread's step answers: how it wants to go on. A positive number is computing for that many picoseconds.
 */
/** Runs again when notified; the processor is free meanwhile. */
export const WAIT_BLOCK = -1;
/** Looks again and again, in user code, until notified: occupies the processor. */
export const WAIT_POLL = -2;
/** The same inside the kernel, as a driver that spins for an answer does. */
export const WAIT_SPIN = -3;
/** Lets other threads run first, then goes on. */
export const WAIT_YIELD = -4;
/** The thread is over. */
export const WAIT_EXIT = -5;

/** What a thread does. */
export const THREAD_READY = 0;
export const THREAD_BLOCKED = 1;
export const THREAD_POLL = 2;
export const THREAD_SPIN = 3;
export const THREAD_COMPUTE = 4;
export const THREAD_DONE = 5;

/** What a processor may not run: nothing is held, its threads are (as a frozen control group's), or all of it is paused. */
export const HOLD_NOTHING = 0;
export const HOLD_THREADS = 1;
export const HOLD_ALL = 2;

/** What a processor does: it has no physical CPU; */
export const PROCESSOR_OFF = 0;
/** it is between bursts, or idle; */
export const PROCESSOR_FREE = 1;
/** it executes a burst, which ends at an event; */
export const PROCESSOR_BURST = 2;
/** a thread polls or computes, which costs CPU and needs no event for each turn. */
export const PROCESSOR_OCCUPIED = 3;
