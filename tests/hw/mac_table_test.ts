import assert from "node:assert/strict";
import fc from "fast-check";
import { MacTable, UNKNOWN_MAC } from "../../src/hw/mac_table.ts";

Deno.test("any addresses, seen at any ports: the table knows what a map would", () => {
  // A few addresses, so that they come again, and enough of them for the table to grow.
  const addresses = fc.oneof(fc.integer({ min: 0x57000000, max: 0x57000100 }), fc.constantFrom(0, -1, 1 << 31));
  fc.assert(fc.property(fc.array(fc.tuple(addresses, fc.nat(40)), { maxLength: 400 }), (seen) => {
    const table = new MacTable();
    const known = new Map<number, number>();
    for (const [mac, port] of seen) {
      assert.equal(table.get(mac), known.get(mac) ?? UNKNOWN_MAC);
      assert.equal(table.put(mac, port), known.get(mac) !== port);
      known.set(mac, port);
    }
    assert.equal(table.size, known.size);
    for (const [mac, port] of known) assert.equal(table.get(mac), port);
  }));
});
