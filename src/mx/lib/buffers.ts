import { Stack } from "../../base/stack.ts";
import type { Memory } from "../../hw/memory.ts";

const MIN_BITS = 7; // 128 bytes: every tiny and small message

/**
 * The library's own buffers in guest memory: copies of small sends that may have to be sent again, unexpected messages
 * and packets that came early. Blocks are powers of two; given-back ones are used again, memory is never returned.
 */
export class Buffers {
  readonly #memory: Memory;
  readonly #free: Stack<number>[] = [];
  /** Blocks handed out. */
  used = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Address of a block of at least `bytes` bytes. */
  take(bytes: number): number {
    const sizeClass = classOf(bytes);
    this.used++;
    if (sizeClass < this.#free.length && !this.#free[sizeClass].isEmpty) return this.#free[sizeClass].pop();
    return this.#memory.alloc(2 ** (sizeClass + MIN_BITS), 64);
  }

  /** Gives back a block that was taken for `bytes`. */
  give(address: number, bytes: number): void {
    const sizeClass = classOf(bytes);
    while (this.#free.length <= sizeClass) this.#free.push(new Stack());
    this.#free[sizeClass].push(address);
    this.used--;
  }
}

function classOf(bytes: number): number {
  const rounded = bytes <= 1 << MIN_BITS ? 1 << MIN_BITS : bytes;
  return 32 - Math.clz32(rounded - 1) - MIN_BITS;
}
