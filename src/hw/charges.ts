import { STEAL } from "../metrics/stage.ts";
import * as layout from "./cpu_records.ts";
import type { Records } from "./records.ts";

/*
 * A processor's account, and what a burst has been charged that is not in it yet. A burst executes at once when it
 * begins; its time passes later, and only what has passed may be booked. All of it is in the processor's record `at`.
 */

/** Classes that a physical CPU is charged for; steal and idle are what is left. */
export const CHARGED = STEAL;
// Again, because V8 reads what is exported or imported each time.
const OF_PHYSICAL = CHARGED;
const { END, enlargeProcessor, LENGTH, PASSED, PIECES } = layout;

/** Adds a stretch of `duration` picoseconds that waits. Returns where the record is: it moves if it has no room. */
export function addCharge(records: Records, at: number, cls: number, duration: number): number {
  if (duration === 0) return at;
  const { words } = records;
  const end = words[at + END] | 0;
  if (end === words[at + LENGTH]) return addCharge(records, enlargeProcessor(records, at), cls, duration);
  const piece = (at + end) | 0;
  words[piece] = cls;
  words[piece + 1] = duration;
  words[at + END] = end + 2;
  return at;
}

/** Books all that waits, also to the account from `physical` on, which has no idle time. */
export function bookCharges(words: Float64Array, at: number, physical: number): void {
  const end = (at + words[at + END]) | 0;
  for (let i = (at + PIECES) | 0; i < end; i = (i + 2) | 0) {
    const cls = words[i] | 0;
    const duration = words[i + 1];
    words[at + PASSED + cls] += duration;
    if (cls < OF_PHYSICAL) words[physical + cls] += duration;
  }
  words[at + END] = PIECES;
}

/** The same for the first `elapsed` picoseconds of it, and keeps the rest. */
export function bookElapsed(words: Float64Array, at: number, elapsed: number, physical: number): void {
  const end = at + words[at + END];
  let left = elapsed;
  let kept = at + PIECES;
  for (let i = kept; i < end; i += 2) {
    const cls = words[i];
    const duration = words[i + 1];
    const part = Math.min(left, duration);
    words[at + PASSED + cls] += part;
    if (cls < OF_PHYSICAL) words[physical + cls] += part;
    left -= part;
    if (part === duration) continue;
    words[kept++] = cls;
    words[kept++] = duration - part;
  }
  words[at + END] = kept - at;
}
