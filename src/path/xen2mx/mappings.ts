import { PAGE_SIZE } from "../../base/units.ts";
import type { Memory } from "../../hw/memory.ts";
import type { Processor } from "../../hw/processor.ts";
import type { Extent } from "../../mx/driver/region.ts";
import type { Domain } from "../../xen/domain.ts";
import { GNTMAP_host_map, GNTMAP_readonly } from "../../xen/grant_mapping.ts";
import { PAGES_PER_BURST } from "./channel.ts";
import { GREFS_PER_PAGE, MAX_PARTS, SEG_GREFS, SEG_PAGES, SEG_PARTS } from "./layout.ts";

/** Pages of a guest that dom0 has mapped, found through list pages of references (be/omx_xenback_reg.c:283-543). */
export class MappedRegion {
  readonly pages: number;
  failed = false;
  readonly #dom0: Domain;
  readonly #guest: number;
  readonly #refs: Int32Array;
  readonly #handles: Int32Array;
  readonly #addresses: Float64Array;
  readonly #listHandles: Int32Array;
  #mapped = 0;

  /**
   * Maps the list pages that a create message at `union` names, one by one; null when one cannot be mapped, or when the
   * message names more pages than its lists hold.
   */
  static begin(cpu: Processor, dom0: Domain, guest: number, memory: Memory, union: number): MappedRegion | null {
    const { view } = memory;
    const parts = view.getUint8(union + SEG_PARTS);
    const pages = view.getUint32(union + SEG_PAGES, true);
    if (parts > MAX_PARTS) return null;
    const lists = new Int32Array(parts);
    for (let i = 0; i < parts; i++) lists[i] = view.getUint32(union + SEG_GREFS + i * 4, true);
    return MappedRegion.fromLists(cpu, dom0, guest, memory, lists, pages);
  }

  static fromLists(
    cpu: Processor,
    dom0: Domain,
    guest: number,
    memory: Memory,
    lists: Int32Array,
    pages: number,
  ): MappedRegion | null {
    if (pages > lists.length * GREFS_PER_PAGE) return null;
    const handles = new Int32Array(lists.length);
    const addresses = new Float64Array(lists.length);
    if (dom0.mappings.map(cpu, guest, lists, lists.length, MAP_LIST, handles, addresses, false) > 0) {
      dom0.mappings.unmap(
        null,
        handles.filter((handle) => handle >= 0),
        handles.filter((handle) => handle >= 0).length,
      );
      return null;
    }
    const refs = new Int32Array(pages);
    for (let i = 0; i < pages; i++) {
      const list = addresses[Math.floor(i / GREFS_PER_PAGE)];
      refs[i] = memory.view.getUint32(list + (i % GREFS_PER_PAGE) * 4, true);
    }
    return new MappedRegion(dom0, guest, refs, handles);
  }

  private constructor(dom0: Domain, guest: number, refs: Int32Array, listHandles: Int32Array) {
    this.#dom0 = dom0;
    this.#guest = guest;
    this.#refs = refs;
    this.pages = refs.length;
    this.#handles = new Int32Array(refs.length);
    this.#addresses = new Float64Array(refs.length);
    this.#listHandles = listHandles;
  }

  /** Maps the next pages; true when all are mapped, or one could not be (`failed`). */
  mapPiece(cpu: Processor, batched: boolean): boolean {
    return this.mapSome(cpu, PAGES_PER_BURST, batched);
  }

  mapSome(cpu: Processor, count: number, batched: boolean): boolean {
    const pages = Math.min(count, this.pages - this.#mapped);
    const { mappings } = this.#dom0;
    const failed = mappings.map(
      cpu,
      this.#guest,
      this.#refs,
      pages,
      GNTMAP_host_map,
      this.#handles,
      this.#addresses,
      batched,
      this.#mapped,
    );
    this.#mapped += pages;
    if (failed > 0) this.failed = true;
    return this.failed || this.#mapped === this.pages;
  }

  /** Gives up a mapping of which some pages failed: what has been mapped is unmapped, in one go. */
  abandon(cpu: Processor): void {
    const mapped = this.#handles.subarray(0, this.#mapped).filter((handle) => handle >= 0);
    this.#dom0.mappings.unmap(cpu, mapped, mapped.length);
    this.#mapped = 0;
    this.#dom0.mappings.unmap(cpu, this.#listHandles, this.#listHandles.length, false);
  }

  unmapPiece(cpu: Processor, batched: boolean): boolean {
    return this.unmapSome(cpu, PAGES_PER_BURST, batched);
  }

  /** Unmaps the last pages, the list pages after all; true when nothing is mapped any more. */
  unmapSome(cpu: Processor, count: number, batched: boolean): boolean {
    const pages = Math.min(count, this.#mapped);
    this.#mapped -= pages;
    this.#dom0.mappings.unmap(cpu, this.#handles, pages, batched, this.#mapped);
    if (this.#mapped > 0) return false;
    this.#dom0.mappings.unmap(cpu, this.#listHandles, this.#listHandles.length, false);
    return true;
  }

  /** Whether the bytes [offset, offset + length) begin in the first of its pages and end within them. */
  holds(offset: number, length: number): boolean {
    return offset < PAGE_SIZE && offset + length <= this.pages * PAGE_SIZE;
  }

  /** Where the bytes [offset, offset + length) of the mapped pages lie; pages that follow one another are one. */
  extents(offset: number, length: number): Extent[] {
    const extents: { address: number; length: number }[] = [];
    let left = length;
    let within = offset;
    for (let page = 0; page < this.pages && left > 0; page++) {
      const address = this.#addresses[page] + within;
      const bytes = Math.min(PAGE_SIZE - within, left);
      const last = extents[extents.length - 1];
      if (last !== undefined && last.address + last.length === address) last.length += bytes;
      else extents.push({ address, length: bytes });
      left -= bytes;
      within = 0;
    }
    return extents;
  }
}

const MAP_LIST = GNTMAP_host_map | GNTMAP_readonly;

export interface QueueGrants {
  sendPages: number;
  recvPages: number;
  sendList: number;
  recvList: number;
  endpoint: number;
}

/** The queues and the endpoint page of a guest's endpoint: mapped at open, unmapped at close. */
export class MappedQueues {
  readonly sendQueue: number;
  readonly recvQueue: number;
  readonly sendBytes: number;
  readonly #dom0: Domain;
  readonly #send: MappedRegion;
  readonly #recv: MappedRegion;
  readonly #endpointHandle: Int32Array;

  /** Null, with nothing mapped, when a page cannot be mapped or a queue is not `bytes` long and in one stretch. */
  static map(cpu: Processor, dom0: Domain, guest: number, grants: QueueGrants, bytes: number): MappedQueues | null {
    const handle = new Int32Array(1);
    const address = new Float64Array(1);
    const { mappings, memory } = dom0;
    const list = Int32Array.of(grants.endpoint);
    if (mappings.map(cpu, guest, list, 1, GNTMAP_host_map, handle, address, false) > 0) return null;
    const queue = (ref: number, pages: number) => {
      const region = MappedRegion.fromLists(cpu, dom0, guest, memory, Int32Array.of(ref), pages);
      region?.mapSome(cpu, pages, true);
      return region;
    };
    const send = queue(grants.sendList, grants.sendPages);
    const recv = queue(grants.recvList, grants.recvPages);
    const isSound = (region: MappedRegion | null) =>
      region !== null && !region.failed && region.holds(0, bytes) && region.extents(0, bytes).length === 1;
    if (isSound(send) && isSound(recv)) return new MappedQueues(dom0, send!, recv!, handle, bytes);
    for (const region of [send, recv]) region?.abandon(cpu);
    mappings.unmap(cpu, handle, 1, false);
    return null;
  }

  private constructor(dom0: Domain, send: MappedRegion, recv: MappedRegion, endpointHandle: Int32Array, bytes: number) {
    this.#dom0 = dom0;
    this.#send = send;
    this.#recv = recv;
    this.#endpointHandle = endpointHandle;
    this.sendBytes = bytes;
    this.sendQueue = send.extents(0, bytes)[0].address;
    this.recvQueue = recv.extents(0, bytes)[0].address;
  }

  unmap(cpu: Processor): void {
    for (const region of [this.#send, this.#recv]) region.unmapSome(cpu, region.pages, true);
    this.#dom0.mappings.unmap(cpu, this.#endpointHandle, 1, false);
  }
}
