import assert from "node:assert/strict";
import { RunQueues } from "../../src/hw/run_queues.ts";

Deno.test("who moves to another CPU is as far ahead on its clock as on its own", () => {
  const queues = new RunQueues(2);
  const [mover, stays, there] = [queues.add(0), queues.add(0), queues.add(1)];
  queues.insert(stays, 0);
  queues.ran(stays, 0, 256);
  // CPU 0 has a long past, and the one that is to move has run 30 more there than the other.
  queues.ran(mover, 1030, 256);
  queues.remove(stays);
  queues.ran(stays, 1000, 256);
  queues.ran(there, 70, 256);
  queues.insert(there, 1);
  queues.insert(mover, 1);
  assert.equal(queues.vruntime[mover] - queues.vruntime[there], 30);
  assert.equal(queues.least(1), there);
});

Deno.test("a sleeper comes back with its credit and no more, and one that has run lately with what it has", () => {
  const queues = new RunQueues(1);
  const [runs, sleeper] = [queues.add(0), queues.add(0)];
  queues.ran(runs, 10_000, 256);
  queues.wake(sleeper, 400);
  assert.equal(queues.vruntime[sleeper], 9600);
  queues.ran(sleeper, 300, 256);
  queues.wake(sleeper, 400);
  assert.equal(queues.vruntime[sleeper], 9900);
});

Deno.test("a CPU's clock never goes back", () => {
  const queues = new RunQueues(1);
  const [first, second] = [queues.add(0), queues.add(0)];
  queues.ran(first, 1000, 256);
  queues.ran(second, 10, 256); // far behind: it has not been placed by a wake
  queues.wake(second, 0);
  assert.equal(queues.vruntime[second], 1000);
});
