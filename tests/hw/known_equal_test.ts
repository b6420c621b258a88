import assert from "node:assert/strict";
import fc from "fast-check";
import { KnownEqual } from "../../src/hw/known_equal.ts";

const SIZE = 24;
const place = fc.nat({ max: SIZE - 1 });
const step = fc.record({
  what: fc.constantFrom("add", "add", "add", "has", "has", "forget"),
  a: place,
  b: fc.oneof(place, fc.constant(null)),
  length: fc.integer({ min: 1, max: 8 }),
});

/** Pairs of bytes that are known to be the same, each by itself. */
class Model {
  #pairs = new Set<string>();

  add(a: number, b: number, length: number): void {
    for (let i = 0; i < length; i++) this.#pairs.add(`${a + i} ${b + i}`);
  }

  has(a: number, b: number, length: number): boolean {
    return Array.from({ length }, (_, i) => `${a + i} ${b + i}`).every((pair) => this.#pairs.has(pair));
  }

  get pairs(): ReadonlySet<string> {
    return this.#pairs;
  }
}

function pairsOf(known: KnownEqual): Set<string> {
  const pairs = new Set<string>();
  known.holds((a, b, length) => {
    for (let i = 0; i < length; i++) pairs.add(`${a + i} ${b + i}`);
    return true;
  });
  return pairs;
}

Deno.test("what has been compared is known, byte for byte; what may have changed is not", () => {
  const all = fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const known = new KnownEqual();
    let model = new Model();
    for (const { what, a, b, length } of steps) {
      const other = b ?? a + SIZE;
      if (what === "add") {
        known.add(a, other, length);
        model.add(a, other, length);
      } else if (what === "has") {
        assert.equal(known.has(a, other, length), model.has(a, other, length));
      } else {
        known.forget(a, length);
        const left = new Model();
        // It may forget more than it must, and must not know more than it did.
        for (const pair of pairsOf(known)) {
          const [from, to] = pair.split(" ").map(Number);
          assert.ok(model.has(from, to, 1) && ![from, to].some((at) => at >= a && at < a + length), pair);
          left.add(from, to, 1);
        }
        model = left;
      }
    }
    assert.deepEqual(pairsOf(known), model.pairs);
  });
  fc.assert(all, { numRuns: 1000 });
});

Deno.test("windows of one buffer grow into one stretch, which is read again as one", () => {
  const known = new KnownEqual();
  for (const window of [3, 1, 0, 2]) known.add(1000 + window * 10, 5000 + window * 10, 40);
  assert.ok(known.has(1000, 5000, 70));
  assert.ok(!known.has(1000, 5001, 1) && !known.has(999, 4999, 2) && !known.has(1069, 5069, 2));
  const read: number[][] = [];
  assert.ok(!known.holds((...stretch) => read.push(stretch) === 0));
  assert.deepEqual(read, [[1000, 5000, 70]]);
});
