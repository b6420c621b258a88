import { assert } from "../base/assert.ts";
import { MS, US } from "../base/units.ts";
import { IRQ } from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import type { PhysicalCpu } from "./cpu.ts";
import type { Costs } from "./machine_profile.ts";
import type { CpuScheduler } from "./cpu_scheduler.ts";
import type { Processor } from "./processor.ts";
import { NICE_0, RunQueues } from "./run_queues.ts";
import { SwitchCosts } from "./switch_costs.ts";

/** An idle CPU looks for waiting VCPUs this often: a tick at HZ=250, picoseconds. */
export const BALANCE_PS = 4 * MS;
/** A busy CPU looks for more only once in so many of these ticks: 64 ms (struct sched_domain, busy_factor). */
const BUSY_TICKS = 16;
/** Who was sent off less than this ago is cache-hot and is not taken to another CPU (sysctl_sched_migration_cost). */
export const MIGRATION_COST_PS = 500 * US;
/** A sleeper comes back with half a latency period of credit; a period is eight granularities (sched_nr_latency). */
const SLEEPER_GRANULARITIES = 4;

/** The least granularity that Linux can be set to (kernel/sysctl.c, min_sched_granularity_ns). */
const LEAST_GRANULARITY_PS = 100 * US;

const NONE = -1;
// What a CPU does.
const IDLE = 0;
const SWITCHING = 1; // the entity in #current arrives at an event
const RUNNING = 2;
const LEAVING = 3; // it was asked to go and has not reached a point where it can

/**
 * A Linux host's scheduler for its physical CPUs (sched_fair.c): the kernel's own processors, one pinned to each CPU,
 * and the VCPU threads of its virtual machines.
 *
 * A kernel's processor with interrupts or deferred work to run takes its CPU at once, which costs the VCPU that runs
 * there an exit. When it has only threads to run (vhost, QEMU) it competes with the VCPUs by virtual runtime: who runs
 * makes room when it is a granularity ahead of who waits, and a sleeper comes back with some credit, so that it gets in
 * at once unless it has run as much as the others.
 *
 * Entities are indexes here; one is in one of four places: blocked, in a queue, in `#current` of one CPU that is
 * switching to it, or in `#current` of one CPU that it runs on. A CPU has one timer, set only while others wait.
 */
export class FairScheduler implements CpuScheduler {
  readonly counters = {
    /** VCPUs sent off their CPU by an interrupt of the host. */
    interruptExits: 0,
    /** Entities sent off their CPU for one that had run less. */
    preemptions: 0,
    /** VCPUs that an idle CPU has taken from another one's queue. */
    pulls: 0,
    /** VCPUs that a busy CPU has taken from a busier one. */
    balances: 0,
    migrations: 0,
  };

  readonly #engine: Engine;
  readonly #costs: Costs;
  readonly #granularity: number;
  readonly #arriveHandler: number;
  readonly #timerHandler: number;
  readonly #balanceHandler: number;
  #balancing = false;

  // By CPU.
  readonly #cpus: readonly PhysicalCpu[];
  readonly #queues: RunQueues;
  readonly #doing: Uint8Array;
  readonly #current: Int32Array;
  readonly #hostOf: Int32Array; // entity of the kernel's processor
  readonly #switch: SwitchCosts;
  readonly #runSince: Float64Array; // since when what runs is not booked
  readonly #timerAt: Float64Array;
  readonly #timerId: Float64Array;
  #idle: number;

  // By entity.
  readonly #processors: Processor[] = [];
  readonly #weights: number[] = [];
  readonly #allowed: (readonly number[] | null)[] = [];
  readonly #isHost: boolean[] = [];
  readonly #readySince: number[] = [];
  readonly #wokeLate: number[] = [];
  readonly #halted: boolean[] = []; // a VCPU: it comes back from a HLT exit
  readonly #irqBefore: number[] = []; // its time in interrupts at runSince: not a thread's

  constructor(engine: Engine, name: string, cpus: readonly PhysicalCpu[], costs: Costs) {
    assert(cpus.length > 0, "fair scheduler: a host has at least one CPU");
    this.#engine = engine;
    this.#cpus = cpus;
    this.#costs = costs;
    this.#granularity = Math.max(costs.threadSlice, LEAST_GRANULARITY_PS);
    const count = cpus.length;
    this.#queues = new RunQueues(count);
    this.#doing = new Uint8Array(count);
    this.#current = new Int32Array(count).fill(NONE);
    this.#hostOf = new Int32Array(count).fill(NONE);
    this.#switch = new SwitchCosts(count, costs);
    this.#runSince = new Float64Array(count);
    this.#timerAt = new Float64Array(count).fill(Infinity);
    this.#timerId = new Float64Array(count).fill(NONE);
    this.#idle = count;
    this.#arriveHandler = engine.handler(`${name} arrives`, (cpu, entity) => this.#arrive(cpu, entity));
    this.#timerHandler = engine.handler(`${name} scheduler timer`, (cpu) => this.#timer(cpu));
    this.#balanceHandler = engine.handler(`${name} balance`, () => this.#balance());
  }

  /** Takes charge of the kernel's processor of one CPU. */
  addHost(processor: Processor, cpu: number): void {
    assert(this.#hostOf[cpu] === NONE, "fair scheduler: a CPU has one processor of the kernel");
    this.#hostOf[cpu] = this.#add(processor, NICE_0, [cpu], cpu, true);
  }

  /** Takes charge of a VCPU; `pin` lists the CPUs that it may run on, null allows all. */
  add(processor: Processor, weight: number = NICE_0, pin: readonly number[] | null = null): void {
    assert(pin === null || pin.length > 0, "fair scheduler: a VCPU is pinned to at least one CPU");
    // Starting places go round the CPUs that it may use from the last one, away from the NIC's interrupts.
    const vcpus = this.#isHost.filter((isHost) => !isHost).length;
    const count = this.#cpus.length;
    const first = pin === null ? count - 1 - (vcpus % count) : pin[vcpus % pin.length];
    assert(first >= 0 && first < count, "fair scheduler: a VCPU is pinned to a CPU that the host has");
    this.#add(processor, weight, pin, first, false);
  }

  #add(processor: Processor, weight: number, pin: readonly number[] | null, cpu: number, isHost: boolean): number {
    const entity = this.#queues.add(cpu);
    processor.schedulerIndex = entity;
    this.#processors.push(processor);
    this.#weights.push(weight);
    this.#allowed.push(pin);
    this.#isHost.push(isHost);
    this.#readySince.push(0);
    this.#wokeLate.push(0);
    this.#halted.push(false);
    this.#irqBefore.push(0);
    return entity;
  }

  /** VM switches that were paid for. */
  get switches(): number {
    return this.#switch.switches;
  }

  // ---- what processors tell

  wake(processor: Processor): void {
    const entity = this.#indexOf(processor);
    this.#readySince[entity] = this.#engine.now;
    this.#halted[entity] = !this.#isHost[entity];
    const cpu = this.#isHost[entity] ? this.#queues.cpuOf[entity] : this.#placeFor(entity);
    if (cpu !== this.#queues.cpuOf[entity]) this.#update(this.#queues.cpuOf[entity]);
    this.#update(cpu);
    this.#migrate(entity, cpu);
    this.#queues.wake(entity, SLEEPER_GRANULARITIES * this.#granularity);
    if (this.#doing[cpu] === IDLE) {
      this.#assign(cpu, entity);
      return;
    }
    this.#queues.insert(entity, cpu);
    if (!this.#isHost[entity]) this.#startBalancing();
    if (this.#doing[cpu] !== RUNNING) return;
    if (this.#isUrgent(entity)) this.#interrupt(cpu);
    else this.#look(cpu);
  }

  block(processor: Processor): void {
    const entity = this.#indexOf(processor);
    const cpu = this.#queues.cpuOf[entity];
    this.#account(cpu, entity);
    this.#next(cpu);
  }

  left(processor: Processor): void {
    const entity = this.#indexOf(processor);
    const cpu = this.#queues.cpuOf[entity];
    this.#account(cpu, entity);
    this.#readySince[entity] = this.#engine.now;
    this.#queues.insert(entity, cpu);
    if (!this.#isHost[entity]) {
      this.#switch.exited(cpu, entity);
      this.#startBalancing();
    }
    this.#next(cpu);
  }

  sleep(processor: Processor): boolean {
    const entity = this.#indexOf(processor);
    if (!this.#queues.isQueued(entity)) return false; // it arrives, and blocks at once
    this.#update(this.#queues.cpuOf[entity]);
    this.#queues.remove(entity);
    return true;
  }

  interrupted(processor: Processor): void {
    const entity = this.#indexOf(processor);
    if (!this.#isHost[entity]) return;
    const cpu = this.#queues.cpuOf[entity];
    if (this.#doing[cpu] === RUNNING && this.#current[cpu] !== entity) this.#interrupt(cpu);
  }

  /** After interrupts the kernel goes back to who was interrupted, unless a thread of its own is to run. */
  keeps(processor: Processor): boolean {
    const entity = this.#indexOf(processor);
    const cpu = this.#queues.cpuOf[entity];
    if (this.#queues.on(cpu).length === 0) return true;
    this.#queues.insert(entity, cpu);
    const next = this.#pick(cpu);
    this.#queues.remove(entity);
    return next === entity;
  }

  // ---- choosing

  /** Where a woken VCPU goes: where it ran last if that is idle, else an idle CPU, else the least loaded one. */
  #placeFor(entity: number): number {
    const count = this.#cpus.length;
    const last = this.#queues.cpuOf[entity];
    let best = last;
    for (let step = 0; step < count; step++) {
      const cpu = last + step < count ? last + step : last + step - count;
      if (!this.#mayRun(entity, cpu)) continue;
      if (this.#doing[cpu] === IDLE) return cpu;
      if (this.#load(cpu) < this.#load(best)) best = cpu;
      if (this.#idle === 0 && this.#load(best) <= 1) return best;
    }
    return best;
  }

  #load(cpu: number): number {
    return this.#queues.on(cpu).length + (this.#doing[cpu] === IDLE ? 0 : 1);
  }

  #mayRun(entity: number, cpu: number): boolean {
    const pin = this.#allowed[entity];
    return pin === null || pin.includes(cpu);
  }

  /** Whether an entity must run before any other: the kernel with interrupts or deferred work. */
  #isUrgent(entity: number): boolean {
    return this.#isHost[entity] && this.#processors[entity].hasInterrupt;
  }

  /** Gives a CPU that has become free to who should have it. */
  #next(cpu: number): void {
    const entity = this.#pick(cpu);
    if (entity !== NONE) {
      this.#queues.remove(entity);
      this.#assign(cpu, entity);
      return;
    }
    this.#doing[cpu] = IDLE;
    this.#current[cpu] = NONE;
    this.#switch.rested(cpu);
    this.#cpus[cpu].idleSince = this.#engine.now;
    this.#idle++;
    this.#pull(cpu);
  }

  #pick(cpu: number): number {
    const host = this.#hostOf[cpu];
    if (host !== NONE && this.#queues.isQueued(host) && this.#isUrgent(host)) return host;
    const least = this.#queues.least(cpu);
    // Whose state is loaded goes on after an interrupt, as long as it may: it was not descheduled.
    const loaded = this.#switch.loaded(cpu);
    if (loaded === NONE || !this.#queues.isQueued(loaded) || this.#queues.cpuOf[loaded] !== cpu) return least;
    return this.#aheadOf(loaded, least) < this.#granularity ? loaded : least;
  }

  #aheadOf(entity: number, other: number): number {
    return this.#queues.vruntime[entity] - this.#queues.vruntime[other];
  }

  // ---- switching

  /** Begins to switch a CPU to an entity, which arrives when idle exit, VM exit and switch are paid for. */
  #assign(cpu: number, entity: number): void {
    const physical = this.#cpus[cpu];
    const now = this.#engine.now;
    let delay = 0;
    if (this.#doing[cpu] === IDLE) {
      if (physical.idleSince < now) delay = this.#costs.idleExit;
      physical.idleSince = -1;
      this.#idle--;
    }
    this.#wokeLate[entity] = delay;
    const from = now + delay;
    delay += this.#isHost[entity] ? this.#enterKernel(cpu, from) : this.#enterGuest(cpu, entity, from);
    this.#doing[cpu] = SWITCHING;
    this.#current[cpu] = entity;
    if (physical.track !== null) physical.track.slice("switch", "hypervisor", now, delay);
    this.#engine.after(delay, this.#arriveHandler, cpu, entity);
  }

  #enterKernel(cpu: number, from: number): number {
    const vcpu = this.#switch.loaded(cpu);
    const cost = this.#switch.toHost(cpu);
    if (cost > 0) this.#cpus[cpu].chargeHypervisor(this.#processors[vcpu].owner, from, cost);
    return cost;
  }

  #enterGuest(cpu: number, vcpu: number, from: number): number {
    const cost = this.#switch.toVcpu(cpu, vcpu, this.#halted[vcpu]);
    this.#halted[vcpu] = false;
    this.#cpus[cpu].chargeHypervisor(this.#processors[vcpu].owner, from, cost);
    return cost;
  }

  #arrive(cpu: number, entity: number): void {
    const now = this.#engine.now;
    const host = this.#hostOf[cpu];
    if (entity !== host && host !== NONE && this.#queues.isQueued(host) && this.#isUrgent(host)) {
      // An interrupt came during the switch: the kernel, which is what runs now, takes it before it enters the guest.
      this.#queues.insert(entity, cpu);
      this.#queues.remove(host);
      this.#assign(cpu, host);
      return;
    }
    this.#doing[cpu] = RUNNING;
    const processor = this.#processors[entity];
    this.#runs(cpu, entity);
    if (this.#queues.on(cpu).length > 0) this.#lookAgain(cpu);
    // Last, because who finds nothing to do blocks at once.
    processor.arrive(this.#cpus[cpu], now - this.#readySince[entity], this.#wokeLate[entity], this.#isUrgent(entity));
  }

  /** Books what the entity on a CPU has run. Interrupts are nobody's runtime. */
  #account(cpu: number, entity: number): void {
    const ran = this.#ran(cpu, entity);
    if (ran > 0 && this.#isHost[entity]) this.#switch.ranThreads(cpu);
    this.#queues.ran(entity, ran, this.#weightOf(entity));
  }

  /** Time that who is on a CPU has run since it was last booked, interrupts not counted. */
  #ran(cpu: number, entity: number): number {
    const ran = this.#engine.now - this.#runSince[cpu];
    if (!this.#isHost[entity]) return ran;
    const { time, handedOverPs } = this.#processors[entity];
    return Math.min(ran, Math.max(0, ran - (time[IRQ] - handedOverPs - this.#irqBefore[entity])));
  }

  /** Each of a kernel's threads is a thread like a VCPU. */
  #weightOf(entity: number): number {
    const weight = this.#weights[entity];
    return this.#isHost[entity] ? weight * Math.max(1, this.#processors[entity].runnableThreads) : weight;
  }

  /**
   * Books what runs on a CPU, which moves its clock on, before anything changes there: alone it stays for long, and what
   * it has run must not be weighed by what comes later (update_curr).
   */
  #update(cpu: number): void {
    if (this.#doing[cpu] < RUNNING) return;
    const entity = this.#current[cpu];
    if (this.#isHost[entity]) this.#processors[entity].settle(); // what is over of an interrupt is not a thread's
    this.#account(cpu, entity);
    this.#runs(cpu, entity);
  }

  /** From now on an entity runs that has nothing to be booked. */
  #runs(cpu: number, entity: number): void {
    const { time, handedOverPs } = this.#processors[entity];
    this.#runSince[cpu] = this.#engine.now;
    this.#irqBefore[entity] = time[IRQ] - handedOverPs;
  }

  /** The host takes an interrupt on a CPU that runs a VCPU. */
  #interrupt(cpu: number): void {
    this.counters.interruptExits++;
    this.#evict(cpu);
  }

  #evict(cpu: number): void {
    this.#doing[cpu] = LEAVING;
    this.#processors[this.#current[cpu]].evict(); // calls `left`, now or at the end of its burst
  }

  // ---- looking again

  /** Virtual runtime of what runs on a CPU, at this instant. */
  #runtimeNow(cpu: number): number {
    const entity = this.#current[cpu];
    return this.#queues.vruntime[entity] + (this.#ran(cpu, entity) * NICE_0) / this.#weightOf(entity);
  }

  /** Sends off who runs when it is a granularity ahead of who has run least, else looks again when it will be. */
  #look(cpu: number): void {
    const least = this.#queues.least(cpu);
    if (least === NONE) return;
    const isAhead = this.#runtimeNow(cpu) - this.#queues.vruntime[least] >= this.#granularity;
    // Interrupts are not sent off, but threads may follow them.
    if (isAhead && !this.#isUrgent(this.#current[cpu])) {
      this.counters.preemptions++;
      this.#evict(cpu);
    } else {
      this.#lookAgain(cpu);
    }
  }

  #lookAgain(cpu: number): void {
    const least = this.#queues.least(cpu);
    const entity = this.#current[cpu];
    const left = this.#queues.vruntime[least] + this.#granularity - this.#runtimeNow(cpu);
    // Not sooner than a tenth of a granularity: a look is a timer interrupt.
    const wait = Math.max(Math.ceil((left * this.#weightOf(entity)) / NICE_0), Math.ceil(this.#granularity / 10));
    const time = this.#engine.now + wait;
    if (this.#timerAt[cpu] <= time) return;
    if (this.#timerId[cpu] !== NONE) this.#engine.cancel(this.#timerId[cpu]);
    this.#timerAt[cpu] = time;
    this.#timerId[cpu] = this.#engine.timer(time, this.#timerHandler, cpu);
  }

  #timer(cpu: number): void {
    this.#timerId[cpu] = NONE;
    this.#timerAt[cpu] = Infinity;
    if (this.#doing[cpu] === RUNNING) this.#look(cpu);
  }

  // ---- balancing

  /** Ticks fall on multiples of {@link BALANCE_PS}, whether they were stopped in between or not. */
  #startBalancing(): void {
    if (this.#balancing) return;
    this.#balancing = true;
    this.#engine.at((Math.floor(this.#engine.now / BALANCE_PS) + 1) * BALANCE_PS, this.#balanceHandler);
  }

  #balance(): void {
    for (let cpu = 0; this.#idle > 0 && cpu < this.#cpus.length; cpu++) {
      if (this.#doing[cpu] === IDLE) this.#pull(cpu);
    }
    if (this.#queues.waiting > 0 && this.#engine.now % (BUSY_TICKS * BALANCE_PS) === 0) this.#evenOut();
    this.#balancing = false;
    if (this.#queues.waiting > 0) this.#startBalancing();
  }

  /** An idle CPU takes the VCPU that has waited longest on another one, if that is no longer cache-hot there. */
  #pull(cpu: number): void {
    if (this.#queues.waiting === 0) return;
    let longest = NONE;
    for (let from = 0; from < this.#cpus.length; from++) {
      for (const entity of this.#queues.on(from)) {
        if (this.#isHost[entity] || !this.#mayRun(entity, cpu)) continue;
        if (longest === NONE || this.#readySince[entity] < this.#readySince[longest]) longest = entity;
      }
    }
    if (longest === NONE || this.#engine.now - this.#readySince[longest] < MIGRATION_COST_PS) return;
    this.#update(this.#queues.cpuOf[longest]);
    this.#queues.remove(longest);
    this.#migrate(longest, cpu);
    this.counters.pulls++;
    this.#assign(cpu, longest);
  }

  /** Each busy CPU takes a VCPU that waits elsewhere, if that leaves it with no more than the other one had. */
  #evenOut(): void {
    const took = new Set<number>();
    for (let cpu = 0; cpu < this.#cpus.length; cpu++) {
      if (this.#doing[cpu] === IDLE) continue;
      const entity = this.#worthTaking(cpu, took);
      if (entity === NONE) continue;
      took.add(cpu);
      this.counters.balances++;
      this.#update(this.#queues.cpuOf[entity]);
      this.#update(cpu);
      this.#queues.remove(entity);
      this.#migrate(entity, cpu);
      this.#queues.insert(entity, cpu);
      if (this.#doing[cpu] === RUNNING) this.#look(cpu);
    }
  }

  /** Of the VCPUs that a CPU may take, the one that has waited longest for the most loaded CPU; -1 when there is none. */
  #worthTaking(cpu: number, took: ReadonlySet<number>): number {
    const own = this.#weightOn(cpu);
    let [best, most] = [NONE, 0];
    for (let from = 0; from < this.#cpus.length; from++) {
      const surplus = this.#weightOn(from) - own;
      if (surplus <= most || took.has(from)) continue; // who has just taken one does not give it back
      for (const entity of this.#queues.on(from)) {
        if (this.#isHost[entity] || this.#weights[entity] > surplus || !this.#mayRun(entity, cpu)) continue;
        if (this.#engine.now - this.#readySince[entity] < MIGRATION_COST_PS) continue;
        if (surplus > most || this.#readySince[entity] < this.#readySince[best]) best = entity;
        most = surplus;
      }
    }
    return best;
  }

  /** Weights of all that run or wait on a CPU. */
  #weightOn(cpu: number): number {
    let sum = this.#doing[cpu] === IDLE ? 0 : this.#weightOf(this.#current[cpu]);
    for (const entity of this.#queues.on(cpu)) sum += this.#weightOf(entity);
    return sum;
  }

  /** Moves an entity that does not wait, between two clocks that are right; its state is not loaded any more. */
  #migrate(entity: number, cpu: number): void {
    const from = this.#queues.cpuOf[entity];
    if (from === cpu) return;
    this.counters.migrations++;
    this.#switch.unload(from, entity);
    this.#queues.move(entity, cpu);
  }

  #indexOf(processor: Processor): number {
    const entity = processor.schedulerIndex;
    assert(entity >= 0, "fair scheduler: a processor was not added");
    return entity;
  }
}
