import assert from "node:assert/strict";
import fc from "fast-check";
import { EventQueue } from "../../src/sim/event_queue.ts";

/** The queue as anybody would write it first: an array, sorted by time, insertion order kept at one time. */
class SlowQueue {
  #events: { time: number; tag: number }[] = [];

  push(time: number, tag: number): void {
    const after = this.#events.findLastIndex((event) => event.time <= time);
    this.#events.splice(after + 1, 0, { time, tag });
  }

  cancel(tag: number): boolean {
    const at = this.#events.findIndex((event) => event.tag === tag);
    if (at >= 0) this.#events.splice(at, 1);
    return at >= 0;
  }

  pop() {
    return this.#events.shift();
  }

  get size(): number {
    return this.#events.length;
  }

  nextTime(): number {
    return this.#events[0]?.time ?? Infinity;
  }
}

/** One turn of the calendar is 8192 buckets of 2^17 ps: delays on both sides of every boundary. */
const BUCKET = 2 ** 17;
const TURN = BUCKET * 8192;
const delay = fc.oneof(
  fc.constant(0),
  fc.nat(3),
  fc.nat(BUCKET * 2),
  fc.nat(TURN * 3),
  fc.constantFrom(BUCKET - 1, BUCKET, TURN - BUCKET, TURN - 1, TURN, TURN + 1, TURN + BUCKET, TURN * 40),
  fc.integer({ min: TURN - BUCKET * 2, max: TURN + BUCKET * 2 }),
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant("push" as const), delay }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant("pop" as const) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("cancel" as const), pick: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("peek" as const) }) },
);

function push(queue: EventQueue, time: number, handler: number, a: number, b: number): void {
  queue.due = time;
  queue.push(handler, a, b);
}

Deno.test("the calendar queue does what a sorted array does: near, far, at one time, cancelled", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const queue = new EventQueue();
      const slow = new SlowQueue();
      const ids: number[] = [];
      for (const action of steps) {
        if (action.op === "push") {
          const time = queue.time + action.delay;
          slow.push(time, ids.length);
          push(queue, time, 7, ids.length, ~ids.length);
          ids.push(queue.latest);
        } else if (action.op === "cancel" && ids.length > 0) {
          const tag = action.pick % ids.length;
          assert.equal(queue.cancel(ids[tag]), slow.cancel(tag), "cancel tells whether it was still waiting");
        } else if (action.op === "peek") {
          assert.equal(queue.nextTime(), slow.nextTime());
        } else if (action.op === "pop") popBoth(queue, slow);
        assert.equal(queue.size, slow.size);
      }
      while (slow.size > 0) popBoth(queue, slow);
      assert.equal(queue.pop(Infinity), false);
      assert.equal(queue.nextTime(), Infinity);
    }),
    { numRuns: 400 },
  );
});

function popBoth(queue: EventQueue, slow: SlowQueue): void {
  const wanted = slow.pop();
  assert.equal(queue.pop(Infinity), wanted !== undefined);
  if (wanted !== undefined) {
    assert.deepEqual([queue.time, queue.handler, queue.a, queue.b], [wanted.time, 7, wanted.tag, ~wanted.tag]);
  }
}

Deno.test("events at one time keep their order of insertion, even when some of them were far away", () => {
  const queue = new EventQueue();
  const meeting = TURN * 2 + 5;
  push(queue, meeting, 1, 0, 0); // far
  push(queue, TURN + BUCKET, 0, 0, 0);
  queue.pop(Infinity); // the first one is near now
  push(queue, meeting, 2, 0, 0); // near
  push(queue, meeting, 3, 0, 0);
  const order: number[] = [];
  while (queue.pop(Infinity)) order.push(queue.handler);
  assert.deepEqual(order, [1, 2, 3]);
});

Deno.test("the queue grows past its first arrays and gives every event back", () => {
  const queue = new EventQueue();
  for (let i = 0; i < 5000; i++) push(queue, (i * 7919) % 5000 * BUCKET, 0, i, 0);
  let last = -1;
  let count = 0;
  for (; queue.pop(Infinity); count++) {
    assert.ok(queue.time >= last);
    last = queue.time;
  }
  assert.equal(count, 5000);
});

Deno.test("the past cannot be scheduled", () => {
  const queue = new EventQueue();
  push(queue, 10, 0, 0, 0);
  queue.pop(Infinity);
  assert.throws(() => push(queue, 9, 0, 0, 0), /in the past/);
});

Deno.test("an id that was used cancels nothing, even when its slot is in use again", () => {
  const queue = new EventQueue();
  push(queue, 1, 0, 0, 0);
  const first = queue.latest;
  queue.pop(Infinity);
  push(queue, 2, 0, 0, 0);
  const second = queue.latest;
  assert.equal(queue.cancel(first), false);
  assert.equal(queue.size, 1);
  assert.equal(queue.cancel(second), true);
  assert.equal(queue.cancel(second), false);
});
