import { type Guest, type GuestBuffer, MX_ANY_NIC, MX_ERRORS_RETURN, MX_INFINITE, MX_SUCCESS } from "mxtop";
import type { Call, mx_endpoint_addr_t, mx_endpoint_t, mx_request_t, mx_segment_t, mx_status_t } from "mxtop";

/*
 * What the programs of the battery share. Each of them redoes one of Open-MX's own test programs (tests/ there) as a
 * guest program: same calls, same order of things, same checks; sizes and counts are smaller where only time is saved.
 */

/** Application key of all programs. */
export const KEY = 0x12345;
/** Compares all 64 bits. */
export const EXACT = 0xffff_ffff_ffff_ffffn;

/** mx_init, with errors returned instead of ending the program. */
export function* init(guest: Guest): Call<void> {
  guest.mx.mx_set_error_handler(MX_ERRORS_RETURN);
  expect(guest, yield* guest.mx.mx_init(), MX_SUCCESS, "mx_init");
}

/** Opens an endpoint of this rank. */
export function* open(guest: Guest, endpointId = guest.endpoint(guest.rank), board = MX_ANY_NIC): Call<mx_endpoint_t> {
  const { code, endpoint } = yield* guest.mx.mx_open_endpoint(board, endpointId, KEY, [], 0);
  expect(guest, code, MX_SUCCESS, "mx_open_endpoint");
  return endpoint!;
}

/** Connects to an endpoint of another rank, again and again until that one is open. */
export function* connect(
  guest: Guest,
  endpoint: mx_endpoint_t,
  rank: number,
  endpointId = guest.endpoint(rank),
  board = 0,
): Call<mx_endpoint_addr_t> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const { code, nic_id } = yield* guest.mx.mx_hostname_to_nic_id(guest.hostname(rank, board));
    if (code === MX_SUCCESS) {
      const { address } = yield* guest.mx.mx_connect(endpoint, nic_id, endpointId, KEY, MX_INFINITE);
      if (address !== null) return address;
    }
    yield* guest.sleep(500);
  }
  throw new Error(`no connection to rank ${rank}`);
}

/** Waits until a request is done and gives its status. */
export function* finish(guest: Guest, endpoint: mx_endpoint_t, request: mx_request_t | null): Call<mx_status_t> {
  if (request === null) throw new Error("the call gave no request");
  const { code, result, status } = yield* guest.mx.mx_wait(endpoint, request, MX_INFINITE);
  if (code !== MX_SUCCESS || !result || status === null) throw new Error(`mx_wait: ${guest.mx.mx_strerror(code)}`);
  return status;
}

/** Counts an error unless a code is the one that MX documents. */
export function expect(guest: Guest, found: number, wanted: number, what: string): void {
  const name = (code: number) => guest.mx.mx_strerror(code);
  guest.check(found === wanted, `${what}: found ${found} (${name(found)}), wanted ${wanted} (${name(wanted)})`);
}

/** The same for the outcome of a request: code and bytes. */
export function expectStatus(guest: Guest, status: mx_status_t, code: number, bytes: number, what: string): void {
  const name = guest.mx.mx_strstatus(status.code);
  guest.check(status.code === code, `${what}: found status ${status.code} (${name}), wanted ${code}`);
  guest.check(status.xfer_length === bytes, `${what}: found ${status.xfer_length} bytes, wanted ${bytes}`);
}

/** Fills memory with bytes that depend on `seed` and on each byte's place. */
export function fill(buffer: GuestBuffer, length: number, seed: number): void {
  const bytes = buffer.bytes();
  for (let i = 0; i < length; i++) bytes[i] = patternByte(seed, i);
}

/** Checks `length` bytes from `offset` on against the pattern, which began at `offset - skipped`. */
export function verify(guest: Guest, buffer: GuestBuffer, length: number, seed: number, what: string): void {
  const bytes = buffer.bytes();
  for (let i = 0; i < length; i++) {
    if (bytes[i] === patternByte(seed, i)) continue;
    guest.check(false, `${what}: byte ${i} is ${bytes[i]}, wanted ${patternByte(seed, i)}`);
    return;
  }
}

export function patternByte(seed: number, i: number): number {
  return (seed * 31 + i + (i >> 8) * 7) & 0xff;
}

/** A buffer as one segment. */
export function whole(buffer: GuestBuffer, length: number): readonly mx_segment_t[] {
  return [buffer.segment(0, length)];
}

/** Closes, finalizes, and says that the program has come to its end. */
export function* close(guest: Guest, ...endpoints: mx_endpoint_t[]): Call<void> {
  for (const endpoint of endpoints) expect(guest, yield* guest.mx.mx_close_endpoint(endpoint), MX_SUCCESS, "close");
  expect(guest, yield* guest.mx.mx_finalize(), MX_SUCCESS, "mx_finalize");
  guest.print("done");
}

/**
 * A round trip that leaves nothing under way between two ranks: both have received all that the other sent before.
 * Without it a rank could close while the other still needs its acknowledgements.
 */
export function* farewell(guest: Guest, endpoint: mx_endpoint_t, peer: mx_endpoint_addr_t): Call<void> {
  const { mx } = guest;
  const bye = 0xfade_0000_0000_0000n;
  const receive = yield* mx.mx_irecv(endpoint, [], 0, bye, EXACT, null);
  const send = yield* mx.mx_issend(endpoint, [], 0, peer, bye, null);
  yield* finish(guest, endpoint, send.request);
  yield* finish(guest, endpoint, receive.request);
  // The last notify may be lost: answer the partner for longer than it takes until it is sent again, half a second.
  const until = guest.now() + 600_000;
  while (guest.now() < until) yield* mx.mx_wait_any(endpoint, 100, 1n, EXACT);
}
