import assert from "node:assert/strict";
import { GIB } from "../../src/base/units.ts";
import { Memory, MemoryError } from "../../src/hw/memory.ts";

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

Deno.test("a world of more than 4 GiB is there as far as it is used", () => {
  const memory = new Memory(5 * GIB);
  memory.alloc(5 * GIB - 8192);
  const high = memory.alloc(4096);
  assert.ok(high > 2 ** 32);
  memory.view.setFloat64(high, 2.5, true);
  assert.equal(memory.f64[high / 8], 2.5);
  memory.view.setFloat64(8192, 2.5, true);
  assert.ok(memory.equal(high, 8192, 4096));
  memory.view.setUint8(high + 300, 1);
  assert.ok(!memory.equal(high, 8192, 512));
  memory.release();
  assert.equal(memory.u8.length, 0);
});

Deno.test("a world grows past what one kind of array can have, and keeps what was written", () => {
  const memory = new Memory(1 << 20);
  const first = memory.alloc(4096);
  memory.u8.fill(7, first, first + 4096);
  // To look for what was written reads all of the array before: no larger ones than it takes.
  for (const bytes of [2 * GIB, GIB]) {
    const at = memory.alloc(bytes);
    memory.view.setUint8(at + bytes - 1, 9);
    assert.equal(memory.view.getUint8(at + bytes - 1), 9);
  }
  assert.ok(memory.u8.subarray(first, first + 4096).every((byte) => byte === 7));
  assert.throws(() => memory.alloc(14 * GIB), MemoryError);
  memory.release();
});
for (const oneOfMany of [false, true]) {
  Deno.test(`what is released is gone${oneOfMany ? ", as one of many" : ""}`, () => {
    const memory = new Memory(1 << 20, oneOfMany);
    memory.alloc(64);
    memory.release();
    assert.deepEqual([memory.u8.length, memory.f64.length, memory.view.byteLength], [0, 0, 0]);
  });
}

/** In a process of its own: others of this one take and give memory at the same time. */
const PAGES = `
  const { Memory } = await import(${JSON.stringify(import.meta.resolve("../../src/hw/memory.ts"))});
  for (const oneOfMany of [false, true]) {
    const memory = new Memory(256 << 20, oneOfMany);
    const at = memory.alloc(200 << 20);
    const before = Deno.memoryUsage().rss;
    for (let page = 0; page < 200 << 20; page += 4 * 4096) memory.u8.fill(1, at + page, at + page + 4096);
    console.log(Math.round((Deno.memoryUsage().rss - before) / 2 ** 20));
    memory.release();
  }
`;

Deno.test("a page that is written takes one page of the real memory", { ignore: Deno.build.os !== "linux" }, () => {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["eval", PAGES], env: { NO_COLOR: "1" } }).outputSync();
  // Every fourth one: 50 MiB of pages, and of twice as many if each were in two.
  const [alone, oneOfMany] = new TextDecoder().decode(stdout).split("\n").map(Number);
  assert.ok(alone >= 50 && alone < 60, `${alone} MiB`);
  assert.ok(oneOfMany >= 50 && oneOfMany < 60, `${oneOfMany} MiB, as one of many`);
});
