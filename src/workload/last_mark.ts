/*
 * How ranks hear that no more will come: the highest bit of a message's upper match word. Workloads that end together put
 * their own things into the other bits (a rank, a step) and match only those, so that a receive that was posted for the
 * next message takes the last one too.
 */
const LAST = 0x80000000;

/** Mask of the upper match word for receives: all that a workload puts there itself, 31 bits. */
export const OWN_BITS = 0x7fffffff;

/** The upper match word of a last message. */
export function markedLast(word: number): number {
  return (word | LAST) >>> 0; // an unsigned word, as what arrives is
}

/** Whether a message with this upper match word was its sender's last. */
export function isMarkedLast(word: number): boolean {
  return (word & LAST) !== 0;
}
