import { Buffer } from "node:buffer";
import { assert } from "../base/assert.ts";
import { PAGE_SIZE, roundUp } from "../base/units.ts";

/** From this many bytes on, the runtime's comparison is faster than a loop of ours. */
const COMPARE_NATIVELY = 256;

/** Offsets that the runtime's comparison takes. */
const COMPARE_LIMIT = 2 ** 31 - 1;

/** Arrays are whole multiples of this. */
const STEP = 65536;

/**
 * The physical memory of the whole emulated world, as one flat array: an address is a byte offset, a machine frame
 * number is address / 4096, and a copy between any two guests is one `copyWithin` with no allocation. What keeps a
 * domain out of another's pages is what keeps it out in reality: it only gets addresses through grants and mappings.
 *
 * The array is reserved once and committed by the operating system page by page as it is written, so size costs
 * nothing. The engine's garbage collector takes the size of an array for memory in use, though, and with more of them
 * than twice the largest heap (nine runs of forty guests) does little else than collect; what threads could share it does
 * not count. One of many runs at the same time asks for that; a run alone does not, so that it is collected soon when it
 * is over. `u8`, `f64` and `view` are replaced when the arena grows: read them from here each time, never keep one.
 */
export class Memory {
  u8: Uint8Array;
  f64: Float64Array;
  view: DataView;
  #bytes: Buffer;
  readonly #oneOfMany: boolean;
  #next = PAGE_SIZE; // address 0 stays unused, so 0 can mean "none"

  /** `oneOfMany`: several such arenas exist at the same time. */
  constructor(capacityBytes: number, oneOfMany = false) {
    this.#oneOfMany = oneOfMany;
    const buffer = this.#made(roundUp(Math.max(capacityBytes, 1 << 20), STEP));
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

  /** Gives everything back to the operating system, at once where it can be; nothing can be read or written after it. */
  release(): void {
    if (!this.#oneOfMany) (this.u8.buffer as ArrayBuffer).transfer(0);
    this.#use(new ArrayBuffer(0));
  }

  #grow(wanted: number): void {
    const size = roundUp(Math.max(wanted, this.u8.length * 1.5), STEP);
    if (!this.#oneOfMany) return this.#use((this.u8.buffer as ArrayBuffer).transfer(size));
    const buffer = this.#made(size);
    new Uint8Array(buffer).set(this.u8);
    this.#use(buffer);
  }

  /** What is shared behaves as any other for whoever has it alone. */
  #made(size: number): ArrayBuffer {
    return (this.#oneOfMany ? new SharedArrayBuffer(size) : new ArrayBuffer(size)) as ArrayBuffer;
  }

  #use(buffer: ArrayBuffer): void {
    this.u8 = new Uint8Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.view = new DataView(buffer);
    this.#bytes = Buffer.from(buffer);
  }
}
