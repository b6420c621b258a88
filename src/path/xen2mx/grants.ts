import { PAGE_SIZE, pagesSpanned } from "../../base/units.ts";
import type { Processor } from "../../hw/processor.ts";
import type { Segment } from "../../mx/driver/contract.ts";
import type { Domain } from "../../xen/domain.ts";
import { GREFS_PER_PAGE, MAX_PARTS } from "./layout.ts";

/** Bytes of a segment whose list pages a message can name, whatever its offset in its first page. */
export const SEGMENT_MAX = (MAX_PARTS * GREFS_PER_PAGE - 1) * PAGE_SIZE;

/**
 * A stretch of guest memory granted to dom0 in two levels: a reference for every page, the references in list pages,
 * and those granted too (fe/omx_xenfront_reg.c:677-945). Granting and taking back go on in pieces, for large regions.
 */
export class GrantedSegment {
  readonly address: number;
  readonly length: number;
  readonly pages: number;
  readonly parts: number;
  /** Of the pages, then of the list pages. */
  readonly #refs: Int32Array;
  /** Pages granted so far. */
  granted = 0;
  readonly #domain: Domain;
  readonly #lists: PagePool;
  readonly #list: number; // address of the list pages

  /** Null when the guest has no grant references left. At most 64 MiB: see {@link pieces}. */
  static create(cpu: Processor, domain: Domain, lists: PagePool, address: number, length: number) {
    const pages = Math.max(1, pagesSpanned(address, length));
    const parts = Math.ceil(pages / GREFS_PER_PAGE);
    const refs = new Int32Array(pages + parts);
    if (!domain.grantTable.reserve(cpu, pages, refs)) return null;
    if (!domain.grantTable.reserve(cpu, parts, refs, pages)) {
      domain.grantTable.release(refs, pages);
      return null;
    }
    return new GrantedSegment(cpu, domain, lists, address, length, refs, parts);
  }

  private constructor(
    cpu: Processor,
    domain: Domain,
    lists: PagePool,
    address: number,
    length: number,
    refs: Int32Array,
    parts: number,
  ) {
    this.#domain = domain;
    this.#lists = lists;
    this.address = address;
    this.length = length;
    this.pages = refs.length - parts;
    this.parts = parts;
    this.#refs = refs;
    this.#list = lists.take(this.parts);
    for (let part = 0; part < this.parts; part++) {
      domain.grantTable.grantAccess(cpu, this.listRef(part), 0, this.#list / PAGE_SIZE + part, true);
    }
  }

  /** The reference of a list page. */
  listRef(part: number): number {
    return this.#refs[this.pages + part];
  }

  /** Grants up to `count` more pages; returns how many that were. */
  grantSome(cpu: Processor, count: number): number {
    const { grantTable, memory } = this.#domain;
    const { view } = memory;
    const refs = this.#refs;
    const first = Math.floor(this.address / PAGE_SIZE);
    const before = this.granted;
    const end = Math.min(this.pages, before + count);
    let entry = this.#list + before * 4;
    for (let page = before; page < end; page++, entry += 4) {
      grantTable.grantAccess(cpu, refs[page], 0, first + page, false);
      view.setInt32(entry, refs[page], true);
    }
    this.granted = end;
    return end - before;
  }

  /**
   * Takes back up to `count` pages, the lists with the last of them; returns how many that were. Dom0 has unmapped
   * them, or has never mapped them.
   */
  revokeSome(cpu: Processor, count: number): number {
    const { grantTable } = this.#domain;
    const refs = this.#refs;
    const before = this.granted;
    const revoked = Math.min(count, before);
    this.granted = before - revoked;
    for (let page = before - 1; page >= this.granted; page--) grantTable.endAccess(cpu, refs[page]);
    if (this.granted > 0) return revoked;
    for (let part = 0; part < this.parts; part++) grantTable.endAccess(cpu, this.listRef(part));
    grantTable.release(this.#refs, this.pages);
    grantTable.release(this.#refs, this.parts, this.pages);
    this.#lists.give(this.#list, this.parts);
    return revoked;
  }
}

/** The grants of one registered buffer: a segment of pages for each of its stretches. */
export class GrantedRegion {
  readonly mapping: number;
  readonly segments: readonly GrantedSegment[];
  /** A region of the library uses it now. */
  inUse = true;
  #at = 0; // segment that is being granted
  #left: number; // segments not taken back

  /** Null when the guest has no grant references left: nothing is granted then. */
  static create(cpu: Processor, domain: Domain, lists: PagePool, mapping: number, buffer: readonly Segment[]) {
    const segments: GrantedSegment[] = [];
    for (const { address, length } of pieces(buffer)) {
      const segment = GrantedSegment.create(cpu, domain, lists, address, length);
      if (segment === null) {
        for (const reserved of segments) reserved.revokeSome(cpu, 0);
        return null;
      }
      segments.push(segment);
    }
    return new GrantedRegion(mapping, segments);
  }

  private constructor(mapping: number, segments: readonly GrantedSegment[]) {
    this.mapping = mapping;
    this.segments = segments;
    this.#left = segments.length;
  }

  /** Grants up to `count` more pages; returns how many that were: fewer than asked for at the end. */
  grantSome(cpu: Processor, count: number): number {
    let done = 0;
    for (; this.#at < this.segments.length; this.#at++) {
      const segment = this.segments[this.#at];
      done += segment.grantSome(cpu, count - done);
      if (segment.granted < segment.pages) break;
    }
    return done;
  }

  /** Pages of all segments, their lists not counted. */
  get pages(): number {
    return this.segments.reduce((sum, { pages }) => sum + pages, 0);
  }

  get isGranted(): boolean {
    return this.#at === this.segments.length;
  }

  get isRevoked(): boolean {
    return this.#left === 0;
  }

  /** Takes back up to `count` pages; returns how many that were: fewer than asked for at the end. */
  revokeSome(cpu: Processor, count: number): number {
    let done = 0;
    while (this.#left > 0 && done < count) {
      const segment = this.segments[this.#left - 1];
      done += segment.revokeSome(cpu, count - done);
      if (segment.granted > 0) break;
      this.#left--;
    }
    return done;
  }

  /** Whether it is of this very buffer. */
  covers(buffer: readonly Segment[]): boolean {
    let at = 0;
    for (const { address, length } of pieces(buffer)) {
      const segment = this.segments[at++];
      if (segment === undefined || segment.address !== address || segment.length !== length) return false;
    }
    return at === this.segments.length;
  }
}

/** A buffer's stretches as the ring can describe them: none empty (but the only one), none above 64 MiB. */
function pieces(buffer: readonly Segment[]): readonly Segment[] {
  if (buffer.length > 0 && buffer.every(({ length }) => length > 0 && length <= SEGMENT_MAX)) return buffer;
  const cut: Segment[] = [];
  for (const { address, length } of buffer) {
    for (let done = 0; done < length; done += SEGMENT_MAX) {
      cut.push({ address: address + done, length: Math.min(SEGMENT_MAX, length - done) });
    }
  }
  return cut.length > 0 ? cut : [{ address: buffer[0]?.address ?? 0, length: 0 }];
}

/** Pages of a guest's kernel that come back, kept for reuse by number. */
export class PagePool {
  readonly #domain: Domain;
  readonly #free: number[][] = [];

  constructor(domain: Domain) {
    this.#domain = domain;
  }

  take(pages: number): number {
    return this.#free[pages]?.pop() ?? this.#domain.allocPages(pages);
  }

  /** The same, zeroed. */
  takeZeroed(pages: number): number {
    const address = this.#free[pages]?.pop();
    if (address === undefined) return this.#domain.allocPages(pages);
    this.#domain.memory.u8.fill(0, address, address + pages * PAGE_SIZE);
    return address;
  }

  give(address: number, pages: number): void {
    (this.#free[pages] ??= []).push(address);
  }
}
