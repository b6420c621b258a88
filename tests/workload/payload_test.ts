import assert from "node:assert/strict";
import fc from "fast-check";
import { Prng } from "../../src/base/prng.ts";
import { Memory } from "../../src/hw/memory.ts";
import { Pattern } from "../../src/workload/payload.ts";

/* What is sent, byte for byte, whoever sends first and however much; and that each wrong byte is seen. */

const TABLE = (() => {
  const random = new Prng(0x6d78, "payload pattern");
  const table = Float64Array.from({ length: 65536 }, (_, i) => 1 + i + random.unit());
  return new Uint8Array(table.buffer);
})();

/** `length` bytes of rank's message from window 0 on. */
function expected(rank: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => TABLE[(rank * 7919 * 8 + i) % TABLE.length]);
}

/** Small messages, those that wrap round the table's end, and such as are larger than it. */
const sender = fc.record({ rank: fc.nat({ max: 40 }), size: fc.constantFrom(8, 4096, 32768, 65536, 524288, 1048576) });

Deno.test("a sender's buffer is a stretch of one table, whatever others have needed of it before", () => {
  fc.assert(
    fc.property(fc.array(sender, { minLength: 1, maxLength: 6 }), (senders) => {
      const memory = new Memory(16 << 20);
      const pattern = new Pattern(memory);
      for (const { rank, size } of senders) {
        const buffer = memory.alloc(size);
        pattern.fill(buffer, size, rank);
        assert.deepEqual(memory.bytes(buffer, size), expected(rank, size));
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("a message is checked against the table also before anybody has sent, and one wrong byte is seen", () => {
  fc.assert(
    fc.property(sender, fc.nat(), (from, seed) => {
      const memory = new Memory(16 << 20);
      const pattern = new Pattern(memory);
      const { rank, size } = from;
      const buffer = memory.alloc(size);
      const bytes = expected(rank, size);
      memory.write(buffer, bytes);
      assert.equal(pattern.check(buffer, size, rank, 0, 1), true);
      const wrong = seed % size;
      memory.write(buffer + wrong, Uint8Array.of(bytes[wrong] ^ 1));
      assert.equal(pattern.check(buffer, size, rank, 0, 1), false);
    }),
    { numRuns: 20 },
  );
});

Deno.test("buffers of large messages share the table's memory until somebody writes into one", () => {
  const memory = new Memory(16 << 20);
  const pattern = new Pattern(memory);
  const size = 524288;
  const [first, second] = [0, 1].map((rank) => {
    const buffer = memory.alloc(size);
    pattern.fill(buffer, size, rank);
    return buffer;
  });
  assert.equal(memory.copiedBytes, 0);
  assert.ok(memory.u8.subarray(first, second + size).every((byte) => byte === 0), "nothing is written there");
  memory.write(first + 1000, Uint8Array.of(1, 2, 3));
  assert.deepEqual(
    memory.bytes(first + 999, 5),
    Uint8Array.of(expected(0, 1004)[999], 1, 2, 3, expected(0, 1004)[1003]),
  );
  const shared = memory.placeOfKept(second, 8);
  assert.deepEqual(memory.bytes(second, size), expected(1, size));
  assert.ok(pattern.isAsMade());
  memory.view.setUint8(shared, memory.view.getUint8(shared) ^ 1);
  assert.ok(!pattern.isAsMade());
});
