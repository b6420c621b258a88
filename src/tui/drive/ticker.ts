import type { Clock } from "../pacer.ts";

/**
 * Calls `action` every `periodMs` on the average, however late each call is: a timer that counts from when it was called
 * last would lose what the engine's slices make it wait, and show nine pictures a second in place of ten. Calls that
 * were missed altogether are not made up for. After an action that took long, others have the thread for as long: on a
 * slow machine pictures become fewer, and do not starve what they are of.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #action: () => void;
  #due: number;
  #cancel: () => void;
  #stopped = false;

  constructor(clock: Clock, periodMs: number, action: () => void) {
    this.#clock = clock;
    this.#periodMs = periodMs;
    this.#action = action;
    this.#due = clock.now() + periodMs;
    this.#cancel = clock.later(() => this.#tick(), periodMs);
  }

  stop(): void {
    this.#cancel();
  }

  #tick(): void {
    const start = this.#clock.now();
    this.#cancel = () => this.#stopped = true;
    this.#action();
    if (this.#stopped) return;
    const now = this.#clock.now();
    const missed = Math.max(0, Math.floor((now - this.#due) / this.#periodMs));
    this.#due += (missed + 1) * this.#periodMs;
    this.#cancel = this.#clock.later(() => this.#tick(), Math.max(this.#due - now, now - start));
  }
}
