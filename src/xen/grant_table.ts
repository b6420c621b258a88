import { assert } from "../base/assert.ts";
import { grown } from "../base/grown.ts";
import { roundUp } from "../base/units.ts";
import type { Costs } from "../hw/machine_profile.ts";
import type { Memory } from "../hw/memory.ts";
import type { Processor } from "../hw/processor.ts";
import { GRANT, HYP, KERNEL } from "../metrics/stage.ts";
import type { GrantWatch, TraceCounter } from "../sim/trace.ts";
import type { Domain } from "./domain.ts";
import { FreeRefs } from "./free_refs.ts";

/*
 * Version 1 grant entry (grant_table.h), 8 bytes, 512 to a page:
 *
 *   0  u16  flags    the granting guest writes; Xen sets and clears GTF_reading and GTF_writing
 *   2  u16  domid    the granting guest writes: who may use it
 *   4  u32  frame    the granting guest writes: machine frame number
 */
const ENTRY_BITS = 3;
const GRANTS_PER_FRAME_BITS = 9;
const GRANTS_PER_FRAME = 1 << GRANTS_PER_FRAME_BITS;
/** Entries 0 to 7 are the toolstack's: console, xenstore. */
export const GRANT_RESERVED_ENTRIES = 8;

// Not exported, nor are sizes above: V8 folds constants of a file's own, and reads and checks exported ones each time.
const GTF_invalid = 0;
const GTF_permit_access = 1;
const GTF_type_mask = 3;
const GTF_readonly = 1 << 2;
const GTF_reading = 1 << 3;
const GTF_writing = 1 << 4;
/** For who looks at an entry from outside. */
export const GTF = {
  permit_access: GTF_permit_access,
  readonly: GTF_readonly,
  reading: GTF_reading,
  writing: GTF_writing,
} as const;

export const GNTST_okay = 0;
export const GNTST_general_error = -1;
export const GNTST_bad_domain = -2;
export const GNTST_bad_gntref = -3;
export const GNTST_bad_handle = -4;
export const GNTST_no_device_space = -7;
export const GNTST_bad_copy_arg = -10;

/** Entries that there is room for from the start in what is kept beside the table, and what it grows by at least. */
const FIRST_ENTRIES = 32;
/** Pages that a table starts with (INITIAL_NR_GRANT_FRAMES). */
const INITIAL_FRAMES = 4;
/** What is counted of an entry, a byte each: whether it is off the free list, mappings to read, mappings to write. */
const USES_BITS = 2; // one is left: shifts and bitwise or, which V8 need not check for overflow
const TAKEN = 0;
const READERS = 1;
const WRITERS = 2;
/** Where granting is booked. */
const STAGE = GRANT;
/** A page, where an address is made of its number. */
const PAGE_BYTES = 4096;
/**
 * Mappings of one kind that one entry can have. Xen refuses a mapping of either kind while the 8-bit pin count of one is
 * near its end (__gnttab_map_grant_ref: act->pin & 0x80808080).
 */
const PINS_MAX = 128;

/**
 * What a domain lets others use. The entries are real bytes in pages of the granting domain; the guest's kernel writes
 * them without a hypercall, and Xen looks at them when another domain maps or copies.
 *
 * An entry goes round: {@link reserve} takes a reference off the free list, {@link grantAccess} fills the entry in, the
 * other domain uses it through its `GrantMappings`, {@link endAccess} clears the entry once it is not in use, and
 * {@link release} gives the reference back.
 *
 * `cpu` is the burst that does the work and is charged for it, null in set-up code that runs before the clock counts.
 */
export class GrantTable {
  readonly maxFrames: number;
  readonly #domain: Domain;
  readonly #memory: Memory;
  readonly #costs: Costs;
  /** Machine addresses of the table's pages: small integers in a world that is not large, as they stay in such an array. */
  readonly #frames: number[] = [];
  readonly #free = new FreeRefs();
  #active = 0;
  /** Entries that grant something, and those that another domain has mapped. Null when nobody looks. */
  traceActive: TraceCounter | null = null;
  traceMapped: TraceCounter | null = null;
  /** Every grant and its end. Null when nobody looks. */
  watch: GrantWatch | null = null;

  // By entry, as far as entries have been used: see USES; and what it is pinned with, on the side of Xen.
  #uses = new Uint8Array(FIRST_ENTRIES << USES_BITS);
  #pinnedDomain = new Uint16Array(FIRST_ENTRIES);
  #pinnedFrame = new Int32Array(FIRST_ENTRIES);
  /** Entries that exist and that there is room for there. */
  #covered = 0;
  #pinned = 0;

  readonly counters = {
    granted: 0,
    ended: 0,
    /** Hypercalls that have made the table larger. */
    grown: 0,
    /** Mappings that others have made of its entries; their copies from or to its pages, and the bytes of these. */
    maps: 0,
    copies: 0,
    copiedBytes: 0,
    /** Ending or rewriting refused, because somebody has the entry mapped. */
    busy: 0,
    /** References asked for when the table was at its limit. */
    exhausted: 0,
    /** A reference beyond the table, named by this domain or by another. */
    badRef: 0,
    /** Others' attempts that failed: the entry grants nothing, or to somebody else, or not for writing ... */
    notGranted: 0,
    wrongDomain: 0,
    readOnly: 0,
    /** ... or names a frame that this domain does not own, or has too many mappings. */
    badFrame: 0,
    overflow: 0,
  };

  constructor(domain: Domain, maxFrames: number) {
    this.#domain = domain;
    this.#memory = domain.memory;
    this.#costs = domain.hypervisor.costs;
    this.maxFrames = maxFrames;
    this.#growTo(Math.min(INITIAL_FRAMES, maxFrames));
  }

  // ---- the granting guest

  /** Entries that the table has room for now. */
  get entries(): number {
    return this.#frames.length << GRANTS_PER_FRAME_BITS;
  }

  /** Entries that grant something. */
  get activeGrants(): number {
    return this.#active;
  }

  /** Entries that another domain has mapped. */
  get mappedGrants(): number {
    return this.#pinned;
  }

  /** References that are off the free list. */
  get reserved(): number {
    return this.entries - GRANT_RESERVED_ENTRIES - this.#free.count;
  }

  /** References that it has in all when it has grown as far as it may. */
  get mostReferences(): number {
    return this.maxFrames * GRANTS_PER_FRAME - GRANT_RESERVED_ENTRIES;
  }

  /** Takes `count` references into `out` from `at` on, all or none; false when the table cannot grow that far. */
  reserve(cpu: Processor | null, count: number, out: Int32Array, at = 0): boolean {
    if (this.reserved + count > this.mostReferences) {
      this.counters.exhausted++;
      return false;
    }
    const wanted = this.reserved + count + GRANT_RESERVED_ENTRIES;
    if (wanted > this.entries) {
      // GNTTABOP_setup_table maps the new pages, all in one hypercall.
      cpu?.charge(GRANT, HYP, this.#domain.hypervisor.costs.hypercall);
      this.counters.grown++;
      this.#growTo(Math.ceil(wanted / GRANTS_PER_FRAME));
    }
    for (let i = 0; i < count; i++) {
      const ref = this.#free.take();
      if (ref >= this.#covered) this.#cover(ref);
      this.#uses[(ref << USES_BITS) | TAKEN] = 1;
      out[at + i] = ref;
    }
    return true;
  }

  /** Puts references back that grant nothing any more. */
  release(refs: Int32Array, count: number, at = 0): void {
    for (let i = at; i < at + count; i++) {
      const ref = refs[i];
      assert(
        this.#uses[(ref << USES_BITS) | TAKEN] === 1,
        "grant table: a reference was released that is not reserved",
      );
      assert(this.flags(ref) === GTF_invalid, "grant table: a reference was released that still grants");
      this.#uses[(ref << USES_BITS) | TAKEN] = 0;
      this.#free.give(ref);
    }
  }

  /**
   * Lets domain `domid` use the machine frame through `ref`, in CPU time of class `cls`. An entry that is mapped cannot be
   * rewritten.
   */
  grantAccess(
    cpu: Processor | null,
    ref: number,
    domid: number,
    frame: number,
    readonly: boolean,
    cls = KERNEL,
  ): number {
    if (!this.#exists(ref)) return GNTST_bad_gntref;
    if (cpu !== null) cpu.charge(STAGE, cls, this.#costs.grantEntry);
    const entry = this.entryAddress(ref);
    const { view } = this.#memory;
    const flags = view.getUint16(entry, true);
    if ((flags & (GTF_reading | GTF_writing)) !== 0) {
      this.counters.busy++;
      return GNTST_general_error;
    }
    if (flags === GTF_invalid) {
      this.#active++;
      if (this.traceActive !== null) this.traceActive.add(1);
    }
    this.counters.granted++;
    // The flags come last: from then on the entry is valid for another CPU. A word takes the domain along.
    view.setInt32(entry + 4, frame, true);
    const permitted = readonly ? GTF_permit_access | GTF_readonly : GTF_permit_access;
    view.setInt32(entry, permitted | (domid << 16), true);
    if (this.watch !== null) this.watch.granted(ref);
    return GNTST_okay;
  }

  /** Takes a grant back, in CPU time of class `cls`; false, and no change, while somebody has it mapped. */
  endAccess(cpu: Processor | null, ref: number, cls = KERNEL): boolean {
    if (!this.#exists(ref)) return false;
    if (cpu !== null) cpu.charge(STAGE, cls, this.#costs.grantEntry);
    const entry = this.entryAddress(ref);
    const { view } = this.#memory;
    const flags = view.getUint16(entry, true);
    if ((flags & (GTF_reading | GTF_writing)) !== 0) {
      this.counters.busy++;
      return false;
    }
    if (flags !== GTF_invalid) {
      this.#active--;
      if (this.traceActive !== null) this.traceActive.add(-1);
      this.counters.ended++;
      view.setUint16(entry, GTF_invalid, true);
    }
    if (this.watch !== null) this.watch.ended(ref);
    return true;
  }

  /** An entry's flags as they are in memory. */
  flags(ref: number): number {
    return this.#domain.memory.view.getUint16(this.entryAddress(ref), true);
  }

  /** Machine address of an entry. */
  entryAddress(ref: number): number {
    return this.#frames[ref >> GRANTS_PER_FRAME_BITS] + ((ref & (GRANTS_PER_FRAME - 1)) << ENTRY_BITS);
  }

  // ---- the hypervisor, on behalf of another domain

  /**
   * Puts an entry in use for `domid`, to read or to write; it stays in use until as many {@link unpin}s have come. The
   * checks and their order are Xen's: an entry in use keeps the frame it had when its use began.
   */
  pin(ref: number, domid: number, readonly: boolean): number {
    if (!this.#exists(ref)) return GNTST_bad_gntref;
    const uses = ref << USES_BITS;
    const readers = this.#uses[uses | READERS];
    const writers = this.#uses[uses | WRITERS];
    const isPinned = (readers | writers) !== 0;
    if (isPinned && this.#pinnedDomain[ref] !== domid) return this.#refuse("wrongDomain");
    if (readers >= PINS_MAX || writers >= PINS_MAX) return this.#refuse("overflow");
    const entry = this.entryAddress(ref);
    const { view } = this.#memory;
    const word = view.getInt32(entry, true); // flags and domid
    const flags = word & 0xffff;
    if (!isPinned) {
      if ((flags & GTF_type_mask) !== GTF_permit_access) return this.#refuse("notGranted");
      if (word >>> 16 !== domid) return this.#refuse("wrongDomain");
      const frame = view.getUint32(entry + 4, true);
      if (!this.#domain.owns(frame)) return this.#refuse("badFrame");
      this.#pinnedFrame[ref] = frame | 0;
    }
    // Looked at when the first one maps it to write: until that ends, the guest cannot take it back (_set_status).
    if (!readonly && writers === 0 && (flags & GTF_readonly) !== 0) return this.#refuse("readOnly");
    const used = readonly ? GTF_reading : GTF_reading | GTF_writing;
    view.setUint16(entry, flags | used, true);
    this.#pinnedDomain[ref] = domid;
    if (!isPinned) {
      this.#pinned++;
      if (this.traceMapped !== null) this.traceMapped.add(1);
    }
    if (readonly) this.#uses[uses | READERS] = readers + 1;
    else this.#uses[uses | WRITERS] = writers + 1;
    return GNTST_okay;
  }

  /** Ends one use of an entry. */
  unpin(ref: number, readonly: boolean): void {
    const uses = ref << USES_BITS;
    const kind = readonly ? READERS : WRITERS;
    assert(this.#uses[uses | kind] > 0, "grant table: an entry was unpinned that is not in use");
    this.#uses[uses | kind]--;
    if (this.#uses[uses | WRITERS] !== 0) return;
    const entry = this.entryAddress(ref);
    const { view } = this.#memory;
    let flags = view.getUint16(entry, true) & ~GTF_writing;
    if (this.#uses[uses | READERS] === 0) {
      flags &= ~GTF_reading;
      this.#pinned--;
      if (this.traceMapped !== null) this.traceMapped.add(-1);
    }
    view.setUint16(entry, flags, true);
  }

  /**
   * Uses an entry for as long as it takes to copy from its page or to it (acquire_grant_for_copy to
   * release_grant_for_copy). Returns the page's machine address, or an error status, which is below zero.
   */
  pinToCopy(ref: number, domid: number, readonly: boolean): number {
    if (!this.#exists(ref)) return GNTST_bad_gntref;
    const uses = ref << USES_BITS;
    // Nobody can look before the use has ended. So of an entry that nobody else uses only the checks are made, and what
    // the last unpinning leaves behind.
    const isPinned = (this.#uses[uses | READERS] | this.#uses[uses | WRITERS]) !== 0;
    if (isPinned || this.traceMapped !== null) return this.#pinAndUnpin(ref, domid, readonly);
    const entry = this.entryAddress(ref);
    const { view } = this.#memory;
    const word = view.getInt32(entry, true); // flags and domid
    if ((word & GTF_type_mask) !== GTF_permit_access) return this.#refuse("notGranted");
    if (word >>> 16 !== domid) return this.#refuse("wrongDomain");
    const frame = view.getInt32(entry + 4, true); // none is as large as that a sign matters
    if (!this.#domain.owns(frame)) return this.#refuse("badFrame");
    if (!readonly && (word & GTF_readonly) !== 0) return this.#refuse("readOnly");
    const inUse = word & (GTF_reading | GTF_writing);
    if (inUse !== 0) view.setInt32(entry, word ^ inUse, true);
    return frame * PAGE_BYTES;
  }

  /** The machine frame that a pinned entry grants. */
  pinnedFrame(ref: number): number {
    return this.#pinnedFrame[ref];
  }

  // ---- inside

  #pinAndUnpin(ref: number, domid: number, readonly: boolean): number {
    const status = this.pin(ref, domid, readonly);
    if (status !== GNTST_okay) return status;
    this.unpin(ref, readonly);
    return this.#pinnedFrame[ref] * PAGE_BYTES;
  }

  #exists(ref: number): boolean {
    if (ref >= 0 && ref < this.#covered) return true;
    if (ref >= 0 && ref < this.entries) {
      this.#cover(ref);
      return true;
    }
    this.counters.badRef++;
    return false;
  }

  #refuse(cause: "notGranted" | "wrongDomain" | "readOnly" | "badFrame" | "overflow"): number {
    this.counters[cause]++;
    return GNTST_general_error;
  }

  /** Grows the table to `count` pages. */
  #growTo(count: number): void {
    const first = this.entries;
    while (this.#frames.length < count) this.#frames.push(this.#domain.allocPages(1));
    this.#covered = Math.min(this.#pinnedFrame.length, this.entries);
    this.#free.addRange(Math.max(first, GRANT_RESERVED_ENTRIES), this.entries);
  }

  /** Makes room for what is kept of an entry. */
  #cover(ref: number): void {
    const size = roundUp(Math.max(ref + 1, this.#pinnedFrame.length * 1.25), FIRST_ENTRIES);
    this.#uses = grown(this.#uses, new Uint8Array(size << USES_BITS));
    this.#pinnedDomain = grown(this.#pinnedDomain, new Uint16Array(size));
    this.#pinnedFrame = grown(this.#pinnedFrame, new Int32Array(size));
    this.#covered = Math.min(size, this.entries);
  }
}
