/** What a receive queue has counted: `interrupts` are those of its vector, transmit completions too. */
export interface QueueCounters {
  frames: number;
  drops: number;
  interrupts: number;
  /** Frames without an interrupt of their own: it was masked while the driver polls, or one was due already. */
  coalesced: number;
}

/** A receive queue with an interrupt of its own. */
export class ReceiveQueue {
  /** Frames that no driver has taken yet. */
  count = 0;
  /** Interrupts held off while the driver polls the ring. */
  masked = false;
  /** Coalescing: an interrupt is due when this timer fires. */
  timer = -1;
  /** When the latest interrupt fired. */
  interruptedAt = -Infinity;
  readonly counters: QueueCounters = { frames: 0, drops: 0, interrupts: 0, coalesced: 0 };

  readonly #ring: Int32Array;
  #head = 0;

  constructor(capacity: number) {
    this.#ring = new Int32Array(capacity);
  }

  /** Descriptors of its ring. */
  get capacity(): number {
    return this.#ring.length;
  }

  /** Puts a frame into the ring; false when it is full, and the frame is counted as dropped. */
  push(frame: number): boolean {
    const ring = this.#ring;
    if (this.count === ring.length) {
      this.counters.drops++;
      return false;
    }
    this.counters.frames++;
    let slot = this.#head + this.count++;
    if (slot >= ring.length) slot -= ring.length;
    ring[slot] = frame;
    return true;
  }

  /** The oldest frame, -1 when there is none. */
  take(): number {
    if (this.count === 0) return -1;
    const ring = this.#ring;
    const head = this.#head;
    const frame = ring[head];
    this.#head = head + 1 === ring.length ? 0 : head + 1;
    this.count--;
    return frame;
  }
}
