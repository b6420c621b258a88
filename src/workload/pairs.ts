import { type Crew, WorkloadError } from "./workload.ts";

/** Who talks to whom: two ranks on different hosts, or two on the same host. */
export type Pairing = "cross-host" | "same-host";

/** One pair; the first rank is the client of a ping-pong and the sender of a one-way stream. */
export type Pair = readonly [number, number];

/**
 * Pairs all ranks. Across hosts each pair takes one rank from each of the two hosts with the most ranks left (the host
 * that comes first gives the first rank); within a host neighbours pair up. Throws {@link WorkloadError} when a rank is
 * left over.
 */
export function pairRanks(crew: Crew, pairing: Pairing): Pair[] {
  const byHost = new Map<number, number[]>();
  for (let rank = 0; rank < crew.ranks; rank++) {
    const host = crew.hostIndexOf(rank);
    const ranks = byHost.get(host);
    if (ranks === undefined) byHost.set(host, [rank]);
    else ranks.push(rank);
  }
  const hosts = [...byHost.keys()].sort((x, y) => x - y).map((host) => byHost.get(host)!);
  return pairing === "same-host" ? withinHosts(hosts) : acrossHosts(hosts);
}

function withinHosts(hosts: number[][]): Pair[] {
  const pairs: Pair[] = [];
  for (const ranks of hosts) {
    if (ranks.length % 2 !== 0) {
      throw new WorkloadError(
        `pairs: same-host wants an even number of guests on every host, found ${ranks.length} on one`,
      );
    }
    for (let i = 0; i < ranks.length; i += 2) pairs.push([ranks[i], ranks[i + 1]]);
  }
  return pairs;
}

function acrossHosts(hosts: number[][]): Pair[] {
  const left = hosts.map((ranks) => ranks.slice());
  const pairs: Pair[] = [];
  for (;;) {
    const order = left.map((_, i) => i).sort((x, y) => left[y].length - left[x].length || x - y);
    const [most, next] = order;
    if (left[most].length === 0) return pairs;
    if (next === undefined || left[next].length === 0) {
      throw new WorkloadError(
        `pairs: cross-host wants a partner on another host for every guest, found ${left[most].length} without one`,
      );
    }
    const [a, b] = most < next ? [most, next] : [next, most];
    pairs.push([left[a].shift()!, left[b].shift()!]);
  }
}

/** The pair that a rank belongs to, and its place in it. */
export function pairOf(pairs: readonly Pair[], rank: number): { number: number; partner: number; isFirst: boolean } {
  const number = pairs.findIndex((pair) => pair.includes(rank));
  const [a, b] = pairs[number];
  return { number, partner: a === rank ? b : a, isFirst: a === rank };
}
