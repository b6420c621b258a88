import { assert } from "../base/assert.ts";
import type { Engine } from "../sim/engine.ts";
import type { TraceTrack } from "../sim/trace.ts";
import { type Journeys, NO_JOURNEY } from "../metrics/journey.ts";
import { COPY, CPU_CLASSES, HYPERVISOR, IDLE, KERNEL, STAGES, STEAL, WAKEUP } from "../metrics/stage.ts";
import { CHARGED, Charges } from "./charges.ts";
import { OWNERS, type PhysicalCpu } from "./cpu.ts";
import { type Interrupt, InterruptQueue } from "./interrupt.ts";
import { type Thread, THREAD_BLOCKED, THREAD_COMPUTE, THREAD_POLL } from "./thread.ts";

/** What decides which processor has a physical CPU: the machine itself (always) or a hypervisor's scheduler. */
export interface CpuScheduler {
  /** `processor` was blocked and has work. */
  wake(processor: Processor): void;
  /** `processor` has nothing to do. */
  block(processor: Processor): void;
  /** `processor` was asked to leave its physical CPU and has reached a point where it can. */
  left(processor: Processor): void;
  /** `processor`, which waits for a physical CPU, has an interrupt or deferred work to run: for who puts these first. */
  interrupted?(processor: Processor): void;
}

/** Costs of switching and idling, picoseconds, from the machine profile. */
export interface ProcessorCosts {
  /** From one thread to another. */
  readonly contextSwitch: number;
  /** Leaving the idle state after a sleep; 0 when the CPU idles by polling. */
  readonly idleExit: number;
  /** Longest that a thread runs while another of the same CPU waits. */
  readonly threadSlice: number;
}

/** Bursts of deferred work before a ready thread gets its share: the weight of one NAPI poll. */
const DEFERRED_BUDGET = 64;

const OFF = 0; // no physical CPU
const FREE = 1; // between bursts, or idle
const BURST = 2; // executing; ends at an event
const OCCUPIED = 3; // a thread polls or computes: costs CPU, needs no event per turn

/** What a processor may not run: nothing is held, its threads are (as a frozen control group's), or all of it is paused. */
export const HOLD_NOTHING = 0;
export const HOLD_THREADS = 1;
export const HOLD_ALL = 2;

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
export class Processor {
  readonly name: string;
  /** Number of this processor in its kernel: set by whoever builds that. */
  index = 0;
  /** Its number for its scheduler, which sets it; below 0 for a native CPU. */
  schedulerIndex = -1;
  readonly owner: number;
  readonly journeys: Journeys;
  readonly costs: ProcessorCosts;
  /** Picoseconds by class (user, kernel, irq, hypervisor, steal, idle) that have passed; see {@link settle}. */
  readonly time: Float64Array = new Float64Array(6);
  /** The instant the executing burst has reached, picoseconds. */
  now = 0;
  /** Where this processor runs, null while it has no physical CPU. */
  physical: PhysicalCpu | null = null;
  /** Times that it gave its physical CPU up because it had nothing to do, and that it was sent off with work left. */
  blocks = 0;
  evictions = 0;
  /** Copies of payload that it has been charged for, and their bytes. */
  copies = 0;
  copiedBytes = 0;
  /** What is done here: work by stage, polling, computing. Null when nobody looks. */
  track: TraceTrack | null = null;

  readonly #engine: Engine;
  readonly #scheduler: CpuScheduler | null;
  readonly #endHandler: number;
  readonly #sliceHandler: number;
  #state = OFF;
  #blocked = true; // off because it had nothing to do, not because it was preempted
  #since = 0; // start of what is not in the accounts yet of the present burst, idle, steal or occupation
  readonly #charges = new Charges();
  // The class that the executing burst is charged for, since which instant.
  #class = KERNEL;
  #classSince = 0;
  #tracedSince = 0; // start of what a trace has not been told of having the physical CPU
  #leave = false;
  #held = HOLD_NOTHING;
  #journey = NO_JOURNEY;
  // The latest stretches during which work had to wait for the processor to leave an idle state, and for a physical CPU.
  #wakingFrom = 0;
  #wakingTo = 0;
  #offlineTo = 0;
  // Deferred bursts since threads last had a turn, the time they took, and the time threads have had since.
  #deferredRuns = 0;
  #deferredPs = 0;
  #threadPs = 0;
  readonly #interrupts = new InterruptQueue();
  readonly #deferred = new InterruptQueue();
  #threads: Thread[] = [];
  #lastThread: Thread | null = null;
  #occupant: Thread | null = null;
  #occupationEnd = -1;
  #sliceEnd = 0;

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
    this.#engine = engine;
    this.name = name;
    this.owner = owner;
    this.costs = costs;
    this.journeys = journeys;
    this.#scheduler = scheduler;
    this.physical = physical;
    this.#since = this.#tracedSince = engine.now; // a cluster may be built later than at the beginning
    this.#endHandler = engine.handler(`${name} burst end`, () => this.#burstEnded());
    this.#sliceHandler = engine.handler(`${name} slice`, () => this.#sliceEnded());
    if (physical !== null) this.#state = FREE;
  }

  // ---- used by code that executes in a burst

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
    if (from < this.#offlineTo) {
      // It waited while the processor could not run: that part has its own causes.
      if (from < this.#wakingFrom) this.journeys.until(journey, waitStage, this.#wakingFrom);
      if (from < this.#wakingTo) this.journeys.until(journey, WAKEUP, this.#wakingTo);
      this.journeys.until(journey, HYPERVISOR, this.#offlineTo);
    }
    this.journeys.until(journey, waitStage, this.now);
  }

  /** Puts down the carried message. */
  putDown(): void {
    this.#journey = NO_JOURNEY;
  }

  get carried(): number {
    return this.#journey;
  }

  /** Schedules a handler for the instant that this burst has reached: the way to affect anything elsewhere. */
  post(handler: number, a = 0, b = 0): void {
    this.#engine.at(this.now, handler, a, b);
  }

  // ---- used from event handlers, and from this processor's own bursts

  /** Asks for an interrupt or deferred work to run. Asking again before it has begun changes nothing. */
  raise(interrupt: Interrupt): void {
    assert(executing === null || executing === this, "processor: another processor's burst must post, not raise");
    if (interrupt.pending) return;
    (interrupt.level === 0 ? this.#interrupts : this.#deferred).push(interrupt);
    this.#kick();
  }

  /** A thread of this processor has become ready: called by the thread. */
  ready(thread: Thread, wasBlocked: boolean): void {
    assert(executing === null || executing === this, "processor: another processor's burst must post, not wake");
    if (wasBlocked) {
      // A woken thread goes before one that only polls or computes, and after one that has work in hand.
      const threads = this.#threads;
      let at = 0;
      while (at < threads.length && !threads[at].isOccupying) at++;
      if (at < threads.length) threads.splice(at, 0, thread);
      else threads.push(thread);
    } else if (this.#occupant !== thread) return; // a poller that does not run now looks when it next does
    this.#kick();
  }

  /** Takes an exited thread out, and its last switch with it. */
  forget(thread: Thread): void {
    const at = this.#threads.indexOf(thread);
    if (at >= 0) this.#threads.splice(at, 1);
    if (this.#lastThread === thread) this.#lastThread = null;
  }

  /** Whether code is executing or a thread polls or computes. */
  get isBusy(): boolean {
    return this.#state === BURST || this.#state === OCCUPIED;
  }

  get isOnline(): boolean {
    return this.#state !== OFF;
  }

  /** Off because it has nothing to do. */
  get isBlocked(): boolean {
    return this.#state === OFF && this.#blocked;
  }

  /** Whether an interrupt or deferred work waits: what a kernel runs before any thread. */
  get hasInterrupt(): boolean {
    return !this.#interrupts.isEmpty || !this.#deferred.isEmpty;
  }

  /** Threads that are ready, running or occupying. */
  get runnableThreads(): number {
    return this.#threads.length;
  }

  /**
   * Holds up threads or everything from the end of the present burst on, until it is told to hold nothing. Work queues
   * up meanwhile: interrupts stay pending, threads ready. Held with work left, a processor is idle: it gives its
   * physical CPU up.
   */
  hold(what: number): void {
    assert(what === HOLD_NOTHING || this.#scheduler !== null, "processor: a native CPU is never paused");
    this.#held = what;
    if (what === HOLD_NOTHING) {
      if (this.#hasWork) this.#kick();
    } else if (this.#state === OCCUPIED) {
      this.#endOccupation();
      this.#dispatch();
    }
  }

  /** Books what a burst, polling, computing, idling or waiting has taken up to now, so that the accounts can be read. */
  settle(): void {
    const now = this.#engine.now;
    if (this.#state === OCCUPIED) this.#bookOccupation(now);
    else if (this.#state === BURST) this.#bookBurst(now);
    else if (this.#state === OFF || (this.#state === FREE && now > this.#since)) this.#bookAbsence(now);
    if (this.#state !== OFF) this.#tracePhysical(now);
  }

  /** Tells a trace of something that takes no time: a notification that is sent, an interrupt that is signalled. */
  mark(what: string): void {
    if (this.track !== null) this.track.instant(what, presentInstant(this.#engine));
  }

  // ---- used by the hypervisor's scheduler

  /**
   * Gives this processor a physical CPU from now on. `late` is how long it waited for one with work to do, `wokeLate`
   * how much of that the physical CPU took to leave its idle state, both in picoseconds.
   */
  arrive(physical: PhysicalCpu, late: number, wokeLate: number): void {
    assert(this.#state === OFF, "processor: it has a physical CPU already");
    this.#bookAbsence(this.#engine.now);
    this.physical = physical;
    physical.settle(this.#engine.now);
    this.#state = FREE;
    this.#leave = false;
    this.#tracedSince = this.#engine.now;
    this.#offlineTo = this.#engine.now;
    this.#wakingFrom = this.#offlineTo - late;
    this.#wakingTo = this.#wakingFrom + wokeLate;
    this.#dispatch();
  }

  /** Asks this processor to leave its physical CPU; it answers with `scheduler.left`, at once or when its burst ends. */
  evict(): void {
    if (this.#state === OFF || this.#leave) return;
    this.#leave = true;
    if (this.#state === BURST) return;
    if (this.#state === OCCUPIED) this.#endOccupation();
    this.#depart(false);
  }

  // ---- inside

  #kick(): void {
    if (this.#state === BURST || executing === this) return; // it looks for more to do when the burst is over
    if (this.#held !== HOLD_NOTHING && !this.#hasWork) return;
    if (this.#state === OFF) {
      if (!this.#blocked) {
        if (this.hasInterrupt) this.#scheduler!.interrupted?.(this);
        return;
      }
      this.#bookAbsence(this.#engine.now);
      this.#blocked = false;
      this.#scheduler!.wake(this);
      return;
    }
    if (this.#state === OCCUPIED) this.#endOccupation();
    else if (this.#scheduler === null && this.physical!.idleSince >= 0) {
      this.#leaveIdle();
      return;
    }
    this.#dispatch();
  }

  /** A native CPU wakes from its idle state, then runs what woke it. */
  #leaveIdle(): void {
    const now = this.#engine.now;
    const slept = now > this.physical!.idleSince;
    this.#bookAbsence(now);
    this.physical!.idleSince = -1;
    if (!slept || this.costs.idleExit === 0) {
      this.#dispatch();
      return;
    }
    this.#wakingFrom = now;
    this.#wakingTo = now + this.costs.idleExit;
    this.#offlineTo = this.#wakingTo;
    this.#charges.add(IDLE, this.costs.idleExit);
    if (this.track !== null) this.track.slice(STAGES[WAKEUP], CPU_CLASSES[IDLE], now, this.costs.idleExit);
    this.#state = BURST;
    this.#engine.after(this.costs.idleExit, this.#endHandler);
  }

  #burstEnded(): void {
    this.#charges.bookAll(this.time, this.physical!.time, this.owner * CHARGED);
    this.#state = FREE;
    this.#since = this.#engine.now;
    if (this.#leave) this.#depart(!this.#hasWork);
    else this.#dispatch();
  }

  /** Runs bursts until one takes time, a thread occupies the processor, or nothing is left. */
  #dispatch(): void {
    for (;;) {
      this.now = this.#classSince = this.#engine.now;
      executing = this;
      if (this.journeys.isRecording) this.journeys.place = this.name;
      let ran = false;
      try {
        ran = this.#runOne();
      } finally {
        executing = null; // a guest program may throw
      }
      this.#journey = NO_JOURNEY;
      if (!ran) break;
      if (this.now > this.#engine.now) {
        this.#turnTo(this.#class);
        this.#state = BURST;
        this.#since = this.#engine.now;
        this.#engine.at(this.now, this.#endHandler);
        return;
      }
    }
    if (this.#threads.length > 0 && this.#held === HOLD_NOTHING) this.#occupy(this.#threads[0]);
    else this.#rest();
  }

  #runOne(): boolean {
    if (this.#held === HOLD_ALL) return false;
    if (!this.#interrupts.isEmpty) {
      this.#runInterrupt(this.#interrupts);
      return true;
    }
    if (!this.#deferred.isEmpty && !this.#threadsHaveTheirTurn()) {
      this.#runInterrupt(this.#deferred);
      this.#deferredRuns++;
      this.#deferredPs += this.now - this.#engine.now;
      return true;
    }
    return this.#held === HOLD_NOTHING && this.#runThread();
  }

  #runInterrupt(queue: InterruptQueue): void {
    const interrupt = queue.shift();
    const again = interrupt.run(this);
    if (again && !interrupt.pending) queue.push(interrupt);
  }

  /**
   * Deferred work goes before threads, but not for ever: after a budget of bursts it has to share the CPU with a thread
   * that is ready, as Linux does by handing it to ksoftirqd. The thread then runs for as long as the work has.
   */
  #threadsHaveTheirTurn(): boolean {
    if (this.#deferredRuns < DEFERRED_BUDGET || this.#held !== HOLD_NOTHING) return false;
    const head = this.#threads[0];
    if (head !== undefined && !head.isOccupying && this.#threadPs < this.#deferredPs) return true;
    this.#restartBudget();
    return false;
  }

  #restartBudget(): void {
    this.#deferredRuns = 0;
    this.#deferredPs = 0;
    this.#threadPs = 0;
  }

  #runThread(): boolean {
    if (this.#deferred.isEmpty && this.#deferredRuns > 0) this.#restartBudget();
    if (this.#threads.length > 1 && this.#threads[0] === this.#lastThread && this.#engine.now >= this.#sliceEnd) {
      this.#threads.push(this.#threads.shift()!);
    }
    const thread = this.#threads[0];
    if (thread === undefined) return false;
    if (thread !== this.#lastThread) {
      if (this.#lastThread !== null) this.charge(WAKEUP, KERNEL, this.costs.contextSwitch);
      this.#lastThread = thread;
      this.#sliceEnd = this.#engine.now + this.costs.threadSlice;
    }
    if (thread.isOccupying) return this.now > this.#engine.now; // the switch itself took time
    if (thread.burst(this) && this.#threads.length > 1) this.#threads.push(this.#threads.shift()!);
    else if (thread.state === THREAD_BLOCKED) this.#take(thread);
    this.#threadPs += this.now - this.#engine.now;
    return true;
  }

  /** Takes a thread out that has nothing more to run: nearly always the only one. */
  #take(thread: Thread): void {
    if (this.#threads.length === 1) this.#threads.pop();
    else this.#threads.splice(this.#threads.indexOf(thread), 1);
  }

  #occupy(thread: Thread): void {
    this.#state = OCCUPIED;
    this.#occupant = thread;
    this.#since = this.#engine.now;
    let end = Infinity;
    if (thread.state === THREAD_COMPUTE) end = this.#since + thread.computeLeft;
    if (this.#threads.length > 1) end = Math.min(end, Math.max(this.#sliceEnd, this.#since + 1));
    this.#occupationEnd = end === Infinity ? -1 : this.#engine.timer(end, this.#sliceHandler);
  }

  #sliceEnded(): void {
    this.#occupationEnd = -1;
    this.#endOccupation();
    this.#dispatch();
  }

  #endOccupation(): void {
    if (this.#occupationEnd >= 0) this.#engine.cancel(this.#occupationEnd);
    this.#occupationEnd = -1;
    this.#bookOccupation(this.#engine.now);
    this.#occupant = null;
    this.#state = FREE;
  }

  /** From the instant that the executing burst has reached on, it is charged for another class. */
  #turnTo(cls: number): void {
    this.#charges.add(this.#class, this.now - this.#classSince);
    this.#classSince = this.now;
    this.#class = cls;
  }

  /** Books the part of a burst that has passed. */
  #bookBurst(now: number): void {
    this.#charges.book(now - this.#since, this.time, this.physical!.time, this.owner * CHARGED);
    this.#since = now;
  }

  #bookOccupation(now: number): void {
    const thread = this.#occupant!;
    const duration = now - this.#since;
    if (this.track !== null) {
      this.track.slice(occupation(thread), CPU_CLASSES[thread.occupyingClass], this.#since, duration);
    }
    this.#since = now;
    this.time[thread.occupyingClass] += duration;
    this.physical!.time[this.owner * CHARGED + thread.occupyingClass] += duration;
    if (thread.state === THREAD_COMPUTE) thread.computed(duration);
    else this.physical!.polled += duration;
  }

  get #hasWork(): boolean {
    if (this.#held === HOLD_ALL) return false;
    return this.hasInterrupt || (this.#threads.length > 0 && this.#held === HOLD_NOTHING);
  }

  #rest(): void {
    this.#since = this.#engine.now;
    if (this.#scheduler !== null) this.#depart(true);
    else this.physical!.idleSince = this.#engine.now;
  }

  #depart(blocked: boolean): void {
    this.#tracePhysical(this.#engine.now);
    this.#state = OFF;
    this.#blocked = blocked;
    this.#leave = false;
    this.#since = this.#engine.now;
    const scheduler = this.#scheduler!;
    if (blocked) {
      this.blocks++;
      scheduler.block(this);
    } else {
      this.evictions++;
      scheduler.left(this);
    }
    // The scheduler has noted which physical CPU this was.
    if (this.#state === OFF) this.physical = null;
  }

  #bookAbsence(now: number): void {
    const cls = this.#state === OFF && !this.#blocked ? STEAL : IDLE;
    this.time[cls] += now - this.#since;
    this.#since = now;
  }

  /** Tells the trace of a shared physical CPU that this processor has had it up to now. */
  #tracePhysical(now: number): void {
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
