import type { Guest } from "../cluster/cluster.ts";
import type { Session } from "../cluster/session.ts";
import type { PeerTable } from "../mx/driver/peer_table.ts";
import { boardName } from "../path/path.ts";
import type { PeerFigures } from "./snapshot.ts";

/** Peers of a guest that a snapshot names: who talks to all others has more than anybody reads. */
const NAMED = 8;

/** What does not change during a run: whose endpoint is at a place of the MX network, and each guest's peer tables. */
interface Directory {
  readonly guests: ReadonlyMap<string, string>;
  /** By guest and board. */
  readonly tables: ReadonlyMap<Guest, readonly (PeerTable | undefined)[]>;
}

const directories = new WeakMap<Session["cluster"], Directory>();

const place = (hostname: string, endpoint: number) => `${hostname}/${endpoint}`;

function directoryOf({ cluster }: Session): Directory {
  let known = directories.get(cluster);
  if (known !== undefined) return known;
  const guests = new Map<string, string>();
  const tables = new Map<Guest, (PeerTable | undefined)[]>();
  for (const guest of cluster.guests) {
    for (const { hostname, endpoint } of guest.ports) guests.set(place(hostname, endpoint), guest.spec.name);
    tables.set(guest, guest.ports.map(({ hostname }, board) => tableOf(guest, hostname, board)));
  }
  known = { guests, tables };
  directories.set(cluster, known);
  return known;
}

/** The peer table of the board that a guest's endpoints are on. */
function tableOf({ host, path }: Guest, hostname: string, board: number): PeerTable | undefined {
  const boards = host.paths.get(boardName(path.name, board))?.boards ?? [];
  return boards.find((candidate) => candidate.hostname === hostname)?.peers;
}

/** How many partners a guest's endpoints have, and who the first of them are, in the order in which they met. */
export function peersOf(session: Session, guest: Guest): { peers: PeerFigures[]; peer_count: number } {
  const directory = directoryOf(session);
  const peers: PeerFigures[] = [];
  let count = 0;
  for (const endpoint of guest.mx?.endpoints ?? []) {
    for (const partner of endpoint.library.core.partners.all) {
      if (partner.isSelf) continue;
      count++;
      if (peers.length >= NAMED) continue;
      const name = nameOf(directory, guest, endpoint.board, partner);
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
    if (found !== undefined) return nameOf(directoryOf(session), guest, endpoint!.board, found);
  }
  return null;
}

function nameOf(
  { guests, tables }: Directory,
  guest: Guest,
  board: number,
  { peer, endpoint }: { readonly peer: number; readonly endpoint: number },
): string {
  const hostname = tables.get(guest)?.[board]?.at(peer)?.name ?? `peer ${peer}`;
  return guests.get(place(hostname, endpoint)) ?? place(hostname, endpoint);
}
