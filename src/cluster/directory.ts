import type { Board } from "../path/path.ts";
import { boardName } from "../path/path.ts";
import type { Cluster, Guest } from "./cluster.ts";

/** A partner of a library, as the library names it: index of the peer in its driver's table, and endpoint. */
export interface PartnerPlace {
  readonly peer: number;
  readonly endpoint: number;
}

/** Whose endpoint is at a place of the MX network, and on which boards a guest's endpoints are: the same all the run. */
export class Directory {
  /** Rank by host name and endpoint. */
  readonly #ranks = new Map<string, number>();
  /** By guest and board. */
  readonly #boards = new Map<Guest, readonly (Board | undefined)[]>();

  constructor({ guests }: Cluster) {
    for (const [rank, guest] of guests.entries()) {
      for (const { hostname, endpoint } of guest.ports) this.#ranks.set(placeText(hostname, endpoint), rank);
      this.#boards.set(guest, guest.ports.map(({ hostname }, board) => boardOf(guest, hostname, board)));
    }
  }

  /** The board that a guest's endpoints of this number are on. */
  boardOf(guest: Guest, board: number): Board | undefined {
    return this.#boards.get(guest)?.[board];
  }

  /** Rank of the guest that a partner of `guest` is; -1 when it is none's endpoint. */
  rankOf(guest: Guest, board: number, partner: PartnerPlace): number {
    return this.#ranks.get(this.placeOf(guest, board, partner)) ?? -1;
  }

  /** Host name and endpoint of a partner. */
  placeOf(guest: Guest, board: number, { peer, endpoint }: PartnerPlace): string {
    return placeText(this.boardOf(guest, board)?.peers.at(peer)?.name ?? `peer ${peer}`, endpoint);
  }
}

const directories = new WeakMap<Cluster, Directory>();

export function directoryOf(cluster: Cluster): Directory {
  let directory = directories.get(cluster);
  if (directory === undefined) directories.set(cluster, directory = new Directory(cluster));
  return directory;
}

function placeText(hostname: string, endpoint: number): string {
  return `${hostname}/${endpoint}`;
}

function boardOf({ host, path }: Guest, hostname: string, board: number): Board | undefined {
  const boards = host.paths.get(boardName(path.name, board))?.boards ?? [];
  return boards.find((candidate) => candidate.hostname === hostname);
}
