import assert from "node:assert/strict";
import fc from "fast-check";
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

/** A translation cache as a list of lists: of each set, what was used last comes first. */
class SlowCache {
  readonly #sets: string[][];
  hits = 0;
  misses = 0;

  constructor(entries: number) {
    this.#sets = Array.from({ length: entries / 4 }, () => []);
  }

  use(domain: number, n: number): void {
    const at = (n + domain * 5) % this.#sets.length;
    const tag = `${domain} ${n}`;
    const set = this.#sets[at];
    if (set.includes(tag)) this.hits++;
    else this.misses++;
    this.#sets[at] = [tag, ...set.filter((other) => other !== tag)].slice(0, 4);
  }

  forget(domain: number): void {
    for (const [i, set] of this.#sets.entries()) this.#sets[i] = set.filter((tag) => !tag.startsWith(`${domain} `));
  }
}

Deno.test("the cache hits and misses as a list of what was used last does, for several domains and sizes", () => {
  const step = fc.record({
    domain: fc.nat(2),
    page: fc.nat(40),
    pages: fc.integer({ min: 1, max: 4 }),
    drop: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.constantFrom(4, 12, 64), fc.array(step, { maxLength: 200, size: "max" }), (entries, steps) => {
      const iommu = new Iommu(COSTS, entries);
      const slow = new SlowCache(entries);
      const domains = [0, 1, 2].map(() => iommu.domain());
      for (const domain of domains) domain.map(0, 44 * PAGE_SIZE);
      for (const { domain, page: first, pages, drop } of steps) {
        if (drop === 0) {
          domains[domain].unmap(0);
          assert.equal(iommu.translate(domains[domain], page(first), 1), DMA_FAULT);
          domains[domain].map(0, 44 * PAGE_SIZE);
          slow.forget(domain);
        }
        const { hits, misses } = slow;
        for (let n = first; n < first + pages; n++) slow.use(domain, n);
        const latency = iommu.translate(domains[domain], page(first), pages * PAGE_SIZE);
        assert.equal(latency, (slow.hits - hits) * COSTS.iommuHit + (slow.misses - misses) * COSTS.iommuMiss);
      }
      assert.equal(iommu.counters.hits, slow.hits);
      assert.equal(iommu.counters.misses, slow.misses);
    }),
    { numRuns: 100 },
  );
});
