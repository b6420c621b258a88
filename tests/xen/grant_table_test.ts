import assert from "node:assert/strict";
import fc from "fast-check";
import { MS, PAGE_SIZE } from "../../src/base/units.ts";
import type { Processor } from "../../src/hw/processor.ts";
import { HYP, KERNEL } from "../../src/metrics/stage.ts";
import type { Domain } from "../../src/xen/domain.ts";
import { GNTMAP_host_map, GNTMAP_readonly, INVALID_GRANT_HANDLE } from "../../src/xen/grant_mapping.ts";
import {
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_bad_handle,
  GNTST_general_error,
  GNTST_no_device_space,
  GNTST_okay,
  GTF,
} from "../../src/xen/grant_table.ts";
import type { DomainLimits } from "../../src/xen/hypervisor.ts";
import { COSTS, Host } from "./support.ts";

const RW = GNTMAP_host_map;
const RO = GNTMAP_host_map | GNTMAP_readonly;

function world(limits: Partial<DomainLimits> = {}): { host: Host; dom0: Domain; guest: Domain; other: Domain } {
  const host = new Host(4, {}, limits);
  return { host, dom0: host.domain("dom0"), guest: host.domain("guest"), other: host.domain("other") };
}

function refsOf(domain: Domain, count: number): Int32Array {
  const refs = new Int32Array(count);
  assert.ok(domain.grantTable.reserve(null, count, refs));
  return refs;
}

/** Maps one page; its handle or status. */
function mapOne(mapper: Domain, granter: number, ref: number, flags = RW): number {
  const handles = new Int32Array(1);
  mapper.mappings.map(null, granter, Int32Array.of(ref), 1, flags, handles, new Float64Array(1));
  return handles[0];
}

/** Runs `work` as a burst of a processor and returns what it charged, by class. */
function charged(host: Host, processor: Processor, work: (cpu: Processor) => void): { kernel: number; hyp: number } {
  const before = [processor.time[KERNEL], processor.time[HYP]];
  host.burst(processor, host.engine.now, work);
  host.engine.run(host.engine.now + 100 * MS);
  return { kernel: processor.time[KERNEL] - before[0], hyp: processor.time[HYP] - before[1] };
}

Deno.test("an entry is eight real bytes: flags, domain, frame", () => {
  const { host, dom0, guest } = world();
  const [ref] = refsOf(guest, 1);
  assert.equal(ref, 8, "0 to 7 are reserved");
  const page = guest.allocPages(1);
  assert.equal(guest.grantTable.grantAccess(null, ref, dom0.id, page / PAGE_SIZE, true), GNTST_okay);
  const entry = guest.grantTable.entryAddress(ref);
  assert.ok(guest.owns(Math.floor(entry / PAGE_SIZE)), "the table lies in the granting domain's pages");
  const { view } = host.memory;
  assert.equal(view.getUint16(entry, true), GTF.permit_access | GTF.readonly);
  assert.equal(view.getUint16(entry + 2, true), dom0.id);
  assert.equal(view.getUint32(entry + 4, true) * PAGE_SIZE, page);
  const handle = mapOne(dom0, guest.id, ref, RO);
  assert.equal(view.getUint16(entry, true), GTF.permit_access | GTF.readonly | GTF.reading);
  assert.equal(guest.grantTable.endAccess(null, ref), false);
  assert.equal(dom0.mappings.unmap(null, Int32Array.of(handle), 1), 0);
  assert.equal(guest.grantTable.endAccess(null, ref), true);
  assert.equal(view.getUint16(entry, true), 0);
});

Deno.test("every refusal has its status and its counter", () => {
  const { dom0, guest, other } = world();
  const table = guest.grantTable;
  const refs = refsOf(guest, 4);
  const frame = guest.allocPages(1) / PAGE_SIZE;
  table.grantAccess(null, refs[0], dom0.id, frame, false);
  table.grantAccess(null, refs[1], dom0.id, frame, true);
  table.grantAccess(null, refs[3], dom0.id, other.allocPages(1) / PAGE_SIZE, false);
  assert.equal(mapOne(dom0, 99, refs[0]), GNTST_bad_domain);
  assert.equal(mapOne(dom0, guest.id, 1 << 20), GNTST_bad_gntref);
  assert.equal(mapOne(dom0, guest.id, -1), GNTST_bad_gntref);
  assert.equal(mapOne(dom0, guest.id, refs[0], 0), GNTST_bad_gntref);
  assert.equal(mapOne(other, guest.id, refs[0]), GNTST_general_error);
  assert.equal(mapOne(dom0, guest.id, refs[1], RW), GNTST_general_error);
  assert.equal(mapOne(dom0, guest.id, refs[2]), GNTST_general_error);
  assert.equal(mapOne(dom0, guest.id, refs[3]), GNTST_general_error);
  assert.deepEqual({ ...table.counters }, {
    granted: 3,
    ended: 0,
    grown: 0,
    maps: 0,
    copies: 0,
    copiedBytes: 0,
    busy: 0,
    exhausted: 0,
    badRef: 2,
    notGranted: 1,
    wrongDomain: 1,
    readOnly: 1,
    badFrame: 1,
    overflow: 0,
  });
  assert.equal(dom0.mappings.counters.failed, 7);
  assert.equal(dom0.mappings.mappingsOf(guest.id), 0);
  const handles = Int32Array.of(0, -1, 12345);
  assert.equal(dom0.mappings.unmap(null, handles, 3), 3);
  assert.deepEqual([...handles], [GNTST_bad_handle, GNTST_bad_handle, GNTST_bad_handle]);
  const [ended] = refs;
  assert.ok(table.endAccess(null, ended));
  assert.equal(mapOne(dom0, guest.id, ended), GNTST_general_error, "already ended");
});

Deno.test("an entry mapped twice stays in use until both are gone, and cannot be rewritten meanwhile", () => {
  const { dom0, guest } = world();
  const [ref] = refsOf(guest, 1);
  const page = guest.allocPages(2);
  guest.grantTable.grantAccess(null, ref, dom0.id, page / PAGE_SIZE, false);
  const write = mapOne(dom0, guest.id, ref, RW);
  const read = mapOne(dom0, guest.id, ref, RO);
  assert.notEqual(write, read);
  assert.equal(guest.grantTable.flags(ref), GTF.permit_access | GTF.reading | GTF.writing);
  assert.equal(guest.grantTable.mappedGrants, 1);
  dom0.mappings.unmap(null, Int32Array.of(write), 1);
  assert.equal(guest.grantTable.flags(ref), GTF.permit_access | GTF.reading);
  assert.equal(guest.grantTable.endAccess(null, ref), false);
  assert.equal(guest.grantTable.grantAccess(null, ref, 2, page / PAGE_SIZE + 1, false), GNTST_general_error);
  dom0.mappings.unmap(null, Int32Array.of(read), 1);
  assert.equal(guest.grantTable.endAccess(null, ref), true);
  guest.grantTable.release(Int32Array.of(ref), 1);
  assert.equal(guest.grantTable.reserved, 0);
});

Deno.test("an entry that is mapped to write goes on to be mapped so, whatever its owner makes of its flags", () => {
  const { dom0, guest } = world();
  const [ref] = refsOf(guest, 1);
  const { grantTable } = guest;
  grantTable.grantAccess(null, ref, dom0.id, guest.allocPages(1) / PAGE_SIZE, false);
  const first = mapOne(dom0, guest.id, ref, RW);
  const flags = guest.memory.view.getUint16(grantTable.entryAddress(ref), true);
  guest.memory.view.setUint16(grantTable.entryAddress(ref), flags | GTF.readonly, true);
  const second = mapOne(dom0, guest.id, ref, RW);
  assert.ok(second >= 0);
  dom0.mappings.unmap(null, Int32Array.of(first, second), 2);
  assert.equal(mapOne(dom0, guest.id, ref, RW), GNTST_general_error, "from now on it is for reading");
  assert.equal(grantTable.counters.readOnly, 1);
});

Deno.test("an entry takes 128 mappings of a kind", () => {
  const { dom0, guest } = world();
  const [ref] = refsOf(guest, 1);
  guest.grantTable.grantAccess(null, ref, dom0.id, guest.allocPages(1) / PAGE_SIZE, false);
  for (let i = 0; i < 128; i++) assert.ok(mapOne(dom0, guest.id, ref) >= 0);
  assert.equal(mapOne(dom0, guest.id, ref), GNTST_general_error);
  assert.equal(mapOne(dom0, guest.id, ref, RO), GNTST_general_error, "nor one of the other");
  assert.equal(guest.grantTable.counters.overflow, 2);
});

Deno.test("a large region in one hypercall: charges, addresses and capacity", () => {
  const { host, dom0, guest } = world();
  const count = 5000;
  const refs = new Int32Array(count);
  const first = guest.allocPages(count);
  const vcpu = guest.processors[0];
  const grant = charged(host, vcpu, (cpu) => {
    assert.ok(guest.grantTable.reserve(cpu, count, refs));
    for (let i = 0; i < count; i++) {
      guest.grantTable.grantAccess(cpu, refs[i], dom0.id, first / PAGE_SIZE + i, false);
    }
  });
  assert.deepEqual(grant, { kernel: count * COSTS.grantEntry, hyp: COSTS.hypercall }); // the table grew once
  const handles = new Int32Array(count);
  const addresses = new Float64Array(count);
  const mapped = charged(host, dom0.processors[0], (cpu) => {
    assert.equal(dom0.mappings.map(cpu, guest.id, refs, count, RW, handles, addresses), 0);
  });
  assert.deepEqual(mapped, { kernel: 0, hyp: COSTS.hypercall + count * COSTS.grantMapPage });
  for (let i = 0; i < count; i++) assert.equal(addresses[i], first + i * PAGE_SIZE);
  assert.equal(dom0.mappings.mappingsOf(guest.id), count);
  assert.equal(guest.grantTable.mappedGrants, count);
  const single = charged(host, dom0.processors[0], (cpu) => {
    assert.equal(dom0.mappings.unmap(cpu, handles, 10, false, 20), 0);
  });
  assert.deepEqual(single, { kernel: 0, hyp: COSTS.hypercall + 10 * (COSTS.grantUnmapPage + COSTS.grantSingle) });
  assert.equal(dom0.mappings.counters.hypercalls, 11);
  assert.equal(handles[19] >= 0 && handles[20] === INVALID_GRANT_HANDLE && handles[30] >= 0, true);
});

Deno.test("both tables have a limit", () => {
  const { dom0, guest } = world({ grantFrames: 5, maptrackEntries: 600 });
  const refs = new Int32Array(5 * 512);
  assert.equal(guest.grantTable.reserve(null, 5 * 512 - 7, refs), false);
  assert.equal(guest.grantTable.reserved, 0, "all or none");
  assert.equal(guest.grantTable.reserve(null, 5 * 512 - 8, refs), true);
  assert.equal(new Set(refs.subarray(0, 5 * 512 - 8)).size, 5 * 512 - 8);
  assert.equal(guest.grantTable.reserve(null, 1, refs), false);
  assert.equal(guest.grantTable.counters.exhausted, 2);
  const first = guest.allocPages(1000) / PAGE_SIZE;
  for (let i = 0; i < 1000; i++) guest.grantTable.grantAccess(null, refs[i], dom0.id, first + i, false);
  const handles = new Int32Array(1000);
  assert.equal(dom0.mappings.map(null, guest.id, refs, 1000, RW, handles, new Float64Array(1000)), 400);
  assert.equal(handles[599] >= 0, true);
  assert.equal(handles[600], GNTST_no_device_space);
  assert.equal(dom0.mappings.counters.exhausted, 400);
});

Deno.test("a copy pays by the byte, checks like a map, and leaves nothing in use", () => {
  const { host, dom0, guest, other } = world();
  const [ref, readonly] = refsOf(guest, 2);
  const page = guest.allocPages(2);
  guest.grantTable.grantAccess(null, ref, dom0.id, page / PAGE_SIZE, false);
  guest.grantTable.grantAccess(null, readonly, dom0.id, page / PAGE_SIZE + 1, true);
  const copies = dom0.mappings;
  const cost = charged(host, dom0.processors[0], (cpu) => {
    assert.equal(copies.copyPage(cpu, guest.id, ref, 5, true), page);
  });
  assert.deepEqual(cost, { kernel: 0, hyp: COSTS.grantCopyBase + Math.round(COSTS.grantCopyByte * 5) });
  assert.equal(copies.copyPage(null, guest.id, ref, 5, false), page);
  assert.equal(copies.copyPage(null, guest.id, readonly, 5, true), page + PAGE_SIZE);
  assert.equal(copies.copyPage(null, guest.id, readonly, 5, false), GNTST_general_error);
  assert.equal(copies.copyPage(null, 77, ref, 5, true), GNTST_bad_domain);
  assert.equal(other.mappings.copyPage(null, guest.id, ref, 5, true), GNTST_general_error);
  assert.deepEqual([copies.counters.copiedBytes, guest.grantTable.counters.copiedBytes], [15, 15]);
  assert.ok(guest.grantTable.endAccess(null, ref), "a copy leaves nothing in use");
});

// ---- any sequence of grant, map, unmap and end

interface Entry {
  granted: boolean;
  readonly: boolean;
  to: number;
  mappings: { handle: number; readonly: boolean }[];
}

const ENTRIES = 5;
const operations = fc.array(
  fc.record({
    what: fc.constantFrom("grant", "map", "map", "unmap", "end", "copy"),
    entry: fc.nat(ENTRIES - 1),
    readonly: fc.boolean(),
    stranger: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    pick: fc.nat(50),
  }),
  { maxLength: 150, size: "max" },
);

Deno.test("any sequence agrees with lists of mappings, and nothing is left over", () => {
  fc.assert(
    fc.property(operations, (sequence) => {
      const { dom0, guest, other } = world();
      const table = guest.grantTable;
      const refs = refsOf(guest, ENTRIES);
      const frame = guest.allocPages(ENTRIES) / PAGE_SIZE;
      const model: Entry[] = [];
      for (let i = 0; i < ENTRIES; i++) model.push({ granted: false, readonly: false, to: -1, mappings: [] });
      for (const { what, entry: at, readonly, stranger, pick } of sequence) {
        const entry = model[at];
        const ref = refs[at];
        const who = stranger ? other : dom0;
        const permits = entry.granted && entry.to === who.id && (readonly || !entry.readonly);
        if (what === "grant") {
          const status = table.grantAccess(null, ref, who.id, frame + at, readonly);
          assert.equal(status, entry.mappings.length > 0 ? GNTST_general_error : GNTST_okay);
          if (status === GNTST_okay) Object.assign(entry, { granted: true, readonly, to: who.id });
        } else if (what === "map") {
          const handle = mapOne(who, guest.id, ref, readonly ? RO : RW);
          assert.equal(handle >= 0, permits);
          if (handle >= 0) entry.mappings.push({ handle, readonly });
        } else if (what === "unmap") {
          if (entry.mappings.length === 0) continue;
          const [mapping] = entry.mappings.splice(pick % entry.mappings.length, 1);
          const mapper = entry.to === dom0.id ? dom0 : other;
          const handles = Int32Array.of(mapping.handle);
          assert.equal(mapper.mappings.unmap(null, handles, 1), 0);
          assert.equal(mapper.mappings.unmap(null, Int32Array.of(mapping.handle), 1), 1, "only once");
        } else if (what === "end") {
          assert.equal(table.endAccess(null, ref), entry.mappings.length === 0);
          if (entry.mappings.length === 0) entry.granted = false;
        } else {
          const page = who.mappings.copyPage(null, guest.id, ref, 8, readonly);
          assert.equal(page, permits ? (frame + at) * PAGE_SIZE : GNTST_general_error);
        }
        check(model, dom0, guest, other, refs);
      }
      for (const entry of model) {
        const mapper = entry.to === dom0.id ? dom0 : other;
        mapper.mappings.unmap(null, Int32Array.from(entry.mappings.map((m) => m.handle)), entry.mappings.length);
      }
      for (const ref of refs) assert.ok(table.endAccess(null, ref));
      table.release(refs, ENTRIES);
      assert.deepEqual(
        [table.activeGrants, table.mappedGrants, table.reserved, dom0.mappings.mappingsOf(guest.id)],
        [0, 0, 0, 0],
      );
    }),
    { numRuns: 200 },
  );
});

function check(model: Entry[], dom0: Domain, guest: Domain, other: Domain, refs: Int32Array): void {
  let mappings = 0;
  for (let i = 0; i < ENTRIES; i++) {
    const { granted, readonly, mappings: uses } = model[i];
    let flags = granted ? GTF.permit_access | (readonly ? GTF.readonly : 0) : 0;
    if (uses.length > 0) flags |= GTF.reading;
    if (uses.some((use) => !use.readonly)) flags |= GTF.writing;
    assert.equal(guest.grantTable.flags(refs[i]), flags);
    mappings += uses.length;
  }
  assert.equal(dom0.mappings.mappingsOf(guest.id) + other.mappings.mappingsOf(guest.id), mappings);
  assert.equal(guest.grantTable.activeGrants, model.filter((entry) => entry.granted).length);
  assert.equal(guest.grantTable.mappedGrants, model.filter((entry) => entry.mappings.length > 0).length);
}

Deno.test("one unmap of pages of two domains: each is unpinned in its own table, and what was no handle is not counted", () => {
  const { host, dom0, guest } = world();
  const other = host.domain("other");
  const handles = new Int32Array(3);
  for (const [i, granter] of [guest, other].entries()) {
    const ref = new Int32Array(1);
    assert.ok(granter.grantTable.reserve(null, 1, ref));
    granter.grantTable.grantAccess(null, ref[0], dom0.id, granter.allocPages(1) / PAGE_SIZE, false);
    assert.equal(dom0.mappings.map(null, granter.id, ref, 1, RW, handles.subarray(i, i + 1), null), 0);
  }
  handles[2] = 12345;
  assert.equal(dom0.mappings.unmap(null, handles, 3), 1);
  assert.deepEqual([guest, other].map(({ grantTable }) => grantTable.mappedGrants), [0, 0]);
  assert.equal(dom0.mappings.counters.unmapped, 2);
});
