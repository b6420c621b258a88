import { assert } from "../base/assert.ts";
import { STAGES } from "./stage.ts";

const WIDTH = STAGES.length;
/** "This message is not followed." */
export const NO_JOURNEY = -1;

/** One stretch of a followed message's time, as {@link Journeys.record} keeps it. */
export interface JourneyStep {
  /** Index into STAGES. */
  readonly stage: number;
  /** Who held the message: a processor, a NIC, a wire. */
  readonly place: string;
  /** Picoseconds of virtual time. */
  readonly from: number;
  duration: number;
  /** When somebody first worked on the message in this stretch, which began by waiting; -1 when nobody did. */
  workFrom: number;
  /** Where the place is a wire: the end of it that sent the message. */
  readonly side: number;
}

/**
 * A journey follows one message from send call to receive completion and books every picosecond on a stage. Whoever
 * holds the message (a command, a ring slot, a frame, an event, a request) holds the journey, one holder at a time;
 * a message that becomes several frames forks it, and the frame that completes the message finishes it: what is
 * reported is that critical path. Journeys are the observer's: no byte of them is in any emulated memory.
 */
export class Journeys {
  #start: Float64Array;
  #last: Float64Array;
  #stages: Float64Array;
  #free: Int32Array;
  #freeCount: number;

  /** Sums over finished journeys, picoseconds by stage. */
  readonly sums: Float64Array = new Float64Array(WIDTH);
  /** Sum of end-to-end times of finished journeys, picoseconds; equals the sum of {@link sums}. */
  total = 0;
  finished = 0;
  #countFrom = 0;
  /** Who is about to book: set by holders while steps are being recorded. */
  place = "";
  /** The sending end, when the place is a wire. */
  side = 0;
  /** Steps of every journey under way, while recording. */
  #steps: Map<number, JourneyStep[]> | null = null;
  /** Steps of the journey that finished last, while recording. */
  lastSteps: readonly JourneyStep[] = [];
  /** Told of the steps of each message that is complete, while recording. */
  onFinish: ((steps: readonly JourneyStep[]) => void) | null = null;

  constructor(capacity = 256) {
    this.#start = new Float64Array(capacity).fill(NaN);
    this.#last = new Float64Array(capacity);
    this.#stages = new Float64Array(capacity * WIDTH);
    this.#free = new Int32Array(capacity);
    for (let i = 0; i < capacity; i++) this.#free[i] = capacity - 1 - i;
    this.#freeCount = capacity;
  }

  /** From now on keeps every step of the messages that start; slow, for looking at single messages. */
  record(): void {
    this.#steps = new Map();
  }

  /** Keeps no more steps, and forgets those of messages under way. */
  stopRecording(): void {
    this.#steps = null;
    this.onFinish = null;
  }

  get isRecording(): boolean {
    return this.#steps !== null;
  }

  /** Journeys that somebody holds. */
  get live(): number {
    return this.#start.length - this.#freeCount;
  }

  /** Starts following a message that was sent at `start`, picoseconds. */
  begin(start: number): number {
    const id = this.#take();
    this.#start[id] = start;
    this.#last[id] = start;
    this.#stages.fill(0, id * WIDTH, (id + 1) * WIDTH);
    this.#steps?.set(id, []);
    return id;
  }

  /** A second holder with the same past. */
  fork(id: number): number {
    if (id < 0) return NO_JOURNEY;
    const copy = this.#take();
    this.#start[copy] = this.#start[id];
    this.#last[copy] = this.#last[id];
    const from = id * WIDTH;
    const to = copy * WIDTH;
    for (let i = 0; i < WIDTH; i++) this.#stages[to + i] = this.#stages[from + i];
    const past = this.#steps?.get(id);
    if (past !== undefined) this.#steps!.set(copy, past.map((step) => ({ ...step })));
    return copy;
  }

  /** Books the time since the last booking on `stage`. */
  until(id: number, stage: number, now: number): void {
    if (id < 0) return;
    if (this.#steps !== null) this.#note(id, stage, now - this.#last[id], false);
    this.#stages[id * WIDTH + stage] += now - this.#last[id];
    this.#last[id] = now;
  }

  /** When the message was sent, -1 when it is not followed. */
  startOf(id: number): number {
    return id < 0 ? NO_JOURNEY : this.#start[id];
  }

  /** The instant up to which the time of a message has been booked. */
  lastBooking(id: number): number {
    return this.#last[id];
  }

  /** Books `duration` picoseconds of work that follow the last booking. */
  work(id: number, stage: number, duration: number): void {
    if (this.#steps !== null) this.#note(id, stage, duration, true);
    this.#stages[id * WIDTH + stage] += duration;
    this.#last[id] += duration;
  }

  /** The message is lost or a duplicate, or a fork carries its journey on. */
  drop(id: number): void {
    if (id >= 0) this.#give(id);
  }

  /**
   * The message is complete: adds its stages to the sums, unless it was sent before {@link countFrom}. Returns its
   * latency in picoseconds, -1 when it was not followed.
   */
  finish(id: number, now: number): number {
    if (id < 0) return -1;
    assert(this.#last[id] === now, "journey: a message ended with time that no stage accounts for");
    const latency = now - this.#start[id];
    if (this.#steps !== null) {
      this.lastSteps = this.#steps.get(id) ?? [];
      if (this.onFinish !== null) this.onFinish(this.lastSteps);
    }
    if (this.#start[id] >= this.#countFrom) {
      for (let i = 0; i < WIDTH; i++) this.sums[i] += this.#stages[id * WIDTH + i];
      this.total += latency;
      this.finished++;
    }
    this.#give(id);
    return latency;
  }

  /** Forgets what was finished so far; only messages sent from now on will count. */
  countFrom(now: number): void {
    this.#countFrom = now;
    this.sums.fill(0);
    this.total = 0;
    this.finished = 0;
  }

  #note(id: number, stage: number, duration: number, isWork: boolean): void {
    const steps = this.#steps!.get(id);
    if (steps === undefined || duration === 0) return;
    const from = this.#last[id];
    const { place, side } = this;
    const last = steps[steps.length - 1];
    if (last !== undefined && last.stage === stage && last.place === place) {
      last.duration += duration;
      if (isWork && last.workFrom < 0) last.workFrom = from;
    } else {
      steps.push({ stage, place, from, duration, workFrom: isWork ? from : -1, side });
    }
  }

  #take(): number {
    if (this.#freeCount === 0) this.#grow();
    return this.#free[--this.#freeCount];
  }

  #give(id: number): void {
    assert(this.#start[id] >= 0, "journey: it was given up twice");
    this.#start[id] = NaN;
    this.#steps?.delete(id);
    this.#free[this.#freeCount++] = id;
  }

  #grow(): void {
    const old = this.#start.length;
    const grow = (from: Float64Array, size: number) => {
      const to = new Float64Array(size).fill(NaN);
      to.set(from);
      return to;
    };
    this.#start = grow(this.#start, old * 2);
    this.#last = grow(this.#last, old * 2);
    this.#stages = grow(this.#stages, old * 2 * WIDTH);
    this.#free = new Int32Array(old * 2);
    for (let i = 0; i < old; i++) this.#free[i] = 2 * old - 1 - i;
    this.#freeCount = old;
  }
}
