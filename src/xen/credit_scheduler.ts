import { assert } from "../base/assert.ts";
import { MS, US } from "../base/units.ts";
import type { PhysicalCpu } from "../hw/cpu.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { CpuScheduler } from "../hw/cpu_scheduler.ts";
import type { Processor } from "../hw/processor.ts";
import type { Engine } from "../sim/engine.ts";
import { CreditAccounts, DEFAULT_WEIGHT, TICK_PS, TICKS_PER_ACCOUNT } from "./credit_account.ts";
import { PRI_TS_OVER, PRI_TS_UNDER, RunQueues } from "./run_queue.ts";

export interface CreditOptions {
  /** A VCPU that wakes with credits left goes before all that have not just woken. */
  readonly boost: boolean;
  /** Longest that a VCPU runs while an equal one waits, picoseconds. */
  readonly slicePs: number;
  /** A VCPU is not preempted before it has run that long, picoseconds; 0 switches the limit off. */
  readonly ratelimitPs: number;
}

const DEFAULTS: CreditOptions = { boost: true, slicePs: 30 * MS, ratelimitPs: 1000 * US };

const NONE = -1;
// What a CPU does.
const IDLE = 0;
const SWITCHING = 1; // the VCPU in #current arrives at an event
const RUNNING = 2;
const LEAVING = 3; // it was asked to go and has not reached a point where it can

/**
 * Xen's credit scheduler for all VCPUs and CPUs of a host (sched_credit.c). Running costs credits, one for 100 us; every
 * 30 ms a CPU's worth of credits for each CPU is shared out by weight among the VCPUs that a tick has found running.
 * VCPUs with credits left go before those without, and a VCPU that wakes with credits left goes before both until its
 * next tick.
 *
 * VCPUs and CPUs are indexes here; a VCPU is in one of four places: blocked, in a run queue, in `#current` of one CPU
 * that is switching to it, or in `#current` of one CPU that it runs on.
 *
 * A CPU looks again at what to run when its VCPU blocks, at the end of a slice if others wait or its VCPU has no credits
 * left, and when a better VCPU wakes; one timer for each CPU, set only when one of these is due. The tick stops while
 * nothing runs or earns.
 */
export class CreditScheduler implements CpuScheduler {
  readonly options: CreditOptions;
  readonly counters = {
    /** VCPU switches that were paid for. */
    switches: 0,
    /** VCPUs sent off their CPU for another one, at the end of a slice or before it. */
    preemptions: 0,
    /** Preemptions by a waking VCPU that the rate limit put off. */
    ratelimited: 0,
    boosts: 0,
    /** VCPUs taken from another CPU's queue. */
    steals: 0,
    migrations: 0,
  };

  readonly #engine: Engine;
  readonly #switchPs: number;
  readonly #idleExitPs: number;
  readonly #arriveHandler: number;
  readonly #timerHandler: number;
  readonly #tickHandler: number;
  #ticking = false;
  #ticks = 0;

  // By CPU.
  readonly #cpus: readonly PhysicalCpu[];
  readonly #queues: RunQueues;
  readonly #doing: Uint8Array;
  readonly #current: Int32Array;
  readonly #lastVcpu: Int32Array; // whose state is loaded
  readonly #runSince: Float64Array; // start of the present run
  readonly #due: Float64Array; // when to look again, Infinity for no reason to
  readonly #timerAt: Float64Array; // when the timer fires: not after #due
  readonly #timerId: Float64Array;
  #idle: number;

  // By VCPU.
  readonly #processors: Processor[] = [];
  readonly #accounts = new CreditAccounts();
  readonly #readySince: number[] = [];
  readonly #wokeLate: number[] = [];
  readonly #lastCpu: number[] = [];
  #allowed = new Uint8Array(0); // by VCPU and CPU

  constructor(
    engine: Engine,
    name: string,
    cpus: readonly PhysicalCpu[],
    costs: Costs,
    options: Partial<CreditOptions> = {},
  ) {
    assert(cpus.length > 0, "credit scheduler: a host has at least one CPU");
    this.options = { ...DEFAULTS, ...options };
    this.#engine = engine;
    this.#cpus = cpus;
    this.#switchPs = costs.vcpuSwitch;
    this.#idleExitPs = costs.idleExit;
    this.#queues = new RunQueues(cpus.length);
    this.#doing = new Uint8Array(cpus.length);
    this.#current = new Int32Array(cpus.length).fill(NONE);
    this.#lastVcpu = new Int32Array(cpus.length).fill(NONE);
    this.#runSince = new Float64Array(cpus.length);
    this.#due = new Float64Array(cpus.length).fill(Infinity);
    this.#timerAt = new Float64Array(cpus.length).fill(Infinity);
    this.#timerId = new Float64Array(cpus.length).fill(NONE);
    this.#idle = cpus.length;
    this.#arriveHandler = engine.handler(`${name} vcpu arrives`, CreditScheduler.#onArrive, this);
    this.#timerHandler = engine.handler(`${name} scheduler timer`, CreditScheduler.#onTimer, this);
    this.#tickHandler = engine.handler(`${name} scheduler tick`, () => this.#tick());
  }

  static readonly #onArrive = (cpu: number, vcpu: number, of: CreditScheduler): void => of.#arrive(cpu, vcpu);
  static readonly #onTimer = (cpu: number, _b: number, of: CreditScheduler): void => of.#timer(cpu);

  /** Takes charge of a VCPU, made with this scheduler. `pin` lists the CPUs that it may run on; null allows all. */
  add(processor: Processor, weight = DEFAULT_WEIGHT, pin: readonly number[] | null = null): void {
    assert(pin === null || pin.length > 0, "credit scheduler: a VCPU is pinned to at least one CPU");
    const vcpu = this.#processors.length;
    const cpus = this.#cpus.length;
    const allowed = new Uint8Array((vcpu + 1) * cpus);
    allowed.set(this.#allowed);
    for (let cpu = 0; cpu < cpus; cpu++) allowed[vcpu * cpus + cpu] = pin === null || pin.includes(cpu) ? 1 : 0;
    this.#allowed = allowed;
    processor.schedulerIndex = vcpu;
    this.#processors.push(processor);
    this.#accounts.add(weight);
    this.#readySince.push(0);
    this.#wokeLate.push(0);
    // Starting places go round the CPUs that it may use.
    const first = pin === null ? vcpu % cpus : pin[vcpu % pin.length];
    assert(first >= 0 && first < cpus, "credit scheduler: a VCPU is pinned to a CPU that the host has");
    this.#lastCpu.push(first);
  }

  /** A VCPU's credits in Xen's unit, at the last time that they were counted. */
  credits(processor: Processor): number {
    return this.#accounts.credits(this.#indexOf(processor));
  }

  /** A VCPU's priority: PRI_TS_OVER, PRI_TS_UNDER or PRI_TS_BOOST. */
  priority(processor: Processor): number {
    return this.#accounts.priority(this.#indexOf(processor));
  }

  // ---- what processors tell

  wake(processor: Processor): void {
    const vcpu = this.#indexOf(processor);
    this.#readySince[vcpu] = this.#engine.now;
    if (this.options.boost && this.#accounts.boost(vcpu)) this.counters.boosts++;
    this.#startTicks();
    const cpu = this.#lastCpu[vcpu];
    const idle = this.#idleCpuFor(vcpu, cpu);
    if (idle !== NONE) {
      this.#assign(idle, vcpu);
      return;
    }
    this.#enqueue(vcpu, cpu);
    if (this.#doing[cpu] !== RUNNING || this.#accounts.priority(vcpu) <= this.#accounts.priority(this.#current[cpu])) {
      return;
    }
    const allowedAt = this.#runSince[cpu] + this.options.ratelimitPs;
    if (allowedAt > this.#engine.now) {
      this.counters.ratelimited++;
      this.#lookAt(cpu, allowedAt);
    } else {
      this.#preempt(cpu);
    }
  }

  block(processor: Processor): void {
    const vcpu = this.#indexOf(processor);
    const cpu = this.#lastCpu[vcpu];
    this.#accounts.burn(vcpu, this.#engine.now);
    const next = this.#pick(cpu);
    if (next === NONE) this.#goIdle(cpu);
    else this.#assign(cpu, next);
  }

  left(processor: Processor): void {
    const vcpu = this.#indexOf(processor);
    const cpu = this.#lastCpu[vcpu];
    this.#accounts.burn(vcpu, this.#engine.now);
    this.#readySince[vcpu] = this.#engine.now;
    this.#queues.insert(vcpu, cpu, this.#accounts.priority(vcpu));
    this.#assign(cpu, this.#pick(cpu));
    if (!this.#queues.isQueued(vcpu)) return; // nobody better was left
    const idle = this.#idleCpuFor(vcpu, cpu);
    if (idle === NONE) return;
    this.#queues.remove(vcpu);
    this.#assign(idle, vcpu);
  }

  sleep(processor: Processor): boolean {
    const vcpu = this.#indexOf(processor);
    if (!this.#queues.isQueued(vcpu)) return false; // it arrives, and blocks at once
    this.#queues.remove(vcpu);
    return true;
  }

  // ---- choosing

  /** An idle CPU that a VCPU may use: the one it ran on last, else the next one going round; -1 when there is none. */
  #idleCpuFor(vcpu: number, last: number): number {
    if (this.#idle === 0) return NONE;
    const cpus = this.#cpus.length;
    const row = vcpu * cpus;
    for (let step = 0; step < cpus; step++) {
      const cpu = last + step < cpus ? last + step : last + step - cpus;
      if (this.#doing[cpu] === IDLE && this.#allowed[row + cpu] === 1) return cpu;
    }
    return NONE;
  }

  /** Takes what a free CPU runs next out of its queue; -1 when there is nothing. */
  #pick(cpu: number): number {
    const top = this.#queues.top(cpu);
    // A CPU with nothing, or with nothing urgent, looks for better work that waits elsewhere.
    if (top === NONE || this.#accounts.priority(top) === PRI_TS_OVER) {
      const least = top === NONE ? PRI_TS_OVER : PRI_TS_UNDER;
      const stolen = this.#queues.stealable(cpu, least, this.#allowed, this.#cpus.length);
      if (stolen !== NONE) {
        this.#queues.remove(stolen);
        this.counters.steals++;
        return stolen;
      }
    }
    if (top !== NONE) this.#queues.remove(top);
    return top;
  }

  /** Lets a VCPU wait for a CPU, which looks at it at the end of the present slice. */
  #enqueue(vcpu: number, cpu: number): void {
    this.#queues.insert(vcpu, cpu, this.#accounts.priority(vcpu));
    if (this.#doing[cpu] === RUNNING) this.#lookAt(cpu, this.#sliceEnd(cpu));
  }

  #sliceEnd(cpu: number): number {
    const { slicePs } = this.options;
    const slices = Math.floor((this.#engine.now - this.#runSince[cpu]) / slicePs) + 1;
    return this.#runSince[cpu] + slices * slicePs;
  }

  // ---- switching

  #goIdle(cpu: number): void {
    this.#doing[cpu] = IDLE;
    this.#current[cpu] = NONE;
    this.#due[cpu] = Infinity;
    this.#cpus[cpu].idleSince = this.#engine.now;
    this.#idle++;
  }

  /** Begins to switch a CPU to a VCPU, which arrives when idle exit and switch are paid for. */
  #assign(cpu: number, vcpu: number): void {
    const physical = this.#cpus[cpu];
    const now = this.#engine.now;
    let delay = 0;
    const fromIdle = this.#doing[cpu] === IDLE;
    if (fromIdle) {
      if (physical.idleSince < now) delay = this.#idleExitPs;
      physical.idleSince = -1;
      this.#idle--;
    }
    this.#wokeLate[vcpu] = delay;
    // From the idle VCPU the scheduler runs and switches, even back to the one that ran before it (costs, section C: an
    // idle exit of 3.0 us and a switch of 0.8 us). A VCPU that only goes on where it was asked to leave pays nothing.
    if (fromIdle || this.#lastVcpu[cpu] !== vcpu) {
      physical.chargeHypervisor(this.#processors[vcpu].owner, now + delay, this.#switchPs);
      delay += this.#switchPs;
      this.counters.switches++;
    }
    if (this.#lastCpu[vcpu] !== cpu) this.counters.migrations++;
    this.#lastVcpu[cpu] = vcpu;
    this.#lastCpu[vcpu] = cpu;
    this.#doing[cpu] = SWITCHING;
    this.#current[cpu] = vcpu;
    this.#due[cpu] = Infinity;
    if (physical.track !== null) physical.track.slice("switch", "hypervisor", now, delay);
    this.#engine.after(delay, this.#arriveHandler, cpu, vcpu);
  }

  #arrive(cpu: number, vcpu: number): void {
    const now = this.#engine.now;
    this.#doing[cpu] = RUNNING;
    this.#runSince[cpu] = now;
    this.#accounts.start(vcpu, now);
    if (this.#queues.waitingOn(cpu) > 0) {
      const top = this.#queues.top(cpu);
      const isBetter = this.#accounts.priority(top) > this.#accounts.priority(vcpu); // it woke during the switch
      this.#lookAt(cpu, now + (isBetter ? this.options.ratelimitPs : this.options.slicePs));
    } else if (this.#accounts.priority(vcpu) === PRI_TS_OVER) {
      this.#lookAt(cpu, now + this.options.slicePs); // for what may wait elsewhere by then
    }
    // Last, because a VCPU that finds nothing to do blocks at once.
    this.#processors[vcpu].arrive(this.#cpus[cpu], now - this.#readySince[vcpu], this.#wokeLate[vcpu]);
  }

  #preempt(cpu: number): void {
    this.#doing[cpu] = LEAVING;
    this.#due[cpu] = Infinity;
    this.counters.preemptions++;
    this.#processors[this.#current[cpu]].evict(); // calls `left`, now or at the end of its burst
  }

  // ---- looking again

  /** Makes a CPU look at its queue at `time` at the latest. A timer that is set earlier stays, and sets itself anew. */
  #lookAt(cpu: number, time: number): void {
    if (time >= this.#due[cpu]) return;
    this.#due[cpu] = time;
    if (this.#timerAt[cpu] <= time) return;
    if (this.#timerId[cpu] !== NONE) this.#engine.cancel(this.#timerId[cpu]);
    this.#timerAt[cpu] = time;
    this.#timerId[cpu] = this.#engine.timer(time, this.#timerHandler, cpu);
  }

  #timer(cpu: number): void {
    this.#timerId[cpu] = NONE;
    this.#timerAt[cpu] = Infinity;
    const due = this.#due[cpu];
    this.#due[cpu] = Infinity;
    if (due > this.#engine.now) {
      if (due !== Infinity) this.#lookAt(cpu, due);
      return;
    }
    if (this.#doing[cpu] !== RUNNING) return;
    const running = this.#accounts.priority(this.#current[cpu]);
    const top = this.#queues.top(cpu);
    // An equal one gets its turn: the running VCPU would queue behind it.
    if (top !== NONE && this.#accounts.priority(top) >= running) this.#preempt(cpu);
    else if (running === PRI_TS_OVER && this.#canStealUnder(cpu)) this.#preempt(cpu);
    else if (top !== NONE || running === PRI_TS_OVER) this.#lookAt(cpu, this.#sliceEnd(cpu));
  }

  #canStealUnder(cpu: number): boolean {
    return this.#queues.stealable(cpu, PRI_TS_UNDER, this.#allowed, this.#cpus.length) !== NONE;
  }

  // ---- ticks

  /** Ticks fall on multiples of 10 ms, whether they were stopped in between or not. */
  #startTicks(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#ticks = Math.floor(this.#engine.now / TICK_PS) + 1;
    this.#engine.at(this.#ticks * TICK_PS, this.#tickHandler);
  }

  #tick(): void {
    const cpus = this.#cpus.length;
    for (let cpu = 0; cpu < cpus; cpu++) {
      if (this.#doing[cpu] >= RUNNING) this.#accounts.tick(this.#current[cpu], this.#engine.now);
    }
    if (this.#ticks % TICKS_PER_ACCOUNT === 0) this.#accounts.account(cpus, this.#queues);
    // A VCPU without credits makes room for one with credits that waits elsewhere, at the end of its slice.
    for (let cpu = 0; cpu < cpus; cpu++) {
      if (this.#doing[cpu] !== RUNNING) continue;
      if (this.#accounts.priority(this.#current[cpu]) === PRI_TS_OVER) this.#lookAt(cpu, this.#sliceEnd(cpu));
    }
    if (this.#idle === cpus && this.#accounts.active === 0) {
      this.#ticking = false;
      return;
    }
    this.#ticks++;
    this.#engine.at(this.#ticks * TICK_PS, this.#tickHandler);
  }

  #indexOf(processor: Processor): number {
    const vcpu = processor.schedulerIndex;
    assert(vcpu >= 0, "credit scheduler: a VCPU was not added");
    return vcpu;
  }
}
