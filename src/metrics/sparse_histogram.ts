// Not the package's front door: 40 ms of each start would go into what decodes and encodes histograms.
import { JsHistogram } from "hdr-histogram-js/dist/JsHistogram.js";

/** Counts that get their place together, the first time that one of them is wanted: a sixteenth of an octave. */
const CHUNK_BITS = 6;
const CHUNK = 1 << CHUNK_BITS;

/**
 * An HDR histogram that has memory only for the neighbourhoods of the values it has met. The package's own has a place
 * for every value from a nanosecond to its limit: 94 KB at three digits, where a guest's latencies fill one or two. Four
 * thousand guests have some of them each.
 */
export class SparseHistogram extends JsHistogram {
  /** By chunk: one more than where it stands among those that have a place, 0 without one. */
  #places: Uint16Array;
  #counts = new Float64Array(2 * CHUNK);
  #used = 0;

  constructor(highestTrackableValue: number, digits: 1 | 2 | 3) {
    super(1, highestTrackableValue, digits);
    this.autoResize = true;
    this._totalCount = 0;
    this.#places = new Uint16Array(this.#chunks);
  }

  get #chunks(): number {
    return Math.ceil(this.countsArrayLength / CHUNK);
  }

  /** The package's, in integers where that is the same. */
  override countsArrayIndex(value: number): number {
    if (value !== (value | 0) || value < 0) return super.countsArrayIndex(value);
    const bucket = Math.max(31 - Math.clz32(value) - this.subBucketHalfCountMagnitude, 0);
    return ((bucket + 1) << this.subBucketHalfCountMagnitude) + (value >> bucket) - this.subBucketHalfCount;
  }

  override getCountAtIndex(index: number): number {
    const place = this.#places[index >> CHUNK_BITS];
    return place === 0 ? 0 : this.#counts[this.#at(index)];
  }

  incrementCountAtIndex(index: number): void {
    let place = this.#places[index >> CHUNK_BITS];
    if (place === 0) place = this.#place(index >> CHUNK_BITS);
    this.#counts[(place - 1) << CHUNK_BITS | index & CHUNK - 1]++;
  }

  addToCountAtIndex(index: number, value: number): void {
    if (value !== 0) this.#room(index)[this.#at(index)] += value;
  }

  setCountAtIndex(index: number, value: number): void {
    this.#room(index)[this.#at(index)] = value;
  }

  clearCounts(): void {
    this.#counts.fill(0);
  }

  resize(newHighestTrackableValue: number): void {
    this.establishSize(newHighestTrackableValue);
    const places = new Uint16Array(this.#chunks);
    places.set(this.#places);
    this.#places = places;
  }

  protected _getEstimatedFootprintInBytes(): number {
    return 1024 + this.#places.byteLength + this.#counts.byteLength;
  }

  /** Part of the package's interface, and of no use here. */
  copyCorrectedForCoordinatedOmission(expectedIntervalBetweenValueSamples: number): SparseHistogram {
    const copy = new SparseHistogram(this.highestTrackableValue, this.numberOfSignificantValueDigits as 1 | 2 | 3);
    copy.addWhileCorrectingForCoordinatedOmission(this, expectedIntervalBetweenValueSamples);
    return copy;
  }

  /** The counts, with a place for this one. */
  #room(index: number): Float64Array {
    if (this.#places[index >> CHUNK_BITS] === 0) this.#place(index >> CHUNK_BITS);
    return this.#counts;
  }

  /** Where a count stands that has a place. */
  #at(index: number): number {
    return (this.#places[index >> CHUNK_BITS] - 1) * CHUNK + index % CHUNK;
  }

  #place(chunk: number): number {
    if ((this.#used + 1) * CHUNK > this.#counts.length) {
      const counts = new Float64Array(this.#counts.length * 2);
      counts.set(this.#counts);
      this.#counts = counts;
    }
    return this.#places[chunk] = ++this.#used;
  }
}
