import assert from "node:assert/strict";
import { isMarkedLast, markedLast, OWN_BITS } from "../../src/workload/last_mark.ts";

Deno.test("last mark: leaves 31 bits, and a receive that matches these takes the last message too", () => {
  for (const own of [0, 1, 0x7fff0000, OWN_BITS]) {
    const word = markedLast(own);
    assert.equal(isMarkedLast(own), false);
    assert.equal(isMarkedLast(word), true);
    assert.equal(word & OWN_BITS, own);
    assert.equal(word, own + 2 ** 31, "unsigned, as MX takes and gives it");
  }
});
