import { grown } from "../base/grown.ts";
import { PAGE_SIZE } from "../base/units.ts";

// As constants of this file, which V8 folds.
const PAGE_BITS = 12;
const IN_PAGE = (1 << PAGE_BITS) - 1;
/** Bytes of a place: the linear part of a frame (192 at most) behind a virtio net header (12). Sixteen are a page. */
const HEAD_BITS = 8;
export const HEAD_BYTES = 1 << HEAD_BITS;
/** Places that are allocated together. */
const CHUNK_BITS = 8;
const IN_CHUNK = (1 << CHUNK_BITS) - 1;
/** Of a page: it has no place. */
const NONE = 0;
const FIRST_PLACES = 64;

type Copy = (destination: number, source: number, length: number) => void;

/**
 * Places for heads of packets ({@link PacketHeads}), of all rings. There is one for every page of these, so that none is
 * ever missing, but what was used last is taken first: those in use are few, and stay in the processor's cache.
 */
export class HeadPlaces {
  /** Makes a copy at once. */
  readonly copy: Copy;
  /** Which bytes of its page stand in a place: from the start to the end, which is behind it. Numbered from 1. */
  starts: Int16Array = new Int16Array(FIRST_PLACES);
  ends: Int16Array = new Int16Array(FIRST_PLACES);
  readonly #alloc: (bytes: number) => number;
  readonly #chunks: number[] = [];
  readonly #free: number[] = [];
  /** Those that have been used, and all that can be. */
  #used = 1;
  #count = 1;

  constructor(alloc: (bytes: number) => number, copy: Copy) {
    this.#alloc = alloc;
    this.copy = copy;
  }

  /** Makes sure of places for so many pages more. */
  add(pages: number): void {
    this.#count += pages;
    while (this.#chunks.length << CHUNK_BITS < this.#count) this.#chunks.push(this.#alloc(HEAD_BYTES << CHUNK_BITS));
  }

  take(start: number, end: number): number {
    const place = this.#free.length > 0 ? this.#free.pop()! : this.#takeNew();
    this.starts[place] = start;
    this.ends[place] = end;
    return place;
  }

  #takeNew(): number {
    const place = this.#used++;
    if (place === this.starts.length) {
      this.starts = grown(this.starts, new Int16Array(2 * place));
      this.ends = grown(this.ends, new Int16Array(2 * place));
    }
    return place;
  }

  give(place: number): void {
    this.#free.push(place);
  }

  /** Address of the byte that belongs at `at` in the place's page. */
  address(place: number, at: number): number {
    return this.#chunks[place >> CHUNK_BITS] + (((place & IN_CHUNK) << HEAD_BITS) | at);
  }
}

/**
 * Where the heads of packets in a ring's pages stand. Of a packet whose payload is not copied ({@link DeferredCopies})
 * only headers are written, at the begin of a page. A ring has hundreds of pages, and each would be touched for them: a
 * megabyte of real memory for every guest, and a page fault each the first time round. So what is written within the
 * first bytes of a page stands elsewhere until somebody has read it. What goes beyond them is written in its page.
 *
 * Of each page one stretch stands elsewhere at most, never empty. Offsets are counted from the first page.
 */
export class PacketHeads {
  /** Where the latest {@link piece} stands. */
  place = 0;
  readonly #address: number;
  readonly #places: HeadPlaces;
  /** Of each page, its place. */
  readonly #taken: Int32Array;

  constructor(address: number, bytes: number, places: HeadPlaces) {
    const pages = Math.ceil(bytes / PAGE_SIZE);
    places.add(pages);
    this.#address = address;
    this.#places = places;
    this.#taken = new Int32Array(pages);
  }

  /** Where the byte at `offset` stands, and behind it what was written together with it. */
  at(offset: number): number {
    const place = this.#taken[offset >> PAGE_BITS];
    const at = offset & IN_PAGE;
    const places = this.#places;
    if (place === NONE || at >= places.ends[place] || at < places.starts[place]) return this.#address + offset;
    return places.address(place, at);
  }

  /** How many of `length` bytes from `offset` on are together, and, in {@link place}, where. */
  piece(offset: number, length: number): number {
    const { starts, ends } = this.#places;
    const taken = this.#taken;
    let page = offset >> PAGE_BITS;
    const at = offset & IN_PAGE;
    const place = taken[page];
    const end = place === NONE ? 0 : ends[place];
    if (at < end && at >= starts[place]) {
      this.place = this.#places.address(place, at);
      const rest = (end - at) | 0;
      return length < rest ? length : rest;
    }
    this.place = this.#address + offset;
    if (at >= end) page = (page + 1) | 0;
    // Up to the next bytes that stand elsewhere.
    const behind = (offset + length) | 0;
    while ((page << PAGE_BITS) < behind && taken[page] === NONE) page = (page + 1) | 0;
    if ((page << PAGE_BITS) >= behind) return length;
    const rest = (((page << PAGE_BITS) | starts[taken[page]]) - offset) | 0;
    return length < rest ? length : rest;
  }

  /** Whether so many bytes from `offset` on are written elsewhere than in their page. */
  isHead(offset: number, length: number): boolean {
    return (offset & IN_PAGE) + length <= HEAD_BYTES;
  }

  /** Where to write `length` bytes from `offset` on, all of which are written now. */
  write(offset: number, length: number): number {
    const page = offset >> PAGE_BITS;
    const from = offset & IN_PAGE;
    const to = (from + length) | 0;
    if (to > HEAD_BYTES || length === 0) return this.#writeInPages(offset, length);
    const places = this.#places;
    const { starts, ends } = places;
    let place = this.#taken[page];
    // There is one stretch: another, which no packet has, goes where it belongs.
    if (place !== NONE && (from > ends[place] || to < starts[place])) {
      this.settle(offset, length);
      place = NONE;
    }
    if (place === NONE) {
      place = places.take(from, to);
      this.#taken[page] = place;
    } else {
      if (from < starts[place]) starts[place] = from;
      if (to > ends[place]) ends[place] = to;
    }
    return places.address(place, from);
  }

  #writeInPages(offset: number, length: number): number {
    // In its first page it reaches beyond the head, all others it begins: nothing is left on both sides of it.
    this.discard(offset, length);
    return this.#address + offset;
  }

  /** Nobody reads these bytes before they are written again. */
  discard(offset: number, length: number): void {
    const taken = this.#taken;
    const behind = (offset + length) | 0;
    for (let page = offset >> PAGE_BITS; (page << PAGE_BITS) < behind; page = (page + 1) | 0) {
      if (taken[page] === NONE) continue;
      const begin = page << PAGE_BITS;
      this.#cut(page, (offset - begin) | 0, (behind - begin) | 0);
    }
  }

  #cut(page: number, from: number, to: number): void {
    const { starts, ends } = this.#places;
    const place = this.#taken[page];
    if (to >= ends[place]) {
      if (from <= starts[place]) this.#give(page);
      else if (from < ends[place]) ends[place] = from;
    } else if (from <= starts[place] && to > starts[place]) starts[place] = to;
  }

  /** The bytes of a page's head up to `offset` have been read, and nobody reads them again. */
  release(offset: number): void {
    const page = (offset - 1) >> PAGE_BITS;
    const place = this.#taken[page];
    if (place !== NONE && this.#places.ends[place] <= offset - (page << PAGE_BITS)) this.#give(page);
  }

  #give(page: number): void {
    this.#places.give(this.#taken[page]);
    this.#taken[page] = NONE;
  }

  /** Lets the pages that these bytes lie in have their heads themselves. */
  settle(offset: number, length: number): void {
    const places = this.#places;
    const behind = offset + length;
    for (let page = offset >> PAGE_BITS; (page << PAGE_BITS) < behind; page++) {
      const place = this.#taken[page];
      if (place === NONE) continue;
      const start = places.starts[place];
      const at = this.#address + ((page << PAGE_BITS) | start);
      places.copy(at, places.address(place, start), places.ends[place] - start);
      this.#give(page);
    }
  }
}
