import assert from "node:assert/strict";
import { PAGE_SIZE } from "../../src/base/units.ts";
import { Memory } from "../../src/hw/memory.ts";
import { netBuffers, netHeaderLength, writeNetHeader } from "../../src/kvm/net_header.ts";

Deno.test("a header stays what it is when payload that was there before is copied at last", () => {
  const memory = new Memory(1 << 20);
  const payload = memory.alloc(PAGE_SIZE);
  const buffer = memory.alloc(PAGE_SIZE);
  memory.u8.fill(0xab, payload, payload + PAGE_SIZE);
  memory.keep(payload, PAGE_SIZE);
  memory.defer(buffer, PAGE_SIZE);
  memory.copy(buffer, payload, PAGE_SIZE);
  assert.equal(memory.copies, 0, "put off");
  writeNetHeader(memory, buffer, 40, 3);
  memory.bytes(buffer, PAGE_SIZE); // who wants to see bytes has what was put off copied
  assert.ok(memory.copies > 0);
  assert.deepEqual([netHeaderLength(memory, buffer), netBuffers(memory, buffer)], [40, 3]);
  assert.deepEqual([...memory.bytes(buffer, 14)], [0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0xab, 0xab]);
});
