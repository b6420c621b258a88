import { MS } from "../base/units.ts";
import { stream } from "./stream.ts";
import { type Crew, type Workload, WorkloadError } from "./workload.ts";

/** What a hog computes between two looks at whether the run is over. */
const CHUNK = MS;

/** The first two ranks stream; every other rank computes for ever: place it on their CPUs to see what they lose. */
// deno-lint-ignore no-explicit-any
export const noisy: Workload<any> = {
  kind: "noisy",
  title: "noisy neighbour: one pair streams, every other guest computes without end",
  params: stream.params,
  endpoints: (params, rank) => rank < 2 ? stream.endpoints!(params, rank) : 0,
  memoryBytes: (params, ranks) => stream.memoryBytes(params, ranks),
  check(params, crew) {
    if (crew.ranks < 3) throw new WorkloadError(`guests: noisy wants a pair and a neighbour, found ${crew.ranks}`);
    stream.check(params, pairOnly(crew));
  },
  *program(params, crew, context) {
    if (context.rank < 2) {
      yield stream.program(params, pairOnly(crew), context);
      return;
    }
    while (!context.stopping()) yield CHUNK;
  },
};

function pairOnly(crew: Crew): Crew {
  return { ranks: 2, boards: crew.boards, hostIndexOf: (rank) => crew.hostIndexOf(rank) };
}
