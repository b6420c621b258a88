import { List } from "./list.ts";
import type { Request } from "./request.ts";

/**
 * Posted receives and unexpected messages, both first in, first out. A message matches the first posted receive whose
 * info equals mask & incoming (no source filter, omx_recv.c:475-489); a new receive takes the first unexpected message
 * that fits (:1196-1220). Context ids only split these queues for speed, since a mask must cover them: one queue of
 * each kind gives the same matches.
 *
 * 64-bit match information is two words; comparisons are on signed words.
 */
export class Matcher {
  readonly posted: List<Request> = new List<Request>();
  readonly unexpected: List<Request> = new List<Request>();

  post(receive: Request): void {
    this.posted.append(receive.stateLink);
  }

  /** Takes the receive that an incoming message matches, null when there is none. */
  takePosted(matchA: number, matchB: number): Request | null {
    for (let link = this.posted.first; link !== null; link = link.next) {
      const receive = link.of;
      if ((receive.maskA & matchA) === receive.wantA && (receive.maskB & matchB) === receive.wantB) {
        this.posted.remove(link);
        return receive;
      }
    }
    return null;
  }

  keepUnexpected(message: Request): void {
    this.unexpected.append(message.stateLink);
  }

  /** The oldest unexpected message that a receive would match; stays where it is. */
  findUnexpected(wantA: number, wantB: number, maskA: number, maskB: number): Request | null {
    return findByMatch(this.unexpected, wantA, wantB, maskA, maskB);
  }
}

/** The first request of a list whose own match information, masked, equals what is wanted. */
function findByMatch(
  list: List<Request>,
  wantA: number,
  wantB: number,
  maskA: number,
  maskB: number,
): Request | null {
  for (let link = list.first; link !== null; link = link.next) {
    const request = link.of;
    if ((request.matchA & maskA) === (wantA | 0) && (request.matchB & maskB) === (wantB | 0)) return request;
  }
  return null;
}
