import type { Journeys } from "../metrics/journey.ts";
import * as stages from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import { OWNERS, type PhysicalCpu } from "./cpu.ts";
import * as layout from "./cpu_records.ts";
import { Interruptible } from "./interruptible.ts";
import { recordsOf } from "./records.ts";
import * as scheduling from "./scheduling.ts";
import type { Thread } from "./thread.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { CPU_CLASSES, IDLE, STEAL } = stages;
const { CHARGED, FOREIGN, IDLE_SINCE, POLLED, SINCE, SPENT } = layout;
const { PROCESSOR_BURST, PROCESSOR_FREE, PROCESSOR_OCCUPIED, PROCESSOR_OFF, THREAD_COMPUTE, THREAD_POLL } = scheduling;

/**
 * What a processor has of a physical CPU: which one, or none; what it does with it; and what the time on it, and off it,
 * is booked as. When something begins or ends, the processor itself says, which extends this.
 */
export abstract class CpuHolder extends Interruptible {
  // What every burst needs comes first, so that it is on as few lines of the cache as can be.
  protected state = PROCESSOR_OFF;
  /** Off because it has nothing to do, not because it was preempted. */
  protected blocked = true;
  protected readonly engine: Engine;
  /** Where the physical CPU's record is, and its account for the owner of this processor in there. */
  #physicalRecord = 0;
  #account = 0;
  /** Where this processor runs, null while it has no physical CPU. */
  physical: PhysicalCpu | null = null;
  /** Who polls or computes. */
  protected occupant: Thread | null = null;

  readonly name: string;
  readonly owner: number;
  /** Start of what a trace has not been told of having the physical CPU. */
  #tracedSince: number;

  constructor(engine: Engine, name: string, owner: number, journeys: Journeys) {
    super(journeys, recordsOf(engine));
    this.engine = engine;
    this.name = name;
    this.owner = owner;
    this.since = this.#tracedSince = engine.now; // a cluster may be built later than at the beginning
  }

  get isOnline(): boolean {
    return this.state !== PROCESSOR_OFF;
  }

  /** Off because it has nothing to do. */
  get isBlocked(): boolean {
    return this.state === PROCESSOR_OFF && this.blocked;
  }

  /** Books what a burst, polling, computing, idling or waiting has taken up to now, so that the accounts can be read. */
  settle(): void {
    const { now } = this.engine;
    if (this.state === PROCESSOR_OCCUPIED) this.bookOccupation(now);
    else if (this.state === PROCESSOR_BURST) this.#bookBurst(now);
    else if (this.state === PROCESSOR_OFF || now > this.since) this.bookAbsence(now);
    if (this.state !== PROCESSOR_OFF) this.tracePhysical(now);
  }

  // ---- used by the processor

  /** A physical CPU is this processor's from now on. */
  protected take(physical: PhysicalCpu): void {
    this.physical = physical;
    this.#physicalRecord = physical.record;
    this.#account = physical.record + SPENT + this.owner * CHARGED;
    this.#tracedSince = this.engine.now;
    this.state = PROCESSOR_FREE;
  }

  // By names that the engine looks up as others: private accessors call the runtime each time.

  /** Start of what is not in the accounts yet of the present burst, idle, steal or occupation. */
  protected get since(): number {
    return this.records.words[this.record + SINCE];
  }

  protected set since(instant: number) {
    this.records.words[this.record + SINCE] = instant;
  }

  /** Since when its physical CPU has nothing to do, -1 while it has. */
  protected get idleSince(): number {
    return this.records.words[this.#physicalRecord + IDLE_SINCE];
  }

  protected set idleSince(instant: number) {
    this.records.words[this.#physicalRecord + IDLE_SINCE] = instant;
  }

  /** Books a burst, all of which has passed. */
  protected bookBurst(): void {
    this.bookAll(this.#account);
    this.since = this.engine.now;
  }

  /** Books the part of a burst that has passed. */
  #bookBurst(now: number): void {
    this.book(now - this.since, this.#account);
    this.since = now;
  }

  /** Books what {@link occupant} has taken up to now. */
  protected bookOccupation(now: number): void {
    const thread = this.occupant!;
    const duration = now - this.since;
    if (this.track !== null) {
      this.track.slice(occupation(thread), CPU_CLASSES[thread.occupyingClass], this.since, duration);
    }
    this.since = now;
    this.passed(thread.occupyingClass, duration);
    this.records.words[this.#account + thread.occupyingClass] += duration;
    this.ranThread(duration);
    if (thread.state === THREAD_COMPUTE) {
      thread.computed(duration);
      if (thread.isForeign) this.records.words[this.#physicalRecord + FOREIGN] += duration;
    } else this.records.words[this.#physicalRecord + POLLED] += duration;
  }

  /** Books time in which nothing ran here: stolen, or idle. */
  protected bookAbsence(now: number): void {
    const cls = this.state === PROCESSOR_OFF && !this.blocked ? STEAL : IDLE;
    this.passed(cls, now - this.since);
    this.since = now;
  }

  /** Tells the trace of a shared physical CPU that this processor has had it up to now. */
  protected tracePhysical(now: number): void {
    const { track } = this.physical!;
    if (track === null) return;
    track.slice(this.track?.name ?? this.name, OWNERS[this.owner], this.#tracedSince, now - this.#tracedSince);
    this.#tracedSince = now;
  }
}

/** What a thread does while it holds its processor without executing. */
function occupation(thread: Thread): string {
  if (thread.state === THREAD_COMPUTE) return "compute";
  return thread.state === THREAD_POLL ? "poll" : "spin";
}
