import type { Memory } from "../hw/memory.ts";

/** What a guest's programs are given, one after another: a later one gets the places of the one before, zeroed. */
export class GuestMemory {
  readonly #memory: Memory;
  readonly #fresh: (bytes: number) => number;
  readonly #stretches: { address: number; bytes: number }[] = [];
  #next = 0;

  /** `fresh` gives memory that nobody has had before. */
  constructor(memory: Memory, fresh: (bytes: number) => number) {
    this.#memory = memory;
    this.#fresh = fresh;
  }

  alloc(bytes: number): number {
    const old = this.#stretches[this.#next];
    const fits = old !== undefined && old.bytes >= bytes;
    const address = fits ? old.address : this.#fresh(bytes);
    if (fits) this.#memory.clear(address, old.bytes);
    else this.#stretches[this.#next] = { address, bytes };
    this.#next++;
    return address;
  }

  /** All of it is free for another program. */
  reset(): void {
    this.#next = 0;
  }
}
