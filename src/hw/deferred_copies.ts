import { assert } from "../base/assert.ts";
import { grown } from "../base/grown.ts";
import { PAGE_SIZE, roundUp } from "../base/units.ts";
import type { PacketHeads } from "./packet_heads.ts";

/** Copies of less are made at once: they cost less than what is to be remembered of them. */
const LEAST = 512;

/** Local, so that V8 takes it for the constant that it is; and of a product it makes fewer instructions. */
const PAGES_PER_BYTE = 1 / 4096;
/** Pages that are known together, a megabyte: most of a large world never takes part. */
const CHUNK_BITS = 8;
const CHUNK_PAGES = 1 << CHUNK_BITS;
const FIRST_CHUNKS = 64;

/** What a page is; else the number of the buffer that it belongs to. */
const ORDINARY = 0;
const CONSTANT = -1;

/** Of a piece: the bytes stand in the buffer itself. */
export const HERE = -1;
/** Of a copy: nothing is to be written. */
export const REMEMBERED = -1;

type Copy = (destination: number, source: number, length: number) => void;

/** Of a stretch: its begin and end in the buffer, and where its first byte stands. The fourth place is free. */
const START = 0;
const END = 1;
const SOURCE = 2;
const STRETCH_BITS = 2; // shifts and bitwise or: V8 checks products and sums for overflow
const FIELDS = 1 << STRETCH_BITS;

/** Stretches that are looked at around a guess, before it is a search: leftovers lie between those of a ring's packets. */
const NEAR = 4;

/**
 * Which bytes of a buffer stand elsewhere, in stretches that ascend without overlaps. Messages arrive in order nearly
 * always, so that there are two in their buffers: of the message that arrives, and the rest of the one before. In a ring
 * of packets there is one of each packet.
 */
export class DeferredBuffer {
  readonly address: number;
  count = 0;
  /** Where the first byte of the latest {@link piece} really is, or {@link HERE}. */
  place = HERE;
  /** Where the heads of its packets stand that are here; null in a buffer of anything else. */
  readonly heads: PacketHeads | null;
  #stretches: Float64Array = new Float64Array(2 * FIELDS);
  /** The latest to have been put or to have grown: what is put next lies there or behind it. */
  #latest = 0;
  /** The latest to have been read: so does what is read next. */
  #read = 0;

  constructor(address: number, heads: PacketHeads | null) {
    this.address = address;
    this.heads = heads;
  }

  startOf(at: number): number {
    return this.#stretches[(at << STRETCH_BITS) | START];
  }

  endOf(at: number): number {
    return this.#stretches[(at << STRETCH_BITS) | END];
  }

  sourceOf(at: number): number {
    return this.#stretches[(at << STRETCH_BITS) | SOURCE];
  }

  /** The bytes [from, to) are those from `source` on. */
  put(from: number, to: number, source: number): void {
    const stretches = this.#stretches;
    const latest = this.#latest;
    const place = latest << STRETCH_BITS;
    if (
      latest < this.count && stretches[place | END] === from &&
      stretches[place | SOURCE] + from - stretches[place | START] === source
    ) {
      stretches[place | END] = to;
      this.#trim((latest + 1) | 0, to);
      return;
    }
    let at = this.#after(from, latest);
    if (at < this.count && this.startOf(at) < from) at = this.#shorten(at, from, to);
    if (at < this.count && this.endOf(at) <= to) {
      // Takes the place of what was here the time before.
      this.#trim((at + 1) | 0, to);
    } else {
      this.#trim(at, to);
      this.#insert(at);
    }
    this.#set(at, from, to, source);
    this.#latest = at;
  }

  /** The bytes [from, to) stand here. */
  cut(from: number, to: number): void {
    if (this.count === 0) return;
    let at = this.#after(from, this.#latest);
    if (at < this.count && this.startOf(at) < from) at = this.#shorten(at, from, to);
    this.#trim(at, to);
  }

  /** Takes [from, to) out of a stretch that begins before it and reaches into it; returns the index of what follows. */
  #shorten(at: number, from: number, to: number): number {
    const rest = (at + 1) | 0;
    if (this.endOf(at) > to) {
      this.#insert(rest);
      this.#set(rest, this.startOf(at), this.endOf(at), this.sourceOf(at));
      this.#advance(rest, to);
    }
    this.#stretches[(at << STRETCH_BITS) | END] = from;
    return rest;
  }

  /** How many of `length` bytes from `offset` on are together, and, in {@link place}, where: in a stretch or here. */
  piece(offset: number, length: number): number {
    const at = this.#after(offset, this.#read);
    this.#read = at;
    this.place = HERE;
    if (at === this.count) return length;
    const stretches = this.#stretches;
    const stretch = at << STRETCH_BITS;
    const start = stretches[stretch | START];
    let end = start;
    if (start <= offset) {
      this.place = stretches[stretch | SOURCE] + offset - start;
      end = stretches[stretch | END];
    }
    // As the small integer that it is: `Math.min` would make a double of it.
    const rest = end - offset;
    return length < rest ? length : rest | 0;
  }

  /** Index of the first stretch that ends after `offset`; it is near `guess` more often than not. */
  #after(offset: number, guess: number): number {
    const stretches = this.#stretches;
    const { count } = this;
    let at = guess < count ? guess : count;
    let steps = NEAR;
    while (at > 0 && stretches[((at - 1) << STRETCH_BITS) | END] > offset) {
      at = (at - 1) | 0;
      if (steps-- === 0) return this.#search(offset, 0, at);
    }
    while (at < count && stretches[(at << STRETCH_BITS) | END] <= offset) {
      at = (at + 1) | 0;
      if (steps-- === 0) return this.#search(offset, at, count);
    }
    return at;
  }

  /** The same, where it is `low` or more and `high` or less. */
  #search(offset: number, low: number, high: number): number {
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.endOf(middle) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What lies before `end`, from stretch `at` on, goes. */
  #trim(at: number, end: number): void {
    // Most often there is nothing: what is put where nothing was ends before the next one begins.
    if (at < this.count && this.startOf(at) < end) this.#trimOverlap(at, end);
  }

  #trimOverlap(at: number, end: number): void {
    let covered = at;
    while (covered < this.count && this.endOf(covered) <= end) covered++;
    if (covered > at) {
      moveDown(this.#stretches, at << STRETCH_BITS, covered << STRETCH_BITS, this.count << STRETCH_BITS);
      this.count -= covered - at;
    }
    if (at < this.count && this.startOf(at) < end) this.#advance(at, end);
  }

  #advance(at: number, start: number): void {
    const stretches = this.#stretches;
    const place = at << STRETCH_BITS;
    stretches[place | SOURCE] += start - stretches[place | START];
    stretches[place | START] = start;
  }

  #set(at: number, start: number, end: number, source: number): void {
    const stretches = this.#stretches;
    const place = at << STRETCH_BITS;
    stretches[place | START] = start;
    stretches[place | END] = end;
    stretches[place | SOURCE] = source;
  }

  #insert(at: number): void {
    if ((this.count + 1) << STRETCH_BITS > this.#stretches.length) {
      this.#stretches = grown(this.#stretches, new Float64Array(2 * this.#stretches.length));
    }
    moveUp(this.#stretches, (at + 1) << STRETCH_BITS, at << STRETCH_BITS, this.count << STRETCH_BITS);
    this.count++;
  }
}

/** Moving fewer elements than this by hand is faster than to call the runtime. */
const MANY = 48;

/** The elements [from, end) go to `to`, before `from`. */
function moveDown(array: Float64Array, to: number, from: number, end: number): void {
  if (end - from > MANY) array.copyWithin(to, from, end);
  else while (from < end) array[to++] = array[from++];
}

/** The elements [from, end) go to `to`, after `from`. */
function moveUp(array: Float64Array, to: number, from: number, end: number): void {
  if (end - from > MANY) array.copyWithin(to, from, end);
  else for (let i = end - from - 1; i >= 0; i--) array[to + i] = array[from + i];
}

/**
 * Copies that nobody has looked at are not made. Of a buffer that asks for it ({@link defer}) is remembered which bytes
 * of it stand where, as long as they were copied from bytes that do not change ({@link keep}): those of a message in its
 * sender's buffer. Nobody can tell: whoever reads such a buffer reads what he would have read there. He must do it by
 * {@link Memory}, or have it made first.
 */
export class DeferredCopies {
  /** Where the bytes really are that {@link piece} has been asked for. */
  place = 0;
  /** What each page is, chunk by chunk: see {@link kindOf}. In the first of them all are ordinary. */
  #kinds: Int32Array = new Int32Array(CHUNK_PAGES);
  #kindCount = CHUNK_PAGES;
  /** Of each chunk of memory, where its kinds begin: 0 for most. */
  #chunks: Int32Array = new Int32Array(FIRST_CHUNKS);
  /** Numbered from 1. */
  readonly #buffers: DeferredBuffer[] = [new DeferredBuffer(0, null)];

  /** The bytes of these pages will not change until {@link forget} is told of it. */
  keep(address: number, bytes: number): void {
    this.#mark(address, bytes, CONSTANT);
  }

  isKept(address: number): boolean {
    return this.kindOf(address) === CONSTANT;
  }

  /**
   * Copies to these pages may be deferred. Nobody writes or reads them but by copies and comparisons. In pages of packets
   * `heads` says where what is not deferred stands.
   */
  defer(address: number, bytes: number, heads: PacketHeads | null): void {
    this.#buffers.push(new DeferredBuffer(address, heads));
    this.#mark(address, bytes, this.#buffers.length - 1);
  }

  /** What the page of an address is, to be found once for a whole copy: all of it lies in pages of one kind. */
  kindOf(address: number): number {
    const page = (address * PAGES_PER_BYTE) | 0;
    const chunk = page >> CHUNK_BITS;
    return chunk < this.#chunks.length ? this.#kinds[this.#chunks[chunk] | (page & (CHUNK_PAGES - 1))] : ORDINARY;
  }

  /** Whether bytes in a page of this kind may stand elsewhere. */
  isDeferred(kind: number): boolean {
    return kind > ORDINARY;
  }

  bufferOf(kind: number): DeferredBuffer {
    return this.#buffers[kind];
  }

  /** Whether bytes in a page of this kind stay as they are. */
  isConstant(kind: number): boolean {
    return kind === CONSTANT;
  }

  /** How many of `length` bytes at `address`, in a page of this kind, are together in one {@link place}. */
  piece(kind: number, address: number, length: number): number {
    this.place = address;
    if (kind <= ORDINARY) return length;
    const buffer = this.#buffers[kind];
    const offset = address - buffer.address;
    const bytes = buffer.piece(offset, length);
    if (buffer.place !== HERE) {
      this.place = buffer.place;
      return bytes;
    }
    const { heads } = buffer;
    if (heads === null) return bytes;
    const together = heads.piece(offset, bytes);
    this.place = heads.place;
    return together;
  }

  /**
   * Remembers a copy of bytes that stand at `place` to a page of this kind, if they stay as they are, and answers
   * {@link REMEMBERED}; else where they are to be copied.
   */
  put(kind: number, destination: number, place: number, length: number, stays: boolean): number {
    if (kind === ORDINARY) return destination;
    assert(kind !== CONSTANT, "memory: what was said to be constant is written");
    const buffer = this.#buffers[kind];
    const offset = destination - buffer.address;
    if (length >= LEAST && stays) {
      buffer.put(offset, offset + length, place);
      return REMEMBERED;
    }
    buffer.cut(offset, offset + length);
    const { heads } = buffer;
    return heads === null ? destination : heads.write(offset, length);
  }

  /** These bytes are nobody's. */
  discard(address: number, length: number): void {
    const kind = this.kindOf(address);
    assert(kind !== CONSTANT, "memory: what was said to be constant is written");
    if (kind === ORDINARY) return;
    const buffer = this.#buffers[kind];
    const offset = address - buffer.address;
    buffer.cut(offset, offset + length);
    buffer.heads?.discard(offset, length);
  }

  /** Where the byte at `address` stands, of those that are not deferred, and behind it what was written with it. */
  headAt(address: number): number {
    const kind = this.kindOf(address);
    if (kind <= ORDINARY) return address;
    const buffer = this.#buffers[kind];
    const { heads } = buffer;
    return heads === null ? address : heads.at(address - buffer.address);
  }

  /** Makes the copies to these bytes, by `copy`. */
  settle(address: number, length: number, copy: Copy): void {
    const kind = this.kindOf(address);
    if (kind <= ORDINARY) return;
    const buffer = this.#buffers[kind];
    const offset = address - buffer.address;
    buffer.heads?.settle(offset, length);
    let done = 0;
    while (done < length) {
      const bytes = buffer.piece(offset + done, length - done);
      if (buffer.place !== HERE) copy(address + done, buffer.place, bytes);
      done += bytes;
    }
    buffer.cut(offset, offset + length);
  }

  /** These pages are as any others from now on. What refers to them is copied, by `copy`, and what is in them is lost. */
  forget(address: number, bytes: number, copy: Copy): void {
    const kind = this.kindOf(address);
    if (kind === ORDINARY) return;
    if (kind === CONSTANT) {
      for (const buffer of this.#buffers) {
        for (let i = buffer.count - 1; i >= 0; i--) {
          const source = buffer.sourceOf(i);
          if (source < address || source >= address + bytes) continue;
          this.settle(buffer.address + buffer.startOf(i), buffer.endOf(i) - buffer.startOf(i), copy);
        }
      }
    } else {
      this.#buffers[kind].cut(0, bytes);
      this.#buffers[kind].heads?.discard(0, bytes);
    }
    this.#mark(address, bytes, ORDINARY);
  }

  #mark(address: number, bytes: number, kind: number): void {
    assert(address % PAGE_SIZE === 0, "memory: copies are deferred by whole pages");
    const first = address / PAGE_SIZE;
    const end = first + Math.ceil(bytes / PAGE_SIZE);
    for (let page = first; page < end; page++) {
      const chunk = page >> CHUNK_BITS;
      if (chunk >= this.#chunks.length || this.#chunks[chunk] === 0) this.#addChunk(chunk);
      this.#kinds[this.#chunks[chunk] | (page & (CHUNK_PAGES - 1))] = kind;
    }
  }

  #addChunk(chunk: number): void {
    if (chunk >= this.#chunks.length) {
      this.#chunks = grown(this.#chunks, new Int32Array(roundUp(chunk + 1, FIRST_CHUNKS)));
    }
    if (this.#kindCount === this.#kinds.length) {
      const size = roundUp(this.#kindCount * 1.25, CHUNK_PAGES);
      this.#kinds = grown(this.#kinds, new Int32Array(size));
    }
    this.#chunks[chunk] = this.#kindCount;
    this.#kindCount += CHUNK_PAGES;
  }
}
