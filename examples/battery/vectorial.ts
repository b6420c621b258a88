import type { Guest, GuestBuffer, mx_segment_t } from "mxtop";
import { MX_STATUS_SUCCESS } from "mxtop";
import { close, connect, EXACT, expectStatus, farewell, finish, init, open, patternByte } from "./common.ts";

/**
 * omx_vect_test: buffers in up to ten segments of random lengths, on both sides and differently on each. Nothing may be
 * written between the segments.
 */

const LENGTHS = [20, 100, 5000, 30000, 200000, 1000000];
const SEGMENTS_MAX = 10;

export const guests = 2;
export const memory = "32 MiB";

export default function* main(guest: Guest) {
  const { mx } = guest;
  yield* init(guest);
  const endpoint = yield* open(guest);
  const partner = yield* connect(guest, endpoint, 1 - guest.rank);
  for (const [i, length] of LENGTHS.entries()) {
    for (const count of [1, 2, 3, SEGMENTS_MAX]) {
      const match = BigInt(i * 100 + count);
      const buffer = guest.alloc(length + SEGMENTS_MAX * 64);
      const segments = cut(guest, buffer, length, count);
      if (guest.rank === 0) {
        put(buffer, segments, i);
        const send = yield* mx.mx_isend(endpoint, segments, segments.length, partner, match, null);
        expectStatus(guest, yield* finish(guest, endpoint, send.request), MX_STATUS_SUCCESS, length, `send ${length}`);
      } else {
        buffer.bytes().fill(0xee);
        const receive = yield* mx.mx_irecv(endpoint, segments, segments.length, match, EXACT, null);
        const status = yield* finish(guest, endpoint, receive.request);
        expectStatus(guest, status, MX_STATUS_SUCCESS, length, `receive ${length} in ${count}`);
        guest.check(isIntact(buffer, segments, i), `${length} bytes in ${count} segments are intact`);
      }
    }
    if (guest.rank === 1) guest.print(`${length} bytes in 1, 2, 3 and ${SEGMENTS_MAX} segments`);
  }
  yield* farewell(guest, endpoint, partner);
  yield* close(guest, endpoint);
}

/** `count` segments that add up to `length`, with gaps of up to 63 bytes between them; a segment may be empty. */
function cut(guest: Guest, buffer: GuestBuffer, length: number, count: number): mx_segment_t[] {
  const cuts = Array.from({ length: count - 1 }, () => Math.floor(guest.random() * (length + 1))).sort((a, b) => a - b);
  let from = 0;
  let at = 0;
  return [...cuts, length].map((to) => {
    const segment = buffer.segment(at, to - from);
    at += to - from + Math.floor(guest.random() * 64);
    from = to;
    return segment;
  });
}

function put(buffer: GuestBuffer, segments: readonly mx_segment_t[], seed: number): void {
  const bytes = buffer.bytes();
  let n = 0;
  for (const { segment_ptr, segment_length } of segments) {
    const at = segment_ptr - buffer.address;
    for (let i = 0; i < segment_length; i++) bytes[at + i] = patternByte(seed, n++);
  }
}

function isIntact(buffer: GuestBuffer, segments: readonly mx_segment_t[], seed: number): boolean {
  const wanted = new Uint8Array(buffer.length).fill(0xee);
  let n = 0;
  for (const { segment_ptr, segment_length } of segments) {
    const at = segment_ptr - buffer.address;
    for (let i = 0; i < segment_length; i++) wanted[at + i] = patternByte(seed, n++);
  }
  const bytes = buffer.bytes();
  return wanted.every((byte, i) => bytes[i] === byte);
}
