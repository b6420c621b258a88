import assert from "node:assert/strict";
import { eventQueue } from "../../bench/micro/event_queue.ts";

Deno.test("benchmarks run, and the same work has the same hash", () => {
  const first = eventQueue(5000, 100);
  assert.deepEqual(first, eventQueue(5000, 100));
  assert.equal(first.operations, 5000);
  assert.notEqual(first.hash, eventQueue(5000, 101).hash);
});
