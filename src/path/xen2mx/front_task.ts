/*
 * A command of the guest that takes several steps is a generator: it is resumed when it may go on, and returns the
 * command's result. What it yields says what it waits for.
 */

/** More of the guest's own work, in another burst: a long job is cut. */
export const WORK = 0;
/** Dom0's answer to the message just sent; the `yield` gives its result, RESULT_*. */
export const ANSWER = 1;

export type Task<T = number> = Generator<typeof WORK | typeof ANSWER, T, number>;
