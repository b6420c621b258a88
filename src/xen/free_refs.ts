/**
 * The free list of a grant table: what was given back last goes first, then entries that were never used, lowest first.
 * Those are a range, not a list: most tables never use most of theirs.
 */
export class FreeRefs {
  /** Under the range, top last. */
  readonly #under: number[] = [];
  /** Never used since they were added: [#from, #to). */
  #from = 0;
  #to = 0;
  /** Given back since then. */
  readonly #over: number[] = [];

  get count(): number {
    return this.#under.length + this.#to - this.#from + this.#over.length;
  }

  /** Adds the references [from, to), the lowest of them on top of all that are there. */
  addRange(from: number, to: number): void {
    while (this.#to > this.#from) this.#under.push(--this.#to);
    for (const ref of this.#over) this.#under.push(ref);
    this.#over.length = 0;
    this.#from = from;
    this.#to = to;
  }

  give(ref: number): void {
    this.#over.push(ref);
  }

  /** The reference on top; there must be one. */
  take(): number {
    if (this.#over.length > 0) return this.#over.pop()!;
    return this.#from < this.#to ? this.#from++ : this.#under.pop()!;
  }
}
