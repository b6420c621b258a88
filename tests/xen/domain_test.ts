import assert from "node:assert/strict";
import fc from "fast-check";
import { PAGE_SIZE } from "../../src/base/units.ts";
import { Host } from "./support.ts";

Deno.test("domains count up from dom0 and are found by id", () => {
  const host = new Host(2);
  const dom0 = host.domain("dom0");
  const guest = host.domain("guest");
  assert.deepEqual([dom0.id, guest.id], [0, 1]);
  assert.equal(host.xen.domain(1), guest);
  assert.equal(host.xen.domain(2), undefined);
  assert.equal(host.xen.domain(-1), undefined);
});

Deno.test("every frame belongs to the domain that allocated it, and to no other", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 9 })), { maxLength: 40, size: "max" }),
      fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 12 })), { maxLength: 60, size: "max" }),
      (allocations, questions) => {
        const host = new Host(1);
        const domains = [host.domain("dom0"), host.domain("a"), host.domain("b")];
        const owner = new Map<number, number>();
        for (const [who, pages] of allocations) {
          const address = domains[who].allocPages(pages);
          assert.equal(address % PAGE_SIZE, 0);
          for (let i = 0; i < pages; i++) owner.set(address / PAGE_SIZE + i, who);
        }
        const first = Math.min(...owner.keys(), 1000);
        for (const [offset, count] of questions) {
          const frames = Array.from({ length: count }, (_, i) => first + offset + i);
          domains.forEach((domain, who) => {
            assert.equal(domain.owns(first + offset, count), frames.every((frame) => owner.get(frame) === who));
          });
        }
      },
    ),
  );
});
