import { Buffer } from "node:buffer";
import { assert } from "../base/assert.ts";
import { GIB, PAGE_SIZE, roundUp } from "../base/units.ts";

/** From this many bytes on, the runtime's comparison is faster than a loop of ours. */
const COMPARE_NATIVELY = 256;

/** Offsets that the runtime's comparison takes. */
const COMPARE_LIMIT = 2 ** 31 - 1;

/** Pages of a WebAssembly memory, and the most that one can have: 4 GiB with addresses of 32 bits, 16 GiB with 64. */
const WASM_PAGE = 65536;
const WASM_LIMIT = 4 * GIB;
const WASM64_LIMIT = 16 * GIB;
/** From this size on the array is a WebAssembly memory's in any case: an ordinary one might not be had. */
const LARGE = 2 * GIB;

/** No world begins with more; one that wants more grows. */
const LARGEST_START = 8 * GIB;

/** The most that the emulated world can have, bytes. */
export const MEMORY_LIMIT = WASM64_LIMIT;

/**
 * The physical memory of the whole emulated world, as one flat array: an address is a byte offset, a machine frame
 * number is address / 4096, and a copy between any two guests is one `copyWithin` with no allocation. What keeps a
 * domain out of another's pages is what keeps it out in reality: it only gets addresses through grants and mappings.
 *
 * The array is reserved once and committed by the operating system page by page as it is written, so size costs
 * nothing. The engine's garbage collector takes the size of an array for memory in use, though, and with many gigabytes
 * of them does little else than collect; the array of a WebAssembly memory it does not count. One of many runs at the
 * same time asks for that, and a large world gets it; else a run does not, so that it is collected soon when it is over.
 * `u8`, `f64` and `view` are replaced when the arena grows: read them from here each time, never keep one. Single bytes
 * are read and written by `view`: the engine is slow to index an array from 2^31 on.
 */
export class Memory {
  u8: Uint8Array;
  f64: Float64Array;
  view: DataView;
  /** Copies within the array, their bytes, and bytes that were compared: what the emulator itself has done, by itself. */
  copies = 0;
  copiedBytes = 0;
  comparedBytes = 0;
  #bytes: Buffer;
  /** Null for an ordinary array. */
  #wasm: WebAssembly.Memory | null = null;
  readonly #isLarge: boolean;
  #next = PAGE_SIZE; // address 0 stays unused, so 0 can mean "none"

  /** `capacityBytes` is what will be wanted, at most. `oneOfMany`: several such arenas exist at the same time. */
  constructor(capacityBytes: number, oneOfMany = false) {
    const size = roundUp(Math.min(Math.max(capacityBytes, 1 << 20), LARGEST_START), WASM_PAGE);
    this.#isLarge = capacityBytes > MEMORY_LIMIT / 2;
    this.#wasm = oneOfMany || size > LARGE ? wasmMemory(size) : null;
    const buffer = (this.#wasm?.buffer as ArrayBuffer | undefined) ?? new ArrayBuffer(size);
    this.u8 = new Uint8Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.view = new DataView(buffer);
    this.#bytes = Buffer.from(buffer);
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
    this.copies++;
    this.copiedBytes += length;
    this.u8.copyWithin(destination, source, source + length);
  }

  /** Whether two stretches hold the same bytes. */
  equal(a: number, b: number, length: number): boolean {
    this.comparedBytes += length;
    if (length >= COMPARE_NATIVELY) {
      if (Math.max(a, b) + length <= COMPARE_LIMIT) {
        return this.#bytes.compare(this.#bytes, b, b + length, a, a + length) === 0;
      }
      return Buffer.compare(this.u8.subarray(a, a + length), this.u8.subarray(b, b + length)) === 0;
    }
    for (let i = 0; i < length; i++) if (this.view.getUint8(a + i) !== this.view.getUint8(b + i)) return false;
    return true;
  }

  /** Gives everything back to the operating system, at once where it can be; nothing can be read or written after it. */
  release(): void {
    if (this.#wasm === null) (this.u8.buffer as ArrayBuffer).transfer(0);
    this.#wasm = null;
    this.#use(new ArrayBuffer(0));
  }

  #grow(wanted: number): void {
    const size = Math.min(roundUp(Math.max(wanted, this.u8.length * 1.5), WASM_PAGE), MEMORY_LIMIT);
    if (size < wanted) throw new MemoryError(wanted);
    this.#use(this.#grown(size));
  }

  #use(buffer: ArrayBuffer): void {
    this.u8 = new Uint8Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.view = new DataView(buffer);
    this.#bytes = Buffer.from(buffer);
  }

  /** The bytes so far in an array of `size` bytes; the old one must not be used any more. */
  #grown(size: number): ArrayBuffer {
    if (this.#wasm === null && size <= LARGE) return (this.u8.buffer as ArrayBuffer).transfer(size);
    if (this.#wasm !== null && (size <= WASM_LIMIT || this.u8.length > WASM_LIMIT)) {
      const pages = (size - this.u8.length) / WASM_PAGE;
      (this.#wasm.grow as (pages: number | bigint) => void)(this.u8.length > WASM_LIMIT ? BigInt(pages) : pages);
      return this.#wasm.buffer as ArrayBuffer;
    }
    this.#wasm = wasmMemory(size);
    const buffer = this.#wasm.buffer as ArrayBuffer;
    new Uint8Array(buffer).set(this.u8);
    return buffer;
  }
}

/** The emulated world wants more memory than there can be. */
export class MemoryError extends Error {
  constructor(wantedBytes: number) {
    const gib = (bytes: number) => (bytes / GIB).toFixed(1);
    super(
      `the emulated machines want ${gib(wantedBytes)} GiB of memory, more than the ${gib(MEMORY_LIMIT)} that can be`,
    );
  }
}

function wasmMemory(size: number): WebAssembly.Memory {
  const pages = size / WASM_PAGE;
  if (size <= WASM_LIMIT) return new WebAssembly.Memory({ initial: pages });
  // Addresses of 64 bits: newer than the declarations of the language. With a maximum it grows where it is.
  const descriptor = {
    initial: BigInt(pages),
    maximum: BigInt(WASM64_LIMIT / WASM_PAGE),
    address: "i64",
  } as unknown as WebAssembly.MemoryDescriptor;
  return new WebAssembly.Memory(descriptor);
}
