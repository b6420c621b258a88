import { PAGE_SIZE } from "../base/units.ts";

/**
 * Bytes at the begin of each page that may stand in the store: the linear part of a frame (192 at most) behind a virtio
 * net header (12). Sixteen pages share one of the store.
 */
export const HEAD_BYTES = 256;
const HEAD_BITS = 8;

// As constants of this file, which V8 folds.
const PAGE_BITS = 12;
const IN_PAGE = (1 << PAGE_BITS) - 1;

type Copy = (destination: number, source: number, length: number) => void;

/**
 * Where the heads of packets stand. Of a packet whose payload is not copied ({@link DeferredCopies}) only its headers are
 * written, at the begin of a page. A ring has hundreds of pages, and each would be touched for them: a megabyte of real
 * memory for every guest, and a page fault the first time round. So what is written within the first bytes of a page
 * goes to a store beside the pages, where the heads lie close together. What goes beyond them is written in its page.
 *
 * Of each page one stretch stands in the store; offsets are counted from the first page. What lies over it or is gone is
 * not asked here: the same byte stands either in the store or in its page.
 */
export class PacketHeads {
  /** Where the latest {@link piece} stands. */
  place = 0;
  readonly #address: number;
  readonly #store: number;
  readonly #copy: Copy;
  /** Of each page, which of its bytes stand in the store: none where the end is not behind the start. */
  readonly #starts: Int16Array;
  readonly #ends: Int16Array;

  /** `store` has {@link PacketHeads.storeBytes} of room. `copy` makes a copy at once. */
  constructor(address: number, bytes: number, store: number, copy: Copy) {
    const pages = Math.ceil(bytes / PAGE_SIZE);
    this.#address = address;
    this.#store = store;
    this.#copy = copy;
    this.#starts = new Int16Array(pages);
    this.#ends = new Int16Array(pages);
  }

  static storeBytes(bytes: number): number {
    return Math.ceil(bytes / PAGE_SIZE) * HEAD_BYTES;
  }

  /** Where the byte at `offset` stands, and behind it what was written together with it. */
  at(offset: number): number {
    const page = offset >> PAGE_BITS;
    const at = offset & IN_PAGE;
    if (at >= this.#ends[page] || at < this.#starts[page]) return this.#address + offset;
    return this.#store + ((page << HEAD_BITS) | at);
  }

  pieceAt(address: number, length: number): number {
    return this.piece(address - this.#address, length);
  }

  /** How many of `length` bytes from `offset` on are together, and, in {@link place}, where. */
  piece(offset: number, length: number): number {
    const starts = this.#starts;
    const ends = this.#ends;
    let page = offset >> PAGE_BITS;
    const at = offset & IN_PAGE;
    const end = ends[page];
    if (at < end && at >= starts[page]) {
      this.place = this.#store + ((page << HEAD_BITS) | at);
      const rest = (end - at) | 0;
      return length < rest ? length : rest;
    }
    this.place = this.#address + offset;
    if (at >= end) page = (page + 1) | 0;
    // Up to the next bytes that stand in the store.
    const behind = (offset + length) | 0;
    while ((page << PAGE_BITS) < behind && starts[page] === ends[page]) page = (page + 1) | 0;
    if ((page << PAGE_BITS) >= behind) return length;
    const rest = (((page << PAGE_BITS) | starts[page]) - offset) | 0;
    return length < rest ? length : rest;
  }

  /** Where to write `length` bytes from `offset` on, all of which are written now. */
  write(offset: number, length: number): number {
    const page = offset >> PAGE_BITS;
    const from = offset & IN_PAGE;
    const to = (from + length) | 0;
    if (to > HEAD_BYTES) return this.#writeInPages(offset, length);
    const start = this.#starts[page];
    const end = this.#ends[page];
    if (from > end || to < start) {
      // One stretch is remembered: the other one, which nobody's packet has, goes where it belongs.
      if (start < end) this.settle(offset, 1);
      this.#starts[page] = from;
      this.#ends[page] = to;
    } else {
      if (from < start) this.#starts[page] = from;
      if (to > end) this.#ends[page] = to;
    }
    return this.#store + ((page << HEAD_BITS) | from);
  }

  /** Takes what is written out of the stretches. It reaches beyond the head of its first page, and begins all others. */
  #writeInPages(offset: number, length: number): number {
    const starts = this.#starts;
    const ends = this.#ends;
    const behind = offset + length;
    for (let page = offset >> PAGE_BITS; (page << PAGE_BITS) < behind; page = (page + 1) | 0) {
      const end = ends[page];
      if (end === 0) continue;
      const from = offset - (page << PAGE_BITS);
      const to = behind - (page << PAGE_BITS);
      if (to < end) {
        if (starts[page] < to) starts[page] = to;
      } else if (from <= starts[page]) starts[page] = ends[page] = 0;
      else if (from < end) ends[page] = from;
    }
    return this.#address + offset;
  }

  /** Lets the pages that these bytes lie in have their heads themselves. */
  settle(offset: number, length: number): void {
    const end = Math.min(Math.ceil((offset + length) / PAGE_SIZE), this.#ends.length);
    for (let page = offset >> PAGE_BITS; page < end; page++) {
      const start = this.#starts[page];
      const bytes = this.#ends[page] - start;
      this.#starts[page] = this.#ends[page] = 0;
      const at = (page << PAGE_BITS) | start;
      if (bytes > 0) this.#copy(this.#address + at, this.#store + ((page << HEAD_BITS) | start), bytes);
    }
  }

  /** What was in the pages is lost. */
  forget(): void {
    this.#starts.fill(0);
    this.#ends.fill(0);
  }
}
