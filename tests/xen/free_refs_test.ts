import assert from "node:assert/strict";
import fc from "fast-check";
import { FreeRefs } from "../../src/xen/free_refs.ts";

Deno.test("the free list is a stack on which a range lies with its lowest reference on top", () => {
  const step = fc.oneof(
    fc.constant({ kind: "take" as const }),
    fc.record({ kind: fc.constant("give" as const), which: fc.nat() }),
    fc.record({ kind: fc.constant("add" as const), count: fc.integer({ min: 1, max: 8 }) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const free = new FreeRefs();
    const stack: number[] = [];
    const taken: number[] = [];
    let end = 8;
    for (const doing of steps) {
      if (doing.kind === "add") {
        free.addRange(end, end + doing.count);
        for (let ref = end + doing.count - 1; ref >= end; ref--) stack.push(ref);
        end += doing.count;
      } else if (doing.kind === "take" && stack.length > 0) {
        const ref = free.take();
        assert.equal(ref, stack.pop());
        taken.push(ref);
      } else if (doing.kind === "give" && taken.length > 0) {
        const [ref] = taken.splice(doing.which % taken.length, 1);
        free.give(ref);
        stack.push(ref);
      }
      assert.equal(free.count, stack.length);
    }
  }));
});
