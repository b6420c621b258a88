/** Slots that get memory together where an area is backed by use. */
const CHUNK_SLOTS = 16;

/**
 * The slots of a send or receive queue: one stretch of memory, or stretches that are there from their first use on, as
 * the pages of a machine's memory are where a hypervisor backs them on demand. A world of thousands of guests has them
 * by use: most queues of a size for the worst case are never used to their end.
 */
export class SlotArea {
  readonly #slotBytes: number;
  /** Address of the first slot; by chunk where they come by use, 0 for one that has not been used. */
  readonly #base: number;
  readonly #chunks: Float64Array | null;
  readonly #alloc: (bytes: number) => number;

  private constructor(slotBytes: number, base: number, chunks: number, alloc: (bytes: number) => number) {
    this.#slotBytes = slotBytes;
    this.#base = base;
    this.#chunks = chunks === 0 ? null : new Float64Array(chunks);
    this.#alloc = alloc;
  }

  /** Slots that follow one another from `address` on. */
  static flat(address: number, slotBytes: number): SlotArea {
    return new SlotArea(slotBytes, address, 0, () => address);
  }

  /** Slots that take memory when they are used; `alloc` gives it page-aligned. */
  static byUse(entries: number, slotBytes: number, alloc: (bytes: number) => number): SlotArea {
    return new SlotArea(slotBytes, 0, Math.ceil(entries / CHUNK_SLOTS), alloc);
  }

  /** Address of a slot. */
  at(slot: number): number {
    if (this.#chunks === null) return this.#base + slot * this.#slotBytes;
    const chunk = Math.floor(slot / CHUNK_SLOTS);
    if (this.#chunks[chunk] === 0) this.#chunks[chunk] = this.#alloc(CHUNK_SLOTS * this.#slotBytes);
    return this.#chunks[chunk] + slot % CHUNK_SLOTS * this.#slotBytes;
  }

  /** Address of a byte, counted from that of the first slot. */
  atOffset(offset: number): number {
    if (this.#chunks === null) return this.#base + offset;
    return this.at(Math.floor(offset / this.#slotBytes)) + offset % this.#slotBytes;
  }
}
