import { Buffer } from "node:buffer";
import { assert } from "../base/assert.ts";
import { GIB, PAGE_SIZE, roundUp } from "../base/units.ts";
import { type DeferredBuffer, HERE as IN_BUFFER } from "./deferred_buffer.ts";
import { DeferredCopies, REMEMBERED as NOT_MADE } from "./deferred_copies.ts";
import { HeadPlaces, PacketHeads } from "./packet_heads.ts";

/** From this many bytes on, the runtime's comparison is faster than a loop of ours. */
const COMPARE_NATIVELY = 256;

/** Up to this many bytes, a loop of ours is faster than a call of the runtime's copy, ... */
const COPY_BY_WORD = 64;
/** ... below this address, where sums are small integers: beyond, V8 makes doubles of them. */
const SMALL = 2 ** 31 - COPY_BY_WORD;

// As constants of this file, which V8 folds.
const HERE = IN_BUFFER;
const REMEMBERED = NOT_MADE;

/** Offsets that the runtime's comparison takes. */
const COMPARE_LIMIT = 2 ** 31 - 1;

/** Arrays are whole multiples of this. */
const STEP = 65536;
/** From this size on the array is not the engine's to count: see Memory. */
const LARGE = 2 * GIB;
/**
 * Where address 0 lies in the array. The system's allocator puts a large array 16 bytes behind the begin of a page, and
 * an emulated page that lies across two real ones takes both: of 4000 guests, each with some pages of its own here and
 * there, that is 100 MB. A page further on less those 16 bytes, every emulated page is a real one.
 */
const ORIGIN = PAGE_SIZE - 16;
/** The most that the emulated world can have, bytes. */
export const MEMORY_LIMIT = 16 * GIB;

/**
 * The physical memory of the whole emulated world, as one flat array: an address is a byte offset, a machine frame
 * number is address / 4096, and a copy between any two guests is one `copyWithin` with no allocation, or none at all
 * ({@link DeferredCopies}). What keeps a domain out of another's pages is what keeps it out in reality: it only gets
 * addresses through grants and mappings.
 *
 * The array is reserved once and committed by the operating system page by page as it is written, so size costs
 * nothing. The engine's garbage collector takes the size of an array for memory in use, though, and with more of them
 * than twice the largest heap (nine runs of forty guests) does little else than collect; what threads could share it does
 * not count. One of many runs at the same time asks for that, and a large world gets it; else a run does not, so that it
 * is collected soon when it is over. `u8`, `f64` and `view` are replaced when the arena grows: read them from here each
 * time, never keep one. Single bytes are read and written by `view`: the engine is slow to index an array from 2^31 on.
 */
export class Memory {
  u8: Uint8Array;
  f64: Float64Array;
  view: DataView;
  /** Copies within the array, their bytes, and bytes that were compared: what the emulator itself has done, by itself. */
  copies = 0;
  copiedBytes = 0;
  comparedBytes = 0;
  /** Null while nobody has asked for any. */
  #deferred: DeferredCopies | null = null;
  #heads: HeadPlaces | null = null;
  #bytes: Buffer;
  /** Nobody counts it. */
  #isShared: boolean;
  readonly #isLarge: boolean;
  #next = PAGE_SIZE; // address 0 stays unused, so 0 can mean "none"

  /** `capacityBytes` is what will be wanted, at most. `oneOfMany`: several such arenas exist at the same time. */
  constructor(capacityBytes: number, oneOfMany = false) {
    const size = roundUp(Math.min(Math.max(capacityBytes, 1 << 20), MEMORY_LIMIT), STEP);
    this.#isLarge = capacityBytes > MEMORY_LIMIT / 2;
    this.#isShared = oneOfMany || size > LARGE;
    const buffer = this.#made(size);
    this.u8 = new Uint8Array(buffer, ORIGIN);
    this.f64 = new Float64Array(buffer, ORIGIN);
    this.view = new DataView(buffer, ORIGIN);
    this.#bytes = Buffer.from(buffer, ORIGIN);
  }

  /** Of a size at which what may never be used should take no part of it. */
  get isLarge(): boolean {
    return this.#isLarge;
  }

  get usedBytes(): number {
    return this.#next;
  }

  /**
   * Reserves `bytes` zeroed bytes; page-aligned unless `align` says otherwise (a power of two, at least 8). Throws
   * {@link MemoryError} when there is no room for them.
   */
  alloc(bytes: number, align = PAGE_SIZE): number {
    assert(bytes >= 0 && Number.isInteger(bytes), "memory: a size is a whole number of bytes");
    const address = roundUp(this.#next, align);
    if (address + bytes > this.u8.length) this.#grow(address + bytes);
    this.#next = address + bytes;
    return address;
  }

  copy(destination: number, source: number, length: number): void {
    const deferred = this.#deferred;
    if (deferred !== null) {
      const to = deferred.kindOf(destination);
      const from = deferred.kindOf(source);
      if (deferred.isDeferred(from)) {
        return this.#copyPieces(deferred, to, deferred.bufferOf(from), destination, source, length);
      }
      const place = deferred.put(to, destination, source, length, deferred.isConstant(from));
      if (place !== REMEMBERED) this.#copyNow(place, source, length);
      return;
    }
    this.#copyNow(destination, source, length);
  }

  /** The same where no copy is deferred on either side, as of headers. */
  copyHeader(destination: number, source: number, length: number): void {
    this.#copyNow(destination, source, length);
  }

  /** The same of a header in a packet that was received: nobody reads it there again, or what is before it in its page. */
  takeHeader(destination: number, source: number, length: number): void {
    const deferred = this.#deferred;
    const kind = deferred === null ? 0 : deferred.kindOf(source);
    if (deferred === null || !deferred.isDeferred(kind)) return this.#copyNow(destination, source, length);
    const { heads, address } = deferred.bufferOf(kind);
    if (heads === null) return this.#copyNow(destination, source, length);
    const offset = source - address;
    for (let done = 0; done < length;) {
      const bytes = heads.piece(offset + done, (length - done) | 0);
      this.#copyNow(destination + done, heads.place, bytes);
      done = (done + bytes) | 0;
    }
    heads.release(offset + length);
  }

  /**
   * Where a header at `address` stands: whoever reads one in a page of packets by {@link view} reads it there. Bytes that
   * were written by another copy than its first one may stand elsewhere.
   */
  headAt(address: number): number {
    const deferred = this.#deferred;
    return deferred === null ? address : deferred.headAt(address);
  }

  /** Where to write a header of so many bytes by {@link view}, all of them: what was to be copied there is not any more. */
  headToWrite(address: number, length: number): number {
    const deferred = this.#deferred;
    return deferred === null ? address : deferred.put(deferred.kindOf(address), address, address, length, false);
  }

  /** Whether two stretches hold the same bytes. What stands at one place for both is not read for that. */
  equal(a: number, b: number, length: number): boolean {
    const deferred = this.#deferred;
    if (deferred === null) return this.#same(a, b, length);
    this.#settle(b, length);
    const kind = deferred.kindOf(a);
    for (let done = 0; done < length;) {
      const bytes = deferred.piece(kind, a + done, length - done);
      if (deferred.place !== b + done && !this.#same(deferred.place, b + done, bytes)) return false;
      done += bytes;
    }
    return true;
  }

  /** The bytes themselves, to be read before anything else is called; {@link u8} may have some of them elsewhere. */
  bytes(address: number, length: number): Uint8Array {
    const place = this.placeOfKept(address, length);
    if (place < 0) this.#settle(address, length);
    const from = place < 0 ? address : place;
    return this.u8.subarray(from, from + length);
  }

  /** Writes bytes that are not in memory yet. */
  write(address: number, bytes: Uint8Array): void {
    this.u8.set(bytes, this.headToWrite(address, bytes.length));
  }

  /**
   * Says that nobody reads these bytes, all of one owner, before they are written again. What is remembered of deferred
   * copies is less by them: a buffer that many packets pass through holds those that are under way.
   */
  discard(address: number, length: number): void {
    this.#deferred?.discard(address, length);
  }

  /** Where these bytes stand, if all of them are what is {@link keep kept} and follow one another there; else -1. */
  placeOfKept(address: number, length: number): number {
    const deferred = this.#deferred;
    if (deferred === null) return -1;
    const kind = deferred.kindOf(address);
    if (deferred.isConstant(kind)) return address;
    if (!deferred.isDeferred(kind)) return -1;
    const buffer = deferred.bufferOf(kind);
    return buffer.piece(address - buffer.address, length) < length || buffer.place === HERE ? -1 : buffer.place;
  }

  /** Sets bytes to zero that are somebody else's from now on. */
  clear(address: number, length: number): void {
    this.#deferred?.forget(address, length);
    this.u8.fill(0, address, address + length);
  }

  /** Promises that these bytes, whole pages, stay as they are for good. */
  keep(address: number, length: number): void {
    (this.#deferred ??= new DeferredCopies()).keep(address, length);
  }

  /**
   * Lets copies of what is {@link keep kept} to these bytes, whole pages of one owner, be deferred: what is copied there
   * is read where it came from. Until they are {@link clear}ed only {@link copy}, {@link equal} and {@link bytes} may
   * read and write them.
   */
  defer(address: number, length: number): void {
    (this.#deferred ??= new DeferredCopies()).defer(address, length, null);
  }

  /**
   * The same for pages that packets begin in: their headers are copied, but close together and not into those pages
   * ({@link PacketHeads}). Who reads or writes them otherwise asks {@link headAt} or {@link headToWrite}.
   */
  deferPackets(address: number, length: number): void {
    this.#heads ??= new HeadPlaces((bytes) => this.alloc(bytes), (to, from, bytes) => this.#copyNow(to, from, bytes));
    (this.#deferred ??= new DeferredCopies()).defer(address, length, new PacketHeads(address, length, this.#heads));
  }

  #copyNow(destination: number, source: number, length: number): void {
    this.copies++;
    this.copiedBytes += length;
    const isShort = length <= COPY_BY_WORD && destination < SMALL && source < SMALL;
    if (isShort && (destination <= source || destination >= source + length)) {
      copyShort(this.view, destination | 0, source | 0, length | 0);
      return;
    }
    this.u8.copyWithin(destination, source, source + length);
  }

  /** A copy out of pages whose bytes may stand elsewhere; on either side they are of one owner. */
  #copyPieces(
    deferred: DeferredCopies,
    to: number,
    from: DeferredBuffer,
    destination: number,
    source: number,
    length: number,
  ): void {
    const offset = source - from.address;
    const { heads } = from;
    for (let done = 0; done < length;) {
      let bytes = from.piece(offset + done, (length - done) | 0);
      let { place } = from;
      const stays = place !== HERE;
      if (!stays && heads !== null) {
        bytes = heads.piece(offset + done, bytes);
        place = heads.place;
      } else if (!stays) place = source + done;
      const target = deferred.put(to, destination + done, place, bytes, stays);
      if (target !== REMEMBERED) this.#copyNow(target, place, bytes);
      done = (done + bytes) | 0;
    }
  }

  #settle(address: number, length: number): void {
    this.#deferred?.settle(address, length, (to, from, bytes) => this.#copyNow(to, from, bytes));
  }

  #same(a: number, b: number, length: number): boolean {
    this.comparedBytes += length;
    if (length >= COMPARE_NATIVELY) {
      if (Math.max(a, b) + length <= COMPARE_LIMIT) {
        return this.#bytes.compare(this.#bytes, b, b + length, a, a + length) === 0;
      }
      return Buffer.compare(this.u8.subarray(a, a + length), this.u8.subarray(b, b + length)) === 0;
    }
    const { view } = this;
    let i = 0;
    for (; i + 4 <= length; i += 4) if (view.getInt32(a + i, true) !== view.getInt32(b + i, true)) return false;
    for (; i < length; i++) if (view.getUint8(a + i) !== view.getUint8(b + i)) return false;
    return true;
  }

  /** Gives everything back to the operating system, at once where it can be; nothing can be read or written after it. */
  release(): void {
    if (!this.#isShared) (this.u8.buffer as ArrayBuffer).transfer(0);
    this.#use(new ArrayBuffer(ORIGIN));
  }

  #grow(wanted: number): void {
    const size = Math.min(roundUp(Math.max(wanted, this.u8.length * 1.5), STEP), MEMORY_LIMIT);
    if (size < wanted) throw new MemoryError(wanted);
    const old = this.u8.buffer as ArrayBuffer;
    const wasShared = this.#isShared;
    this.#isShared ||= size > LARGE;
    const buffer = this.#made(size);
    // A runtime's own way (`transfer`) would write all of the new array, and what nobody has written would take its place.
    copyWritten(this.#bytes.subarray(0, this.#next), new Uint8Array(buffer, ORIGIN));
    this.#use(buffer);
    if (!wasShared) old.transfer(0);
  }

  /** An array with `size` bytes from {@link ORIGIN} on. What is shared behaves as any other for whoever has it alone. */
  #made(size: number): ArrayBuffer {
    const bytes = ORIGIN + size;
    try {
      return (this.#isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)) as ArrayBuffer;
    } catch {
      throw new MemoryError(size);
    }
  }

  #use(buffer: ArrayBuffer): void {
    this.u8 = new Uint8Array(buffer, ORIGIN);
    this.f64 = new Float64Array(buffer, ORIGIN);
    this.view = new DataView(buffer, ORIGIN);
    this.#bytes = Buffer.from(buffer, ORIGIN);
  }
}

/** The emulated world wants more memory than there can be. */
export class MemoryError extends Error {
  readonly wantedBytes: number;

  constructor(wantedBytes: number) {
    const limit = wantedBytes > MEMORY_LIMIT ? `the ${MEMORY_LIMIT / GIB} that can be` : "this machine gives";
    // Upwards: "16 GiB, more than 16" says nothing.
    const wanted = (Math.ceil((10 * wantedBytes) / GIB) / 10).toFixed(1);
    super(`the emulated machines want ${wanted} GiB of memory, more than ${limit}`);
    this.wantedBytes = wantedBytes;
  }
}

/** By four words at a time, as a header is long: a turn of the loop takes as much as a word does. */
function copyShort(view: DataView, to: number, from: number, length: number): void {
  let i = 0;
  for (; ((i + 16) | 0) <= length; i = (i + 16) | 0) {
    const at = (to + i) | 0;
    const source = (from + i) | 0;
    view.setInt32(at, view.getInt32(source, true), true);
    view.setInt32((at + 4) | 0, view.getInt32((source + 4) | 0, true), true);
    view.setInt32((at + 8) | 0, view.getInt32((source + 8) | 0, true), true);
    view.setInt32((at + 12) | 0, view.getInt32((source + 12) | 0, true), true);
  }
  for (; ((i + 4) | 0) <= length; i = (i + 4) | 0) {
    view.setInt32((to + i) | 0, view.getInt32((from + i) | 0, true), true);
  }
  for (; i < length; i = (i + 1) | 0) view.setUint8((to + i) | 0, view.getUint8((from + i) | 0));
}

/** Where nothing was written the operating system need not give anything. */
function copyWritten(from: Buffer, to: Uint8Array): void {
  const nothing = Buffer.alloc(PAGE_SIZE);
  for (let at = 0; at < from.length; at += PAGE_SIZE) {
    const page = from.subarray(at, at + PAGE_SIZE);
    if (!page.equals(nothing.subarray(0, page.length))) to.set(page, at);
  }
}
