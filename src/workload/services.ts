import { type Pairing, pairOf, pairRanks } from "./pairs.ts";
import { type Crew, WorkloadError } from "./workload.ts";

/** A server and all ranks that send it requests. */
export interface Service {
  readonly server: number;
  readonly clients: readonly number[];
}

/** By crew and number of servers: every rank asks for its own. */
const known = new WeakMap<Crew, Map<number, readonly Service[]>>();

/**
 * The service that a rank takes part in. Without a number of servers that is a pair, whose first rank is the client.
 * Otherwise the first ranks are the servers, and each of the others is the client of the one with the fewest clients so
 * far, of those on another host where there is one.
 */
export function serviceOf(crew: Crew, pairing: Pairing, servers: number | undefined, rank: number): Service {
  if (servers === undefined) {
    const { partner, isFirst } = pairOf(pairRanks(crew, pairing), rank);
    return isFirst ? { server: partner, clients: [rank] } : { server: rank, clients: [partner] };
  }
  let byServers = known.get(crew);
  if (byServers === undefined) known.set(crew, byServers = new Map());
  let byRank = byServers.get(servers);
  if (byRank === undefined) byServers.set(servers, byRank = deal(crew, servers));
  return byRank[rank];
}

/** Throws {@link WorkloadError} when there are no such services. */
export function checkServices(crew: Crew, pairing: Pairing, servers: number | undefined): void {
  if (servers === undefined) pairRanks(crew, pairing);
  else if (2 * servers > crew.ranks) {
    const most = Math.floor(crew.ranks / 2);
    throw new WorkloadError(`servers: found ${servers}, wanted at most ${most}: half of the ${crew.ranks} guests`);
  }
}

/** The service of each rank. */
function deal(crew: Crew, servers: number): Service[] {
  const clients: number[][] = Array.from({ length: servers }, () => []);
  const services = clients.map((own, server): Service => ({ server, clients: own }));
  const byRank = [...services];
  for (let rank = servers; rank < crew.ranks; rank++) {
    const isNear = (server: number) => crew.hostIndexOf(server) === crew.hostIndexOf(rank);
    let chosen = 0;
    for (let server = 1; server < servers; server++) {
      const further = Number(isNear(chosen)) - Number(isNear(server));
      if (further > 0 || (further === 0 && clients[server].length < clients[chosen].length)) chosen = server;
    }
    clients[chosen].push(rank);
    byRank.push(services[chosen]);
  }
  return byRank;
}
