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
    ring[(this.#head + this.count++) % ring.length] = frame;
    return true;
  }

  /** The oldest frame, -1 when there is none. */
  take(): number {
    if (this.count === 0) return -1;
    const frame = this.#ring[this.#head];
    this.#head = (this.#head + 1) % this.#ring.length;
    this.count--;
    return frame;
  }
}
