import { cpuSeconds, median } from "../measure.ts";
import { eventQueue } from "./event_queue.ts";
import { histogram } from "./histogram.ts";
import { matching } from "./matching.ts";
import { sharedRing } from "./shared_ring.ts";
import { virtqueue } from "./virtqueue.ts";
import { wireDecode, wireEncode } from "./wire.ts";
import type { Work } from "./work.ts";

export interface Micro {
  readonly name: string;
  /** What one operation is. */
  readonly operation: string;
  /** Operations of one round: about 50 ms. */
  readonly round: number;
  run(operations: number): Work;
}

export const MICROS: readonly Micro[] = [
  {
    name: "queue-200",
    operation: "event taken and a later one scheduled, 200 pending",
    round: 500_000,
    run: (operations) => eventQueue(operations, 200),
  },
  {
    name: "queue-20000",
    operation: "the same, 20000 pending",
    round: 500_000,
    run: (operations) => eventQueue(operations, 20_000),
  },
  { name: "ring", operation: "request and response on a Xen ring", round: 500_000, run: sharedRing },
  { name: "virtqueue", operation: "chain of three buffers there and back", round: 200_000, run: virtqueue },
  { name: "wire-encode", operation: "frame header written", round: 1_000_000, run: wireEncode },
  { name: "wire-decode", operation: "frame validated and read", round: 1_000_000, run: wireDecode },
  {
    name: "matching-8",
    operation: "message matched and its receive posted again, 8 posted",
    round: 1_000_000,
    run: (operations) => matching(operations, 8),
  },
  {
    name: "matching-256",
    operation: "the same, 256 posted",
    round: 200_000,
    run: (operations) => matching(operations, 256),
  },
  { name: "histogram", operation: "latency recorded", round: 1_000_000, run: histogram },
];

export interface MicroResult {
  readonly name: string;
  readonly operation: string;
  /** Nanoseconds of CPU for one operation: the median of all rounds, and the fastest. */
  readonly nsPerOp: number;
  readonly bestNsPerOp: number;
  readonly rounds: number;
  readonly hash: string;
}

/** Runs a micro-benchmark: one round for the compiler, then those that count. */
export function measureMicro({ name, operation, round, run }: Micro, rounds: number, scale = 1): MicroResult {
  const operations = Math.ceil(round * scale);
  run(operations);
  const times: number[] = [];
  let hash = "";
  for (let i = 0; i < rounds; i++) {
    const before = cpuSeconds();
    const work = run(operations);
    times.push((cpuSeconds() - before) / work.operations * 1e9);
    hash = work.hash;
  }
  return { name, operation, nsPerOp: median(times), bestNsPerOp: Math.min(...times), rounds, hash };
}
