import type { Guest } from "../cluster/cluster.ts";
import { directoryOf, type PartnerPlace } from "../cluster/directory.ts";
import type { Session } from "../cluster/session.ts";
import type { PeerFigures } from "./snapshot.ts";

/** Peers of a guest that a snapshot names: who talks to all others has more than anybody reads. */
const NAMED = 8;

/** How many partners a guest's endpoints have, and who the first of them are, in the order in which they met. */
export function peersOf(session: Session, guest: Guest): { peers: PeerFigures[]; peer_count: number } {
  const peers: PeerFigures[] = [];
  let count = 0;
  for (const endpoint of guest.mx?.endpoints ?? []) {
    for (const partner of endpoint.library.core.partners.all) {
      if (partner.isSelf) continue;
      count++;
      if (peers.length >= NAMED) continue;
      const name = nameOf(session, guest, endpoint.board, partner);
      peers.push({ name, unacked: partner.unacked.size });
    }
  }
  return { peers, peer_count: count };
}

/** The guest that a partner of a library is, null when there is no such library or partner (any more). */
export function partnerName(session: Session, library: object, partner: object): string | null {
  for (const guest of session.cluster.guests) {
    const endpoint = guest.mx?.endpoints.find(({ library: { core } }) => core === library);
    const found = endpoint?.library.core.partners.all.find((other) => other === partner);
    if (found !== undefined) return nameOf(session, guest, endpoint!.board, found);
  }
  return null;
}

function nameOf({ cluster }: Session, guest: Guest, board: number, partner: PartnerPlace): string {
  const directory = directoryOf(cluster);
  const rank = directory.rankOf(guest, board, partner);
  return cluster.guests[rank]?.spec.name ?? directory.placeOf(guest, board, partner);
}
