import type { Memory } from "../../hw/memory.ts";
import type { Segment } from "../driver/contract.ts";

/** x^16 + x^12 + x^5 + 1 without its highest term. */
const POLYNOMIAL = 0x1021;

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ POLYNOMIAL;
  return crc;
});

/** CRC-16 of bytes: initial 0, most significant bit first, no final XOR (omx_segments.h:290-324). */
export function crc16(bytes: Uint8Array, crc = 0): number {
  for (let i = 0; i < bytes.length; i++) crc = ((crc << 8) & 0xffff) ^ table[(crc >> 8) ^ bytes[i]];
  return crc;
}

/** The same of the first `length` bytes of a program's buffer, in one stretch or in several. */
export function bufferChecksum(
  memory: Memory,
  buffer: { readonly address: number; readonly segments?: readonly Segment[] | null },
  length: number,
): number {
  let crc = 0;
  let left = length;
  for (const segment of buffer.segments ?? [{ address: buffer.address, length }]) {
    const bytes = Math.min(left, segment.length);
    crc = crc16(memory.bytes(segment.address, bytes), crc);
    left -= bytes;
  }
  return crc;
}
