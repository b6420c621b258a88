import * as faults from "../base/assert.ts";
import type { Engine } from "../sim/engine.ts";
import type { Journeys } from "../metrics/journey.ts";
import * as stages from "../metrics/stage.ts";
import type { PhysicalCpu } from "./cpu.ts";
import { CpuHolder } from "./cpu_holder.ts";
import type { CpuScheduler } from "./cpu_scheduler.ts";
import type { Interrupt } from "./interrupt.ts";
import type { Thread } from "./thread.ts";
import * as scheduling from "./scheduling.ts";
import { ThreadQueue } from "./thread_queue.ts";

export { HOLD_ALL, HOLD_NOTHING, HOLD_THREADS } from "./scheduling.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const assert: typeof faults.assert = faults.assert;
const { CPU_CLASSES, IDLE, KERNEL, STAGES, WAKEUP } = stages;
const { HOLD_ALL, HOLD_NOTHING, THREAD_BLOCKED, THREAD_COMPUTE } = scheduling;
const { PROCESSOR_BURST, PROCESSOR_FREE, PROCESSOR_OCCUPIED, PROCESSOR_OFF } = scheduling;

/** Costs of switching and idling, picoseconds, from the machine profile. */
export interface ProcessorCosts {
  /** From one thread to another, and from the idle task to a process. */
  readonly contextSwitch: number;
  /** Leaving the idle state after a sleep; 0 when the CPU idles by polling. */
  readonly idleExit: number;
  /** Longest that a thread runs while another of the same CPU waits. */
  readonly threadSlice: number;
}

/** The processor whose burst is executing, to catch effects that reach another one ahead of time. */
let executing: Processor | null = null;

/** The instant of what happens now: that which the executing burst has reached, else the engine's. For observers. */
export function presentInstant(engine: Engine): number {
  return executing === null ? engine.now : executing.now;
}

/**
 * One CPU as a kernel sees it: a native CPU or a VCPU. It runs bursts, one after another: interrupts, then deferred
 * work, then threads. A burst is a stretch of code without a scheduling point, a few microseconds at most. It executes
 * at once when it starts, while {@link now} moves ahead of the engine's clock with every {@link charge}; the processor
 * is then busy until that instant. What a burst does to anything outside this processor must be posted for the instant
 * at which it does it ({@link post}); what it does to its own memory is invisible until the burst has ended anyway.
 * Interrupts are taken between bursts, and at any instant of polling or computing.
 */
export class Processor extends CpuHolder {
  #held = HOLD_NOTHING;
  #asks = false; // it came for interrupts: its threads are to run only if the scheduler agrees
  #leave = false;
  readonly #scheduler: CpuScheduler | null;
  readonly #endHandler: number;
  readonly #threads = new ThreadQueue();
  readonly costs: ProcessorCosts;
  #occupationEnd = -1;

  /** Number of this processor in its kernel: set by whoever builds that. */
  index = 0;
  /** Its number for its scheduler, which sets it; below 0 for a native CPU. */
  schedulerIndex = -1;
  /** Times that it gave its physical CPU up because it had nothing to do, and that it was sent off with work left. */
  blocks = 0;
  evictions = 0;
  /** Time that a thread has spent on deferred work which was handed to it. */
  handedOverPs = 0;
  readonly #sliceHandler: number;

  /** With `scheduler` null the processor is a native CPU and keeps `physical` for good. */
  constructor(
    engine: Engine,
    name: string,
    owner: number,
    costs: ProcessorCosts,
    journeys: Journeys,
    scheduler: CpuScheduler | null,
    physical: PhysicalCpu | null,
  ) {
    super(engine, name, owner, journeys);
    this.costs = costs;
    this.#scheduler = scheduler;
    this.#endHandler = engine.handler(`${name} burst end`, Processor.#onBurstEnd, this);
    this.#sliceHandler = engine.handler(`${name} slice`, Processor.#onSliceEnd, this);
    if (physical !== null) this.take(physical);
  }

  /** By how much the instant that this burst has reached is ahead of the engine's clock, picoseconds. */
  get ahead(): number {
    return this.now - this.engine.now;
  }

  /** Schedules a handler for the instant that this burst has reached: the way to affect anything elsewhere. */
  post(handler: number, a = 0, b = 0): void {
    this.engine.after(this.ahead, handler, a, b);
  }

  // ---- used from event handlers, and from this processor's own bursts

  /** Asks for an interrupt or deferred work to run. Asking again before it has begun changes nothing. */
  raise(interrupt: Interrupt): void {
    assert(executing === null || executing === this, "processor: another processor's burst must post, not raise");
    if (interrupt.pending) return;
    this.enqueue(interrupt);
    this.#kick();
  }

  /** A thread of this processor has become ready: called by the thread. */
  ready(thread: Thread, wasBlocked: boolean): void {
    assert(executing === null || executing === this, "processor: another processor's burst must post, not wake");
    if (wasBlocked) this.#threads.wake(thread);
    else if (this.occupant !== thread) return; // a poller that does not run now looks when it next does
    this.#kick();
  }

  /** Takes an exited thread out, and its last switch with it. */
  forget(thread: Thread): void {
    this.#threads.forget(thread);
  }

  /** Threads that are ready, running or occupying, with the one that deferred work is handed to. */
  get runnableThreads(): number {
    return this.#threads.length + (this.isDeferredThreads && this.hasDeferred ? 1 : 0);
  }

  /**
   * Holds up threads or everything from the end of the present burst on, until it is told to hold nothing. Work queues
   * up meanwhile: interrupts stay pending, threads ready. Held with work left, a processor is idle: it gives its
   * physical CPU up, or its place in the queue for one.
   */
  hold(what: number): void {
    assert(what === HOLD_NOTHING || this.#scheduler !== null, "processor: a native CPU is never paused");
    this.#held = what;
    if (what === HOLD_NOTHING) {
      if (this.#hasWork()) this.#kick();
    } else if (this.state === PROCESSOR_OCCUPIED) {
      this.#endOccupation();
      this.#dispatch();
    } else if (this.state === PROCESSOR_OFF && !this.blocked && !this.#hasWork() && this.#scheduler!.sleep(this)) {
      this.bookAbsence(this.engine.now); // stolen until now, idle from now on
      this.blocked = true;
    }
  }

  /** Tells a trace of something that takes no time: a notification that is sent, an interrupt that is signalled. */
  mark(what: string): void {
    if (this.track !== null) this.track.instant(what, presentInstant(this.engine));
  }

  // ---- used by the hypervisor's scheduler

  /**
   * Gives this processor a physical CPU from now on. `late` is how long it waited for one with work to do, `wokeLate`
   * how much of that the physical CPU took to leave its idle state, both in picoseconds. With `asks` it has it for its
   * interrupts, and asks the scheduler before it goes on with threads.
   */
  arrive(physical: PhysicalCpu, late: number, wokeLate: number, asks = false): void {
    assert(this.state === PROCESSOR_OFF, "processor: it has a physical CPU already");
    this.bookAbsence(this.engine.now);
    this.take(physical);
    physical.settle(this.engine.now);
    this.#leave = false;
    this.#asks = asks;
    const ready = this.engine.now - late;
    this.couldNotRun(ready, ready + wokeLate, this.engine.now);
    this.#dispatch();
  }

  /** Asks this processor to leave its physical CPU; it answers with `scheduler.left`, at once or when its burst ends. */
  evict(): void {
    if (this.state === PROCESSOR_OFF || this.#leave) return;
    this.#leave = true;
    if (this.state === PROCESSOR_BURST) return;
    if (this.state === PROCESSOR_OCCUPIED) this.#endOccupation();
    this.#depart(false);
  }

  // ---- inside

  static readonly #onBurstEnd = (_a: number, _b: number, of: Processor) => of.#burstEnded();
  static readonly #onSliceEnd = (_a: number, _b: number, of: Processor) => of.#sliceEnded();

  #kick(): void {
    if (this.state === PROCESSOR_BURST || executing === this) return; // it looks for more to do when the burst is over
    if (this.#held !== HOLD_NOTHING && !this.#hasWork()) return;
    if (this.state === PROCESSOR_OFF) {
      if (!this.blocked) {
        if (this.hasInterrupt) this.#scheduler!.interrupted?.(this);
        return;
      }
      this.bookAbsence(this.engine.now);
      this.blocked = false;
      this.#scheduler!.wake(this);
      return;
    }
    if (this.state === PROCESSOR_OCCUPIED) this.#endOccupation();
    else if (this.#scheduler === null && this.idleSince >= 0) {
      this.#leaveIdle();
      return;
    }
    this.#dispatch();
  }

  /** A native CPU wakes from its idle state, then runs what woke it. */
  #leaveIdle(): void {
    const now = this.engine.now;
    const slept = now > this.idleSince;
    this.bookAbsence(now);
    this.idleSince = -1;
    if (!slept || this.costs.idleExit === 0) {
      this.#dispatch();
      return;
    }
    const awake = now + this.costs.idleExit;
    this.couldNotRun(now, awake, awake);
    this.spend(IDLE, this.costs.idleExit);
    if (this.track !== null) this.track.slice(STAGES[WAKEUP], CPU_CLASSES[IDLE], now, this.costs.idleExit);
    this.state = PROCESSOR_BURST;
    this.engine.after(this.costs.idleExit, this.#endHandler);
  }

  #burstEnded(): void {
    this.bookBurst();
    this.state = PROCESSOR_FREE;
    if (this.#leave) this.#depart(!this.#hasWork());
    else this.#dispatch();
  }

  /** Runs bursts until one takes time, a thread occupies the processor, or nothing is left. */
  #dispatch(): void {
    // What is known of the burst that executes would be lost: see burst.ts.
    if (executing !== null) assert(false, "processor: a burst begins within another one");
    for (;;) {
      this.begin(this.engine.now);
      if (this.journeys.isRecording) this.journeys.place = this.name;
      if (this.#isQuiet()) {
        this.endDeferred();
        break;
      }
      executing = this;
      let ran = false;
      try {
        ran = this.#runOne();
      } finally {
        executing = null; // a guest program may throw
      }
      this.putDown();
      if (!ran) break;
      if (this.now > this.engine.now) {
        this.executed();
        this.state = PROCESSOR_BURST;
        this.since = this.engine.now;
        this.engine.after(this.ahead, this.#endHandler);
        return;
      }
    }
    if (this.#leave) this.#depart(false);
    else if (this.#threads.first !== null && this.#held === HOLD_NOTHING) this.#occupy(this.#threads.first);
    else this.#rest();
  }

  /** Nothing is to be run, and a thread that occupies the processor goes on: what most bursts are followed by. */
  #isQuiet(): boolean {
    if (this.hasInterrupts || this.hasDeferred || this.#held !== HOLD_NOTHING || this.#asks) return false;
    return this.#threads.first === null || this.#threads.isOccupiedAsBefore;
  }

  #runOne(): boolean {
    if (this.#held === HOLD_ALL) return false;
    if (this.hasInterrupts) {
      this.runInterrupt(this);
      return true;
    }
    if (this.hasDeferred && !this.#threadsHaveTheirTurn()) {
      return this.#runDeferred();
    }
    if (this.#held !== HOLD_NOTHING) return false;
    if (this.#asks && this.#threads.first !== null && !this.#mayGoOn()) return false;
    return this.#runThread();
  }

  #runDeferred(): boolean {
    const isThreads = this.isDeferredThreads;
    if (isThreads && this.#asks && !this.#mayGoOn()) return false;
    this.runDeferred(this);
    const took = this.now - this.engine.now;
    if (isThreads) this.handedOverPs += took;
    if (this.ranDeferred(took)) this.#asks = this.#scheduler?.keeps !== undefined;
    return true;
  }

  /** Asks whether what a thread does may follow the interrupts; else it leaves. */
  #mayGoOn(): boolean {
    this.#asks = false;
    this.#leave = !this.#scheduler!.keeps!(this);
    return !this.#leave;
  }

  /** Whether a thread runs before the deferred work that waits, which has spent its budget. */
  #threadsHaveTheirTurn(): boolean {
    if (!this.isBudgetSpent || this.#held !== HOLD_NOTHING) return false;
    const head = this.#threads.first;
    // One that only polls leaves its turn to the work that it waits for.
    if (head !== null && !head.isPolling && this.owedToThreads > 0) return true;
    this.restartBudget();
    return false;
  }

  #runThread(): boolean {
    if (!this.hasDeferred) this.endDeferred();
    const began = this.engine.now;
    const thread = this.#threads.next(began);
    if (thread === null) return false;
    if (this.#threads.switchTo(thread, began, this.costs.threadSlice)) {
      this.charge(WAKEUP, KERNEL, this.costs.contextSwitch);
    }
    if (thread.isOccupying) return this.now > began; // the switch itself took time
    if (thread.burst(this)) this.#threads.giveWay();
    else if (thread.state === THREAD_BLOCKED) this.#threads.remove(thread);
    this.ranThread(this.now - began);
    return true;
  }

  #occupy(thread: Thread): void {
    this.state = PROCESSOR_OCCUPIED;
    this.occupant = thread;
    this.since = this.engine.now;
    let end = Infinity;
    if (thread.state === THREAD_COMPUTE) end = this.since + thread.computeLeft;
    if (this.hasDeferred) end = Math.min(end, this.since + this.owedToThreads);
    if (this.#threads.length > 1) end = Math.min(end, Math.max(this.#threads.sliceEnd, this.since + 1));
    this.#occupationEnd = end === Infinity ? -1 : this.engine.timer(end, this.#sliceHandler);
  }

  #sliceEnded(): void {
    this.#occupationEnd = -1;
    this.#endOccupation();
    this.#dispatch();
  }

  #endOccupation(): void {
    if (this.#occupationEnd >= 0) this.engine.cancel(this.#occupationEnd);
    this.#occupationEnd = -1;
    this.bookOccupation(this.engine.now);
    this.occupant = null;
    this.state = PROCESSOR_FREE;
  }

  #hasWork(): boolean {
    if (this.#held === HOLD_ALL) return false;
    if (this.hasInterrupts || this.hasDeferred) return true;
    return this.#threads.first !== null && this.#held === HOLD_NOTHING;
  }

  #rest(): void {
    this.since = this.engine.now;
    if (this.#scheduler !== null) this.#depart(true);
    else this.idleSince = this.engine.now;
  }

  #depart(blocked: boolean): void {
    this.tracePhysical(this.engine.now);
    this.state = PROCESSOR_OFF;
    this.blocked = blocked;
    this.#leave = false;
    this.since = this.engine.now;
    const scheduler = this.#scheduler!;
    if (blocked) {
      this.blocks++;
      scheduler.block(this);
    } else {
      this.evictions++;
      scheduler.left(this);
    }
    // The scheduler has noted which physical CPU this was.
    if (this.state === PROCESSOR_OFF) this.physical = null;
  }
}
