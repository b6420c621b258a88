import type { TraceTrack } from "../sim/trace.ts";
import type { Journeys } from "../metrics/journey.ts";
import * as journeys from "../metrics/journey.ts";
import * as stages from "../metrics/stage.ts";
import * as layout from "./cpu_records.ts";
import type { Records } from "./records.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { NO_JOURNEY } = journeys;
const { COPY, CPU_CLASSES, HYPERVISOR, KERNEL, STAGES, WAKEUP } = stages;
const { CHARGED, OFFLINE_TO, PASSED, PIECES, PROCESSOR_RECORD, WAKING_FROM, WAKING_TO } = layout;

/*
 * The burst that executes: there is one at a time, whatever clusters there are. In arrays of this file, whose place the
 * compiler knows: a processor that has not run for long has left the caches. V8 moves arrays of less than 64 bytes.
 */
/** The instant it has reached, and since when it has been charged for its class, picoseconds. */
const instants = new Float64Array(16);
const NOW = 0;
const CLASS_SINCE = 1;
/** The class, and the message that is carried. */
const numbers = new Int32Array(32);
const CLASS = 0;
const JOURNEY = 1;
numbers[CLASS] = KERNEL;
numbers[JOURNEY] = NO_JOURNEY;

/**
 * What code that executes on a processor sees of it: the instant that it has reached, which its charges move on, and the
 * message that it works for. The processor itself, which extends this, says when a burst begins and when its time has
 * passed.
 */
export abstract class Burst {
  readonly journeys: Journeys;
  /** What is counted of it: in the record there, which may move when something is charged. */
  protected readonly records: Records;
  protected record: number;
  // Small integers, which are in the object itself: what is read from the record is a double first.
  /** How long the record is, and where its last piece ends, from its beginning on. */
  #length = PROCESSOR_RECORD;
  #end = PIECES;
  /** What is done here: work by stage, polling, computing. Null when nobody looks. */
  track: TraceTrack | null = null;
  /** Copies of payload that were charged for, and their bytes. */
  copies = 0;
  copiedBytes = 0;

  constructor(journeys: Journeys, records: Records) {
    this.journeys = journeys;
    this.records = records;
    this.record = records.take(PROCESSOR_RECORD);
  }

  /** The instant the executing burst has reached, picoseconds. Means nothing while none executes here. */
  get now(): number {
    return instants[NOW];
  }

  /** Spends `duration` picoseconds (an integer) in a CPU class and books it on a stage of the carried message. */
  charge(stage: number, cls: number, duration: number): void {
    if (this.track !== null) this.track.slice(STAGES[stage], CPU_CLASSES[cls], instants[NOW], duration);
    if (cls !== numbers[CLASS]) this.#turnTo(cls);
    instants[NOW] += duration;
    const journey = numbers[JOURNEY];
    if (journey >= 0) this.journeys.work(journey, stage, duration);
  }

  /** Charges a copy of `bytes` of payload to the carried message; `way` says between which places, for observers. */
  copy(cls: number, duration: number, bytes: number, way: string): void {
    this.copies++;
    this.copiedBytes += bytes;
    if (this.track?.note) this.track.note("copy", instants[NOW], { bytes, way });
    this.charge(COPY, cls, duration);
  }

  /** Takes up a message: the time since it was put down goes to `waitStage`, and charges go to it from here on. */
  carry(journey: number, waitStage: number): void {
    numbers[JOURNEY] = journey;
    if (journey < 0) return;
    const from = this.journeys.lastBooking(journey);
    if (from === instants[NOW]) return; // nearly always when one layer takes over from another within a burst
    if (from < this.records.words[this.record + OFFLINE_TO]) this.#bookOffline(journey, waitStage);
    this.journeys.until(journey, waitStage, instants[NOW]);
  }

  /** A message has waited, part of that while the processor could not run: that part has its own causes. */
  #bookOffline(journey: number, waitStage: number): void {
    const from = this.journeys.lastBooking(journey);
    const { words } = this.records;
    const wakingFrom = words[this.record + WAKING_FROM];
    const wakingTo = words[this.record + WAKING_TO];
    if (from < wakingFrom) this.journeys.until(journey, waitStage, wakingFrom);
    if (from < wakingTo) this.journeys.until(journey, WAKEUP, wakingTo);
    this.journeys.until(journey, HYPERVISOR, words[this.record + OFFLINE_TO]);
  }

  /** Puts down the carried message. */
  putDown(): void {
    numbers[JOURNEY] = NO_JOURNEY;
  }

  /** Picoseconds by class (user, kernel, irq, hypervisor, steal, idle) that have passed: see `Processor.settle`. */
  get time(): Float64Array {
    const at = this.record + PASSED;
    return this.records.words.subarray(at, at + CPU_CLASSES.length);
  }

  /** The same of one class, for what asks all the time. */
  timeIn(cls: number): number {
    return this.records.words[this.record + PASSED + cls];
  }

  get carried(): number {
    return numbers[JOURNEY];
  }

  // ---- used by the processor

  /** A burst begins to execute at the instant `now`. */
  protected begin(now: number): void {
    instants[NOW] = instants[CLASS_SINCE] = now;
    numbers[JOURNEY] = NO_JOURNEY;
  }

  /** It has executed, and takes time: what it has charged waits to be booked. */
  protected executed(): void {
    this.#turnTo(numbers[CLASS]);
  }

  /** Work could not run until `to`: up to `wakingFrom` it had not come, up to `wakingTo` a CPU left its idle state. */
  protected couldNotRun(wakingFrom: number, wakingTo: number, to: number): void {
    const { words } = this.records;
    words[this.record + WAKING_FROM] = wakingFrom;
    words[this.record + WAKING_TO] = wakingTo;
    words[this.record + OFFLINE_TO] = to;
  }

  /** Time of a class that is to pass without code that executes. */
  protected spend(cls: number, duration: number): void {
    this.#add(cls, duration);
  }

  /** Books time that has passed without a burst. */
  protected passed(cls: number, duration: number): void {
    this.records.words[this.record + PASSED + cls] += duration;
  }

  /** Books the first `elapsed` picoseconds of what was charged, here and in the account that begins at `physical`. */
  protected book(elapsed: number, physical: number): void {
    const { words } = this.records;
    const at = this.record;
    let left = elapsed;
    let kept = PIECES;
    for (let i = kept; i < this.#end; i += 2) {
      const cls = words[at + i];
      const duration = words[at + i + 1];
      const part = Math.min(left, duration);
      words[at + PASSED + cls] += part;
      if (cls < CHARGED) words[physical + cls] += part;
      left -= part;
      if (part === duration) continue;
      words[at + kept++] = cls;
      words[at + kept++] = duration - part;
    }
    this.#end = kept;
  }

  /** Books all of it: it has passed. A physical CPU's account has no idle time. */
  protected bookAll(physical: number): void {
    const { words } = this.records;
    const at = this.record;
    const end = (at + this.#end) | 0;
    for (let i = (at + PIECES) | 0; i < end; i = (i + 2) | 0) {
      const cls = words[i] | 0;
      const duration = words[i + 1];
      words[at + PASSED + cls] += duration;
      if (cls < CHARGED) words[physical + cls] += duration;
    }
    this.#end = PIECES;
  }

  /** From the instant that the executing burst has reached on, it is charged for another class. */
  #turnTo(cls: number): void {
    const now = instants[NOW];
    this.#add(numbers[CLASS], now - instants[CLASS_SINCE]);
    instants[CLASS_SINCE] = now;
    numbers[CLASS] = cls;
  }

  /** Adds a stretch of `duration` picoseconds that waits to be booked. */
  #add(cls: number, duration: number): void {
    if (duration === 0) return;
    const end = this.#end;
    if (end === this.#length) this.#grow();
    const { words } = this.records;
    const piece = (this.record + end) | 0;
    words[piece] = cls;
    words[piece + 1] = duration;
    this.#end = (end + 2) | 0;
  }

  #grow(): void {
    this.record = this.records.enlarge(this.record, this.#length);
    this.#length *= 2;
  }
}
