import type { DriverEndpoint } from "../mx/driver/endpoint.ts";
import type { LibraryCore } from "../mx/lib/core.ts";
import { RECV_LARGE, type Request } from "../mx/lib/request.ts";
import { STATUS_SUCCESS, STATUS_TRUNCATED } from "../mx/status.ts";
import type { Cluster } from "./cluster.ts";
import { directoryOf, type PartnerPlace } from "./directory.ts";

/**
 * Payload of large messages that has arrived and that no program knows of yet, bytes by rank: of those that a guest
 * receives, and of those that it sends.
 */
export interface Arriving {
  readonly received: Float64Array;
  readonly sent: Float64Array;
}

/**
 * What is under way now. Meters know whole messages, at the instant at which their receiver has them: rates need the
 * parts at both ends of their time too, or a few messages that end together make more than a link carries. Messages of
 * up to 32 KiB are left out, as what is there of them is little.
 */
export function arriving(cluster: Cluster): Arriving {
  const { guests } = cluster;
  const directory = directoryOf(cluster);
  const received = new Float64Array(guests.length);
  const sent = new Float64Array(guests.length);
  for (const [rank, guest] of guests.entries()) {
    for (const { board, index, library: { core } } of guest.mx?.endpoints ?? []) {
      const inKernel = directory.boardOf(guest, board)?.driver.endpoints[index] ?? null;
      lookAt(core, inKernel?.session === core.session ? inKernel : null, (partner, bytes) => {
        received[rank] += bytes;
        const from = directory.rankOf(guest, board, partner);
        if (from >= 0) sent[from] += bytes;
      });
    }
  }
  return { received, sent };
}

/** Tells `add` of every large receive of an endpoint how much of it is there; `inKernel` is the driver's side of it. */
function lookAt(
  core: LibraryCore,
  inKernel: DriverEndpoint | null,
  add: (partner: PartnerPlace, bytes: number) => void,
): void {
  for (let link = core.done.first; link !== null; link = link.next) {
    const { kind, code, partner, transferLength } = link.of;
    const isWell = code === STATUS_SUCCESS || code === STATUS_TRUNCATED;
    if (kind === RECV_LARGE && isWell && partner !== null) add(partner, transferLength);
  }
  // Of pulls that are over, the library may not have read yet that they are.
  let unread = (inKernel?.pulled ?? 0) - core.pulled;
  for (const request of core.handles.all) {
    if (request === null || request.kind !== RECV_LARGE || request.done) continue;
    let bytes = request.notifying ? request.transferLength : pulledOf(request, inKernel);
    if (bytes < 0) unread -= bytes = Math.min(unread, request.transferLength);
    if (bytes > 0) add(request.partner!, bytes);
  }
}

/** Bytes of a receive that the driver has pulled so far; -1 when it has not begun or is through. */
function pulledOf({ handle }: Request, inKernel: DriverEndpoint | null): number {
  for (const pull of inKernel?.pulls ?? []) if (pull !== null && pull.cookie === handle) return pull.received;
  return -1;
}
