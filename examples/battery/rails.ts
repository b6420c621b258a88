import type { Call, Guest, mx_endpoint_addr_t, mx_endpoint_t } from "mxtop";
import { MX_STATUS_SUCCESS } from "mxtop";
import { close, EXACT, expectStatus, farewell, fill, init, KEY, open, verify, whole } from "./common.ts";

/**
 * omx_rails: one process opens an endpoint on every board and sends over all of them at once. With one board
 * (`--set boards=1`) it is a plain transfer.
 */

const BYTES = 1 << 20;
const ROUNDS = 4;

export const guests = 2;

export default function* main(guest: Guest) {
  const { mx } = guest;
  yield* init(guest);
  const endpoints: mx_endpoint_t[] = [];
  for (let board = 0; board < guest.boards; board++) {
    endpoints.push(yield* open(guest, guest.endpoint(guest.rank), board));
  }
  const partners = yield* connectAll(guest, endpoints, 1 - guest.rank);
  const rails = endpoints.map((endpoint, board) => (
    { board, endpoint, partner: partners[board], buffer: guest.alloc(BYTES) }
  ));
  const from = guest.now();
  for (let round = 0; round < ROUNDS; round++) {
    const requests = [];
    for (const { board, endpoint, partner, buffer } of rails) {
      const match = BigInt(round);
      if (guest.rank === 0) fill(buffer, BYTES, round * 10 + board);
      const call = guest.rank === 0
        ? yield* mx.mx_isend(endpoint, whole(buffer, BYTES), 1, partner, match, null)
        : yield* mx.mx_irecv(endpoint, whole(buffer, BYTES), 1, match, EXACT, null);
      requests.push(call.request!);
    }
    // None may starve while another is waited for.
    const open = new Set(rails.keys());
    while (open.size > 0) {
      for (const i of [...open]) {
        const { result, status } = yield* mx.mx_test(rails[i].endpoint, requests[i]);
        if (!result) continue;
        expectStatus(guest, status!, MX_STATUS_SUCCESS, BYTES, `round ${round} on board ${i}`);
        open.delete(i);
      }
    }
    for (const { board, buffer } of rails) {
      if (guest.rank === 1) verify(guest, buffer, BYTES, round * 10 + board, `round ${round} on board ${board}`);
    }
  }
  const MBps = rails.length * ROUNDS * BYTES / (guest.now() - from);
  guest.print(`${rails.length} boards: ${MBps.toFixed(0)} MB/s`);
  for (const { endpoint, partner } of rails) yield* farewell(guest, endpoint, partner);
  yield* close(guest, ...rails.map(({ endpoint }) => endpoint));
}

/**
 * Connects every endpoint to its like at another rank, board by board. An endpoint answers only while its program makes
 * progress on it: all are looked after until the last one has its answer.
 */
function* connectAll(guest: Guest, endpoints: readonly mx_endpoint_t[], rank: number): Call<mx_endpoint_addr_t[]> {
  const { mx } = guest;
  const found: mx_endpoint_addr_t[] = [];
  for (const [board, endpoint] of endpoints.entries()) {
    const { nic_id } = yield* mx.mx_hostname_to_nic_id(guest.hostname(rank, board));
    while (found.length === board) {
      const { request } = yield* mx.mx_iconnect(endpoint, nic_id, guest.endpoint(rank), KEY, 0n, null);
      let answer = yield* mx.mx_test(endpoint, request!);
      while (!answer.result) {
        for (const other of endpoints) yield* mx.mx_progress(other);
        answer = yield* mx.mx_test(endpoint, request!);
      }
      if (answer.status!.code === MX_STATUS_SUCCESS) found.push(answer.status!.source!);
    }
  }
  return found;
}
