import type { Guest } from "mxtop";
import { MX_STATUS_SUCCESS } from "mxtop";
import { close, connect, EXACT, expectStatus, farewell, fill, finish, init, open, verify } from "./common.ts";

/**
 * omx_reg: memory in two segments is registered and released again and again. There it is a system call of its own; an
 * MX program registers by sending and receiving large messages, so that is what is done here, with the time of one.
 * More rounds than there are region numbers: each is given back.
 */

const BYTES = 128 * 1024;
const ROUNDS = 300;

export const guests = 2;

export default function* main(guest: Guest) {
  const { mx } = guest;
  yield* init(guest);
  const endpoint = yield* open(guest);
  const partner = yield* connect(guest, endpoint, 1 - guest.rank);
  const buffer = guest.alloc(BYTES + 4096);
  // Two halves with a hole between them.
  const segments = [buffer.segment(0, BYTES / 2), buffer.segment(BYTES / 2 + 4096, BYTES / 2)];
  if (guest.rank === 0) fill(buffer, BYTES + 4096, 3);
  const from = guest.now();
  for (let i = 0; i < ROUNDS; i++) {
    const call = guest.rank === 0
      ? yield* mx.mx_isend(endpoint, segments, 2, partner, BigInt(i), null)
      : yield* mx.mx_irecv(endpoint, segments, 2, BigInt(i), EXACT, null);
    expectStatus(guest, yield* finish(guest, endpoint, call.request), MX_STATUS_SUCCESS, BYTES, `round ${i}`);
  }
  guest.print(`${ROUNDS} times ${BYTES} bytes in two segments: ${((guest.now() - from) / ROUNDS).toFixed(1)} us each`);
  if (guest.rank === 1) verify(guest, buffer, BYTES / 2, 3, "first segment");
  yield* farewell(guest, endpoint, partner);
  yield* close(guest, endpoint);
}
