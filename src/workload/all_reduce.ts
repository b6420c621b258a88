import { z } from "zod";
import { formatSize, sizeListField, timeField } from "../base/quantity.ts";
import { NS } from "../base/units.ts";
import type { Process } from "../hw/thread.ts";
import { Group } from "./group.ts";
import { coreOf } from "./recursive_doubling.ts";
import { type ProcessContext, type Workload, WorkloadError } from "./workload.ts";

/** Bytes of a double. */
const DOUBLE = 8;

const params = z.object({
  sizes: sizeListField({ min: DOUBLE }).prefault(["8 B", "1 KiB", "64 KiB", "1 MiB"])
    .describe("bytes of each rank's vector of doubles, one after another"),
  algorithm: z.enum(["recursive-doubling", "ring"]).default("recursive-doubling").describe(
    "recursive-doubling: log2 n steps with the whole vector; ring: reduce-scatter, then all-gather, 2 (n - 1) steps " +
      "with one part in n",
  ),
  iterations: z.int().min(1).default(100).describe("measured rounds of each size"),
  warmup_iterations: z.int().min(0).default(2).describe("rounds before the measured ones"),
  // Two loads, an addition and a store: two to three cycles of a core at 2.4 GHz that has both vectors in its cache.
  flop_time: timeField({ max: 1e9 }).default(NS)
    .describe("time to add one double to another; 1 ns by default, an estimate for 2.4 GHz and vectors in the cache"),
  wait: z.enum(["poll", "block"]).default("block").describe("how a process waits for a completion"),
});
type Params = z.infer<typeof params>;

/**
 * MPI_Allreduce with MPI_SUM: every rank has the sum of all vectors at the end. The numbers are real: they are in guest
 * memory, are sent, added and checked. A round's time is that of the collective on one rank. Both algorithms as in
 * Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations in MPICH" (2005), but for the ring's
 * reduce-scatter, which is that of Patarasuk and Yuan (2009).
 */
export const allReduce: Workload<Params> = {
  kind: "all-reduce",
  title: "all-reduce: the sum of all ranks' vectors, computed and checked (rtt: the collective on a rank)",
  params: params as z.ZodType<Params>,
  memoryBytes: ({ sizes }) => 2 * (Math.max(...sizes) + 8 * 1024) + 64 * 1024,
  check({ sizes }, { ranks }) {
    if (ranks < 2) throw new WorkloadError(`guests: all-reduce wants 2 or more, found ${ranks}`);
    for (const size of sizes) {
      if (size % DOUBLE === 0) continue;
      throw new WorkloadError(
        `sizes: found ${formatSize(size)}, wanted multiples of ${DOUBLE} B, which a double takes`,
      );
    }
  },
  program: (params, _crew, context) => new AllReduce(params, context).run(),
};

class AllReduce {
  readonly #params: Params;
  readonly #context: ProcessContext;
  readonly #group: Group;
  /** The rank's vector, which becomes the sum, and what it receives of another's. */
  #sum = 0;
  #other = 0;
  #round = 0;
  readonly #weights: number;

  constructor(params: Params, context: ProcessContext) {
    const { rank, ranks } = context;
    this.#params = params;
    this.#weights = sumOfWeights(ranks);
    this.#context = context;
    // Recursive doubling's partners are connected anyway.
    const neighbours = [(rank + 1) % ranks, (rank + ranks - 1) % ranks];
    this.#group = new Group(context, params.algorithm === "ring" ? neighbours : [], params.wait);
  }

  run(): Process {
    const { sizes, algorithm, iterations, warmup_iterations: warmUps } = this.#params;
    const { ranks, alloc } = this.#context;
    const largest = Math.max(...sizes);
    this.#sum = alloc(largest);
    this.#other = alloc(largest);
    const bytesOf = (size: number) => size * vectorsMoved(algorithm, ranks);
    return this.#group.run(() => {
      this.#round = 0; // whoever comes back from the dead counts from there
      return this.#group.rounds({ sizes, iterations, warmUps, bytesOf }, (size) => this.#operation(size));
    });
  }

  *#operation(size: number): Process {
    const count = size / DOUBLE;
    const round = this.#round++;
    this.#fill(count, round);
    if (this.#params.algorithm === "ring") yield this.#ring(count);
    else {
      const combine = () => this.#add(0, count);
      yield this.#group.reduce({ sum: this.#sum, other: this.#other, length: size, combine });
    }
    if (!this.#isSum(count, round)) this.#context.meter.integrityErrors++;
  }

  /** The observer's, as filling and checking payload always are: takes no time. */
  #fill(count: number, round: number): void {
    const { memory: { f64 }, rank } = this.#context;
    const first = this.#sum / DOUBLE;
    const weight = weightOf(rank);
    for (let i = 0; i < count; i++) f64[first + i] = weight * elementOf(i, round);
  }

  #isSum(count: number, round: number): boolean {
    const { f64 } = this.#context.memory;
    const first = this.#sum / DOUBLE;
    for (let i = 0; i < count; i++) if (f64[first + i] !== this.#weights * elementOf(i, round)) return false;
    return true;
  }

  /** Part p of the vector goes round once while it is added up, and once more when it is complete. */
  *#ring(count: number): Process {
    const { rank, ranks } = this.#context;
    const next = (rank + 1) % ranks;
    const previous = (rank + ranks - 1) % ranks;
    const start = (part: number) => Math.floor((part * count) / ranks);
    const group = this.#group;
    for (let step = 0; step < 2 * (ranks - 1); step++) {
      const isAdding = step < ranks - 1;
      // In both halves the part that came last goes on.
      const outgoing = (rank - step + 2 * ranks) % ranks;
      const incoming = (outgoing + ranks - 1) % ranks;
      const [from, to] = [start(incoming), start(incoming + 1)];
      const into = isAdding ? this.#other : this.#sum + from * DOUBLE;
      const [sends, takes] = [start(outgoing + 1) - start(outgoing), to - from].map((doubles) => doubles * DOUBLE);
      yield group.exchange(next, this.#sum + start(outgoing) * DOUBLE, sends, previous, into, takes, step);
      if (isAdding) yield this.#add(from, to - from);
    }
  }

  /** Adds what was received to `count` doubles of the own vector from `at` on, and takes the time for it. */
  *#add(at: number, count: number): Process {
    const { f64 } = this.#context.memory;
    const [sum, other] = [this.#sum / DOUBLE + at, this.#other / DOUBLE];
    for (let i = 0; i < count; i++) f64[sum + i] += f64[other + i];
    yield count * this.#params.flop_time;
  }
}

/** Vectors that a round moves, all ranks together. */
function vectorsMoved(algorithm: Params["algorithm"], ranks: number): number {
  if (algorithm === "ring") return 2 * (ranks - 1);
  const { core, beyond } = coreOf(ranks);
  return core * Math.log2(core) + 2 * beyond;
}

/*
 * Element i of a rank's vector is the rank's weight times a number of the element and the round: whole numbers whose
 * sums stay below 2^53, so that they are exact in any order, and of which no part can be left out, or added twice,
 * without being seen.
 */

function elementOf(i: number, round: number): number {
  return 1 + (Math.imul(i + Math.imul(round, 40503), 0x9e3779b1) >>> 12);
}

function weightOf(rank: number): number {
  return 1 + (Math.imul(rank + 1, 0x85ebca6b) >>> 12);
}

function sumOfWeights(ranks: number): number {
  let sum = 0;
  for (let rank = 0; rank < ranks; rank++) sum += weightOf(rank);
  return sum;
}
