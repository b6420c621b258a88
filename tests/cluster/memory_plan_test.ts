import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { PATHS } from "../../src/path/registry.ts";
import { WORKLOADS } from "../../src/workload/registry.ts";
import { run, type ScenarioOptions } from "../support/scenario.ts";

/*
 * What a cluster reserves is enough for what its guests allocate: else all of the memory is copied, and what would have
 * taken no place because nobody has written it does. The more guests and the larger their messages, the less a few
 * spare megabytes hide.
 */

/** Of each workload that has a size of messages, with large ones: what its guests want is nearly all buffers then. */
const LARGE: Readonly<Record<string, Record<string, unknown>>> = {
  pingpong: { sizes: ["24 MiB"], iterations: 1 },
  omx_perf: { start: "24 MiB", end: "24 MiB", volume: "24 MiB" },
  stream: { size: "24 MiB", outstanding: 3, direction: "both-ways" },
  churn: { size: "24 MiB" },
  incast: { size: "24 MiB" },
  "all-to-all": { sizes: ["24 MiB"] },
  "all-reduce": { sizes: ["24 MiB"] },
  "request-reply": { size: "24 MiB", reply: "8 MiB" },
  jacobi: { rows: 6144, columns: 6144 },
};

/** Fails if the array of the world has become a longer one. */
function checkPlan(options: Omit<ScenarioOptions, "durationPs">, what: string): void {
  let planned = 0;
  const session = run({ ...options, durationPs: 30 * MS }, ({ cluster }) => planned = cluster.world.memory.u8.length);
  const { memory } = session.cluster.world;
  assert.equal(memory.u8.length, planned, `${what}: ${memory.usedBytes} bytes are in use`);
  assert.ok(session.cluster.guests.every(({ mx }) => mx !== null), `${what}: programs have begun`);
  session.release();
}

for (const { kind } of WORKLOADS) {
  if (kind === "noisy") continue; // its pair streams, and as much is reserved for each of the others
  Deno.test(`${kind}: the memory that is reserved for large messages is enough`, () => {
    assert.ok(kind in LARGE, "a new workload has an example here");
    checkPlan({ path: "native", hosts: 2, guests: 8, workload: { kind, ...LARGE[kind] } }, kind);
  });
}

Deno.test("the memory that is reserved for rings, queues and what stands in them is enough on every path", () => {
  // Eager messages are done as soon as they are sent, so that senders are far ahead of what is received.
  const workload = { kind: "stream", size: "4 KiB", outstanding: 8 };
  for (const { name } of PATHS) checkPlan({ path: name, hosts: 2, guests: 20, workload }, name);
  checkPlan({ path: "bridged", hosts: 2, guests: 20, workload, mechanisms: { netQueues: 8 } }, "queues");
});
