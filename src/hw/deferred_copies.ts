import { assert } from "../base/assert.ts";
import { grown } from "../base/grown.ts";
import { PAGE_SIZE } from "../base/units.ts";

/** Copies of less are made at once: they cost less than what is to be remembered of them. */
const LEAST = 512;

/** Pages that are known together, a megabyte: most of a large world never takes part. */
const CHUNK_BITS = 8;
const CHUNK_PAGES = 1 << CHUNK_BITS;

/** What a page is; else the number of the buffer that it belongs to. */
const ORDINARY = 0;
const CONSTANT = -1;

type Copy = (destination: number, source: number, length: number) => void;

/** Of a stretch: its begin and end in the buffer, and where its first byte stands. */
const START = 0;
const END = 1;
const SOURCE = 2;
const FIELDS = 3;

/**
 * Which bytes of a buffer stand elsewhere, in stretches that ascend without overlaps. Messages arrive in order nearly
 * always, so that there are two in their buffers: of the message that arrives, and the rest of the one before. In a ring
 * of packets there is one of each packet.
 */
class DeferredBuffer {
  readonly address: number;
  count = 0;
  #stretches: Float64Array = new Float64Array(2 * FIELDS);
  /** The latest to have grown. */
  #latest = 0;

  constructor(address: number) {
    this.address = address;
  }

  startOf(at: number): number {
    return this.#stretches[at * FIELDS + START];
  }

  endOf(at: number): number {
    return this.#stretches[at * FIELDS + END];
  }

  sourceOf(at: number): number {
    return this.#stretches[at * FIELDS + SOURCE];
  }

  /** The bytes [from, to) are those from `source` on. */
  put(from: number, to: number, source: number): void {
    const latest = this.#latest;
    if (
      latest < this.count && this.endOf(latest) === from &&
      this.sourceOf(latest) + from - this.startOf(latest) === source
    ) {
      this.#stretches[latest * FIELDS + END] = to;
      this.#trim(latest + 1, to);
      return;
    }
    let at = this.after(from);
    if (at < this.count && this.startOf(at) >= from && this.endOf(at) <= to) {
      // Takes the place of what was here the time before.
      this.#trim(at + 1, to);
    } else {
      this.cut(from, to);
      at = this.after(from);
      this.#insert(at);
    }
    this.#set(at, from, to, source);
    this.#latest = at;
  }

  /** The bytes [from, to) stand here. */
  cut(from: number, to: number): void {
    let at = this.after(from);
    if (at === this.count) return;
    const start = this.startOf(at);
    if (start < from) {
      // The part before `from` stays as it was.
      this.#insert(at);
      this.#set(at, start, from, this.sourceOf(at + 1));
      at++;
      this.#advance(at, from);
    }
    this.#trim(at, to);
  }

  /** Index of the first stretch that ends after `offset`. */
  after(offset: number): number {
    let at = 0;
    let end = this.count;
    while (at < end) {
      const middle = (at + end) >> 1;
      if (this.endOf(middle) <= offset) at = middle + 1;
      else end = middle;
    }
    return at;
  }

  /** What lies before `end`, from stretch `at` on, goes. */
  #trim(at: number, end: number): void {
    let covered = at;
    while (covered < this.count && this.endOf(covered) <= end) covered++;
    if (covered > at) {
      moveDown(this.#stretches, at * FIELDS, covered * FIELDS, this.count * FIELDS);
      this.count -= covered - at;
    }
    if (at < this.count && this.startOf(at) < end) this.#advance(at, end);
  }

  #advance(at: number, start: number): void {
    const place = at * FIELDS;
    this.#stretches[place + SOURCE] += start - this.#stretches[place + START];
    this.#stretches[place + START] = start;
  }

  #set(at: number, start: number, end: number, source: number): void {
    const place = at * FIELDS;
    this.#stretches[place + START] = start;
    this.#stretches[place + END] = end;
    this.#stretches[place + SOURCE] = source;
  }

  #insert(at: number): void {
    if ((this.count + 1) * FIELDS > this.#stretches.length) {
      this.#stretches = grown(this.#stretches, new Float64Array(2 * this.#stretches.length));
    }
    moveUp(this.#stretches, (at + 1) * FIELDS, at * FIELDS, this.count * FIELDS);
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
  /** What the pages of each chunk are; null where all are ordinary. */
  readonly #chunks: (Int32Array | null)[] = [];
  /** Numbered from 1. */
  readonly #buffers: DeferredBuffer[] = [new DeferredBuffer(0)];

  /** The bytes of these pages will not change until {@link forget} is told of it. */
  keep(address: number, bytes: number): void {
    this.#mark(address, bytes, CONSTANT);
  }

  isKept(address: number): boolean {
    return this.#kindOf(address) === CONSTANT;
  }

  /** Copies to these pages may be deferred. Nobody writes or reads them but by copies and comparisons. */
  defer(address: number, bytes: number): void {
    this.#buffers.push(new DeferredBuffer(address));
    this.#mark(address, bytes, this.#buffers.length - 1);
  }

  /** Remembers a copy from where the bytes really are; false when it has to be made. */
  put(destination: number, place: number, length: number): boolean {
    const to = this.#kindOf(destination);
    if (to === ORDINARY) return false;
    assert(to !== CONSTANT, "memory: what was said to be constant is written");
    const buffer = this.#buffers[to];
    const offset = destination - buffer.address;
    if (length >= LEAST && this.#kindOf(place) === CONSTANT) {
      buffer.put(offset, offset + length, place);
      return true;
    }
    buffer.cut(offset, offset + length);
    return false;
  }

  /** Whether a copy between these is more than one of bytes that stand where they seem to. */
  concerns(destination: number, source: number): boolean {
    return this.#kindOf(destination) !== ORDINARY || this.#kindOf(source) > ORDINARY;
  }

  /** These bytes are about to be written by themselves. */
  cut(address: number, length: number): void {
    const kind = this.#kindOf(address);
    assert(kind !== CONSTANT, "memory: what was said to be constant is written");
    if (kind === ORDINARY) return;
    const offset = address - this.#buffers[kind].address;
    this.#buffers[kind].cut(offset, offset + length);
  }

  /** Makes the copies to these bytes, by `copy`. */
  settle(address: number, length: number, copy: Copy): void {
    const kind = this.#kindOf(address);
    if (kind <= ORDINARY) return;
    let done = 0;
    while (done < length) {
      const bytes = this.piece(address + done, length - done);
      if (this.place !== address + done) copy(address + done, this.place, bytes);
      done += bytes;
    }
    const buffer = this.#buffers[kind];
    buffer.cut(address - buffer.address, address - buffer.address + length);
  }

  /** These pages are as any others from now on. What refers to them is copied, by `copy`, and what is in them is lost. */
  forget(address: number, bytes: number, copy: Copy): void {
    const kind = this.#kindOf(address);
    if (kind === ORDINARY) return;
    if (kind === CONSTANT) {
      for (const buffer of this.#buffers) {
        for (let i = buffer.count - 1; i >= 0; i--) {
          const source = buffer.sourceOf(i);
          if (source < address || source >= address + bytes) continue;
          this.settle(buffer.address + buffer.startOf(i), buffer.endOf(i) - buffer.startOf(i), copy);
        }
      }
    } else this.#buffers[kind].cut(0, bytes);
    this.#mark(address, bytes, ORDINARY);
  }

  /** How many of `length` bytes at `address` are together in one {@link place}. */
  piece(address: number, length: number): number {
    const kind = this.#kindOf(address);
    this.place = address;
    if (kind <= ORDINARY) return length;
    const buffer = this.#buffers[kind];
    const offset = address - buffer.address;
    const at = buffer.after(offset);
    if (at === buffer.count) return length;
    const start = buffer.startOf(at);
    if (start > offset) return Math.min(length, start - offset);
    this.place = buffer.sourceOf(at) + offset - start;
    return Math.min(length, buffer.endOf(at) - offset);
  }

  #kindOf(address: number): number {
    const page = (address / PAGE_SIZE) | 0;
    const chunk = page >> CHUNK_BITS;
    const pages = chunk < this.#chunks.length ? this.#chunks[chunk] : null;
    return pages === null ? ORDINARY : pages[page & (CHUNK_PAGES - 1)];
  }

  #mark(address: number, bytes: number, kind: number): void {
    assert(address % PAGE_SIZE === 0, "memory: copies are deferred by whole pages");
    for (let page = address / PAGE_SIZE; page * PAGE_SIZE < address + bytes; page++) {
      const chunk = page >> CHUNK_BITS;
      while (this.#chunks.length <= chunk) this.#chunks.push(null);
      const pages = this.#chunks[chunk] ??= new Int32Array(CHUNK_PAGES);
      pages[page & (CHUNK_PAGES - 1)] = kind;
    }
  }
}
