import { assert } from "../base/assert.ts";
import { grown } from "../base/grown.ts";
import { copyTime, type Costs } from "../hw/machine_profile.ts";
import type { Processor } from "../hw/processor.ts";
import { GRANT, HYP } from "../metrics/stage.ts";
import type { GrantWatch } from "../sim/trace.ts";
import type { Domain } from "./domain.ts";
import {
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_bad_handle,
  GNTST_no_device_space,
  GNTST_okay,
  type GrantTable,
} from "./grant_table.ts";

/** How a page is to be mapped (grant_table.h). At least one of the first two must be given. */
export const GNTMAP_device_map = 1;
export const GNTMAP_host_map = 2;
export const GNTMAP_readonly = 4;

/** In a handle's place after it was unmapped. */
export const INVALID_GRANT_HANDLE = -1;

const NOTHING = -1;

/** Local, as V8 folds neither what is imported nor what is exported. */
const PAGE_BYTES = 4096;
const OKAY = GNTST_okay;
const DEVICE_MAP = GNTMAP_device_map;
const HOST_MAP = GNTMAP_host_map;
const READONLY = GNTMAP_readonly;
const INVALID_HANDLE = INVALID_GRANT_HANDLE;
const STAGE = GRANT;
const CLASS = HYP;

/** Handles that there is room for once a domain has mapped something. */
const FIRST_HANDLES = 512;
/** Those of a domain that has not, as most guests. */
const NONE: Int32Array = new Int32Array(0);

/** What is kept of a handle, four words together: who grants, its reference, the frame, and 1 for reading only. */
const HANDLE_BITS = 2;
const GRANTER = 0;
const REF = 1;
const FRAME = 2;
const FOR_READING = 3;

/**
 * The grants of others that one domain uses: Xen's maptrack table of that domain, and the map, unmap and copy
 * hypercalls that it makes. Arrays are the caller's and are used from index `at` on, so that a region of any size is
 * mapped without allocating anything.
 *
 * `cpu` is the burst that makes the hypercall and is charged for it, null in set-up code.
 */
export class GrantMappings {
  readonly maxHandles: number;
  /** Every page that is mapped, unmapped or copied. Null when nobody looks. */
  watch: GrantWatch | null = null;
  readonly #domain: Domain;
  readonly #id: number;
  readonly #costs: Costs;
  /** By handle; a free one has no reference, and its granter is the next free handle. */
  #words = NONE;
  /** How many there is room for. */
  #handles = 0;
  #firstFree = NOTHING;
  /** The granter that pages were copied of last, and its table: those of a burst are all of one. */
  #copiedOf = NOTHING;
  #copiedTable: GrantTable | null = null;

  readonly counters = {
    hypercalls: 0,
    mapped: 0,
    unmapped: 0,
    copies: 0,
    copiedBytes: 0,
    /** Pages or copies that came back with an error status; the granting table counts the causes it finds. */
    failed: 0,
    badHandle: 0,
    /** Maps refused because every handle was in use. */
    exhausted: 0,
  };

  constructor(domain: Domain, maxHandles: number) {
    this.#domain = domain;
    this.#id = domain.id;
    this.#costs = domain.hypervisor.costs;
    this.maxHandles = maxHandles;
  }

  /** Pages of one domain that are mapped here now. A scan, for leak checks. */
  mappingsOf(granter: number): number {
    let count = 0;
    for (let at = 0; at < this.#words.length; at += 1 << HANDLE_BITS) {
      if (this.#words[at | REF] !== NOTHING && this.#words[at | GRANTER] === granter) count++;
    }
    return count;
  }

  /**
   * GNTTABOP_map_grant_ref: maps `count` pages that domain `granter` grants as `refs`. `handles` gets each page's handle,
   * or its GNTST_ status if that is an error (below zero); `addresses`, if any, gets its machine address. Returns how many pages
   * failed. With `batched` false each page is a hypercall of its own.
   */
  map(
    cpu: Processor | null,
    granter: number,
    refs: Int32Array,
    count: number,
    flags: number,
    handles: Int32Array,
    addresses: Float64Array | null,
    batched = true,
    at = 0,
  ): number {
    this.#hypercall(cpu, count, this.#domain.hypervisor.costs.grantMapPage, batched);
    const table = this.#domain.hypervisor.domain(granter)?.grantTable;
    const readonly = (flags & READONLY) !== 0;
    const isValid = (flags & (DEVICE_MAP | HOST_MAP)) !== 0;
    let failed = 0;
    const end = at + count;
    for (let i = at; i < end; i++) {
      let handle: number = GNTST_bad_gntref; // Xen's answer to bad flags
      if (isValid) handle = table === undefined ? GNTST_bad_domain : this.#mapOne(table, granter, refs[i], readonly);
      handles[i] = handle;
      if (handle < 0) failed++;
      if (addresses !== null) addresses[i] = handle < 0 ? 0 : this.#words[(handle << HANDLE_BITS) | FRAME] * PAGE_BYTES;
    }
    this.counters.failed += failed;
    return failed;
  }

  /** Machine address of the page that is mapped by a handle. */
  addressOf(handle: number): number {
    const at = handle << HANDLE_BITS;
    assert(this.#words[at | REF] >= 0, "grant mappings: only what is mapped has an address");
    return this.#words[at | FRAME] * PAGE_BYTES;
  }

  /**
   * GNTTABOP_unmap_grant_ref: ends `count` mappings. Each handle is replaced by {@link INVALID_GRANT_HANDLE}, or by
   * GNTST_bad_handle if it was none. Returns how many failed.
   */
  unmap(cpu: Processor | null, handles: Int32Array, count: number, batched = true, at = 0): number {
    this.#hypercall(cpu, count, this.#domain.hypervisor.costs.grantUnmapPage, batched);
    let failed = 0;
    let granter = NOTHING;
    let table: GrantTable | null = null; // most often they are all of one
    const end = at + count;
    for (let i = at; i < end; i++) {
      const handle = handles[i];
      const place = handle << HANDLE_BITS;
      const words = this.#words;
      const ref = handle >= 0 && handle < this.#handles ? words[place | REF] : NOTHING;
      if (ref === NOTHING) {
        this.counters.badHandle++;
        handles[i] = GNTST_bad_handle;
        failed++;
        continue;
      }
      if (table === null || granter !== words[place | GRANTER]) {
        granter = words[place | GRANTER];
        table = this.#domain.hypervisor.domain(granter)!.grantTable;
      }
      table.unpin(ref, words[place | FOR_READING] === 1);
      if (this.watch !== null) this.watch.unmapped(granter, ref);
      this.#give(handle);
      handles[i] = INVALID_HANDLE;
    }
    this.counters.unmapped += count - failed;
    this.counters.failed += failed;
    return failed;
  }

  /** The hypercall that the copies after it in this burst are a batch of. */
  beginCopies(cpu: Processor): void {
    this.counters.hypercalls++;
    cpu.charge(STAGE, CLASS, this.#costs.hypercall);
  }

  /**
   * GNTTABOP_copy as far as the emulated machine is concerned, in (`inwards`) or out: all but the bytes, which the caller
   * moves, so that what lies in pages that follow one another can go in one. The caller has made sure of what Xen looks
   * at besides the grant: on either side `length` bytes within one page, on this side one of its own. Returns the granted
   * page's machine address, or an error status, which is below zero.
   */
  copyPage(cpu: Processor | null, granter: number, ref: number, length: number, inwards: boolean): number {
    if (cpu !== null) this.#chargeCopy(cpu, length);
    const table = granter === this.#copiedOf ? this.#copiedTable : this.#tableToCopy(granter);
    if (table === null) return this.#failed(GNTST_bad_domain);
    const page = table.pinToCopy(ref, this.#id, inwards);
    if (page < 0) return this.#failed(page);
    if (this.watch !== null) this.watch.copied(granter, ref, length, inwards);
    const { counters } = this;
    counters.copies++;
    counters.copiedBytes += length;
    const theirs = table.counters;
    theirs.copies++;
    theirs.copiedBytes += length;
    return page;
  }

  #chargeCopy(cpu: Processor, length: number): void {
    const costs = this.#costs;
    cpu.charge(STAGE, CLASS, costs.grantCopyBase + copyTime(costs.grantCopyByte, length));
  }

  /** Null where there is no such domain. */
  #tableToCopy(granter: number): GrantTable | null {
    const domain = this.#domain.hypervisor.domain(granter);
    if (domain === undefined) return null;
    this.#copiedOf = granter;
    return this.#copiedTable = domain.grantTable;
  }

  #failed(status: number): number {
    this.counters.failed++;
    return status;
  }

  #hypercall(cpu: Processor | null, count: number, perPage: number, batched: boolean): void {
    this.counters.hypercalls += batched ? 1 : count;
    if (cpu === null) return;
    const { costs } = this.#domain.hypervisor;
    const each = batched ? perPage : perPage + costs.grantSingle;
    cpu.charge(STAGE, CLASS, costs.hypercall + each * count);
  }

  /** The handle of a new mapping, or an error status. */
  #mapOne(table: GrantTable, granter: number, ref: number, readonly: boolean): number {
    const handle = this.#take();
    if (handle < 0) {
      this.counters.exhausted++;
      return GNTST_no_device_space;
    }
    const status = table.pin(ref, this.#domain.id, readonly);
    if (status !== OKAY) {
      this.#give(handle);
      return status;
    }
    const words = this.#words;
    const at = handle << HANDLE_BITS;
    words[at | GRANTER] = granter;
    words[at | REF] = ref;
    words[at | FRAME] = table.pinnedFrame(ref);
    words[at | FOR_READING] = readonly ? 1 : 0;
    this.counters.mapped++;
    table.counters.maps++;
    if (this.watch !== null) this.watch.mapped(granter, ref);
    return handle;
  }

  #take(): number {
    if (this.#firstFree === NOTHING && !this.#grow()) return NOTHING;
    const handle = this.#firstFree;
    this.#firstFree = this.#words[(handle << HANDLE_BITS) | GRANTER];
    return handle;
  }

  #give(handle: number): void {
    const at = handle << HANDLE_BITS;
    this.#words[at | REF] = NOTHING;
    this.#words[at | GRANTER] = this.#firstFree;
    this.#firstFree = handle;
  }

  /** Makes room for more handles, up to the limit. */
  #grow(): boolean {
    const old = this.#handles;
    const size = Math.min(this.maxHandles, Math.max(FIRST_HANDLES, Math.ceil(old * 1.25)));
    if (size === old) return false;
    assert(size > old, "grant mappings: the limit lies below what is in use");
    this.#words = grown(this.#words, new Int32Array(size << HANDLE_BITS));
    this.#handles = size;
    for (let handle = size - 1; handle >= old; handle--) this.#give(handle);
    return true;
  }
}
