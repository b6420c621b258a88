import { assert } from "../base/assert.ts";

/*
 * Run queues of all CPUs of a host, linked through the VCPUs themselves:
 *
 *   #head[cpu * LEVELS + priority]  #tail[...]     first and last VCPU that waits there, -1 when none does
 *   #next[vcpu]  #prev[vcpu]                       its neighbours
 *   #list[vcpu]                                    the list it is in, -1 when it does not wait
 *
 * First come, first served within a priority; higher priorities first.
 */
const NONE = -1;

/** Priorities of a runnable VCPU, ascending: credits used up, credits left, just woken. */
export const PRI_TS_OVER = 0;
export const PRI_TS_UNDER = 1;
export const PRI_TS_BOOST = 2;
const LEVELS = 3;

/** Who waits for which CPU. VCPUs and CPUs are small integers. */
export class RunQueues {
  readonly #cpus: number;
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  readonly #waitingOn: Int32Array;
  #next = new Int32Array(16);
  #prev = new Int32Array(16);
  #list = new Int32Array(16).fill(NONE);
  #waiting = 0;

  constructor(cpus: number) {
    this.#cpus = cpus;
    this.#head = new Int32Array(cpus * LEVELS).fill(NONE);
    this.#tail = new Int32Array(cpus * LEVELS).fill(NONE);
    this.#waitingOn = new Int32Array(cpus);
  }

  /** VCPUs that wait, on all CPUs. */
  get waiting(): number {
    return this.#waiting;
  }

  /** VCPUs that wait for one CPU. */
  waitingOn(cpu: number): number {
    return this.#waitingOn[cpu];
  }

  isQueued(vcpu: number): boolean {
    return vcpu < this.#list.length && this.#list[vcpu] !== NONE;
  }

  /** Adds a VCPU behind those of its priority. */
  insert(vcpu: number, cpu: number, priority: number): void {
    if (vcpu >= this.#list.length) this.#grow(vcpu);
    assert(this.#list[vcpu] === NONE, "run queue: a VCPU was queued twice");
    const list = cpu * LEVELS + priority;
    const tail = this.#tail[list];
    this.#list[vcpu] = list;
    this.#prev[vcpu] = tail;
    this.#next[vcpu] = NONE;
    if (tail === NONE) this.#head[list] = vcpu;
    else this.#next[tail] = vcpu;
    this.#tail[list] = vcpu;
    this.#waitingOn[cpu]++;
    this.#waiting++;
  }

  remove(vcpu: number): void {
    const list = this.#list[vcpu];
    assert(list !== NONE, "run queue: a VCPU was taken out that is not queued");
    const next = this.#next[vcpu];
    const prev = this.#prev[vcpu];
    if (prev === NONE) this.#head[list] = next;
    else this.#next[prev] = next;
    if (next === NONE) this.#tail[list] = prev;
    else this.#prev[next] = prev;
    this.#list[vcpu] = NONE;
    this.#waitingOn[(list / LEVELS) | 0]--;
    this.#waiting--;
  }

  /** Priorities have changed: puts every queue in their order. Equal ones stay as they were (csched_runq_sort). */
  sort(priorityOf: (vcpu: number) => number): void {
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      if (this.#waitingOn[cpu] === 0) continue;
      const vcpus: number[] = [];
      for (let list = (cpu + 1) * LEVELS - 1; list >= cpu * LEVELS; list--) {
        for (let vcpu = this.#head[list]; vcpu !== NONE; vcpu = this.#next[vcpu]) vcpus.push(vcpu);
      }
      for (const vcpu of vcpus) this.remove(vcpu);
      for (const vcpu of vcpus) this.insert(vcpu, cpu, priorityOf(vcpu));
    }
  }

  /** The VCPU that is next on a CPU, -1 when none waits. */
  top(cpu: number): number {
    if (this.#waitingOn[cpu] === 0) return NONE;
    const list = cpu * LEVELS;
    for (let priority = LEVELS - 1; priority >= 0; priority--) {
      if (this.#head[list + priority] !== NONE) return this.#head[list + priority];
    }
    return NONE;
  }

  /**
   * A VCPU of at least `least` priority that waits for another CPU and may run on `cpu`: the best one of the first CPU
   * that has any, going round from `cpu`. `allowed` is one byte for each VCPU and CPU, `stride` CPUs to a row.
   */
  stealable(cpu: number, least: number, allowed: Uint8Array, stride: number): number {
    if (this.#waiting === this.#waitingOn[cpu]) return NONE;
    for (let step = 1; step < this.#cpus; step++) {
      const peer = cpu + step < this.#cpus ? cpu + step : cpu + step - this.#cpus;
      if (this.#waitingOn[peer] === 0) continue;
      for (let priority = LEVELS - 1; priority >= least; priority--) {
        let vcpu = this.#head[peer * LEVELS + priority];
        while (vcpu !== NONE && allowed[vcpu * stride + cpu] === 0) vcpu = this.#next[vcpu];
        if (vcpu !== NONE) return vcpu;
      }
    }
    return NONE;
  }

  #grow(vcpu: number): void {
    const size = Math.max(vcpu + 1, this.#list.length * 2);
    const grown = (from: Int32Array) => {
      const to = new Int32Array(size).fill(NONE);
      to.set(from);
      return to;
    };
    this.#next = grown(this.#next);
    this.#prev = grown(this.#prev);
    this.#list = grown(this.#list);
  }
}
