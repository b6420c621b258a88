import type { Guest } from "mxtop";
import { MX_INFINITE, MX_SUCCESS } from "mxtop";
import { close, EXACT, expect, init, open, whole } from "./common.ts";

/** mx_wakeup_test: every kind of waiting ends without a result when somebody calls mx_wakeup. */

const DELAY_US = 500;

export const guests = 1;

export default function* main(guest: Guest) {
  if (guest.rank > 0) return;
  const { mx } = guest;
  yield* init(guest);
  const endpoint = yield* open(guest);
  const receive = yield* mx.mx_irecv(endpoint, whole(guest.alloc(8), 8), 1, 1n, EXACT, null);
  const waits = {
    mx_wait: () => mx.mx_wait(endpoint, receive.request!, MX_INFINITE),
    mx_wait_any: () => mx.mx_wait_any(endpoint, MX_INFINITE, 0n, 0n),
    mx_peek: () => mx.mx_peek(endpoint, MX_INFINITE),
    mx_probe: () => mx.mx_probe(endpoint, MX_INFINITE, 0n, 0n),
  };
  for (const [name, wait] of Object.entries(waits)) {
    const from = guest.now();
    guest.alarm(DELAY_US, () => expect(guest, mx.mx_wakeup(endpoint), MX_SUCCESS, "mx_wakeup"));
    const { code, result } = yield* wait();
    expect(guest, code, MX_SUCCESS, name);
    const waited = guest.now() - from;
    guest.check(!result, `${name} ends without a result`);
    guest.check(waited > DELAY_US - 0.001 && waited < DELAY_US + 100, `${name} ended after ${waited} us`);
    guest.print(`${name} was woken`);
  }
  guest.check((yield* mx.mx_cancel(endpoint, receive.request!)).result, "the receive is still there");
  yield* close(guest, endpoint);
}
