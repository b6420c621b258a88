import assert from "node:assert/strict";
import fc from "fast-check";
import { SequencePool } from "../../src/base/sequence_pool.ts";

Deno.test("a sequence pool gives each free place once, and none when all are taken", () => {
  const steps = fc.array(fc.nat(99), { maxLength: 2000 });
  fc.assert(
    fc.property(fc.constantFrom(5, 64, 100, 1000), fc.nat(99), steps, (limit, eagerness, steps) => {
      const pool = new SequencePool(limit);
      const taken: number[] = [];
      for (const step of steps) {
        if (step <= eagerness) {
          const place = pool.take();
          assert.equal(place < 0, taken.length === limit);
          assert.ok(place < limit && !taken.includes(place));
          if (place >= 0) taken.push(place);
        } else if (taken.length > 0) {
          pool.give(taken.splice(step % taken.length, 1)[0]);
        }
        assert.equal(pool.used, taken.length);
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("what is taken in turn and given back in turn lies in order, in no more room than it needs", () => {
  const pool = new SequencePool(65536);
  const queue: number[] = [];
  const run = (length: number, turns: number) => {
    let jumps = 0;
    let highest = 0;
    for (let i = 0, last = -1; i < turns; i++) {
      while (queue.length >= length) pool.give(queue.shift()!);
      const place = pool.take();
      if (place !== last + 1) jumps++;
      highest = Math.max(highest, place);
      queue.push(last = place);
    }
    return { jumps, highest };
  };
  assert.ok(run(5, 1000).highest < 64);
  const busy = run(10_000, 200_000);
  assert.ok(busy.jumps < 20 && busy.highest < 40_000, JSON.stringify(busy));
  run(5, 200_000);
  assert.ok(run(5, 1000).highest < 128, "it comes back to little");
});

Deno.test("a place cannot be given back twice", () => {
  const pool = new SequencePool(8);
  const place = pool.take();
  pool.give(place);
  assert.throws(() => pool.give(place), /not taken/);
});
