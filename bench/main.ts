import { type BenchResult, eventQueue } from "./event_queue.ts";

/*
 * Micro-benchmarks: `deno task bench`, or with `--tiny` for a run of milliseconds that only shows that they work.
 * Compare times on one machine only; a changed hash means that the work itself has changed.
 */

const BENCHES: readonly { name: string; run(scale: number): BenchResult }[] = [
  { name: "event queue, 200 pending", run: (scale) => eventQueue(scale, 200) },
  { name: "event queue, 20000 pending", run: (scale) => eventQueue(scale, 20_000) },
];

const tiny = Deno.args.includes("--tiny");
const scale = tiny ? 30_000 : 5_000_000;
for (const { name, run } of BENCHES) {
  if (!tiny) run(scale / 10); // warm up the compiler
  const startedAt = performance.now();
  const { operations, hash } = run(scale);
  const ms = performance.now() - startedAt;
  const rate = `${(operations / ms / 1000).toFixed(2)} M/s`;
  console.log(`${name.padEnd(28)} ${String(operations).padStart(9)} events  ${rate.padStart(10)}  hash ${hash}`);
}
