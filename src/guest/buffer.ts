import type { Memory } from "../hw/memory.ts";
import { ProgramError } from "./guard.ts";
import type { GuestBuffer } from "./guest.ts";
import type { mx_segment_t } from "./mx_types.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A stretch of emulated memory that a program has allocated. What leaves it is a mistake of the program. */
export class MemoryBuffer implements GuestBuffer {
  readonly address: number;
  readonly length: number;
  readonly #memory: Memory;

  constructor(memory: Memory, address: number, length: number) {
    this.#memory = memory;
    this.address = address;
    this.length = length;
  }

  bytes(): Uint8Array {
    return this.#memory.u8.subarray(this.address, this.address + this.length);
  }

  write(data: Uint8Array | string, offset = 0): void {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    this.#check(offset, bytes.length);
    this.#memory.u8.set(bytes, this.address + offset);
  }

  text(length = this.length): string {
    this.#check(0, length);
    return decoder.decode(this.bytes().subarray(0, length));
  }

  segment(offset = 0, length = this.length - offset): mx_segment_t {
    this.#check(offset, length);
    return { segment_ptr: this.address + offset, segment_length: length };
  }

  #check(offset: number, length: number): void {
    const isIn = Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length >= 0 &&
      offset + length <= this.length;
    if (isIn) return;
    throw new ProgramError(`found offset ${offset} and ${length} bytes, wanted a part of a buffer of ${this.length}`);
  }
}
