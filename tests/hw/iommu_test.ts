import assert from "node:assert/strict";
import { PAGE_SIZE } from "../../src/base/units.ts";
import { DMA_FAULT, Iommu } from "../../src/hw/iommu.ts";

const COSTS = { iommuHit: 50, iommuMiss: 330 };
const page = (n: number) => n * PAGE_SIZE;

Deno.test("a page is walked once and then found, and every page of a DMA is looked up", () => {
  const iommu = new Iommu(COSTS);
  const guest = iommu.domain(() => true);
  assert.equal(iommu.translate(guest, page(7) + 100, 64), 330);
  assert.equal(iommu.translate(guest, page(7) + 200, 64), 50);
  assert.equal(iommu.translate(guest, page(7) + PAGE_SIZE - 1, 2), 50 + 330, "two pages");
  assert.equal(iommu.translate(guest, page(100), 2 * PAGE_SIZE), 660);
  assert.equal(iommu.translate(guest, page(7), 0), 50, "a DMA of nothing still has an address");
  assert.deepEqual(iommu.counters, { hits: 3, misses: 4, faults: 0 });
});

Deno.test("the cache holds its capacity of neighbouring pages and not one more", () => {
  const iommu = new Iommu(COSTS, 64);
  const guest = iommu.domain(() => true);
  for (let turn = 0; turn < 3; turn++) {
    for (let n = 0; n < 64; n++) iommu.translate(guest, page(n), 1);
  }
  assert.deepEqual(iommu.counters, { hits: 128, misses: 64, faults: 0 });
  for (let n = 0; n < 128; n++) iommu.translate(guest, page(n), 1);
  const { misses } = iommu.counters;
  for (let n = 0; n < 128; n++) iommu.translate(guest, page(n), 1);
  assert.equal(iommu.counters.misses - misses, 128, "twice the capacity in a circle never hits");
});

Deno.test("what was used last stays when a set overflows", () => {
  const iommu = new Iommu(COSTS, 4); // one set
  const guest = iommu.domain(() => true);
  for (const n of [1, 2, 3, 4]) iommu.translate(guest, page(n), 1);
  assert.equal(iommu.translate(guest, page(1), 1), 50);
  iommu.translate(guest, page(5), 1); // replaces 2, the one that was not used for longest
  assert.equal(iommu.translate(guest, page(1), 1), 50);
  assert.equal(iommu.translate(guest, page(2), 1), 330);
});

Deno.test("a page that is not mapped is a counted fault, for this domain only", () => {
  const iommu = new Iommu(COSTS);
  const mine = iommu.domain((n) => n === 3);
  const other = iommu.domain();
  assert.equal(iommu.translate(mine, page(3), 10), 330);
  assert.equal(iommu.translate(other, page(3), 10), DMA_FAULT, "another guest's cached translation is not ours");
  assert.equal(iommu.translate(mine, page(3) + 10, PAGE_SIZE), DMA_FAULT, "one page of a DMA is enough");
  assert.equal(iommu.counters.faults, 2);
});

Deno.test("an unmapped range is gone from the cache too", () => {
  const iommu = new Iommu(COSTS);
  const guest = iommu.domain();
  guest.map(page(10), 2 * PAGE_SIZE);
  guest.map(page(20), 1);
  assert.equal(iommu.translate(guest, page(11), 8), 330);
  assert.equal(iommu.translate(guest, page(20), 8), 330);
  assert.equal(iommu.translate(guest, page(12), 8), DMA_FAULT);
  guest.unmap(page(10));
  assert.equal(iommu.translate(guest, page(11), 8), DMA_FAULT);
  assert.equal(iommu.translate(guest, page(20), 8), 330, "mapped, but to be walked again");
  guest.unmap(page(99));
  assert.equal(iommu.translate(guest, page(20), 8), 50, "unmapping nothing changes nothing");
});
