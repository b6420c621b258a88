/*
 * Ping-pong between rank 0 and rank 1, on MX alone: half the round trip for each size.
 *
 *   deno run --allow-read main.ts run --program examples/pingpong.ts
 *   deno run --allow-read main.ts run pingpong-tiny --program examples/pingpong.ts --program-arg rounds=50
 */
import {
  type Call,
  type Guest,
  type GuestBuffer,
  type mx_endpoint_addr_t,
  type mx_endpoint_t,
  MX_INFINITE,
  MX_MATCH_MASK_NONE,
  type mx_segment_t,
  MX_SUCCESS,
} from "mxtop";

export const guests = 2;
export const memory = "4 MiB";

const KEY = 0x5050;
const PING = 1n;
const SIZES = [0, 1, 16, 128, 1024, 4096, 16384, 65536, 262144, 1048576];

export function* rank0(guest: Guest) {
  const [endpoint, peer, buffer] = yield* begin(guest, 1);
  const rounds = Number(guest.args.rounds ?? 20);
  for (const size of SIZES) {
    const segment = buffer.segment(0, size);
    yield* pingPong(guest, endpoint, peer, segment); // the first of a size registers memory
    const start = guest.now();
    for (let i = 0; i < rounds; i++) yield* pingPong(guest, endpoint, peer, segment);
    const us = (guest.now() - start) / rounds / 2;
    guest.print(
      `${String(size).padStart(8)} B  ${us.toFixed(2).padStart(9)} us  ${(size / us).toFixed(1).padStart(7)} MB/s`,
    );
  }
  yield* end(guest, endpoint);
}

export function* rank1(guest: Guest) {
  const [endpoint, peer, buffer] = yield* begin(guest, 0);
  const rounds = Number(guest.args.rounds ?? 20);
  for (const size of SIZES) {
    const segment = buffer.segment(0, size);
    for (let i = 0; i < rounds + 1; i++) {
      yield* receive(guest, endpoint, segment);
      yield* send(guest, endpoint, peer, segment);
    }
  }
  yield* end(guest, endpoint);
}

/** Opens an endpoint and connects to the other rank, which may not have opened its own yet. */
function* begin(guest: Guest, other: number): Call<[mx_endpoint_t, mx_endpoint_addr_t, GuestBuffer]> {
  const { mx } = guest;
  yield* mx.mx_init();
  const { endpoint } = yield* mx.mx_open_endpoint(0, guest.endpoint(guest.rank), KEY, [], 0);
  const { nic_id } = yield* mx.mx_hostname_to_nic_id(guest.hostname(other));
  // A connect that fails goes to the error handler, which would end the program.
  mx.mx_set_error_handler((_text, code) => code);
  for (;;) {
    const { code, address } = yield* mx.mx_connect(endpoint!, nic_id, guest.endpoint(other), KEY, MX_INFINITE);
    if (code === MX_SUCCESS) return [endpoint!, address!, guest.alloc(1048576)];
    yield* guest.sleep(100);
  }
}

function* pingPong(guest: Guest, endpoint: mx_endpoint_t, peer: mx_endpoint_addr_t, segment: mx_segment_t): Call<void> {
  yield* send(guest, endpoint, peer, segment);
  yield* receive(guest, endpoint, segment);
}

function* send(guest: Guest, endpoint: mx_endpoint_t, peer: mx_endpoint_addr_t, segment: mx_segment_t): Call<void> {
  const { mx } = guest;
  const { request } = yield* mx.mx_isend(endpoint, [segment], 1, peer, PING, null);
  yield* mx.mx_wait(endpoint, request!, MX_INFINITE);
}

function* receive(guest: Guest, endpoint: mx_endpoint_t, segment: mx_segment_t): Call<void> {
  const { mx } = guest;
  const { request } = yield* mx.mx_irecv(endpoint, [segment], 1, PING, MX_MATCH_MASK_NONE, null);
  const { status } = yield* mx.mx_wait(endpoint, request!, MX_INFINITE);
  guest.check(status?.xfer_length === segment.segment_length, "a ping of another length has come");
}

function* end(guest: Guest, endpoint: mx_endpoint_t): Call<void> {
  yield* guest.sleep(1000); // what was sent last may not be acknowledged yet
  yield* guest.mx.mx_close_endpoint(endpoint);
  yield* guest.mx.mx_finalize();
}
