import { IRQ } from "../metrics/stage.ts";
import type { Engine } from "../sim/engine.ts";
import { type Entity, NICE_0, type ScheduledCpu } from "./run_queues.ts";

// Here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const INTERRUPTS = IRQ;
const UNIT = NICE_0;

/**
 * Books of a fair scheduler: what has run how long since when. Each of a kernel's threads is a thread like a VCPU, and
 * weighs as much; interrupts are nobody's runtime.
 */
export class FairRuntime {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** From now on an entity runs that has nothing to be booked. */
  begin(cpu: ScheduledCpu, entity: Entity): void {
    cpu.runSince = this.#engine.now;
    if (!entity.isHost) return;
    const { processor } = entity;
    entity.irqBefore = processor.timeIn(INTERRUPTS) - processor.handedOverPs;
  }

  /** Books what the entity on a CPU has run. */
  account(cpu: ScheduledCpu, entity: Entity): void {
    const ran = this.#ran(cpu, entity);
    if (ran > 0 && entity.isHost) cpu.ranThreads = true;
    entity.ran(ran, this.weightOf(entity));
  }

  /**
   * Books what runs on a CPU, which moves its clock on, before anything changes there: alone it stays for long, and what
   * it has run must not be weighed by what comes later (update_curr).
   */
  update(cpu: ScheduledCpu): void {
    if (!cpu.isTaken) return;
    const entity = cpu.current!;
    if (entity.isHost) entity.processor.settle(); // what is over of an interrupt is not a thread's
    this.account(cpu, entity);
    this.begin(cpu, entity);
  }

  /** Virtual runtime of what runs on a CPU, at this instant. */
  runtimeNow(cpu: ScheduledCpu): number {
    const entity = cpu.current!;
    return entity.vruntime + (this.#ran(cpu, entity) * UNIT) / this.weightOf(entity);
  }

  weightOf(entity: Entity): number {
    const { weight } = entity;
    if (!entity.isHost) return weight;
    const threads = entity.processor.runnableThreads;
    return threads > 1 ? weight * threads : weight;
  }

  /** Time that who is on a CPU has run since it was last booked. */
  #ran(cpu: ScheduledCpu, entity: Entity): number {
    const ran = this.#engine.now - cpu.runSince;
    if (!entity.isHost) return ran;
    const { processor } = entity;
    return Math.min(ran, Math.max(0, ran - (processor.timeIn(INTERRUPTS) - processor.handedOverPs - entity.irqBefore)));
  }
}
