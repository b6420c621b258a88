import { PATHS } from "../src/path/registry.ts";
import { type BenchResult, eventQueue } from "./event_queue.ts";
import { drawing } from "./drawing.ts";
import { runSession } from "./sessions.ts";

/*
 * Benchmarks: `deno task bench`, or with `--tiny` for a run of milliseconds that only shows that they work. First the
 * event queue, then the dashboard's pictures, then whole runs of a saturated cluster of 40 guests on every path; real time
 * is a factor of 1. Compare times on one machine only; a changed hash means that the work itself has changed.
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

const picture = drawing(tiny ? 2 : 200);
const pictureMs = picture.sampleMs + picture.renderMs + picture.paintMs;
console.log(
  `drawing 40 guests at 200x50  sample ${picture.sampleMs.toFixed(2)} ms, text ${picture.renderMs.toFixed(2)} ms, ` +
    `paint ${picture.paintMs.toFixed(2)} ms, ${picture.bytes} bytes: ${
      pictureMs.toFixed(1)
    } % of a core at 10 a second`,
);

for (const mtu of [9000, 1500]) {
  for (const { name } of PATHS) {
    const { realtime, framesPerS, eventsPerS, hash } = runSession("scale-40-vms", name, mtu, tiny ? "1 ms" : "500 ms");
    const cells = [
      `x${realtime.toFixed(2)}`.padStart(6),
      `${Math.round(framesPerS / 1000)} k frames/s`.padStart(15),
      `${(eventsPerS / 1e6).toFixed(2)} M events/s`.padStart(16),
    ];
    console.log(`40 guests, ${name}, MTU ${mtu}`.padEnd(36), ...cells, ` hash ${hash}`);
    if (tiny) break;
  }
}
