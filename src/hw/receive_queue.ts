/** What a receive queue has counted: `interrupts` are those of its vector, transmit completions too. */
export interface QueueCounters {
  frames: number;
  drops: number;
  interrupts: number;
  /** Frames without an interrupt of their own: it was masked while the driver polls, or one was due already. */
  coalesced: number;
}

/** Places that a ring has at first. */
const FEW = 8;

/**
 * A receive queue with an interrupt of its own. Its ring has memory for as many frames as have stood in it at a time: it
 * goes round, and the next frames are to be where the last ones were. What it has counted is in itself, not in an object
 * of its own, for the same reason: thousands of queues do not stay in the caches.
 */
export class ReceiveQueue implements QueueCounters {
  readonly capacity: number;
  /** Frames that no driver has taken yet. */
  count = 0;
  /** Interrupts held off while the driver polls the ring. */
  masked = false;
  /** Coalescing: an interrupt is due when this timer fires. */
  timer = -1;
  /** When the latest interrupt fired. */
  interruptedAt = -Infinity;
  frames = 0;
  drops = 0;
  interrupts = 0;
  coalesced = 0;

  #ring: number[] = Array.from({ length: FEW }, () => 0);
  #head = 0;

  /** `capacity` is the descriptors of its ring. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Puts a frame into the ring; false when it is full, and the frame is counted as dropped. */
  push(frame: number): boolean {
    if (this.count === this.capacity) {
      this.drops++;
      return false;
    }
    this.frames++;
    if (this.count === this.#ring.length) this.#grow();
    const ring = this.#ring;
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

  /** Twice as many places, the oldest frame first. */
  #grow(): void {
    const ring = this.#ring;
    const turned = [...ring.slice(this.#head), ...ring.slice(0, this.#head)];
    this.#ring = [...turned, ...turned]; // the second half means nothing yet
    this.#head = 0;
  }
}
