/** What a micro-benchmark did. The hash depends on the work alone: two builds that differ in it did different work. */
export interface Work {
  readonly operations: number;
  readonly hash: string;
}

/** A hash of numbers, one after another. */
export class WorkHash {
  #hash = 0x811c9dc5 | 0;

  add(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193) ^ (this.#hash >>> 15);
  }

  get text(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }
}
