import type { Guest } from "mxtop";
import { MX_STATUS_SUCCESS, MX_STATUS_TRUNCATED } from "mxtop";
import { close, connect, EXACT, expectStatus, farewell, fill, finish, init, open, verify, whole } from "./common.ts";

/**
 * omx_truncated_test: a message longer than the receive is cut. The receiver is told; the sender of an eager message
 * never learns, that of a large one hears how much was taken.
 */

/** Sent and asked for. */
const CASES = [[32, 10], [128, 40], [128, 0], [20000, 9000], [32768, 1], [300000, 123456], [300000, 0]] as const;

export const guests = 2;

export default function* main(guest: Guest) {
  const { mx } = guest;
  yield* init(guest);
  const endpoint = yield* open(guest);
  const partner = yield* connect(guest, endpoint, 1 - guest.rank);
  const buffer = guest.alloc(300000);
  for (const late of [false, true]) {
    for (const [i, [sent, wanted]] of CASES.entries()) {
      const match = BigInt(i + (late ? 100 : 0));
      if (guest.rank === 0) {
        // Early receives are posted before the message leaves: the receiver says when.
        if (!late) yield* finish(guest, endpoint, (yield* mx.mx_irecv(endpoint, [], 0, match, EXACT, null)).request);
        fill(buffer, sent, i);
        const send = yield* mx.mx_isend(endpoint, whole(buffer, sent), 1, partner, match, null);
        const status = yield* finish(guest, endpoint, send.request);
        const large = sent > 32768;
        expectStatus(guest, status, status.code, large ? wanted : sent, `send of ${sent} for ${wanted}`);
        guest.check(
          large ? status.code === MX_STATUS_TRUNCATED : status.code === MX_STATUS_SUCCESS,
          `send status ${status.code}`,
        );
      } else {
        buffer.bytes().fill(0xee);
        if (late) yield* mx.mx_probe(endpoint, 0, match, EXACT);
        const receive = yield* mx.mx_irecv(endpoint, whole(buffer, wanted), 1, match, EXACT, null);
        if (!late) yield* finish(guest, endpoint, (yield* mx.mx_isend(endpoint, [], 0, partner, match, null)).request);
        const status = yield* finish(guest, endpoint, receive.request);
        expectStatus(guest, status, MX_STATUS_TRUNCATED, wanted, `receive of ${wanted} from ${sent}`);
        guest.check(status.msg_length === sent, `the status tells the message's length, ${sent}`);
        verify(guest, buffer, wanted, i, `first ${wanted} of ${sent}`);
        guest.check(buffer.bytes()[wanted] === 0xee, `nothing is written behind ${wanted} of ${sent}`);
        guest.print(`${sent} bytes were cut to ${wanted}${late ? ", unexpected" : ""}`);
      }
    }
  }
  yield* farewell(guest, endpoint, partner);
  yield* close(guest, endpoint);
}
