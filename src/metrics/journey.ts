import { assert } from "../base/assert.ts";
import { IndexPool } from "../base/pool.ts";
import { STAGES } from "./stage.ts";

const WIDTH = STAGES.length;
/** "This message is not followed." */
export const NO_JOURNEY = -1;

/**
 * A journey follows one message from send call to receive completion and books every picosecond on a stage. Whoever
 * holds the message (a command, a ring slot, a frame, an event, a request) holds the journey, one holder at a time;
 * a message that becomes several frames forks it, and the frame that completes the message finishes it: what is
 * reported is that critical path. Journeys are the observer's: no byte of them is in any emulated memory.
 */
export class Journeys {
  #pool: IndexPool;
  #start: Float64Array;
  #last: Float64Array;
  #stages: Float64Array;

  /** Sums over finished journeys, picoseconds by stage. */
  readonly sums: Float64Array = new Float64Array(WIDTH);
  /** Sum of end-to-end times of finished journeys, picoseconds; equals the sum of {@link sums}. */
  total = 0;
  finished = 0;
  #countFrom = 0;

  constructor(capacity: number) {
    this.#pool = new IndexPool(capacity);
    this.#start = new Float64Array(capacity);
    this.#last = new Float64Array(capacity);
    this.#stages = new Float64Array(capacity * WIDTH);
  }

  get live(): number {
    return this.#pool.used;
  }

  /** Starts following a message; {@link NO_JOURNEY} when as many are followed as can be. */
  begin(now: number): number {
    const id = this.#pool.take();
    if (id < 0) return NO_JOURNEY;
    this.#start[id] = now;
    this.#last[id] = now;
    this.#stages.fill(0, id * WIDTH, (id + 1) * WIDTH);
    return id;
  }

  /** A second holder with the same past. */
  fork(id: number): number {
    if (id < 0) return NO_JOURNEY;
    const copy = this.#pool.take();
    if (copy < 0) return NO_JOURNEY;
    this.#start[copy] = this.#start[id];
    this.#last[copy] = this.#last[id];
    this.#stages.copyWithin(copy * WIDTH, id * WIDTH, (id + 1) * WIDTH);
    return copy;
  }

  /** Books the time since the last booking on `stage`. */
  until(id: number, stage: number, now: number): void {
    if (id < 0) return;
    this.#stages[id * WIDTH + stage] += now - this.#last[id];
    this.#last[id] = now;
  }

  /** Picoseconds since the last booking. */
  unbooked(id: number, now: number): number {
    return now - this.#last[id];
  }

  /** Books `duration` picoseconds of work that follow the last booking. */
  work(id: number, stage: number, duration: number): void {
    this.#stages[id * WIDTH + stage] += duration;
    this.#last[id] += duration;
  }

  /** The message is lost, a duplicate, or its journey is carried on by a fork. */
  drop(id: number): void {
    if (id >= 0) this.#pool.give(id);
  }

  /** The message is complete: adds its stages to the sums, unless it was sent before {@link countFrom}. */
  finish(id: number, now: number): void {
    if (id < 0) return;
    assert(this.#last[id] === now, "journey: a message ended with time that no stage accounts for");
    if (this.#start[id] >= this.#countFrom) {
      for (let i = 0; i < WIDTH; i++) this.sums[i] += this.#stages[id * WIDTH + i];
      this.total += now - this.#start[id];
      this.finished++;
    }
    this.#pool.give(id);
  }

  /** Forgets what was finished so far; only messages sent from now on will count. */
  countFrom(now: number): void {
    this.#countFrom = now;
    this.sums.fill(0);
    this.total = 0;
    this.finished = 0;
  }
}
