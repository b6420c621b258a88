import type { TraceTrack } from "../sim/trace.ts";
import type { Journeys } from "../metrics/journey.ts";
import * as journeys from "../metrics/journey.ts";
import * as stages from "../metrics/stage.ts";
import { Charges } from "./charges.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { NO_JOURNEY } = journeys;
const { COPY, CPU_CLASSES, HYPERVISOR, KERNEL, STAGES, WAKEUP } = stages;

/**
 * What code that executes on a processor sees of it: the instant that it has reached, which its charges move on, and the
 * message that it works for. The processor itself, which extends this, says when a burst begins and when its time has
 * passed.
 */
export abstract class Burst {
  readonly journeys: Journeys;
  /** The instant the executing burst has reached, picoseconds. */
  now = 0;
  /** Copies of payload that were charged for, and their bytes. */
  copies = 0;
  copiedBytes = 0;
  /** What is done here: work by stage, polling, computing. Null when nobody looks. */
  track: TraceTrack | null = null;

  readonly #charges = new Charges();
  // The class that the executing burst is charged for, since which instant.
  #class = KERNEL;
  #classSince = 0;
  #journey = NO_JOURNEY;
  // The latest stretches during which work had to wait for the processor to leave an idle state, and for a physical CPU.
  #wakingFrom = 0;
  #wakingTo = 0;
  #offlineTo = 0;

  constructor(journeys: Journeys) {
    this.journeys = journeys;
  }

  /** Spends `duration` picoseconds (an integer) in a CPU class and books it on a stage of the carried message. */
  charge(stage: number, cls: number, duration: number): void {
    if (this.track !== null) this.track.slice(STAGES[stage], CPU_CLASSES[cls], this.now, duration);
    if (cls !== this.#class) this.#turnTo(cls);
    this.now += duration;
    if (this.#journey >= 0) this.journeys.work(this.#journey, stage, duration);
  }

  /** Charges a copy of `bytes` of payload to the carried message; `way` says between which places, for observers. */
  copy(cls: number, duration: number, bytes: number, way: string): void {
    this.copies++;
    this.copiedBytes += bytes;
    if (this.track?.note) this.track.note("copy", this.now, { bytes, way });
    this.charge(COPY, cls, duration);
  }

  /** Takes up a message: the time since it was put down goes to `waitStage`, and charges go to it from here on. */
  carry(journey: number, waitStage: number): void {
    this.#journey = journey;
    if (journey < 0) return;
    const from = this.journeys.lastBooking(journey);
    if (from === this.now) return; // nearly always when one layer takes over from another within a burst
    if (from < this.#offlineTo) this.#bookOffline(journey, waitStage, from);
    this.journeys.until(journey, waitStage, this.now);
  }

  /** Puts down the carried message. */
  putDown(): void {
    this.#journey = NO_JOURNEY;
  }

  /** Picoseconds by class (user, kernel, irq, hypervisor, steal, idle) that have passed: see `Processor.settle`. */
  get time(): Float64Array {
    return this.#charges.time;
  }

  get carried(): number {
    return this.#journey;
  }

  // ---- used by the processor

  /** A burst begins to execute at the instant `now`. */
  protected begin(now: number): void {
    this.now = this.#classSince = now;
  }

  /** It has executed, and takes time: what it has charged waits to be booked. */
  protected executed(): void {
    this.#turnTo(this.#class);
  }

  /** Work could not run until `to`: up to `wakingFrom` it had not come, up to `wakingTo` a CPU left its idle state. */
  protected couldNotRun(wakingFrom: number, wakingTo: number, to: number): void {
    this.#wakingFrom = wakingFrom;
    this.#wakingTo = wakingTo;
    this.#offlineTo = to;
  }

  /** Time of a class that is to pass without code that executes. */
  protected spend(cls: number, duration: number): void {
    this.#charges.add(cls, duration);
  }

  /** Books time that has passed without a burst. */
  protected passed(cls: number, duration: number): void {
    this.#charges.passed(cls, duration);
  }

  /** Books the first `elapsed` picoseconds of what was charged, here and in a physical CPU's account from `at` on. */
  protected book(elapsed: number, physical: Float64Array, at: number): void {
    this.#charges.book(elapsed, physical, at);
  }

  /** Books all of it: it has passed. */
  protected bookAll(physical: Float64Array, at: number): void {
    this.#charges.bookAll(physical, at);
  }

  /** A message waited, from `from` on, while the processor could not run: that part has its own causes. */
  #bookOffline(journey: number, waitStage: number, from: number): void {
    if (from < this.#wakingFrom) this.journeys.until(journey, waitStage, this.#wakingFrom);
    if (from < this.#wakingTo) this.journeys.until(journey, WAKEUP, this.#wakingTo);
    if (this.#wakingTo < this.#offlineTo) this.journeys.until(journey, HYPERVISOR, this.#offlineTo);
  }

  /** From the instant that the executing burst has reached on, it is charged for another class. */
  #turnTo(cls: number): void {
    this.#charges.add(this.#class, this.now - this.#classSince);
    this.#classSince = this.now;
    this.#class = cls;
  }
}
