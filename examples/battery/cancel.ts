import type { Guest } from "mxtop";
import { MX_BAD_REQUEST, MX_STATUS_SUCCESS, MX_SUCCESS } from "mxtop";
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
  KEY,
  open,
  verify,
  whole,
} from "./common.ts";

/** omx_cancel_test: a receive that nothing has matched can be taken back, one that has been matched cannot, nor a send. */

export const guests = 2;

export default function* main(guest: Guest) {
  const { mx } = guest;
  yield* init(guest);
  const endpoint = yield* open(guest);
  const partner = yield* connect(guest, endpoint, 1 - guest.rank);
  const buffer = guest.alloc(64);
  const other = guest.alloc(64);
  if (guest.rank === 0) {
    // Told when the receiver is ready.
    yield* finish(guest, endpoint, (yield* mx.mx_irecv(endpoint, [], 0, 1n, EXACT, null)).request);
    fill(buffer, 64, 5);
    const send = yield* mx.mx_isend(endpoint, whole(buffer, 64), 1, partner, 2n, null);
    expect(guest, (yield* mx.mx_cancel(endpoint, send.request!)).code, MX_BAD_REQUEST, "mx_cancel of a send");
    yield* finish(guest, endpoint, send.request);
  } else {
    // Two receives that would match the message: the first is cancelled, the second gets it.
    const first = yield* mx.mx_irecv(endpoint, whole(other, 64), 1, 2n, EXACT, null);
    const second = yield* mx.mx_irecv(endpoint, whole(buffer, 64), 1, 2n, EXACT, null);
    const cancelled = yield* mx.mx_cancel(endpoint, first.request!);
    expect(guest, cancelled.code, MX_SUCCESS, "mx_cancel");
    guest.check(cancelled.result, "an unmatched receive is cancelled");
    expect(guest, (yield* mx.mx_test(endpoint, first.request!)).code, MX_BAD_REQUEST, "a cancelled request is gone");
    yield* finish(guest, endpoint, (yield* mx.mx_isend(endpoint, [], 0, partner, 1n, null)).request);
    // Until it is done, without reporting it.
    while (!(yield* mx.mx_peek(endpoint, 0)).result);
    const late = yield* mx.mx_cancel(endpoint, second.request!);
    expect(guest, late.code, MX_SUCCESS, "mx_cancel of a matched receive");
    guest.check(!late.result, "a matched receive is not cancelled");
    expectStatus(guest, yield* finish(guest, endpoint, second.request), MX_STATUS_SUCCESS, 64, "the second receive");
    verify(guest, buffer, 64, 5, "the second receive");
    // A connect that nobody answers yet.
    const { nic_id } = yield* mx.mx_hostname_to_nic_id(guest.hostname(0));
    const connecting = yield* mx.mx_iconnect(endpoint, nic_id, guest.endpoint(0), KEY, 9n, null);
    const gone = yield* mx.mx_cancel(endpoint, connecting.request!);
    expect(guest, gone.code, MX_SUCCESS, "mx_cancel of a connect");
    guest.print(`an unanswered connect is ${gone.result ? "cancelled" : "done already"}`);
    if (!gone.result) yield* finish(guest, endpoint, connecting.request);
  }
  yield* farewell(guest, endpoint, partner);
  yield* close(guest, endpoint);
}
