const BLOCK_BITS = 6;
const BLOCK = 1 << BLOCK_BITS;
const IN_BLOCK = BLOCK - 1;

/** The block of all places where nothing is. */
const NOTHING: undefined[] = new Array(BLOCK).fill(undefined);

/**
 * Values by index, few of many: nothing is there of blocks in which no index has one. For tables of which there is one
 * for each of thousands of guests, with a place for each of them: as arrays, 4000 times 4000 places took 128 MB.
 */
export class SparseList<T> {
  readonly #blocks: (T | undefined)[][] = [];

  /** The value at an index, 0 or more; undefined when there is none. */
  at(index: number): T | undefined {
    const block = this.#blocks[index >> BLOCK_BITS];
    return block === undefined ? undefined : block[index & IN_BLOCK];
  }

  set(index: number, value: T): void {
    const at = index >> BLOCK_BITS;
    while (this.#blocks.length <= at) this.#blocks.push(NOTHING); // never a hole: V8 would look for them ever after
    if (this.#blocks[at] === NOTHING) this.#blocks[at] = NOTHING.slice();
    this.#blocks[at][index & IN_BLOCK] = value;
  }
}
