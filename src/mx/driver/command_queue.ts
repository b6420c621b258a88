import { MxCommand } from "./contract.ts";

/**
 * Commands of one thread that wait until the one before them has returned: the thread is inside the kernel. The first
 * is the one in progress. Command objects are kept for reuse.
 */
export class CommandQueue {
  readonly #items: MxCommand[] = [];
  /** Where the first one is; those before it are for reuse. */
  #head = 0;
  #end = 0;

  get isEmpty(): boolean {
    return this.#head === this.#end;
  }

  get first(): MxCommand {
    return this.#items[this.#head];
  }

  /** Adds a copy of `command` at the end. */
  push(command: MxCommand): void {
    if (this.#end === this.#items.length) this.#makeRoom();
    this.#items[this.#end++].assign(command);
  }

  /** Ends the first command. */
  shift(): void {
    this.#head++;
    if (this.#head === this.#end) this.#head = this.#end = 0;
  }

  #makeRoom(): void {
    if (this.#head === 0) {
      this.#items.push(new MxCommand());
      return;
    }
    this.#items.push(...this.#items.splice(0, this.#head));
    this.#end -= this.#head;
    this.#head = 0;
  }
}
