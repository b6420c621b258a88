import assert from "node:assert/strict";
import fc from "fast-check";
import { ReceiveQueue } from "../../src/hw/receive_queue.ts";
import { Records } from "../../src/hw/records.ts";

Deno.test("receive queues whose records lie between each other do what lists do, however long they become", () => {
  const step = fc.record({ queue: fc.nat(2), pushes: fc.nat(12), takes: fc.nat(12) });
  fc.assert(
    fc.property(fc.constantFrom(4, 10, 11, 64, 4096), fc.array(step, { maxLength: 200 }), (capacity, steps) => {
      const records = new Records();
      const queues = [0, 1, 2].map(() => ({ queue: new ReceiveQueue(records, capacity), list: [] as number[] }));
      const counted = queues.map(() => ({ frames: 0, drops: 0 }));
      let frame = 0;
      for (const { queue: i, pushes, takes } of steps) {
        const { queue, list } = queues[i];
        for (let n = 0; n < pushes; n++) {
          const fits = list.length < capacity;
          assert.equal(queue.push(++frame), fits);
          counted[i][fits ? "frames" : "drops"]++;
          if (fits) list.push(frame);
        }
        for (let n = 0; n < takes; n++) assert.equal(queue.take(), list.shift() ?? -1);
        for (const [j, { queue, list }] of queues.entries()) {
          assert.equal(queue.count, list.length);
          assert.deepEqual({ frames: queue.frames, drops: queue.drops }, counted[j]);
        }
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("what else a receive queue keeps stays when its ring grows", () => {
  const queue = new ReceiveQueue(new Records(), 64);
  queue.timer = 2 ** 40 + 1;
  queue.interrupted(3e12);
  queue.coalesce();
  for (let frame = 1; frame <= 40; frame++) queue.push(frame);
  assert.equal(queue.timer, 2 ** 40 + 1);
  assert.equal(queue.interruptedAt, 3e12);
  assert.ok(queue.masked);
  assert.deepEqual([queue.interrupts, queue.coalesced, queue.frames], [1, 1, 40]);
});
