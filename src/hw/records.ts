import { grown } from "../base/grown.ts";
import type { Engine } from "../sim/engine.ts";

/** Doubles that there is memory for at first. */
const FEW = 4096;
/** V8 takes large arrays from the system with 16 bytes before them: records of whole cache lines begin with a line here. */
const TO_LINE = 6;

/**
 * What the parts of a cluster's machines keep in numbers, in one array of doubles. Of thousands of parts each has left
 * the caches when its turn comes. Then an array for each would be three waits on memory, one after another (for the
 * object, for what it says of its place, for the place), and each instant in a field, which is an object of its own,
 * another one. A record is one or two, and how many lines of the cache it takes can be said.
 *
 * The array is replaced when it grows: read it each time.
 */
export class Records {
  words: Float64Array<ArrayBuffer> = new Float64Array(FEW);
  #end = TO_LINE;

  /** A record of `length` doubles, all 0: where it begins. */
  take(length: number): number {
    const at = this.#end;
    this.#end += length;
    while (this.#end > this.words.length) this.words = grown(this.words, new Float64Array(2 * this.words.length));
    return at;
  }

  /** A record of twice as many doubles that begins with those of another: where it begins. The other is forgotten. */
  enlarge(at: number, length: number): number {
    const larger = this.take(2 * length);
    this.words.copyWithin(larger, at, at + length);
    return larger;
  }
}

const ofEngines = new WeakMap<Engine, Records>();

/** The records of what an engine runs. */
export function recordsOf(engine: Engine): Records {
  let records = ofEngines.get(engine);
  if (records === undefined) ofEngines.set(engine, records = new Records());
  return records;
}
