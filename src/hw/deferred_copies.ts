import { assert } from "../base/assert.ts";
import { PAGE_SIZE } from "../base/units.ts";

/** Copies of less are made at once: they cost less than what is to be remembered of them. */
const LEAST = 512;

/** Bytes whose pages are known together: most of a large world never takes part. */
const CHUNK = 1 << 20;
const CHUNK_PAGES = CHUNK / PAGE_SIZE;

/** What a page is; else the number of the buffer that it belongs to. */
const ORDINARY = 0;
const CONSTANT = -1;

type Copy = (destination: number, source: number, length: number) => void;

/**
 * Which bytes of a buffer stand elsewhere: the bytes [starts[i], ends[i]) of the buffer are those from sources[i] on.
 * Ascending, without overlaps. Messages arrive in order nearly always, so that there are two: of the message that
 * arrives, and the rest of the one before.
 */
class DeferredBuffer {
  readonly address: number;
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly sources: number[] = [];
  /** The latest to have grown. */
  #latest = 0;

  constructor(address: number) {
    this.address = address;
  }

  /** The bytes [from, to) are those from `source` on. */
  put(from: number, to: number, source: number): void {
    const { starts, ends, sources } = this;
    const latest = this.#latest;
    if (ends[latest] === from && sources[latest] + from - starts[latest] === source) {
      ends[latest] = to;
      this.#trim(latest + 1, to);
      return;
    }
    if (starts.length === 0 || (from <= starts[0] && to >= ends[ends.length - 1])) {
      starts.length = ends.length = sources.length = 1;
      starts[0] = from;
      ends[0] = to;
      sources[0] = source;
      this.#latest = 0;
      return;
    }
    this.cut(from, to);
    const at = this.after(from);
    starts.splice(at, 0, from);
    ends.splice(at, 0, to);
    sources.splice(at, 0, source);
    this.#latest = at;
  }

  /** The bytes [from, to) stand here. */
  cut(from: number, to: number): void {
    const { starts, ends, sources } = this;
    const at = this.after(from);
    if (at < starts.length && starts[at] < from) {
      // The part before `from` stays as it was.
      starts.splice(at, 0, starts[at]);
      ends.splice(at, 0, from);
      sources.splice(at, 0, sources[at]);
      sources[at + 1] += from - starts[at];
      starts[at + 1] = from;
      this.#trim(at + 1, to);
    } else this.#trim(at, to);
    this.#latest = 0;
  }

  /** Index of the first stretch that ends after `offset`. */
  after(offset: number): number {
    const { ends } = this;
    let at = 0;
    while (at < ends.length && ends[at] <= offset) at++;
    return at;
  }

  #trim(at: number, end: number): void {
    const { starts, ends, sources } = this;
    let covered = at;
    while (covered < ends.length && ends[covered] <= end) covered++;
    if (covered > at) {
      for (const list of [starts, ends, sources]) list.splice(at, covered - at);
    }
    if (at < starts.length && starts[at] < end) {
      sources[at] += end - starts[at];
      starts[at] = end;
    }
  }
}

/**
 * Copies that nobody has looked at are not made. Of a buffer that asks for it ({@link defer}) is remembered which bytes
 * of it stand where, as long as they were copied from bytes that do not change ({@link keep}): those of a message in its
 * sender's buffer. Nobody can tell: whoever reads such a buffer reads what he would have read there. He must do it by
 * {@link Memory}, or have it made first.
 */
export class DeferredCopies {
  /** Bytes of copies that were not made when they were asked for. */
  deferredBytes = 0;
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
      this.deferredBytes += length;
      return true;
    }
    buffer.cut(offset, offset + length);
    return false;
  }

  /** Whether some of the bytes may stand elsewhere, or may not be written. */
  concerns(address: number): boolean {
    return this.#kindOf(address) !== ORDINARY;
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
      for (const { address: to, starts, ends, sources } of this.#buffers) {
        for (let i = starts.length - 1; i >= 0; i--) {
          if (sources[i] >= address && sources[i] < address + bytes) {
            this.settle(to + starts[i], ends[i] - starts[i], copy);
          }
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
    if (at === buffer.ends.length) return length;
    const start = buffer.starts[at];
    if (start > offset) return Math.min(length, start - offset);
    this.place = buffer.sources[at] + offset - start;
    return Math.min(length, buffer.ends[at] - offset);
  }

  #kindOf(address: number): number {
    const chunk = Math.floor(address / CHUNK);
    const pages = chunk < this.#chunks.length ? this.#chunks[chunk] : null;
    return pages === null ? ORDINARY : pages[Math.floor(address / PAGE_SIZE) % CHUNK_PAGES];
  }

  #mark(address: number, bytes: number, kind: number): void {
    assert(address % PAGE_SIZE === 0, "memory: copies are deferred by whole pages");
    for (let page = address / PAGE_SIZE; page * PAGE_SIZE < address + bytes; page++) {
      const chunk = Math.floor(page / CHUNK_PAGES);
      while (this.#chunks.length <= chunk) this.#chunks.push(null);
      const pages = this.#chunks[chunk] ??= new Int32Array(CHUNK_PAGES);
      pages[page % CHUNK_PAGES] = kind;
    }
  }
}
