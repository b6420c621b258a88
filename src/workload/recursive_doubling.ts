import type { Process } from "../hw/thread.ts";
import type { Group } from "./group.ts";

/** Steps of recursive doubling, above those that workloads number themselves from 0. */
const DOUBLING = 0x7f00;
const FOLD = 0x7ffe;
const UNFOLD = 0x7fff;

/** Recursive doubling of numbers in guest memory: `combine` makes `sum` of `sum` and `other`, both `length` bytes. */
export interface Reduction {
  readonly sum: number;
  readonly other: number;
  readonly length: number;
  combine(): Process;
}

/** Only the messages: nobody is through before all have begun. */
export const NOTHING: Reduction = { sum: 0, other: 0, length: 0, *combine() {} };

/**
 * Recursive doubling: ceil(log2 n) steps, in each of which ranks exchange what they have. Ranks beyond a power of two
 * hand theirs to another first, and are told the result, as in MPICH.
 */
export function* recursiveDoubling(group: Group, { sum, other, length, combine }: Reduction): Process {
  const { rank, ranks } = group;
  const { core, beyond } = coreOf(ranks);
  if (rank >= core) {
    const result = yield* group.post(rank - core, sum, length, UNFOLD);
    const own = yield* group.send(rank - core, sum, length, FOLD);
    yield group.sent(own, rank - core);
    yield group.received(result, rank - core, length);
    return;
  }
  if (rank < beyond) {
    yield group.received(yield* group.post(rank + core, other, length, FOLD), rank + core, length);
    yield combine();
  }
  for (let bit = 1, step = DOUBLING; bit < core; bit *= 2, step++) {
    yield group.exchange(rank ^ bit, sum, length, rank ^ bit, other, length, step);
    yield combine();
  }
  if (rank < beyond) yield group.sent(yield* group.send(rank + core, sum, length, UNFOLD), rank + core);
}

/** The largest power of two of ranks, and how many there are beyond it. */
export function coreOf(ranks: number): { core: number; beyond: number } {
  const core = 2 ** Math.floor(Math.log2(ranks));
  return { core, beyond: ranks - core };
}

/** Ranks that a rank exchanges messages with on the way. */
export function doublingPartners(rank: number, ranks: number): number[] {
  const { core, beyond } = coreOf(ranks);
  if (rank >= core) return [rank - core];
  const partners = rank < beyond ? [rank + core] : [];
  for (let bit = 1; bit < core; bit *= 2) partners.push(rank ^ bit);
  return partners;
}
