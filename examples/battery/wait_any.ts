import type { Guest } from "mxtop";
import { MX_INFINITE, MX_STATUS_SUCCESS, MX_SUCCESS } from "mxtop";
import { close, connect, EXACT, expect, expectStatus, farewell, fill, init, open, verify, whole } from "./common.ts";

/** mx_wait_any_test: completions of sends and receives are collected by mx_wait_any and mx_test_any, by their match. */

const LENGTHS = [0, 64, 4096, 131072];
const SENDS = 0x1000n;
const RECEIVES = 0x2000n;
const KIND = 0xf000n;

export const guests = 2;

export default function* main(guest: Guest) {
  const { mx } = guest;
  yield* init(guest);
  const endpoint = yield* open(guest);
  const partner = yield* connect(guest, endpoint, 1 - guest.rank);
  const out = LENGTHS.map((length) => guest.alloc(length + 1));
  const into = LENGTHS.map((length) => guest.alloc(length + 1));
  for (const [i, length] of LENGTHS.entries()) {
    // What one sends as a "send" the other receives as a "receive": the kinds differ by rank, not by side.
    const [mine, theirs] = guest.rank === 0 ? [SENDS, RECEIVES] : [RECEIVES, SENDS];
    yield* mx.mx_irecv(endpoint, whole(into[i], length), 1, theirs | BigInt(i), EXACT, i);
    fill(out[i], length, i + 10 * guest.rank);
    yield* mx.mx_isend(endpoint, whole(out[i], length), 1, partner, mine | BigInt(i), i);
  }
  const nothing = yield* mx.mx_test_any(endpoint, 0x3000n, KIND);
  guest.check(nothing.code === MX_SUCCESS && !nothing.result, "nothing of a kind that does not exist");
  const timeout = yield* mx.mx_wait_any(endpoint, 1, 0x3000n, KIND);
  guest.check(timeout.code === MX_SUCCESS && !timeout.result, "mx_wait_any ends after its timeout");
  for (const kind of [RECEIVES, SENDS]) {
    const seen = new Set<unknown>();
    for (let n = 0; n < LENGTHS.length; n++) {
      const { code, result, status } = yield* mx.mx_wait_any(endpoint, MX_INFINITE, kind, KIND);
      expect(guest, code, MX_SUCCESS, "mx_wait_any");
      guest.check(result && (status!.match_info & KIND) === kind, "a completion of the kind that was asked for");
      const i = status!.context as number;
      expectStatus(guest, status!, MX_STATUS_SUCCESS, LENGTHS[i], `${LENGTHS[i]} bytes`);
      seen.add(i);
    }
    guest.check(seen.size === LENGTHS.length, "each completion is reported once");
    guest.print(`${seen.size} completions of kind ${kind.toString(16)}`);
  }
  for (const [i, length] of LENGTHS.entries()) {
    verify(guest, into[i], length, i + 10 * (1 - guest.rank), `${length} bytes`);
  }
  yield* farewell(guest, endpoint, partner);
  yield* close(guest, endpoint);
}
