import { assert } from "../base/assert.ts";
import { grown } from "../base/grown.ts";
import { SequencePool } from "../base/sequence_pool.ts";
import { COPY, DRIVER, INTERRUPT, NIC, QUEUEING, STAGES, WAKEUP, WIRE } from "./stage.ts";

/*
 * A journey is two records of doubles. One is its own, 64 bytes, with what a frame books on its way: thousands of frames
 * stand in a queue, each with a fork that nobody has touched for a while, and of it one line of the cache comes back.
 *
 *   own   [LAST]            instant up to which its time is booked
 *         [PLACE[stage]]    picoseconds on each of FRAME_STAGES
 *
 * The other one, whose number is in #restOf, has what is the same for all frames of a message as long as they are on
 * their way. Forks share it: who books there takes one of its own first.
 *
 *   rest  [START]           when the message was sent
 *         [HOLDERS]         journeys that share it
 *         [PLACE[stage]]    picoseconds on each of the other stages
 */
const OWN_BITS = 3; // shifts and bitwise or: V8 checks products and sums for overflow
const OWN = 1 << OWN_BITS;
const LAST = 0;
const REST_BITS = 4;
const RESTS = 1 << REST_BITS;
const START = 0;
const HOLDERS = 1;
const FRAME_STAGES = [QUEUEING, NIC, WIRE, WAKEUP, INTERRUPT, DRIVER, COPY];
/** A bit for each of them: where V8 knows the stage, it knows the record. */
const ON_THE_WAY = FRAME_STAGES.reduce((bits, stage) => bits | (1 << stage), 0);
const PLACE = placesOfStages();

function isOnTheWay(stage: number): boolean {
  return ((ON_THE_WAY >> stage) & 1) !== 0;
}

/** Where in its record each stage is. */
function placesOfStages(): Uint8Array {
  const others = STAGES.map((_, stage) => stage).filter((stage) => !FRAME_STAGES.includes(stage));
  const places = new Uint8Array(STAGES.length);
  FRAME_STAGES.forEach((stage, i) => places[stage] = LAST + 1 + i);
  others.forEach((stage, i) => places[stage] = HOLDERS + 1 + i);
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
  #own: Float64Array;
  #restOf: Int32Array;
  #rests: Float64Array;
  readonly #places = new SequencePool(2 ** 30);
  readonly #restPlaces = new SequencePool(2 ** 27);

  /** Sums over finished journeys, picoseconds by stage. */
  readonly #sums: Float64Array = new Float64Array(STAGES.length);
  /** Sum of end-to-end times of finished journeys, picoseconds; equals the sum of {@link sums}. */
  total = 0;
  finished = 0;
  /** Those of them during which no other message was under way. One that is lost is not, until it is sent again. */
  finishedAlone = 0;
  #countFrom = 0;
  /** Whether what is under way is one message, and no other has ended since it was sent. */
  #isAlone = false;
  #lastEnd = 0;
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
  /**
   * The last argument of {@link until}: V8 allocates it each time where a call is not inlined. A method as short as that
   * always is, and reads no more than a field that is not private to the runtime, which would take more code.
   */
  private bookedUntil = 0;

  constructor(capacity = 256) {
    this.#own = new Float64Array(capacity * OWN);
    this.#restOf = new Int32Array(capacity);
    this.#rests = new Float64Array(capacity * RESTS);
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
    return this.#sums.slice();
  }

  /** Journeys that somebody holds. */
  get live(): number {
    return this.#places.used;
  }

  /** Starts following a message that was sent at `start`, picoseconds. */
  begin(start: number): number {
    this.#isAlone = this.live === 0 && start >= this.#lastEnd;
    const id = this.#take();
    const rest = this.#takeRest();
    const own = this.#own;
    const rests = this.#rests;
    const at = id << OWN_BITS;
    const there = rest << REST_BITS;
    own[at | LAST] = start;
    for (let i = LAST + 1; i < OWN; i++) own[at | i] = 0; // fill() of so few is slower
    this.#restOf[id] = rest;
    rests[there | START] = start;
    rests[there | HOLDERS] = 1;
    for (let i = HOLDERS + 1; i < RESTS; i++) rests[there | i] = 0;
    this.#steps?.set(id, []);
    return id;
  }

  /** A second holder with the same past. */
  fork(id: number): number {
    if (id < 0) return NO_JOURNEY;
    const copy = this.#take();
    const own = this.#own;
    const from = id << OWN_BITS;
    const to = copy << OWN_BITS;
    for (let i = 0; i < OWN; i = (i + 1) | 0) own[to | i] = own[from | i];
    const rest = this.#restOf[id];
    this.#restOf[copy] = rest;
    this.#rests[(rest << REST_BITS) | HOLDERS]++;
    const past = this.#steps?.get(id);
    if (past !== undefined) this.#steps!.set(copy, past.map((step) => ({ ...step })));
    return copy;
  }

  /** Books the time since the last booking on `stage`. */
  until(id: number, stage: number, now: number): void {
    this.bookedUntil = now;
    this.bookUntil(id, stage);
  }

  private bookUntil(id: number, stage: number): void {
    if (id < 0) return;
    const own = this.#own;
    const at = id << OWN_BITS;
    const now = this.bookedUntil;
    const duration = now - own[at | LAST];
    if (this.#steps !== null) this.#note(id, stage, duration, false);
    own[at | LAST] = now;
    if (isOnTheWay(stage)) own[at | PLACE[stage]] += duration;
    else this.#bookRest(id, stage, duration);
  }

  /** When the message was sent, -1 when it is not followed. */
  startOf(id: number): number {
    return id < 0 ? NO_JOURNEY : this.#rests[(this.#restOf[id] << REST_BITS) | START];
  }

  /** The instant up to which the time of a message has been booked. */
  lastBooking(id: number): number {
    return this.#own[(id << OWN_BITS) | LAST];
  }

  /** Brings what a frame books on its way into the processor's cache. What it returns means nothing. */
  fetch(id: number): number {
    return id < 0 ? 0 : this.#own[(id << OWN_BITS) | LAST] + this.#rests[(this.#restOf[id] << REST_BITS) | HOLDERS];
  }

  /** Books `duration` picoseconds of work that follow the last booking. */
  work(id: number, stage: number, duration: number): void {
    if (this.#steps !== null) this.#note(id, stage, duration, true);
    const own = this.#own;
    const at = id << OWN_BITS;
    own[at | LAST] += duration;
    if (isOnTheWay(stage)) own[at | PLACE[stage]] += duration;
    else this.#bookRest(id, stage, duration);
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
    const start = this.startOf(id);
    assert(this.lastBooking(id) === now, "journey: a message ended with time that no stage accounts for");
    const latency = now - start;
    if (this.#steps !== null) {
      this.lastSteps = this.#steps.get(id) ?? [];
      if (this.onFinish !== null) this.onFinish(this.lastSteps);
    }
    if (start >= this.#countFrom) {
      for (let stage = 0; stage < PLACE.length; stage++) this.#sums[stage] += this.#booked(id, stage);
      this.total += latency;
      this.finished++;
      if (this.#isAlone) this.finishedAlone++;
      if (this.watch !== null && by !== null) {
        for (let stage = 0; stage < PLACE.length; stage++) this.#watched[stage] = this.#booked(id, stage);
        this.watch.completed(by, from, this.#watched);
      }
    }
    this.#lastEnd = now;
    this.#give(id);
    return latency;
  }

  /** Forgets what was finished so far; only messages sent from now on will count. */
  countFrom(now: number): void {
    this.#countFrom = now;
    this.#sums.fill(0);
    this.total = 0;
    this.finished = 0;
    this.finishedAlone = 0;
  }

  #note(id: number, stage: number, duration: number, isWork: boolean): void {
    const steps = this.#steps!.get(id);
    if (steps === undefined || duration === 0) return;
    const from = this.lastBooking(id);
    const { place, side } = this;
    const last = steps[steps.length - 1];
    if (last !== undefined && last.stage === stage && last.place === place) {
      last.duration += duration;
      if (isWork && last.workFrom < 0) last.workFrom = from;
    } else {
      steps.push({ stage, place, from, duration, workFrom: isWork ? from : -1, side });
    }
  }

  /** What is booked on a stage, picoseconds. */
  #booked(id: number, stage: number): number {
    if (isOnTheWay(stage)) return this.#own[(id << OWN_BITS) | PLACE[stage]];
    return this.#rests[(this.#restOf[id] << REST_BITS) | PLACE[stage]];
  }

  /** Books on a stage that is in the other record. */
  #bookRest(id: number, stage: number, duration: number): void {
    if (duration === 0) return;
    let rest = this.#restOf[id];
    if (this.#rests[(rest << REST_BITS) | HOLDERS] > 1) rest = this.#unshare(id, rest);
    this.#rests[(rest << REST_BITS) | PLACE[stage]] += duration;
  }

  /** Gives a journey a copy of the record that it shares; returns it. */
  #unshare(id: number, shared: number): number {
    const rest = this.#takeRest();
    const rests = this.#rests;
    const from = shared << REST_BITS;
    const to = rest << REST_BITS;
    for (let i = 0; i < RESTS; i = (i + 1) | 0) rests[to | i] = rests[from | i];
    rests[to | HOLDERS] = 1;
    rests[from | HOLDERS]--;
    this.#restOf[id] = rest;
    return rest;
  }

  #take(): number {
    const id = this.#places.take();
    if (id >= this.#restOf.length) {
      this.#own = grown(this.#own, new Float64Array(2 * this.#own.length));
      this.#restOf = grown(this.#restOf, new Int32Array(2 * this.#restOf.length));
    }
    return id;
  }

  #takeRest(): number {
    const rest = this.#restPlaces.take();
    if (rest << REST_BITS >= this.#rests.length) {
      this.#rests = grown(this.#rests, new Float64Array(2 * this.#rests.length));
    }
    return rest;
  }

  #give(id: number): void {
    this.#places.give(id);
    const rest = this.#restOf[id];
    if (--this.#rests[(rest << REST_BITS) | HOLDERS] === 0) this.#restPlaces.give(rest);
    this.#steps?.delete(id);
  }
}
