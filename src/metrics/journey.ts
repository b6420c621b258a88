import { assert } from "../base/assert.ts";
import { SequencePool } from "../base/sequence_pool.ts";
import { COPY, DRIVER, INTERRUPT, NIC, QUEUEING, STAGES, WIRE } from "./stage.ts";

/*
 * A journey is one record of RECORD doubles, so that looking after a message that nobody has touched for a while (its
 * frame stood in a queue of thousands) brings one line of the cache in, not four:
 *
 *   [LAST]            instant up to which its time is booked
 *   [PLACE[stage]]    picoseconds on each stage; first those that a frame books on its way
 *   [START]           when the message was sent, NaN while the record is free
 */
const LAST = 0;
const FRAME_STAGES = [QUEUEING, NIC, WIRE, INTERRUPT, DRIVER, COPY];
const PLACE = placesOfStages(FRAME_STAGES);
const START = 1 + STAGES.length;
const RECORD = START + 1;

/** Where in a record each stage is, the `first` ones before all others. */
function placesOfStages(first: readonly number[]): Uint8Array {
  const others = STAGES.map((_, stage) => stage).filter((stage) => !first.includes(stage));
  const places = new Uint8Array(STAGES.length);
  [...first, ...others].forEach((stage, i) => places[stage] = LAST + 1 + i);
  return places;
}

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

/** Somebody who wants to know whose each complete message was. */
export interface JourneyWatch {
  /**
   * `by` has received a message of its partner `from`, objects of the MX library. `stagePs` is what it has spent on each
   * stage, picoseconds; the same array with each call.
   */
  completed(by: object, from: object | null, stagePs: Float64Array): void;
}

/**
 * A journey follows one message from send call to receive completion and books every picosecond on a stage. Whoever
 * holds the message (a command, a ring slot, a frame, an event, a request) holds the journey, one holder at a time;
 * a message that becomes several frames forks it, and the frame that completes the message finishes it: what is
 * reported is that critical path. Journeys are the observer's: no byte of them is in any emulated memory.
 */
export class Journeys {
  #records: Float64Array;
  readonly #places = new SequencePool(2 ** 30);

  /** Sums over finished journeys, picoseconds, as in a record. */
  readonly #sums: Float64Array = new Float64Array(START);
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
  /** Told of each message that counts; null when nobody looks. */
  watch: JourneyWatch | null = null;
  readonly #watched: Float64Array = new Float64Array(STAGES.length);

  constructor(capacity = 256) {
    this.#records = new Float64Array(capacity * RECORD).fill(NaN);
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

  /** Sums over finished journeys, picoseconds by stage. */
  get sums(): Float64Array {
    return Float64Array.from(PLACE, (place) => this.#sums[place]);
  }

  /** Journeys that somebody holds. */
  get live(): number {
    return this.#places.used;
  }

  /** Starts following a message that was sent at `start`, picoseconds. */
  begin(start: number): number {
    const id = this.#take();
    const record = id * RECORD;
    const records = this.#records;
    for (let i = record + 1; i < record + START; i++) records[i] = 0; // fill() of so few is slower
    records[record + LAST] = start;
    records[record + START] = start;
    this.#steps?.set(id, []);
    return id;
  }

  /** A second holder with the same past. */
  fork(id: number): number {
    if (id < 0) return NO_JOURNEY;
    const copy = this.#take();
    const records = this.#records;
    let from = (id * RECORD) | 0;
    let to = (copy * RECORD) | 0;
    for (let left = RECORD; left > 0; left--) {
      records[to] = records[from];
      from = (from + 1) | 0;
      to = (to + 1) | 0;
    }
    const past = this.#steps?.get(id);
    if (past !== undefined) this.#steps!.set(copy, past.map((step) => ({ ...step })));
    return copy;
  }

  /** Books the time since the last booking on `stage`. */
  until(id: number, stage: number, now: number): void {
    if (id < 0) return;
    const records = this.#records;
    const record = id * RECORD;
    const duration = now - records[record + LAST];
    if (this.#steps !== null) this.#note(id, stage, duration, false);
    records[record + PLACE[stage]] += duration;
    records[record + LAST] = now;
  }

  /** When the message was sent, -1 when it is not followed. */
  startOf(id: number): number {
    return id < 0 ? NO_JOURNEY : this.#records[id * RECORD + START];
  }

  /** The instant up to which the time of a message has been booked. */
  lastBooking(id: number): number {
    return this.#records[id * RECORD + LAST];
  }

  /** Brings what a frame books on its way into the processor's cache. What it returns means nothing. */
  fetch(id: number): number {
    if (id < 0) return 0;
    const record = id * RECORD;
    return this.#records[record + LAST] + this.#records[record + LAST + FRAME_STAGES.length];
  }

  /** Books `duration` picoseconds of work that follow the last booking. */
  work(id: number, stage: number, duration: number): void {
    if (this.#steps !== null) this.#note(id, stage, duration, true);
    const record = id * RECORD;
    this.#records[record + PLACE[stage]] += duration;
    this.#records[record + LAST] += duration;
  }

  /** The message is lost or a duplicate, or a fork carries its journey on. */
  drop(id: number): void {
    if (id >= 0) this.#give(id);
  }

  /**
   * The message is complete: adds its stages to the sums, unless it was sent before {@link countFrom}. `by` and `from`
   * are for who watches. Returns its latency in picoseconds, -1 when it was not followed.
   */
  finish(id: number, now: number, by: object | null = null, from: object | null = null): number {
    if (id < 0) return -1;
    const records = this.#records;
    const record = id * RECORD;
    const start = records[record + START];
    assert(records[record + LAST] === now, "journey: a message ended with time that no stage accounts for");
    const latency = now - start;
    if (this.#steps !== null) {
      this.lastSteps = this.#steps.get(id) ?? [];
      if (this.onFinish !== null) this.onFinish(this.lastSteps);
    }
    if (start >= this.#countFrom) {
      const sums = this.#sums;
      for (let i = 1; i < START; i++) sums[i] += records[record + i];
      this.total += latency;
      this.finished++;
      if (this.watch !== null && by !== null) {
        for (let stage = 0; stage < PLACE.length; stage++) this.#watched[stage] = records[record + PLACE[stage]];
        this.watch.completed(by, from, this.#watched);
      }
    }
    this.#give(id);
    return latency;
  }

  /** Forgets what was finished so far; only messages sent from now on will count. */
  countFrom(now: number): void {
    this.#countFrom = now;
    this.#sums.fill(0);
    this.total = 0;
    this.finished = 0;
  }

  #note(id: number, stage: number, duration: number, isWork: boolean): void {
    const steps = this.#steps!.get(id);
    if (steps === undefined || duration === 0) return;
    const from = this.#records[id * RECORD + LAST];
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
    const id = this.#places.take();
    if (id * RECORD >= this.#records.length) this.#grow();
    return id;
  }

  #give(id: number): void {
    const start = id * RECORD + START;
    assert(this.#records[start] >= 0, "journey: it was given up twice");
    this.#records[start] = NaN;
    this.#steps?.delete(id);
    this.#places.give(id);
  }

  #grow(): void {
    const records = new Float64Array(this.#records.length * 2).fill(NaN);
    records.set(this.#records);
    this.#records = records;
  }
}
