import assert from "node:assert/strict";
import fc from "fast-check";
import { SparseList } from "../../src/base/sparse_list.ts";

Deno.test("a sparse list has at each index what was set there last, and nothing elsewhere", () => {
  const index = fc.oneof(fc.nat({ max: 200 }), fc.constantFrom(63, 64, 127, 128, 4095, 65535));
  const all = fc.property(fc.array(fc.tuple(index, fc.nat()), { maxLength: 50 }), fc.array(index), (sets, asked) => {
    const list = new SparseList<number>();
    const other = new SparseList<number>();
    const model = new Map<number, number>();
    for (const [at, value] of sets) {
      list.set(at, value);
      model.set(at, value);
    }
    for (const at of [...asked, ...model.keys()]) {
      assert.equal(list.at(at), model.get(at));
      assert.equal(other.at(at), undefined, "another list has nothing of it");
    }
  });
  fc.assert(all);
});
