/*
 * The queues of runnable entities of a fair scheduler, one for each CPU, and their virtual runtimes.
 *
 *   vruntime[e]    picoseconds that entity e has run, scaled by 256 / weight, on the clock of CPU cpuOf[e]
 *   #floor[c]      lowest vruntime that runs or waits on CPU c; never goes back (min_vruntime)
 *   #queues[c]     entities that wait on CPU c, in no order: a handful at most
 */

/** Weight of an entity that nobody has set one for: a nice value of 0. */
export const NICE_0 = 256;
const NONE = -1;

export class RunQueues {
  readonly vruntime: number[] = [];
  readonly cpuOf: number[] = [];
  /** Entities that wait, on all CPUs. */
  waiting = 0;
  readonly #queues: number[][];
  readonly #floor: Float64Array;
  readonly #queued: boolean[] = [];

  constructor(cpus: number) {
    this.#queues = Array.from({ length: cpus }, () => []);
    this.#floor = new Float64Array(cpus);
  }

  /** Adds an entity, which does not wait yet, and returns its number. */
  add(cpu: number): number {
    this.vruntime.push(0);
    this.#queued.push(false);
    return this.cpuOf.push(cpu) - 1;
  }

  isQueued(entity: number): boolean {
    return this.#queued[entity];
  }

  /** Entities that wait on a CPU, in no order: read only. */
  on(cpu: number): readonly number[] {
    return this.#queues[cpu];
  }

  insert(entity: number, cpu: number): void {
    this.move(entity, cpu);
    this.#queues[cpu].push(entity);
    this.#queued[entity] = true;
    this.waiting++;
  }

  remove(entity: number): void {
    const queue = this.#queues[this.cpuOf[entity]];
    queue.splice(queue.indexOf(entity), 1);
    this.#queued[entity] = false;
    this.waiting--;
  }

  /** Puts an entity that does not wait on another CPU's clock, as far ahead or behind as it was on its own. */
  move(entity: number, cpu: number): void {
    const from = this.cpuOf[entity];
    if (from === cpu) return;
    this.vruntime[entity] += this.#floor[cpu] - this.#floor[from];
    this.cpuOf[entity] = cpu;
  }

  /** The waiting entity of a CPU that has run least, -1 when none waits. Equal ones come in the order of their numbers. */
  least(cpu: number): number {
    const queue = this.#queues[cpu];
    let best = NONE;
    for (let i = 0; i < queue.length; i++) {
      const entity = queue[i];
      const ahead = best === NONE ? -1 : this.vruntime[entity] - this.vruntime[best];
      if (ahead < 0 || (ahead === 0 && entity < best)) best = entity;
    }
    return best;
  }

  /** A sleeper comes back at most `credit` behind the others (place_entity, GENTLE_FAIR_SLEEPERS). */
  wake(entity: number, credit: number): void {
    const least = this.#floor[this.cpuOf[entity]] - credit;
    if (this.vruntime[entity] < least) this.vruntime[entity] = least;
  }

  /** Books a run of a CPU's entity and moves the CPU's clock on (update_curr, update_min_vruntime). */
  ran(entity: number, picoseconds: number, weight: number): void {
    const cpu = this.cpuOf[entity];
    const now = this.vruntime[entity] + (picoseconds * NICE_0) / weight;
    this.vruntime[entity] = now;
    const least = this.least(cpu);
    const lowest = least === NONE ? now : Math.min(now, this.vruntime[least]);
    if (lowest > this.#floor[cpu]) this.#floor[cpu] = lowest;
  }
}
