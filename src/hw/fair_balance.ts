import { MS, US } from "../base/units.ts";
import type { Engine } from "../sim/engine.ts";
import type { FairRuntime } from "./fair_runtime.ts";
import type { Entity, HostLoad, ScheduledCpu } from "./run_queues.ts";

/** An idle CPU looks for waiting VCPUs this often: a tick at HZ=250, picoseconds. */
export const BALANCE_PS = 4 * MS;
/** A busy CPU looks for more only once in so many of these ticks: 64 ms (struct sched_domain, busy_factor). */
const BUSY_TICKS = 16;
/** Who was sent off less than this ago is cache-hot and is not taken to another CPU (sysctl_sched_migration_cost). */
export const MIGRATION_COST_PS = 500 * US;

/** What the balancer counts, before it has done anything. */
export const NO_MOVES = {
  /** VCPUs that an idle CPU has taken from another one's queue. */
  pulls: 0,
  /** VCPUs that a busy CPU has taken from a busier one. */
  balances: 0,
  migrations: 0,
};

/** What the balancer leaves to the scheduler. */
export interface Balanced {
  /** A CPU switches to an entity that does not wait any more. */
  assign(cpu: ScheduledCpu, entity: Entity): void;
  /** More may wait on a CPU than did before. */
  look(cpu: ScheduledCpu): void;
}

/** What the balancer shares with the scheduler of a host. */
export interface FairBalanceParts {
  readonly engine: Engine;
  /** The scheduler's. */
  readonly name: string;
  readonly cpus: readonly ScheduledCpu[];
  readonly load: HostLoad;
  readonly runtime: FairRuntime;
  readonly counters: typeof NO_MOVES;
}

/** Moves VCPUs between the queues of a host's CPUs (load_balance in sched_fair.c): ticks as long as any waits. */
export class FairBalance {
  readonly #engine: Engine;
  readonly #cpus: readonly ScheduledCpu[];
  readonly #load: HostLoad;
  readonly #runtime: FairRuntime;
  readonly #counters: typeof NO_MOVES;
  readonly #scheduler: Balanced;
  readonly #tickHandler: number;
  #ticks = false;

  constructor(parts: FairBalanceParts, scheduler: Balanced) {
    this.#engine = parts.engine;
    this.#cpus = parts.cpus;
    this.#load = parts.load;
    this.#runtime = parts.runtime;
    this.#counters = parts.counters;
    this.#scheduler = scheduler;
    this.#tickHandler = parts.engine.handler(`${parts.name} balance`, () => this.#tick());
  }

  /** A VCPU waits. Ticks fall on multiples of {@link BALANCE_PS}, whether they were stopped in between or not. */
  start(): void {
    if (this.#ticks) return;
    this.#ticks = true;
    this.#engine.at((Math.floor(this.#engine.now / BALANCE_PS) + 1) * BALANCE_PS, this.#tickHandler);
  }

  #tick(): void {
    const load = this.#load;
    for (let i = 0; load.idle > 0 && i < this.#cpus.length; i++) {
      if (this.#cpus[i].isIdle) this.pull(this.#cpus[i]);
    }
    if (load.waiting > 0 && this.#engine.now % (BUSY_TICKS * BALANCE_PS) === 0) this.#evenOut();
    this.#ticks = false;
    if (load.waiting > 0) this.start();
  }

  /** An idle CPU takes the VCPU that has waited longest on another one, if that is no longer cache-hot there. */
  pull(cpu: ScheduledCpu): void {
    if (this.#load.waitingVcpus === 0) return;
    let longest: Entity | null = null;
    for (let from = 0; from < this.#cpus.length; from++) {
      const { queue } = this.#cpus[from];
      for (let i = 0; i < queue.length; i++) {
        const entity = queue[i];
        if (entity.isHost || !entity.mayRunOn(cpu)) continue;
        if (longest === null || entity.readySince < longest.readySince) longest = entity;
      }
    }
    if (longest === null || this.#isHot(longest)) return;
    this.#runtime.update(longest.cpu);
    longest.cpu.remove(longest);
    this.migrate(longest, cpu);
    this.#counters.pulls++;
    this.#scheduler.assign(cpu, longest);
  }

  /** Moves an entity that does not wait, between two clocks that are right; its state is not loaded any more. */
  migrate(entity: Entity, to: ScheduledCpu): void {
    const from = entity.cpu;
    if (from === to) return;
    this.#counters.migrations++;
    if (from.loaded === entity) from.loaded = null; // the new CPU takes it along
    entity.moveTo(to);
  }

  /** Each busy CPU takes a VCPU that waits elsewhere, if that leaves it with no more than the other one had. */
  #evenOut(): void {
    const took = new Set<ScheduledCpu>();
    for (const cpu of this.#cpus) {
      if (cpu.isIdle) continue;
      const entity = this.#worthTaking(cpu, took);
      if (entity === null) continue;
      took.add(cpu);
      this.#counters.balances++;
      this.#runtime.update(entity.cpu);
      this.#runtime.update(cpu);
      entity.cpu.remove(entity);
      this.migrate(entity, cpu);
      cpu.insert(entity);
      if (cpu.isRunning) this.#scheduler.look(cpu);
    }
  }

  /** Of the VCPUs that a CPU may take, the one that has waited longest for the most loaded CPU; null if there is none. */
  #worthTaking(cpu: ScheduledCpu, took: ReadonlySet<ScheduledCpu>): Entity | null {
    const own = this.#weightOn(cpu);
    let best: Entity | null = null;
    let most = 0;
    for (const from of this.#cpus) {
      const surplus = this.#weightOn(from) - own;
      if (surplus <= most || took.has(from)) continue; // who has just taken one does not give it back
      for (const entity of from.queue) {
        if (entity.isHost || entity.weight > surplus || !entity.mayRunOn(cpu) || this.#isHot(entity)) continue;
        if (surplus > most || entity.readySince < best!.readySince) best = entity;
        most = surplus;
      }
    }
    return best;
  }

  #isHot(entity: Entity): boolean {
    return this.#engine.now - entity.readySince < MIGRATION_COST_PS;
  }

  /** Weights of all that run or wait on a CPU. */
  #weightOn(cpu: ScheduledCpu): number {
    let sum = cpu.isIdle ? 0 : this.#runtime.weightOf(cpu.current!);
    for (const entity of cpu.queue) sum += this.#runtime.weightOf(entity);
    return sum;
  }
}
