import { PAGE_SIZE, pagesSpanned } from "../../base/units.ts";
import type { Processor } from "../../hw/processor.ts";
import type { Domain } from "../../xen/domain.ts";
import { GREFS_PER_PAGE, MAX_PARTS } from "./layout.ts";

/**
 * A stretch of guest memory granted to dom0 in two levels: a reference for every page, the references in list pages,
 * and those granted too (fe/omx_xenfront_reg.c:677-945). Granting and taking back go on in pieces, for large regions.
 */
export class GrantedRegion {
  readonly mapping: number;
  readonly address: number;
  readonly length: number;
  readonly pages: number;
  readonly parts: number;
  readonly refs: Int32Array;
  readonly listRefs: Int32Array;
  /** Pages granted so far. */
  granted = 0;
  /** A region of the library uses it now. */
  inUse = true;
  readonly #domain: Domain;
  readonly #list: number; // address of the list pages

  /** Null when the guest has no grant references left, or the region is larger than a message can describe. */
  static create(
    cpu: Processor,
    domain: Domain,
    lists: ListPages,
    mapping: number,
    address: number,
    length: number,
  ): GrantedRegion | null {
    const pages = Math.max(1, pagesSpanned(address, length));
    const parts = Math.ceil(pages / GREFS_PER_PAGE);
    if (parts > MAX_PARTS) return null;
    const refs = new Int32Array(pages);
    const listRefs = new Int32Array(parts);
    if (!domain.grantTable.reserve(cpu, pages, refs)) return null;
    if (!domain.grantTable.reserve(cpu, parts, listRefs)) {
      domain.grantTable.release(refs, pages);
      return null;
    }
    return new GrantedRegion(cpu, domain, lists, mapping, address, length, refs, listRefs);
  }

  private constructor(
    cpu: Processor,
    domain: Domain,
    lists: ListPages,
    mapping: number,
    address: number,
    length: number,
    refs: Int32Array,
    listRefs: Int32Array,
  ) {
    this.#domain = domain;
    this.mapping = mapping;
    this.address = address;
    this.length = length;
    this.pages = refs.length;
    this.parts = listRefs.length;
    this.refs = refs;
    this.listRefs = listRefs;
    this.#list = lists.take(this.parts);
    for (let part = 0; part < this.parts; part++) {
      domain.grantTable.grantAccess(cpu, listRefs[part], 0, this.#list / PAGE_SIZE + part, true);
    }
  }

  /** Grants up to `count` more pages; true when all are granted. */
  grantSome(cpu: Processor, count: number): boolean {
    const { grantTable, memory } = this.#domain;
    const first = Math.floor(this.address / PAGE_SIZE);
    const end = Math.min(this.pages, this.granted + count);
    for (; this.granted < end; this.granted++) {
      const ref = this.refs[this.granted];
      grantTable.grantAccess(cpu, ref, 0, first + this.granted, false);
      memory.view.setUint32(this.#list + this.granted * 4, ref, true);
    }
    return this.granted === this.pages;
  }

  /** Takes back up to `count` pages, the lists last; true when nothing is granted any more. Dom0 has unmapped it. */
  revokeSome(cpu: Processor, count: number, lists: ListPages): boolean {
    const { grantTable } = this.#domain;
    for (let i = 0; i < count && this.granted > 0; i++) {
      grantTable.endAccess(cpu, this.refs[--this.granted]);
    }
    if (this.granted > 0) return false;
    for (let part = 0; part < this.parts; part++) grantTable.endAccess(cpu, this.listRefs[part]);
    grantTable.release(this.refs, this.pages);
    grantTable.release(this.listRefs, this.parts);
    lists.give(this.#list, this.parts);
    return true;
  }
}

/** List pages of a guest, kept for reuse by size. */
export class ListPages {
  readonly #domain: Domain;
  readonly #free: number[][] = [];

  constructor(domain: Domain) {
    this.#domain = domain;
  }

  take(parts: number): number {
    return this.#free[parts]?.pop() ?? this.#domain.allocPages(parts);
  }

  give(address: number, parts: number): void {
    (this.#free[parts] ??= []).push(address);
  }
}
