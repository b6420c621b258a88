import { PAGE_SIZE } from "../../base/units.ts";
import type { Processor } from "../../hw/processor.ts";
import type { Extent } from "../../mx/driver/region.ts";
import type { Domain } from "../../xen/domain.ts";
import { GNTMAP_host_map, GNTMAP_readonly } from "../../xen/grant_mapping.ts";
import { PAGES_PER_BURST } from "./channel.ts";
import { GREFS_PER_PAGE, MAX_PARTS, SEG_GREFS, SEG_LENGTH, SEG_OFFSET, SEG_PAGES, SEG_PARTS } from "./layout.ts";

/** As a constant of this file, which V8 folds. */
const PAGE_BYTES = PAGE_SIZE;
const MAP_LIST = GNTMAP_host_map | GNTMAP_readonly;

/** An extent that may become longer. */
interface Stretch {
  readonly address: number;
  length: number;
}

/** Pages of a guest that dom0 has mapped, found through list pages of references (be/omx_xenback_reg.c:283-543). */
export class MappedSegment {
  readonly pages: number;
  failed = false;
  readonly #dom0: Domain;
  readonly #guest: number;
  readonly #offset: number;
  readonly #length: number;
  /** Of pages that are mapped; of the others, their grant references. Behind them, the handles of the list pages. */
  readonly #handles: Int32Array;
  #mapped = 0;

  /** Maps the list pages that the segment of a create message at `at` names, one by one; null when one cannot be. */
  static begin(cpu: Processor, dom0: Domain, guest: number, at: number): MappedSegment | null {
    const { view } = dom0.memory;
    const pages = view.getUint32(at + SEG_PAGES, true);
    const parts = Math.min(MAX_PARTS, view.getUint8(at + SEG_PARTS));
    const offset = view.getUint16(at + SEG_OFFSET, true);
    const length = view.getUint32(at + SEG_LENGTH, true);
    const isSound = pages <= parts * GREFS_PER_PAGE && offset < PAGE_BYTES && offset + length <= pages * PAGE_BYTES;
    if (!isSound) return null;
    const handles = new Int32Array(pages + parts);
    for (let i = 0; i < parts; i++) handles[pages + i] = view.getUint32(at + SEG_GREFS + i * 4, true);
    return MappedSegment.#fromLists(cpu, dom0, guest, handles, pages, offset, length);
  }

  /** The same with `pages` whole pages of a queue, whose one list page is granted as `list`. */
  static beginQueue(cpu: Processor, dom0: Domain, guest: number, list: number, pages: number): MappedSegment | null {
    if (pages > GREFS_PER_PAGE) return null;
    const handles = new Int32Array(pages + 1);
    handles[pages] = list;
    return MappedSegment.#fromLists(cpu, dom0, guest, handles, pages, 0, pages * PAGE_BYTES);
  }

  /** Behind the places of `pages` references, `handles` has those of the list pages that they are read from. */
  static #fromLists(
    cpu: Processor,
    dom0: Domain,
    guest: number,
    handles: Int32Array,
    pages: number,
    offset: number,
    length: number,
  ): MappedSegment | null {
    const { mappings, memory } = dom0;
    if (mappings.map(cpu, guest, handles, handles.length - pages, MAP_LIST, handles, null, false, pages) > 0) {
      const mapped = handles.subarray(pages).filter((handle) => handle >= 0);
      mappings.unmap(null, mapped, mapped.length);
      return null;
    }
    for (let part = 0, page = 0; page < pages; part++) {
      const end = Math.min(pages, page + GREFS_PER_PAGE);
      let at = mappings.addressOf(handles[pages + part]);
      for (; page < end; page++, at += 4) handles[page] = memory.view.getInt32(at, true);
    }
    return new MappedSegment(dom0, guest, handles, pages, offset, length);
  }

  private constructor(
    dom0: Domain,
    guest: number,
    handles: Int32Array,
    pages: number,
    offset: number,
    length: number,
  ) {
    this.#dom0 = dom0;
    this.#guest = guest;
    this.pages = pages;
    this.#handles = handles;
    this.#offset = offset;
    this.#length = length;
  }

  get isMapped(): boolean {
    return this.#mapped === this.pages;
  }

  /** Maps up to `count` more pages; returns how many were tried. Sets {@link failed} when one could not be mapped. */
  mapSome(cpu: Processor, count: number, batched: boolean): number {
    const pages = Math.min(count, this.pages - this.#mapped);
    const { mappings } = this.#dom0;
    const failed = mappings.map(
      cpu,
      this.#guest,
      this.#handles,
      pages,
      GNTMAP_host_map,
      this.#handles,
      null,
      batched,
      this.#mapped,
    );
    this.#mapped += pages;
    if (failed > 0) this.failed = true;
    return pages;
  }

  /** Gives up a mapping of which some pages failed: what has been mapped is unmapped, in one go. */
  abandon(cpu: Processor): void {
    const mapped = this.#handles.subarray(0, this.#mapped).filter((handle) => handle >= 0);
    this.#dom0.mappings.unmap(cpu, mapped, mapped.length);
    this.#mapped = 0;
    this.#unmapLists(cpu);
  }

  #unmapLists(cpu: Processor): void {
    this.#dom0.mappings.unmap(cpu, this.#handles, this.#handles.length - this.pages, false, this.pages);
  }

  /** Unmaps up to `count` of the last pages, the list pages after all; returns how many those were. */
  unmapSome(cpu: Processor, count: number, batched: boolean): number {
    const pages = Math.min(count, this.#mapped);
    this.#mapped -= pages;
    this.#dom0.mappings.unmap(cpu, this.#handles, pages, batched, this.#mapped);
    if (this.#mapped === 0) this.#unmapLists(cpu);
    return pages;
  }

  get isUnmapped(): boolean {
    return this.#mapped === 0;
  }

  /** Adds where its bytes lie to `extents`, if there are any yet; pages that follow one another are one. */
  addTo(extents: Stretch[] | null): Stretch[] | null {
    const { mappings } = this.#dom0;
    const handles = this.#handles;
    let all = extents;
    let left = this.#length;
    let within = this.#offset;
    let last = all === null ? null : all[all.length - 1];
    for (let page = 0; page < this.pages && left > 0; page++) {
      const address = mappings.addressOf(handles[page]) + within;
      const bytes = Math.min(PAGE_BYTES - within, left);
      if (last !== null && last.address + last.length === address) last.length += bytes;
      else {
        last = { address, length: bytes };
        if (all === null) all = [last]; // nearly always the only one: no room for more
        else all.push(last);
      }
      left -= bytes;
      within = 0;
    }
    return all;
  }

  /** Whether it has `bytes` bytes or more, in one stretch of memory. */
  isOneStretch(bytes: number): boolean {
    const extents = this.addTo(null);
    return extents !== null && extents.length === 1 && extents[0].length >= bytes;
  }

  /** Where its first byte lies. */
  get address(): number {
    return this.#dom0.mappings.addressOf(this.#handles[0]) + this.#offset;
  }
}

/** A set of grants of a guest that dom0 has mapped, or is mapping: one segment for each stretch of the buffer. */
export class MappedRegion {
  /** Segments that belong to it; a message brings two at most. */
  readonly segmentCount: number;
  /** Those that have come and are mapped, or being mapped or unmapped. */
  readonly segments: MappedSegment[] = [];
  /** The guest has asked to have it unmapped. */
  isLeaving = false;
  /** Of what is mapped now, once somebody has asked: a mapping that is kept serves many messages. */
  #extents: readonly Extent[] | null = null;

  constructor(segmentCount: number) {
    this.segmentCount = segmentCount;
  }

  get isComplete(): boolean {
    return this.segments.length === this.segmentCount && this.segments.every(({ isMapped }) => isMapped);
  }

  get failed(): boolean {
    return this.segments.some(({ failed }) => failed);
  }

  /** Maps the next pages of the segments that have come; true when all are mapped, or one could not be (`failed`). */
  mapPiece(cpu: Processor, batched: boolean): boolean {
    let left = PAGES_PER_BURST;
    this.#extents = null;
    for (const segment of this.segments) {
      if (segment.isMapped) continue;
      left -= segment.mapSome(cpu, left, batched);
      if (segment.failed) return true;
      if (!segment.isMapped || left === 0) break;
    }
    return this.segments.every(({ isMapped }) => isMapped);
  }

  abandon(cpu: Processor): void {
    this.#extents = null;
    for (const segment of this.segments) segment.abandon(cpu);
    this.segments.length = 0;
  }

  /** Unmaps the last pages; true when nothing is mapped any more. */
  unmapPiece(cpu: Processor, batched: boolean): boolean {
    let left = PAGES_PER_BURST;
    this.#extents = null;
    while (this.segments.length > 0 && left > 0) {
      const segment = this.segments[this.segments.length - 1];
      left -= segment.unmapSome(cpu, left, batched);
      if (!segment.isUnmapped) return false;
      this.segments.pop();
    }
    return this.segments.length === 0;
  }

  /** Unmaps all that is mapped, in one burst. */
  unmapAll(cpu: Processor, batched: boolean): void {
    this.#extents = null;
    for (const segment of this.segments) segment.unmapSome(cpu, segment.pages, batched);
    this.segments.length = 0;
  }

  /** Where the bytes of the buffer lie in machine memory. */
  get extents(): readonly Extent[] {
    return this.#extents ??= this.#lookUpExtents();
  }

  #lookUpExtents(): readonly Extent[] {
    let extents: Stretch[] | null = null;
    for (const segment of this.segments) extents = segment.addTo(extents);
    return extents ?? [];
  }
}
