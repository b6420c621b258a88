/**
 * Things that are free, the last one given back on top. What an array has for it looks at the kind of the array, at its
 * holes and its room each time; here the array keeps its length, and what lies above the top means nothing.
 */
export class Stack<T> {
  readonly #items: T[] = [];
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  push(item: T): void {
    if (this.#count === this.#items.length) this.#items.push(item);
    else this.#items[this.#count] = item;
    this.#count = (this.#count + 1) | 0;
  }

  /** The caller has seen that there is one. */
  pop(): T {
    this.#count = (this.#count - 1) | 0;
    return this.#items[this.#count];
  }
}
