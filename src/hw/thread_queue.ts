import type { Thread } from "./thread.ts";

/** The threads of a processor that have something to run or occupy it, in the order of their turns. */
export class ThreadQueue {
  readonly #threads: Thread[] = [];
  /** Whose turn comes first, null when there are none: looked at several times for each burst. */
  first: Thread | null = null;
  /** Who ran last, until when it may go on while others wait, picoseconds. */
  #last: Thread | null = null;
  #sliceEnd = 0;

  get length(): number {
    return this.#threads.length;
  }

  /** When the present thread's slice is over, picoseconds. */
  get sliceEnd(): number {
    return this.#sliceEnd;
  }

  /** A woken thread goes before one that only polls or computes, and after one that has work in hand. */
  wake(thread: Thread): void {
    thread.sliceLeft = 0;
    thread.isWoken = true;
    const threads = this.#threads;
    let at = 0;
    while (at < threads.length && !threads[at].isOccupying) at++;
    if (at < threads.length) threads.splice(at, 0, thread);
    else threads.push(thread);
    if (at === 0) this.first = thread;
  }

  /** Takes a thread out that has nothing more to run: nearly always the only one. */
  remove(thread: Thread): void {
    if (this.#threads.length === 1) this.#threads.pop();
    else this.#threads.splice(this.#threads.indexOf(thread), 1);
    this.#lookForFirst();
  }

  /** Takes an exited thread out, and its last switch with it. */
  forget(thread: Thread): void {
    const at = this.#threads.indexOf(thread);
    if (at >= 0) this.#threads.splice(at, 1);
    if (this.#last === thread) this.#last = null;
    this.#lookForFirst();
  }

  /** The first one lets the others run before it. */
  giveWay(): void {
    if (this.#threads.length <= 1) return;
    this.#threads.push(this.#threads.shift()!);
    this.#lookForFirst();
    this.first!.sliceLeft = 0; // whose turn comes round begins a new slice
  }

  /** Whose turn it is at the instant `now`: who ran last gives way once its slice is over. */
  next(now: number): Thread | null {
    if (this.#threads.length > 1 && this.first === this.#last && now >= this.#sliceEnd) this.giveWay();
    return this.first;
  }

  /** Whether the only thread there is goes on looking for something, or computing, as before. */
  get isOccupiedAsBefore(): boolean {
    const { first } = this;
    return first !== null && first === this.#last && this.#threads.length === 1 && first.isOccupying;
  }

  /**
   * `thread` runs from `now` on, for a slice if it did not before; true when that is a switch from another one, or from
   * the idle task to a process that had blocked (kernel threads charge for being woken themselves). Who was pushed aside
   * by a woken one has the rest of its slice: with a new one each time it would never give way.
   */
  switchTo(thread: Thread, now: number, slice: number): boolean {
    const last = this.#last;
    const wasBlocked = thread.isWoken;
    thread.isWoken = false;
    if (thread === last) return wasBlocked && thread.isProcess;
    if (last !== null) last.sliceLeft = Math.max(1, this.#sliceEnd - now);
    this.#last = thread;
    this.#sliceEnd = now + (thread.sliceLeft > 0 ? thread.sliceLeft : slice);
    return last !== null;
  }

  #lookForFirst(): void {
    const threads = this.#threads;
    this.first = threads.length === 0 ? null : threads[0]; // V8 compiles anew what has read outside an array
  }
}
