import type { Call, Guest, mx_endpoint_addr_t, mx_endpoint_t, mx_request_t } from "mxtop";
import { MX_STATUS_SUCCESS } from "mxtop";
import { close, connect, EXACT, expectStatus, fill, init, KEY, open, verify, whole } from "./common.ts";

/*
 * omx_loopback_test: a process sends to its own endpoint, several messages at a time, of every class; here also to a
 * second endpoint of its own. `--program-arg self=off` takes the driver's way for the first too
 * (OMX_DISABLE_SELF).
 */

const LENGTHS = [0, 13, 95, 13274, 327485];
const ITERATIONS = 3;
const PARALLEL = 4;

export const guests = 1;
export const memory = "32 MiB";

export default function* main(guest: Guest) {
  if (guest.rank > 0) return;
  if (guest.args.self === "off") guest.setenv("OMX_DISABLE_SELF", "1");
  yield* init(guest);
  const first = yield* open(guest);
  const second = yield* open(guest, guest.endpoint(0) + 100);
  const self = yield* connect(guest, first, 0);
  const other = yield* introduce(guest, first, second, guest.endpoint(0) + 100);
  yield* introduce(guest, second, first, guest.endpoint(0)); // and back: a large message needs both directions
  yield* rounds(guest, "to itself", first, first, self);
  yield* rounds(guest, "to the second endpoint", first, second, other);
  yield* close(guest, second, first);
}

/** Connects one endpoint of the process to another, which answers only while somebody looks after it. */
function* introduce(
  guest: Guest,
  from: mx_endpoint_t,
  to: mx_endpoint_t,
  endpointId: number,
): Call<mx_endpoint_addr_t> {
  const { mx } = guest;
  const { nic_id } = yield* mx.mx_hostname_to_nic_id(guest.hostname(0));
  const { request } = yield* mx.mx_iconnect(from, nic_id, endpointId, KEY, 0n, null);
  for (;;) {
    const { result, status } = yield* mx.mx_test(from, request!);
    if (result) return status!.source!;
    yield* mx.mx_progress(to);
  }
}

function* rounds(
  guest: Guest,
  what: string,
  from: mx_endpoint_t,
  to: mx_endpoint_t,
  address: mx_endpoint_addr_t,
) {
  const { mx } = guest;
  for (const length of LENGTHS) {
    const buffers = Array.from(
      { length: PARALLEL },
      () => ({ out: guest.alloc(length + 1), into: guest.alloc(length + 1) }),
    );
    for (let i = 0; i < ITERATIONS; i++) {
      const sends: (mx_request_t | null)[] = [];
      const receives: (mx_request_t | null)[] = [];
      for (const [n, { out, into }] of buffers.entries()) {
        fill(out, length, i * PARALLEL + n);
        into.bytes().fill(0);
        sends.push((yield* mx.mx_isend(from, whole(out, length), 1, address, BigInt(n), null)).request);
        receives.push((yield* mx.mx_irecv(to, whole(into, length), 1, BigInt(n), EXACT, null)).request);
      }
      for (const [n, { into }] of buffers.entries()) {
        // Both have to be looked after: a large message needs the sender's endpoint to be told of its end.
        let received = yield* mx.mx_test(to, receives[n]!);
        while (!received.result) {
          yield* mx.mx_progress(from);
          received = yield* mx.mx_test(to, receives[n]!);
        }
        expectStatus(guest, received.status!, MX_STATUS_SUCCESS, length, `${what}, ${length} bytes`);
        verify(guest, into, length, i * PARALLEL + n, `${what}, ${length} bytes`);
        while (!(yield* mx.mx_test(from, sends[n]!)).result) yield* mx.mx_progress(to);
      }
    }
    guest.print(`${what}: ${ITERATIONS} x ${PARALLEL} messages of ${length} bytes`);
  }
}
