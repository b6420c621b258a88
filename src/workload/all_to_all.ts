import { z } from "zod";
import { sizeListField } from "../base/quantity.ts";
import type { Process } from "../hw/thread.ts";
import type { MxRequest } from "../mx/api.ts";
import { everyOther, Group } from "./group.ts";
import { Pattern } from "./payload.ts";
import { type ProcessContext, type Workload, WorkloadError } from "./workload.ts";

const params = z.object({
  sizes: sizeListField().prefault(["32 KiB"]).describe("bytes from each rank to each other one, one after another"),
  algorithm: z.enum(["pairwise", "linear"]).default("pairwise").describe(
    "pairwise: in step k each rank sends to the one k further on, and receives from the one k before; " +
      "linear: all receives and all sends at once",
  ),
  iterations: z.int().min(1).default(100).describe("measured rounds of each size"),
  warmup_iterations: z.int().min(0).default(2).describe("rounds before the measured ones"),
  wait: z.enum(["poll", "block"]).default("block").describe("how a process waits for a completion"),
});
type Params = z.infer<typeof params>;

/**
 * Every rank has a block for every other one, as in MPI_Alltoall. A round's time is that of the collective on one rank:
 * from its call until it has received all blocks and may write its own again.
 */
export const allToAll: Workload<Params> = {
  kind: "all-to-all",
  title: "all-to-all: every rank sends a block to every other one (rtt: the collective on a rank)",
  params: params as z.ZodType<Params>,
  memoryBytes: ({ sizes, algorithm }, ranks) =>
    (Math.max(...sizes) + 16 * 1024) * ((algorithm === "linear" ? ranks : 1) + 1) + 64 * 1024,
  check(_params, { ranks }) {
    if (ranks < 2) throw new WorkloadError(`guests: all-to-all wants 2 or more, found ${ranks}`);
  },
  program: (params, _crew, context) => new AllToAll(params, context).run(),
};

class AllToAll {
  readonly #params: Params;
  readonly #context: ProcessContext;
  readonly #group: Group;
  /** What is received into, one after another. */
  #inboxes: number[] = [];

  constructor(params: Params, context: ProcessContext) {
    this.#params = params;
    this.#context = context;
    this.#group = new Group(context, everyOther(context.rank, context.ranks), params.wait);
  }

  run(): Process {
    const { sizes, algorithm, iterations, warmup_iterations: warmUps } = this.#params;
    const context = this.#context;
    const { ranks } = context;
    const largest = Math.max(...sizes);
    const inboxes = algorithm === "linear" ? ranks - 1 : 1;
    this.#inboxes = Array.from({ length: inboxes }, () => Pattern.receiveBuffer(context, largest));
    // A buffer has a message of this sender again at the earliest after one of its other window.
    this.#group.usePattern(largest, 2);
    const round = algorithm === "linear"
      ? (size: number) => this.#linear(size)
      : (size: number) => this.#pairwise(size);
    const bytesOf = (size: number) => ranks * (ranks - 1) * size;
    return this.#group.run(() => this.#group.rounds({ sizes, iterations, warmUps, bytesOf }, round));
  }

  *#pairwise(size: number): Process {
    const { rank, ranks } = this.#context;
    const group = this.#group;
    const [inbox] = this.#inboxes;
    for (let step = 1; step < ranks; step++) {
      const to = (rank + step) % ranks;
      const from = (rank - step + ranks) % ranks;
      const receive = yield* group.post(from, inbox, size, step);
      const send = yield* group.sendPattern(to, size, step);
      yield group.receivedPattern(receive, from, inbox, size);
      yield group.sent(send, to);
    }
  }

  *#linear(size: number): Process {
    const { rank, ranks } = this.#context;
    const group = this.#group;
    const receives: MxRequest[] = [];
    const sends: MxRequest[] = [];
    // Each begins with another, or all would send to rank 0 first.
    const before = (step: number) => (rank - step + ranks) % ranks;
    const after = (step: number) => (rank + step) % ranks;
    for (let step = 1; step < ranks; step++) {
      receives.push(yield* group.post(before(step), this.#inboxes[step - 1], size, step));
    }
    for (let step = 1; step < ranks; step++) sends.push(yield* group.sendPattern(after(step), size, step));
    for (let step = 1; step < ranks; step++) {
      yield group.receivedPattern(receives[step - 1], before(step), this.#inboxes[step - 1], size);
    }
    for (let step = 1; step < ranks; step++) yield group.sent(sends[step - 1], after(step));
  }
}
