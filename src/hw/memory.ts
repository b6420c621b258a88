import { Buffer } from "node:buffer";
import { assert } from "../base/assert.ts";
import { PAGE_SIZE, roundUp } from "../base/units.ts";

/** From this many bytes on, the runtime's comparison is faster than a loop of ours. */
const COMPARE_NATIVELY = 256;

/** Up to this many bytes, a loop of ours is faster than a call of the runtime's copy. */
const COPY_BY_BYTE = 32;

/** Offsets that the runtime's comparison takes. */
const COMPARE_LIMIT = 2 ** 31 - 1;

/** Pages of a WebAssembly memory, and the most that one can have: 4 GiB. */
const WASM_PAGE = 65536;
const WASM_LIMIT = 65536 * WASM_PAGE;

/**
 * The physical memory of the whole emulated world, as one flat array: an address is a byte offset, a machine frame
 * number is address / 4096, and a copy between any two guests is one `copyWithin` with no allocation. What keeps a
 * domain out of another's pages is what keeps it out in reality: it only gets addresses through grants and mappings.
 *
 * The array is reserved once and committed by the operating system page by page as it is written, so size costs
 * nothing. The engine's garbage collector takes the size of an array for memory in use, though, and with many gigabytes
 * of them does little else than collect; the array of a WebAssembly memory it does not count. One of many runs at the
 * same time asks for that; a run alone does not, so that it is collected soon when it is over. `u8`, `f64` and `view` are replaced when the arena grows: read them from here each time, never keep one.
 */
export class Memory {
  u8: Uint8Array;
  f64: Float64Array;
  view: DataView;
  #bytes: Buffer;
  /** Null for an ordinary array. */
  #wasm: WebAssembly.Memory | null = null;
  #next = PAGE_SIZE; // address 0 stays unused, so 0 can mean "none"

  /** `oneOfMany`: several such arenas exist at the same time. */
  constructor(capacityBytes: number, oneOfMany = false) {
    const size = roundUp(Math.max(capacityBytes, 1 << 20), WASM_PAGE);
    if (oneOfMany && size <= WASM_LIMIT) this.#wasm = new WebAssembly.Memory({ initial: size / WASM_PAGE });
    const buffer = (this.#wasm?.buffer as ArrayBuffer | undefined) ?? new ArrayBuffer(size);
    this.u8 = new Uint8Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.view = new DataView(buffer);
    this.#bytes = Buffer.from(buffer);
  }

  get usedBytes(): number {
    return this.#next;
  }

  /** Reserves `bytes` zeroed bytes; page-aligned unless `align` says otherwise (a power of two, at least 8). */
  alloc(bytes: number, align = PAGE_SIZE): number {
    assert(bytes >= 0 && Number.isInteger(bytes), "memory: a size is a whole number of bytes");
    const address = roundUp(this.#next, align);
    if (address + bytes > this.u8.length) this.#grow(address + bytes);
    this.#next = address + bytes;
    return address;
  }

  copy(destination: number, source: number, length: number): void {
    if (length <= COPY_BY_BYTE && (destination <= source || destination >= source + length)) {
      const { view } = this;
      for (let i = 0; i < length; i++) view.setUint8(destination + i, view.getUint8(source + i));
      return;
    }
    this.u8.copyWithin(destination, source, source + length);
  }

  /** Whether two stretches hold the same bytes. */
  equal(a: number, b: number, length: number): boolean {
    if (length >= COMPARE_NATIVELY) {
      if (Math.max(a, b) + length <= COMPARE_LIMIT) {
        return this.#bytes.compare(this.#bytes, b, b + length, a, a + length) === 0;
      }
      return Buffer.compare(this.u8.subarray(a, a + length), this.u8.subarray(b, b + length)) === 0;
    }
    for (let i = 0; i < length; i++) if (this.u8[a + i] !== this.u8[b + i]) return false;
    return true;
  }

  /** Gives everything back to the operating system at once; nothing can be read or written after it. */
  release(): void {
    (this.u8.buffer as ArrayBuffer).transfer(0);
  }

  #grow(wanted: number): void {
    const size = roundUp(Math.max(wanted, this.u8.length * 1.5), WASM_PAGE);
    const buffer = this.#grown(size);
    this.u8 = new Uint8Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.view = new DataView(buffer);
    this.#bytes = Buffer.from(buffer);
  }

  /** The bytes so far in an array of `size` bytes; the old one must not be used any more. */
  #grown(size: number): ArrayBuffer {
    if (this.#wasm === null) return (this.u8.buffer as ArrayBuffer).transfer(size);
    if (size <= WASM_LIMIT) {
      this.#wasm.grow((size - this.u8.length) / WASM_PAGE);
      return this.#wasm.buffer as ArrayBuffer;
    }
    const buffer = new ArrayBuffer(size);
    new Uint8Array(buffer).set(this.u8);
    this.#wasm = null;
    return buffer;
  }
}
