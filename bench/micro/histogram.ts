import { Prng } from "../../src/base/prng.ts";
import { Histogram } from "../../src/metrics/histogram.ts";
import { type Work, WorkHash } from "./work.ts";

const SAMPLES = 4096;

/** Recording latencies of a microsecond to a second. */
export function histogram(operations: number): Work {
  const latencies = new Histogram();
  const random = new Prng(1, "histogram bench");
  const samples = Float64Array.from({ length: SAMPLES }, () => Math.round(1e6 * 2 ** (random.unit() * 20)));
  for (let n = 0; n < operations; n++) latencies.record(samples[n % SAMPLES]);
  const { p50, p99, max } = latencies.distribution()!;
  const hash = new WorkHash();
  hash.add(latencies.count);
  for (const value of [p50, p99, max]) hash.add(Math.round(value * 1000));
  return { operations, hash: hash.text };
}
