import assert from "node:assert/strict";
import { Memory } from "../../src/hw/memory.ts";

for (const oneOfMany of [false, true]) {
  Deno.test(`memory grows and keeps what was written, in every view of it${oneOfMany ? ", as one of many" : ""}`, () => {
    const memory = new Memory(1 << 20, oneOfMany);
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
}

Deno.test("one of many is not counted by the garbage collector", () => {
  const before = Deno.memoryUsage().external;
  const memories = Array.from({ length: 4 }, () => new Memory(256 << 20, true));
  assert.ok(Deno.memoryUsage().external - before < 64 << 20);
  assert.ok(memories.every(({ u8 }) => u8.length >= 256 << 20));
});

for (const oneOfMany of [false, true]) {
  Deno.test(`what is released is gone${oneOfMany ? ", as one of many" : ""}`, () => {
    const memory = new Memory(1 << 20, oneOfMany);
    memory.alloc(64);
    memory.release();
    assert.deepEqual([memory.u8.length, memory.f64.length, memory.view.byteLength], [0, 0, 0]);
  });
}
