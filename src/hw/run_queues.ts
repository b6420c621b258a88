import type { PhysicalCpu } from "./cpu.ts";
import type { Processor } from "./processor.ts";

// In this file the compiler knows what it is; whoever imports it reads it from a cell each time.
const UNIT = 256;
/** Weight of an entity that nobody has set one for: a nice value of 0. */
export const NICE_0 = UNIT;

// What a CPU does.
const IDLE = 0;
const SWITCHING = 1; // the current entity arrives at an event
const RUNNING = 2;
const LEAVING = 3; // the current entity was asked to go and has not reached a point where it can

/** What all CPUs of a host have together. */
export class HostLoad {
  /** Entities that wait, and those of them that may go to another CPU. */
  waiting = 0;
  waitingVcpus = 0;
  /** CPUs that are idle. */
  idle = 0;
}

/**
 * What is scheduled (struct sched_entity): a kernel's own processor, which has one CPU for good, or a VCPU. It is in one
 * of four places: blocked, in the queue of {@link cpu}, current on that CPU, which switches to it, or running there.
 *
 * An object each, and one for each CPU: an event looks them up by number once, and reads their fields many times.
 */
export class Entity {
  readonly index: number;
  readonly processor: Processor;
  readonly weight: number;
  /** CPUs that it may run on, null for all. */
  readonly pin: readonly number[] | null;
  readonly isHost: boolean;
  /** Where it is, or was last. */
  cpu: ScheduledCpu;
  isQueued = false;
  /** Picoseconds that it has run, scaled by 256 / weight, on the clock of its CPU. */
  vruntime = 0;
  /** Since when it has waited for a CPU, and how long of that the CPU took to leave its idle state. */
  readySince = 0;
  wokeLate = 0;
  /** A VCPU: it comes back from a HLT exit. */
  halted = false;
  /** Its time in interrupts when its running was last booked: not a thread's. */
  irqBefore = 0;

  constructor(
    index: number,
    processor: Processor,
    weight: number,
    pin: readonly number[] | null,
    cpu: ScheduledCpu,
    isHost: boolean,
  ) {
    this.index = index;
    this.processor = processor;
    this.weight = weight;
    this.pin = pin;
    this.cpu = cpu;
    this.isHost = isHost;
  }

  /** The kernel with interrupts or deferred work: it must run before any other. */
  get isUrgent(): boolean {
    return this.isHost && this.processor.hasInterrupt;
  }

  mayRunOn(cpu: ScheduledCpu): boolean {
    return this.pin === null || this.pin.includes(cpu.index);
  }

  /** Puts it, while it does not wait, on another CPU's clock, as far ahead or behind as it was on its own. */
  moveTo(cpu: ScheduledCpu): void {
    const from = this.cpu;
    if (from === cpu) return;
    this.vruntime += cpu.floor - from.floor;
    this.cpu = cpu;
  }

  /** A sleeper comes back at most `credit` behind the others (place_entity, GENTLE_FAIR_SLEEPERS). */
  placeAfterSleep(credit: number): void {
    const least = this.cpu.floor - credit;
    if (this.vruntime < least) this.vruntime = least;
  }

  /** Books a run and moves the CPU's clock on (update_curr, update_min_vruntime). */
  ran(picoseconds: number, weight: number): void {
    const { cpu } = this;
    const now = this.vruntime + (picoseconds * UNIT) / weight;
    this.vruntime = now;
    const least = cpu.least();
    const lowest = least === null ? now : Math.min(now, least.vruntime);
    if (lowest > cpu.floor) cpu.floor = lowest;
  }
}

/** A CPU of a host, with the queue of what waits for it (struct rq). */
export class ScheduledCpu {
  readonly index: number;
  readonly physical: PhysicalCpu;
  readonly load: HostLoad;
  /** Entities that wait, in no order: a handful at most. Read only. */
  readonly queue: Entity[] = [];
  /** Lowest vruntime that runs or waits here; never goes back (min_vruntime). */
  floor = 0;
  /** The kernel's processor; null before it is known. */
  host: Entity | null = null;
  current: Entity | null = null;
  /** Since when what runs is not booked. */
  runSince = 0;
  /** Set only while others wait. */
  timerAt = Infinity;
  timerId = -1;
  // What a switch costs depends on these: see SwitchCosts.
  /** The VCPU whose state is loaded. */
  loaded: Entity | null = null;
  /** The VCPU that has just been sent off: what comes next pays its exit. */
  exited: Entity | null = null;
  /** The kernel ran threads since a VCPU last did. */
  ranThreads = false;
  #doing = IDLE;

  constructor(index: number, physical: PhysicalCpu, load: HostLoad) {
    this.index = index;
    this.physical = physical;
    this.load = load;
    load.idle++;
  }

  get isIdle(): boolean {
    return this.#doing === IDLE;
  }

  get isRunning(): boolean {
    return this.#doing === RUNNING;
  }

  /** Somebody is on it, and runs or has been asked to leave. */
  get isTaken(): boolean {
    return this.#doing >= RUNNING;
  }

  /** Entities that it has. */
  get count(): number {
    return this.queue.length + (this.#doing === IDLE ? 0 : 1);
  }

  /** It has nothing to run. */
  rest(): void {
    this.#doing = IDLE;
    this.current = null;
    this.exited = null; // the exit belongs to whoever comes back
    this.load.idle++;
  }

  switchTo(entity: Entity): void {
    if (this.#doing === IDLE) this.load.idle--;
    this.#doing = SWITCHING;
    this.current = entity;
  }

  /** The current entity has arrived. */
  run(): void {
    this.#doing = RUNNING;
  }

  /** The current entity is asked to go. */
  evict(): void {
    this.#doing = LEAVING;
    this.current!.processor.evict(); // calls `left`, now or at the end of its burst
  }

  insert(entity: Entity): void {
    entity.moveTo(this);
    entity.isQueued = true;
    this.queue.push(entity);
    this.load.waiting++;
    if (!entity.isHost) this.load.waitingVcpus++;
  }

  /** Takes an entity out that waits here; the others keep their order. By hand: `splice` makes an array each time. */
  remove(entity: Entity): void {
    const { queue } = this;
    const last = queue.length - 1;
    let at = 0;
    while (queue[at] !== entity) at++;
    for (; at < last; at++) queue[at] = queue[at + 1];
    queue.pop();
    entity.isQueued = false;
    this.load.waiting--;
    if (!entity.isHost) this.load.waitingVcpus--;
  }

  /** The waiting entity that has run least, null when none waits. Equal ones come in the order of their numbers. */
  least(): Entity | null {
    const { queue } = this;
    if (queue.length === 0) return null;
    let best = queue[0];
    for (let i = 1; i < queue.length; i++) {
      const entity = queue[i];
      const ahead = entity.vruntime - best.vruntime;
      if (ahead < 0 || (ahead === 0 && entity.index < best.index)) best = entity;
    }
    return best;
  }
}
