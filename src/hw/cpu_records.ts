import { grown } from "../base/grown.ts";
import type { Engine } from "../sim/engine.ts";

/*
 * What is counted of all CPUs of a cluster, in one array of doubles. Of thousands of CPUs each has left the caches when
 * its turn comes. Then an array for each would be three waits on memory, one after another (for the object, for what it
 * says of its place, for the place), and each instant in a field, which is an object of its own, another one.
 *
 *   processor   [SINCE] ... [LENGTH]    see there
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

/** Doubles that there is memory for at first. */
const FEW = 1024;

/** The records of a cluster's CPUs. The array is replaced when it grows: read it each time. */
export class CpuRecords {
  words: Float64Array<ArrayBuffer> = new Float64Array(FEW);
  #end = 0;

  /** A record of `length` doubles, all 0: where it begins. */
  take(length: number): number {
    const at = this.#end;
    this.#end += length;
    while (this.#end > this.words.length) this.words = grown(this.words, new Float64Array(2 * this.words.length));
    return at;
  }

  /** A processor's record, with nothing in it. */
  takeProcessor(): number {
    const at = this.take(PROCESSOR_RECORD);
    this.words[at + END] = PIECES;
    this.words[at + LENGTH] = PROCESSOR_RECORD;
    return at;
  }

  /** Gives a processor's record room for more pieces: where it is now. */
  enlarge(at: number): number {
    const length = this.words[at + LENGTH];
    const larger = this.take(2 * length);
    this.words.copyWithin(larger, at, at + length);
    this.words[larger + LENGTH] = 2 * length;
    return larger;
  }
}

const ofEngines = new WeakMap<Engine, CpuRecords>();

/** Those of the CPUs that an engine runs. */
export function cpuRecords(engine: Engine): CpuRecords {
  let records = ofEngines.get(engine);
  if (records === undefined) ofEngines.set(engine, records = new CpuRecords());
  return records;
}
