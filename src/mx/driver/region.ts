import { pagesSpanned } from "../../base/units.ts";
import type { Memory } from "../../hw/memory.ts";

/** A stretch of memory, contiguous in machine addresses. */
export interface Extent {
  readonly address: number;
  readonly length: number;
}

/**
 * Registered memory of an endpoint, as the driver reaches it: the user's own pages in a native driver, mapped grants in
 * a backend. Contiguous pages are one extent.
 */
export class Region {
  readonly id: number;
  readonly length: number;
  readonly extents: readonly Extent[];
  /** Whether others may pull from it. */
  isServed = true;
  /** Pulls into it that are under way. */
  pulls = 0;

  constructor(id: number, length: number, extents: readonly Extent[]) {
    this.id = id;
    this.length = length;
    this.extents = extents;
  }

  /**
   * Address of the byte at `offset` if `length` bytes from there are contiguous, else -1. The caller has checked that
   * they lie within the region.
   */
  addressOf(offset: number, length: number): number {
    const { extents } = this;
    let within = offset; // bytes from the beginning of the extent on
    for (let i = 0; i < extents.length; i++) { // fewer instructions than `for of` takes
      const extent = extents[i];
      if (within < extent.length) return within + length <= extent.length ? extent.address + within : -1;
      within -= extent.length;
    }
    return -1;
  }

  /** Stretches within one page each that the bytes [offset, offset + length) consist of. */
  fragmentsOf(offset: number, length: number): number {
    let fragments = 0;
    this.#eachPiece(offset, length, (address, _from, bytes) => fragments += pagesSpanned(address, bytes));
    return fragments;
  }

  /** Pages that the region's extents touch, each counted by itself: what is pinned. */
  get pages(): number {
    return this.extents.reduce((sum, { address, length }) => sum + pagesSpanned(address, length), 0);
  }

  /** Copies `length` bytes from `source` to the region's bytes at `offset`, across extents. */
  write(memory: Memory, offset: number, source: number, length: number): void {
    const address = this.addressOf(offset, length);
    if (address >= 0) memory.copy(address, source, length);
    else this.#eachPiece(offset, length, (address, from, bytes) => memory.copy(address, source + from, bytes));
  }

  /** Copies `length` of the region's bytes at `offset` to `destination`. */
  read(memory: Memory, offset: number, destination: number, length: number): void {
    const address = this.addressOf(offset, length);
    if (address >= 0) memory.copy(destination, address, length);
    else this.#eachPiece(offset, length, (address, from, bytes) => memory.copy(destination + from, address, bytes));
  }

  /** Copies the bytes [offset, offset + length) of another region to the same place in this one. */
  copyFrom(memory: Memory, offset: number, source: Region, length: number): void {
    this.#eachPiece(offset, length, (address, from, bytes) => source.read(memory, offset + from, address, bytes));
  }

  #eachPiece(offset: number, length: number, visit: (address: number, from: number, bytes: number) => void): void {
    let start = 0;
    let done = 0;
    for (const extent of this.extents) {
      const at = offset + done - start;
      if (done < length && at < extent.length) {
        const bytes = Math.min(length - done, extent.length - at);
        visit(extent.address + at, done, bytes);
        done += bytes;
      }
      start += extent.length;
    }
  }
}
