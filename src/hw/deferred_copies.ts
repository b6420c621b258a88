import { assert } from "../base/assert.ts";
import { grown } from "../base/grown.ts";
import { PAGE_SIZE, roundUp } from "../base/units.ts";
import { DeferredBuffer, HERE as IN_BUFFER } from "./deferred_buffer.ts";
import type { PacketHeads } from "./packet_heads.ts";

/** Copies of less are made at once, but where a page would be touched: they cost less than what is to be remembered. */
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

/** As a constant of this file, which V8 folds. */
const HERE = IN_BUFFER;
/** Of a copy: nothing is to be written. */
export const REMEMBERED = -1;

type Copy = (destination: number, source: number, length: number) => void;

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

  /** The bytes of these pages will not change. */
  keep(address: number, bytes: number): void {
    this.#mark(address, bytes, CONSTANT);
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
    const { heads } = buffer;
    if (stays && (length >= LEAST || (heads !== null && !heads.isHead(offset, length)))) {
      buffer.put(offset, offset + length, place);
      return REMEMBERED;
    }
    buffer.cut(offset, offset + length);
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

  /** These pages are as any others from now on; what is in them is lost. */
  forget(address: number, bytes: number): void {
    const kind = this.kindOf(address);
    assert(kind !== CONSTANT, "memory: what was said to be constant is given away");
    if (kind === ORDINARY) return;
    this.#buffers[kind].cut(0, bytes);
    this.#buffers[kind].heads?.discard(0, bytes);
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
