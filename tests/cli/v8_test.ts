import assert from "node:assert/strict";
import { CompilerRests, type CpuClock, HeapWatch } from "../../src/cli/v8.ts";

function heapMiB(): number {
  return Deno.memoryUsage().heapTotal / 2 ** 20;
}

/** Arrays of 8 MiB each, garbage once they are let go. */
function arrays(count: number): number[][] {
  return Array.from({ length: count }, (_, i) => new Array<number>(1 << 20).fill(i));
}

Deno.test("a large heap is collected, and again only when it has grown; a small one is left alone", () => {
  const heap = new HeapWatch();
  let kept = arrays(8);
  kept = [];
  const small = heapMiB();
  heap.look();
  assert.ok(heapMiB() > small - 32, `${heapMiB()} MiB: nothing was collected`);

  kept = arrays(36);
  const living = heapMiB();
  assert.ok(living > 288, `${living} MiB`);
  heap.look();
  const first = kept.length > 0 ? heapMiB() : 0;
  assert.ok(first > 280, `${first} MiB live`);
  kept.length = 34; // garbage, but the heap has not grown by as much as a collection is worth
  heap.look();
  assert.ok(heapMiB() > first - 8, `${heapMiB()} MiB`);
  kept.push(...arrays(12));
  heap.look();
  const second = heapMiB();
  assert.ok(second > 300, `${second} MiB live`);

  kept = [];
  heap.end();
  assert.ok(heapMiB() < 144, `${heapMiB()} MiB`);
});

/** Time passes in naps and in {@link work}; other threads work until `busyUntil`. Milliseconds. */
class FakeClock implements CpuClock {
  #now = 0;
  #cpu = 0;
  busyUntil = 0;

  now = () => this.#now;
  cpu = () => this.#cpu;
  sleep = (ms: number) => {
    this.#cpu += Math.max(0, Math.min(ms, this.busyUntil - this.#now));
    this.#now += ms;
    return Promise.resolve();
  };
  work(ms: number): void {
    this.#now += ms;
    this.#cpu += ms;
  }
}

Deno.test("the main thread rests until the other threads have done their work, and for 40 ms at most", async () => {
  const clock = new FakeClock();
  const rests = new CompilerRests(clock);
  const restAfter = async (workMs: number, othersMs: number) => {
    clock.work(workMs);
    const from = clock.now();
    clock.busyUntil = from + othersMs;
    await rests.look();
    return clock.now() - from;
  };
  assert.equal(await restAfter(24, 100), 0, "too little work");
  assert.equal(await restAfter(2, 9), 12, "another nap to see that they have");
  assert.equal(await restAfter(25, 0), 2);
  assert.equal(await restAfter(25, 1000), 40);
  assert.equal(await restAfter(24, 1000), 0, "since the last rest");
  assert.equal(rests.due, true);
  clock.work(600);
  assert.equal(rests.due, false);
});

Deno.test("small clusters have no rests", () => {
  assert.equal(CompilerRests.of(2), null);
  assert.notEqual(CompilerRests.of(40), null);
});
