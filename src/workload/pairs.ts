import { type Crew, WorkloadError } from "./workload.ts";

/** Who talks to whom: two ranks on different hosts, or two on the same host. */
export type Pairing = "cross-host" | "same-host";

/** One pair; the first rank is the client of a ping-pong and the sender of a one-way stream. */
export type Pair = readonly [number, number];

/** What has been worked out for a crew: every rank asks for all pairs. */
const known = new WeakMap<Crew, Map<Pairing, Pair[]>>();
/** By rank: which pair it belongs to. */
const numbers = new WeakMap<readonly Pair[], Int32Array>();

/**
 * Pairs all ranks. Across hosts each pair takes one rank from each of the two hosts with the most ranks left (the host
 * that comes first gives the first rank); within a host neighbours pair up. Throws {@link WorkloadError} when a rank is
 * left over.
 */
export function pairRanks(crew: Crew, pairing: Pairing): readonly Pair[] {
  let pairings = known.get(crew);
  if (pairings === undefined) known.set(crew, pairings = new Map());
  let pairs = pairings.get(pairing);
  if (pairs === undefined) pairings.set(pairing, pairs = pairAll(crew, pairing));
  return pairs;
}

function pairAll(crew: Crew, pairing: Pairing): Pair[] {
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
  const left = hosts.map((ranks) => ranks.length);
  const take = (host: number) => hosts[host][hosts[host].length - left[host]--];
  const pairs: Pair[] = [];
  for (;;) {
    // The two with the most ranks left; of several with as many, those that come first.
    let most = 0;
    let next = -1;
    for (let host = 1; host < left.length; host++) {
      if (left[host] > left[most]) [most, next] = [host, most];
      else if (next < 0 || left[host] > left[next]) next = host;
    }
    if (left[most] === 0) return pairs;
    if (next < 0 || left[next] === 0) {
      throw new WorkloadError(
        `pairs: cross-host wants a partner on another host for every guest, found ${left[most]} without one`,
      );
    }
    const [a, b] = most < next ? [most, next] : [next, most];
    pairs.push([take(a), take(b)]);
  }
}

/** The pair that a rank belongs to, and its place in it. */
export function pairOf(pairs: readonly Pair[], rank: number): { number: number; partner: number; isFirst: boolean } {
  let numberOf = numbers.get(pairs);
  if (numberOf === undefined) {
    numberOf = new Int32Array(2 * pairs.length);
    for (const [number, ranks] of pairs.entries()) for (const rank of ranks) numberOf[rank] = number;
    numbers.set(pairs, numberOf);
  }
  const number = numberOf[rank];
  const [a, b] = pairs[number];
  return { number, partner: a === rank ? b : a, isFirst: a === rank };
}
