import type { Guest } from "mxtop";
import { MX_STATUS_SUCCESS } from "mxtop";
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
  verify,
  whole,
} from "./common.ts";
import { MX_SUCCESS } from "mxtop";

/** omx_unexp_test: messages of every class arrive before anybody has asked for them; probe sees them, receives find them. */

const LENGTHS = [0, 13, 95, 13274, 40000, 327485];

export const guests = 2;

export default function* main(guest: Guest) {
  const { mx } = guest;
  yield* init(guest);
  const endpoint = yield* open(guest);
  const partner = yield* connect(guest, endpoint, 1 - guest.rank);
  const buffers = LENGTHS.map((length) => guest.alloc(length + 1));
  if (guest.rank === 0) {
    const sends = [];
    for (const [i, length] of LENGTHS.entries()) {
      fill(buffers[i], length, i);
      sends.push((yield* mx.mx_isend(endpoint, whole(buffers[i], length), 1, partner, BigInt(i), null)).request);
    }
    for (const [i, send] of sends.entries()) {
      expectStatus(guest, yield* finish(guest, endpoint, send), MX_STATUS_SUCCESS, LENGTHS[i], `send of ${LENGTHS[i]}`);
    }
  } else {
    // Until the last has come; nothing has been posted.
    const last = yield* mx.mx_probe(endpoint, 0, BigInt(LENGTHS.length - 1), EXACT);
    expect(guest, last.code, MX_SUCCESS, "mx_probe");
    guest.check(last.status!.msg_length === LENGTHS.at(-1), "probe tells the length");
    const none = yield* mx.mx_iprobe(endpoint, 77n, EXACT);
    guest.check(!none.result, "probe finds nothing that has not come");
    // In another order than they came.
    for (const [i, length] of [...LENGTHS.entries()].reverse()) {
      const found = yield* mx.mx_iprobe(endpoint, BigInt(i), EXACT);
      guest.check(found.result && found.status!.msg_length === length, `${length} bytes wait unexpected`);
      const receive = yield* mx.mx_irecv(endpoint, whole(buffers[i], length), 1, BigInt(i), EXACT, null);
      const status = yield* finish(guest, endpoint, receive.request);
      expectStatus(guest, status, MX_STATUS_SUCCESS, length, `unexpected ${length}`);
      verify(guest, buffers[i], length, i, `unexpected ${length}`);
      guest.print(`${length} bytes were received after they had come`);
    }
  }
  yield* farewell(guest, endpoint, partner);
  yield* close(guest, endpoint);
}
