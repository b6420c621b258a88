import assert from "node:assert/strict";
import { Memory } from "../../src/hw/memory.ts";

Deno.test("memory grows and keeps what was written, in every view of it", () => {
  const memory = new Memory(1 << 20);
  const first = memory.alloc(4096);
  memory.u8.fill(7, first, first + 4096);
  const before = memory.u8.length;
  const second = memory.alloc(5 << 20);
  assert.ok(memory.u8.length > before);
  assert.ok(memory.u8.subarray(first, first + 4096).every((byte) => byte === 7));
  assert.ok(memory.u8.subarray(second, second + (5 << 20)).every((byte) => byte === 0));
  memory.view.setFloat64(second, 1.5, true);
  assert.equal(memory.f64[second / 8], 1.5);
  memory.copy(second + 4096, first, 4096);
  assert.ok(memory.equal(first, second + 4096, 4096));
});

Deno.test("a large arena costs the garbage collector's patience no more than a small one", () => {
  const memory = new Memory(900 << 20);
  assert.ok(memory.u8.length >= 900 << 20);
  assert.ok(memory.accountedBytes > 0 && memory.accountedBytes <= 64 << 20, `${memory.accountedBytes}`);
});
