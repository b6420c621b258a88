import type { Guest, mx_endpoint_addr_t, mx_endpoint_t } from "mxtop";
import { MX_SUCCESS } from "mxtop";
import { close, connect, EXACT, expect, farewell, finish, init, open, whole } from "./common.ts";

/**
 * omx_endpoint_addr_context_test: sixteen endpoints send to one, which hangs a context on each address and finds it
 * again in the source of every message. Rank 0 receives; ranks 1 and 2 open eight endpoints each (a Xen2MX guest has
 * grant references for fifteen).
 */

const PEERS = 16;
const EACH = 8;
/** Match information of a message; the lowest byte is the sender's number. */
const MESSAGE = 0x100n;

export const guests = 3;

export default function* main(guest: Guest) {
  yield* init(guest);
  if (guest.rank === 0) yield* receiver(guest);
  else yield* senders(guest);
}

/** Where sender `i` is: its rank, and the number of its endpoint. */
const rankOf = (i: number) => 1 + Math.floor(i / EACH);
const endpointOf = (guest: Guest, i: number) => guest.endpoint(rankOf(i)) + (i % EACH === 0 ? 0 : 100 + 10 * i);

function* receiver(guest: Guest) {
  const { mx } = guest;
  const endpoint = yield* open(guest);
  const buffer = guest.alloc(8);
  const addresses = [];
  for (let i = 0; i < PEERS; i++) {
    const address = yield* connect(guest, endpoint, rankOf(i), endpointOf(guest, i));
    const fresh = mx.mx_get_endpoint_addr_context(address);
    guest.check(fresh.code === MX_SUCCESS && fresh.context === null, "a new address has no context");
    expect(guest, mx.mx_set_endpoint_addr_context(address, `peer ${i}`), MX_SUCCESS, "mx_set_endpoint_addr_context");
    const { endpoint_id } = mx.mx_decompose_endpoint_addr(address);
    guest.check(endpoint_id === endpointOf(guest, i), "the address names its endpoint");
    addresses.push(address);
  }
  // Now they may send.
  for (const address of addresses) {
    yield* finish(guest, endpoint, (yield* mx.mx_isend(endpoint, [], 0, address, 1n, null)).request);
  }
  for (let n = 0; n < PEERS; n++) {
    const receive = yield* mx.mx_irecv(endpoint, whole(buffer, 8), 1, MESSAGE, ~0xffn & EXACT, null);
    const status = yield* finish(guest, endpoint, receive.request);
    const { context } = mx.mx_get_endpoint_addr_context(status.source!);
    guest.check(
      context === `peer ${status.match_info & 0xffn}`,
      `message ${status.match_info} has the context of ${context}`,
    );
  }
  guest.print(`${PEERS} sources had their contexts`);
  for (const address of addresses) yield* farewell(guest, endpoint, address);
  yield* close(guest, endpoint);
}

function* senders(guest: Guest) {
  const { mx } = guest;
  const mine = Array.from({ length: EACH }, (_, n) => (guest.rank - 1) * EACH + n);
  const endpoints: mx_endpoint_t[] = [];
  for (const i of mine) endpoints.push(yield* open(guest, endpointOf(guest, i)));
  const partners: mx_endpoint_addr_t[] = [];
  for (const [n, endpoint] of endpoints.entries()) {
    // The receiver connects to one after the other: while one waits for its word all have to answer.
    const word = yield* mx.mx_irecv(endpoint, [], 0, 1n, EXACT, null);
    while (!(yield* mx.mx_test(endpoint, word.request!)).result) {
      for (const other of endpoints) yield* mx.mx_progress(other);
    }
    partners.push(yield* connect(guest, endpoint, 0));
    const send = yield* mx.mx_isend(
      endpoint,
      whole(guest.alloc(8), 8),
      1,
      partners[n],
      MESSAGE | BigInt(mine[n]),
      null,
    );
    yield* finish(guest, endpoint, send.request);
  }
  for (const [n, endpoint] of endpoints.entries()) yield* farewell(guest, endpoint, partners[n]);
  yield* close(guest, ...endpoints);
}
