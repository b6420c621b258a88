import assert from "node:assert/strict";
import { HeapWatch } from "../../src/cli/v8.ts";

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
