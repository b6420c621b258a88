import { MxCommand } from "./contract.ts";

/**
 * Commands of one thread that wait until the one before them has returned: the thread is inside the kernel. The first
 * is the one in progress. Command objects are kept for reuse.
 */
export class CommandQueue {
  #items: MxCommand[] = [];
  #spare: MxCommand[] = [];

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  get first(): MxCommand {
    return this.#items[0];
  }

  /** Adds a copy of `command` at the end. */
  push(command: MxCommand): void {
    const copy = this.#spare.pop() ?? new MxCommand();
    copy.assign(command);
    this.#items.push(copy);
  }

  /** Ends the first command. */
  shift(): void {
    this.#spare.push(this.#items.shift()!);
  }
}
