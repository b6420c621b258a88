import { z } from "zod";
import { formatSize, sizeField, timeField } from "../base/quantity.ts";
import { SECOND } from "../base/units.ts";
import { pairRanks } from "./pairs.ts";
import { type Leg, PingPong, pingPongBytes, type PingPongPlan } from "./pingpong.ts";
import { type Workload, WorkloadError } from "./workload.ts";

const params = z.object({
  start: sizeField().prefault("0 B").describe("first message size"),
  end: sizeField().prefault("4 MiB").describe("largest message size (omx_perf's -E is one more)"),
  multiplier: z.int().min(1).default(2).describe("each size is the one before times this, plus the increment"),
  increment: sizeField().prefault("0 B").describe("bytes that are added for the next size"),
  iterations: z.int().min(1).default(1000).describe("measured round trips of each size"),
  volume: sizeField({ min: 1 }).prefault("64 MiB")
    .describe("payload of a size beyond which its iterations are fewer, though no fewer than 10"),
  warmup: z.int().min(0).default(10).describe("round trips before the measured ones"),
  unidirectional: z.boolean().default(false).describe("whether what comes back is empty"),
  synchronous: z.boolean().default(false).describe("whether each send is done when the receiver has matched it"),
  pause: timeField({ max: 10 * SECOND }).prefault("0 ms").describe("between two sizes; omx_perf's is 100 ms"),
  pairs: z.enum(["cross-host", "same-host"]).default("cross-host").describe("where the two ends are"),
  wait: z.enum(["poll", "block"]).default("poll").describe("how a process waits for a message"),
});
type Params = z.infer<typeof params>;

const FEWEST_ITERATIONS = 10;
/** Sizes of a sweep: a screen and a table have room for so many. */
const MOST_SIZES = 1000;

/**
 * omx_perf (Open-MX, tests/omx_perf.c), as one more plan of {@link PingPong}. In unidirectional mode each message is
 * answered by an empty one; what omx_perf then prints as latency is all of that, `rtt_us` here, and `latency_us` is from
 * the send call to the receipt. Other than there, iterations fall for large sizes (`volume`), both ends know the
 * parameters, and the receive of an answer is posted before the message is sent.
 */
export const omxPerf: Workload<Params> = {
  kind: "omx_perf",
  title: "omx_perf: round trips or one-way messages over a range of sizes, as omx_perf",
  params: params as z.ZodType<Params>,
  memoryBytes: ({ end }) => pingPongBytes(end),
  check(params, crew) {
    checkRange(params);
    pairRanks(crew, params.pairs);
  },
  program: (params, crew, context) => new PingPong(planOf(params), crew, context).run(),
};

function checkRange({ start, end, multiplier, increment }: Params): void {
  if (end < start) {
    throw new WorkloadError(`end: found ${formatSize(end)}, wanted at least ${formatSize(start)}, the start`);
  }
  if (multiplier === 1 && increment === 0 && end > start) {
    throw new WorkloadError("multiplier: found 1 and nothing to add, wanted 2 or more, or an increment");
  }
  const sizes = sizesOf(start, end, multiplier, increment, MOST_SIZES + 1);
  if (sizes.length > MOST_SIZES) {
    throw new WorkloadError(`increment: found more than ${MOST_SIZES} sizes, wanted larger steps`);
  }
}

/** The sizes as omx_perf goes through them; what would follow 0 without an increment is 1. At most so many. */
function sizesOf(start: number, end: number, multiplier: number, increment: number, most: number): number[] {
  const sizes: number[] = [];
  for (let size = start; size <= end && sizes.length < most;) {
    sizes.push(size);
    size = size > 0 ? size * multiplier + increment : increment || 1;
  }
  return sizes;
}

function planOf(params: Params): PingPongPlan {
  const { start, end, multiplier, increment, pairs, wait, unidirectional, synchronous, pause } = params;
  const legs = sizesOf(start, end, multiplier, increment, MOST_SIZES).map((size) => legOf(params, size));
  return { legs, pairs, wait, unidirectional, synchronous, pausePs: pause };
}

function legOf({ iterations, volume, warmup: warmUps }: Params, size: number): Leg {
  const affordable = size === 0 ? Infinity : Math.floor(volume / size);
  return { size, iterations: Math.min(iterations, Math.max(FEWEST_ITERATIONS, affordable)), warmUps };
}
