import type { Memory } from "../../hw/memory.ts";
import type { Segment } from "../driver/contract.ts";
import * as limits from "../limits.ts";
import * as status from "../status.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { MAX_SEGMENTS } = limits;
const { MX_BAD_SEG_CNT, MX_BAD_SEG_LIST, MX_BAD_SEG_MEM, MX_SUCCESS } = status;

/** Longest message, bytes: lengths are 32-bit on the wire. */
const LENGTH_MAX = 0xffffffff;

/**
 * A program's buffer, as requests, and whoever fills in one, have it: the bytes [address, address + length), or those of
 * several segments, one after another, `length` bytes in all.
 */
export interface ProgramBuffer {
  address: number;
  length: number;
  /** At least two, none of them empty; null for a contiguous buffer. */
  segments: readonly Segment[] | null;
}

/** Copies `length` bytes of a buffer, from its byte `offset` on, to `destination` (omx_segments.h). */
export function gather(memory: Memory, buffer: ProgramBuffer, offset: number, destination: number, length: number) {
  if (buffer.segments === null) memory.copy(destination, buffer.address + offset, length);
  else walk(memory, buffer.segments, offset, destination, length, true);
}

/** Copies `length` bytes from `source` into a buffer, from its byte `offset` on. */
export function scatter(memory: Memory, buffer: ProgramBuffer, offset: number, source: number, length: number): void {
  if (buffer.segments === null) memory.copy(buffer.address + offset, source, length);
  else walk(memory, buffer.segments, offset, source, length, false);
}

/** Copies the first `length` bytes of one buffer to another. */
export function copyBuffer(memory: Memory, to: ProgramBuffer, from: ProgramBuffer, length: number): void {
  if (from.segments === null) {
    scatter(memory, to, 0, from.address, length);
    return;
  }
  let done = 0;
  for (const { address, length: bytes } of from.segments) {
    const piece = Math.min(bytes, length - done);
    if (piece > 0) scatter(memory, to, done, address, piece);
    done += bytes;
  }
}

function walk(
  memory: Memory,
  segments: readonly Segment[],
  offset: number,
  other: number,
  length: number,
  out: boolean,
): void {
  let start = 0; // of the segment, in the buffer
  let done = 0;
  for (let i = 0; i < segments.length && done < length; i++) {
    const segment = segments[i];
    const at = offset + done - start;
    if (at < segment.length) {
      const piece = Math.min(length - done, segment.length - at);
      if (out) memory.copy(other + done, segment.address + at, piece);
      else memory.copy(segment.address + at, other + done, piece);
      done += piece;
    }
    start += segment.length;
  }
}

/** MX_SUCCESS, or what is wrong with a contiguous buffer. */
export function checkBuffer(memory: Memory, address: number, length: number): number {
  if (!Number.isInteger(length) || length < 0 || length > LENGTH_MAX) return MX_BAD_SEG_LIST;
  const fits = Number.isInteger(address) && address >= 0 && address + length <= memory.usedBytes;
  return fits || length === 0 ? MX_SUCCESS : MX_BAD_SEG_MEM;
}

/** Fills `buffer` from a list of segments, of which empty ones do not count; a code when something is wrong. */
export function fromSegments(memory: Memory, list: readonly Segment[], buffer: ProgramBuffer): number {
  if (list.length > MAX_SEGMENTS) return MX_BAD_SEG_CNT;
  let length = 0;
  let filled = 0;
  let only = -1;
  for (let i = 0; i < list.length; i++) {
    const bad = checkBuffer(memory, list[i].address, list[i].length);
    if (bad !== MX_SUCCESS) return bad;
    if (list[i].length === 0) continue;
    length += list[i].length;
    filled++;
    only = i;
  }
  if (length > LENGTH_MAX) return MX_BAD_SEG_LIST;
  buffer.length = length;
  buffer.address = filled === 0 ? 0 : list[only].address;
  buffer.segments = filled < 2 ? null : filled === list.length ? list : list.filter((segment) => segment.length > 0);
  if (buffer.segments !== null) buffer.address = buffer.segments[0].address;
  return MX_SUCCESS;
}
