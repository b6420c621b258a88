import type { Guest, mx_request_t } from "mxtop";
import { MX_STATUS_SUCCESS } from "mxtop";
import { close, connect, EXACT, expectStatus, farewell, fill, finish, init, open, verify, whole } from "./common.ts";

/**
 * omx_many: far more sends are posted than there are slots, credits and regions, before any receive matches; all of them
 * wait their turn, in order, and arrive whole.
 */

/** Length and how many. */
const BATCHES = [[13, 600], [111, 600], [1234, 300], [12345, 150], [123456, 140]] as const;

export const guests = 2;

export default function* main(guest: Guest) {
  const { mx } = guest;
  yield* init(guest);
  const endpoint = yield* open(guest);
  const partner = yield* connect(guest, endpoint, 1 - guest.rank);
  for (const [length, count] of BATCHES) {
    const match = BigInt(length) << 32n;
    const buffer = guest.alloc(length);
    fill(buffer, length, length);
    const requests: mx_request_t[] = [];
    if (guest.rank === 0) {
      for (let i = 0; i < count; i++) {
        requests.push(
          (yield* mx.mx_isend(endpoint, whole(buffer, length), 1, partner, match | BigInt(i), null)).request!,
        );
      }
      for (const request of requests) {
        expectStatus(guest, yield* finish(guest, endpoint, request), MX_STATUS_SUCCESS, length, `send ${length}`);
      }
    } else {
      for (let i = 0; i < count; i++) {
        buffer.bytes().fill(0);
        const receive = yield* mx.mx_irecv(endpoint, whole(buffer, length), 1, match | BigInt(i), EXACT, null);
        expectStatus(guest, yield* finish(guest, endpoint, receive.request), MX_STATUS_SUCCESS, length, `${length}`);
        if (i % 50 === 0) verify(guest, buffer, length, length, `message ${i} of ${length} bytes`);
      }
      guest.print(`${count} messages of ${length} bytes`);
    }
    yield* farewell(guest, endpoint, partner);
  }
  yield* close(guest, endpoint);
}
