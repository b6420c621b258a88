import type { Guest } from "mxtop";
import { MX_RECV_CONTINUE, MX_RECV_FINISHED, MX_STATUS_SUCCESS, MX_SUCCESS } from "mxtop";
import {
  close,
  connect,
  EXACT,
  expect,
  expectStatus,
  farewell,
  fill,
  finish,
  init,
  open,
  patternByte,
  verify,
  whole,
} from "./common.ts";

/**
 * omx_unexp_handler_test: a handler sees what no receive matches, with the payload where it came in one packet. It can
 * swallow the message (even match numbers) or leave it to a later receive (odd ones).
 */

const LENGTHS = [13, 13, 95, 95, 4000, 4000, 20000, 20000, 327485, 327485];

export const guests = 2;

export default function* main(guest: Guest) {
  const { mx } = guest;
  yield* init(guest);
  const endpoint = yield* open(guest);
  const seen: number[] = [];
  if (guest.rank === 1) {
    const code = yield* mx.mx_register_unexp_handler(endpoint, (context, _source, match, length, data) => {
      const i = Number(match);
      if (i >= LENGTHS.length) return MX_RECV_CONTINUE; // the farewell
      guest.check(context === "context", "the handler has its context");
      guest.check(length === LENGTHS[i], `the handler hears of ${LENGTHS[i]} bytes`);
      guest.check(data === null || data[length - 1] === patternByte(i, length - 1), "the handler sees the payload");
      if (length <= 128) guest.check(data !== null, "tiny and small payload is at hand");
      if (length > 32768) guest.check(data === null, "the payload of a large message is not at hand");
      seen.push(i);
      return i % 2 === 0 ? MX_RECV_FINISHED : MX_RECV_CONTINUE;
    }, "context");
    expect(guest, code, MX_SUCCESS, "mx_register_unexp_handler");
  }
  const partner = yield* connect(guest, endpoint, 1 - guest.rank);
  for (const [i, length] of LENGTHS.entries()) {
    const buffer = guest.alloc(length);
    if (guest.rank === 0) {
      fill(buffer, length, i);
      const send = yield* mx.mx_isend(endpoint, whole(buffer, length), 1, partner, BigInt(i), null);
      const status = yield* finish(guest, endpoint, send.request);
      // A large message that was swallowed is told so; an eager send never learns.
      const swallowed = i % 2 === 0 && length > 32768;
      expectStatus(guest, status, status.code, swallowed ? 0 : length, `send of ${length}`);
    } else if (i % 2 === 1) {
      const receive = yield* mx.mx_irecv(endpoint, whole(buffer, length), 1, BigInt(i), EXACT, null);
      expectStatus(guest, yield* finish(guest, endpoint, receive.request), MX_STATUS_SUCCESS, length, `kept ${length}`);
      verify(guest, buffer, length, i, `kept ${length}`);
    }
  }
  yield* farewell(guest, endpoint, partner);
  if (guest.rank === 1) {
    for (const [i, length] of LENGTHS.entries()) {
      if (i % 2 === 0) guest.check(seen.includes(i), `${length} bytes went to the handler`);
    }
    guest.print(`the handler saw ${seen.length} messages`);
  }
  yield* close(guest, endpoint);
}
