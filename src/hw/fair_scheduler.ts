import { assert } from "../base/assert.ts";
import { US } from "../base/units.ts";
import type { Engine } from "../sim/engine.ts";
import type { PhysicalCpu } from "./cpu.ts";
import type { CpuScheduler } from "./cpu_scheduler.ts";
import { FairBalance, NO_MOVES } from "./fair_balance.ts";
import { FairRuntime } from "./fair_runtime.ts";
import type { Costs } from "./machine_profile.ts";
import type { Processor } from "./processor.ts";
import { Entity, HostLoad, NICE_0, ScheduledCpu } from "./run_queues.ts";
import { SwitchCosts } from "./switch_costs.ts";

/** A sleeper comes back with half a latency period of credit; a period is eight granularities (sched_nr_latency). */
const SLEEPER_GRANULARITIES = 4;

/** The least granularity that Linux can be set to (kernel/sysctl.c, min_sched_granularity_ns). */
const LEAST_GRANULARITY_PS = 100 * US;

const NO_TIMER = -1;

/**
 * A Linux host's scheduler for its physical CPUs (sched_fair.c): the kernel's own processors, one pinned to each CPU,
 * and the VCPU threads of its virtual machines.
 *
 * A kernel's processor with interrupts or deferred work to run takes its CPU at once, which costs the VCPU that runs
 * there an exit. When it has only threads to run (vhost, QEMU) it competes with the VCPUs by virtual runtime: who runs
 * makes room when it is a granularity ahead of who waits, and a sleeper comes back with some credit, so that it gets in
 * at once unless it has run as much as the others.
 *
 * Who waits where is in the CPUs' queues ({@link ScheduledCpu}); what has run is booked by {@link FairRuntime}, and
 * {@link FairBalance} moves VCPUs to CPUs that have less to do.
 */
export class FairScheduler implements CpuScheduler {
  readonly counters = {
    /** VCPUs sent off their CPU by an interrupt of the host. */
    interruptExits: 0,
    /** Entities sent off their CPU for one that had run less. */
    preemptions: 0,
    ...NO_MOVES,
  };

  readonly #engine: Engine;
  readonly #costs: Costs;
  readonly #granularity: number;
  readonly #credit: number;
  /** A look at who has run how much is a timer interrupt: not sooner than after a tenth of a granularity. */
  readonly #leastWait: number;
  readonly #arriveHandler: number;
  readonly #timerHandler: number;

  readonly #cpus: readonly ScheduledCpu[];
  readonly #entities: Entity[] = [];
  readonly #load = new HostLoad();
  readonly #runtime: FairRuntime;
  readonly #switch: SwitchCosts;
  readonly #balance: FairBalance;

  constructor(engine: Engine, name: string, cpus: readonly PhysicalCpu[], costs: Costs) {
    assert(cpus.length > 0, "fair scheduler: a host has at least one CPU");
    this.#engine = engine;
    this.#costs = costs;
    this.#granularity = Math.max(costs.threadSlice, LEAST_GRANULARITY_PS);
    this.#credit = SLEEPER_GRANULARITIES * this.#granularity;
    this.#leastWait = Math.ceil(this.#granularity / 10);
    this.#cpus = cpus.map((physical, index) => new ScheduledCpu(index, physical, this.#load));
    this.#switch = new SwitchCosts(costs);
    this.#runtime = new FairRuntime(engine);
    this.#arriveHandler = engine.handler(`${name} arrives`, FairScheduler.#onArrive, this);
    this.#timerHandler = engine.handler(`${name} scheduler timer`, FairScheduler.#onTimer, this);
    const { counters } = this;
    const shared = { engine, name, cpus: this.#cpus, load: this.#load, runtime: this.#runtime, counters };
    this.#balance = new FairBalance(shared, {
      assign: (cpu, entity) => this.#assign(cpu, entity),
      look: (cpu) => this.#look(cpu),
    });
  }

  static readonly #onArrive = (cpu: number, entity: number, of: FairScheduler): void => of.#arrive(cpu, entity);
  static readonly #onTimer = (cpu: number, _b: number, of: FairScheduler): void => of.#timer(of.#cpus[cpu]);

  /** Takes charge of the kernel's processor of one CPU. */
  addHost(processor: Processor, cpu: number): void {
    assert(this.#cpus[cpu].host === null, "fair scheduler: a CPU has one processor of the kernel");
    this.#cpus[cpu].host = this.#add(processor, NICE_0, [cpu], cpu, true);
  }

  /** Takes charge of a VCPU; `pin` lists the CPUs that it may run on, null allows all. */
  add(processor: Processor, weight: number = NICE_0, pin: readonly number[] | null = null): void {
    assert(pin === null || pin.length > 0, "fair scheduler: a VCPU is pinned to at least one CPU");
    // Starting places go round the CPUs that it may use from the last one, away from the NIC's interrupts.
    const vcpus = this.#entities.filter(({ isHost }) => !isHost).length;
    const count = this.#cpus.length;
    const first = pin === null ? count - 1 - (vcpus % count) : pin[vcpus % pin.length];
    assert(first >= 0 && first < count, "fair scheduler: a VCPU is pinned to a CPU that the host has");
    this.#add(processor, weight, pin, first, false);
  }

  #add(processor: Processor, weight: number, pin: readonly number[] | null, cpu: number, isHost: boolean): Entity {
    const index = this.#entities.length;
    const entity = new Entity(index, processor, weight, pin, this.#cpus[cpu], isHost);
    processor.schedulerIndex = index;
    this.#entities.push(entity);
    return entity;
  }

  /** VM switches that were paid for. */
  get switches(): number {
    return this.#switch.switches;
  }

  // ---- what processors tell

  wake(processor: Processor): void {
    const entity = this.#entityOf(processor);
    entity.readySince = this.#engine.now;
    let { cpu } = entity;
    if (entity.isHost) {
      this.#runtime.update(cpu);
    } else {
      entity.halted = true;
      this.#runtime.update(cpu);
      const place = this.#placeFor(entity);
      if (place !== cpu) {
        this.#runtime.update(place);
        this.#balance.migrate(entity, place);
        cpu = place;
      }
    }
    entity.placeAfterSleep(this.#credit);
    if (cpu.isIdle) {
      this.#assign(cpu, entity);
      return;
    }
    cpu.insert(entity);
    if (!entity.isHost) this.#balance.start();
    if (!cpu.isRunning) return;
    if (entity.isUrgent) this.#interrupt(cpu);
    else this.#look(cpu);
  }

  block(processor: Processor): void {
    const entity = this.#entityOf(processor);
    const { cpu } = entity;
    this.#runtime.account(cpu, entity);
    this.#next(cpu);
  }

  left(processor: Processor): void {
    const entity = this.#entityOf(processor);
    const { cpu } = entity;
    this.#runtime.account(cpu, entity);
    entity.readySince = this.#engine.now;
    cpu.insert(entity);
    if (!entity.isHost) {
      cpu.exited = entity;
      this.#balance.start();
    }
    this.#next(cpu);
  }

  sleep(processor: Processor): boolean {
    const entity = this.#entityOf(processor);
    if (!entity.isQueued) return false; // it arrives, and blocks at once
    this.#runtime.update(entity.cpu);
    entity.cpu.remove(entity);
    return true;
  }

  interrupted(processor: Processor): void {
    const entity = this.#entityOf(processor);
    if (!entity.isHost) return;
    const { cpu } = entity;
    if (cpu.isRunning && cpu.current !== entity) this.#interrupt(cpu);
  }

  /** After interrupts the kernel goes back to who was interrupted, unless a thread of its own is to run. */
  keeps(processor: Processor): boolean {
    const entity = this.#entityOf(processor);
    const { cpu } = entity;
    if (cpu.queue.length === 0) return true;
    cpu.insert(entity);
    const next = this.#pick(cpu);
    cpu.remove(entity);
    return next === entity;
  }

  // ---- choosing

  /** Where a woken VCPU goes: where it ran last if that is idle, else an idle CPU, else the least loaded one. */
  #placeFor(entity: Entity): ScheduledCpu {
    const cpus = this.#cpus;
    const count = cpus.length;
    let best = entity.cpu;
    let at = best.index;
    for (let left = count; left > 0; left--) {
      const cpu = cpus[at];
      at = at + 1 < count ? at + 1 : 0;
      if (!entity.mayRunOn(cpu)) continue;
      if (cpu.isIdle) return cpu;
      if (cpu.count < best.count) best = cpu;
      if (this.#load.idle === 0 && best.count <= 1) return best;
    }
    return best;
  }

  /** Gives a CPU that has become free to who should have it. */
  #next(cpu: ScheduledCpu): void {
    const entity = this.#pick(cpu);
    if (entity !== null) {
      cpu.remove(entity);
      this.#assign(cpu, entity);
      return;
    }
    cpu.rest();
    cpu.physical.idleSince = this.#engine.now;
    this.#balance.pull(cpu);
  }

  #pick(cpu: ScheduledCpu): Entity | null {
    const least = cpu.least();
    if (least === null) return null;
    const { host, loaded } = cpu;
    if (host !== null && host.isQueued && host.isUrgent) return host;
    // Whose state is loaded goes on after an interrupt, as long as it may: it was not descheduled.
    if (loaded === null || !loaded.isQueued || loaded.cpu !== cpu) return least;
    return loaded.vruntime - least.vruntime < this.#granularity ? loaded : least;
  }

  // ---- switching

  /** Begins to switch a CPU to an entity, which arrives when idle exit, VM exit and switch are paid for. */
  #assign(cpu: ScheduledCpu, entity: Entity): void {
    const { physical } = cpu;
    const now = this.#engine.now;
    let delay = 0;
    if (cpu.isIdle) {
      if (physical.idleSince < now) delay = this.#costs.idleExit;
      physical.idleSince = -1;
    }
    entity.wokeLate = delay;
    const from = now + delay;
    if (entity.isHost) {
      const cost = this.#switch.toHost(cpu);
      if (cost > 0) physical.chargeHypervisor(cpu.loaded!.processor.owner, from, cost);
      delay += cost;
    } else {
      const cost = this.#switch.toVcpu(cpu, entity);
      physical.chargeHypervisor(entity.processor.owner, from, cost);
      delay += cost;
    }
    cpu.switchTo(entity);
    if (physical.track !== null) physical.track.slice("switch", "hypervisor", now, delay);
    this.#engine.after(delay, this.#arriveHandler, cpu.index, entity.index);
  }

  #arrive(cpuIndex: number, entityIndex: number): void {
    const cpu = this.#cpus[cpuIndex];
    const entity = this.#entities[entityIndex];
    const { host } = cpu;
    if (entity !== host && host !== null && host.isQueued && host.isUrgent) {
      // An interrupt came during the switch: the kernel, which is what runs now, takes it before it enters the guest.
      cpu.insert(entity);
      cpu.remove(host);
      this.#assign(cpu, host);
      return;
    }
    cpu.run();
    this.#runtime.begin(cpu, entity);
    if (cpu.queue.length > 0) this.#lookAgain(cpu);
    // Last, because who finds nothing to do blocks at once.
    const late = this.#engine.now - entity.readySince;
    entity.processor.arrive(cpu.physical, late, entity.wokeLate, entity.isUrgent);
  }

  /** The host takes an interrupt on a CPU that runs a VCPU. */
  #interrupt(cpu: ScheduledCpu): void {
    this.counters.interruptExits++;
    cpu.evict();
  }

  // ---- looking again

  /** Sends off who runs when it is a granularity ahead of who has run least, else looks again when it will be. */
  #look(cpu: ScheduledCpu): void {
    const least = cpu.least();
    if (least === null) return;
    const isAhead = this.#runtime.runtimeNow(cpu) - least.vruntime >= this.#granularity;
    // Interrupts are not sent off, but threads may follow them.
    if (isAhead && !cpu.current!.isUrgent) {
      this.counters.preemptions++;
      cpu.evict();
    } else {
      this.#lookAgain(cpu);
    }
  }

  #lookAgain(cpu: ScheduledCpu): void {
    const left = cpu.least()!.vruntime + this.#granularity - this.#runtime.runtimeNow(cpu);
    const wait = Math.ceil((left * this.#runtime.weightOf(cpu.current!)) / NICE_0);
    const time = this.#engine.now + Math.max(wait, this.#leastWait);
    if (cpu.timerAt <= time) return;
    if (cpu.timerId !== NO_TIMER) this.#engine.cancel(cpu.timerId);
    cpu.timerAt = time;
    cpu.timerId = this.#engine.timer(time, this.#timerHandler, cpu.index);
  }

  #timer(cpu: ScheduledCpu): void {
    cpu.timerId = NO_TIMER;
    cpu.timerAt = Infinity;
    if (cpu.isRunning) this.#look(cpu);
  }

  #entityOf(processor: Processor): Entity {
    const index = processor.schedulerIndex;
    assert(index >= 0, "fair scheduler: a processor was not added");
    return this.#entities[index];
  }
}
