import { showValue } from "../base/quantity.ts";
import { didYouMean } from "../base/suggest.ts";
import { TIME_LIMIT_PS } from "../base/units.ts";
import type { FaultSpec, GuestSpec, HostSpec, Scenario, TroubleSpec } from "./scenario.ts";
import type { ScenarioFile } from "./scenario_file.ts";
import { oneOf, type ProblemList } from "./scenario_problem.ts";
import type { PathInfo } from "./scenario_schema.ts";

/** Name of a link or a switch of a rail: that of the first one, and for others with the rail's number after a slash. */
export function onRail(name: string, rail: number): string {
  return rail === 0 ? name : `${name}/${rail}`;
}

/** A link by the names of its ends, from either of them. */
interface LinkName {
  readonly name: string;
  readonly reversed: string;
}

/** The links of one rail by the names of their ends: two hosts are joined directly, more by a switch. */
export function railLinks(hosts: readonly { readonly name: string }[], rail: number): string[] {
  return linksOf(hosts, rail).map(({ name }) => name);
}

function linksOf(hosts: readonly { readonly name: string }[], rail: number): LinkName[] {
  const link = (a: string, b: string) => ({ name: onRail(`${a}-${b}`, rail), reversed: onRail(`${b}-${a}`, rail) });
  if (hosts.length < 2) return [];
  if (hosts.length === 2) return [link(hosts[0].name, hosts[1].name)];
  return hosts.map(({ name }) => link(name, "switch"));
}

type FaultEntry = NonNullable<ScenarioFile["faults"]>[number];

/** What each kind of fault is done to, and what it may say besides. */
const KEYS = { link: ["loss", "corrupt", "delay", "cut"], host: ["stall", "hog"], guest: ["crash"] } as const;
type Place = keyof typeof KEYS;
const PLACES = Object.keys(KEYS) as Place[];

/** The faults of a scenario, each on a link, a host or a guest that exists. A link may be named from either of its ends. */
export function resolveFaults(
  file: ScenarioFile,
  hosts: readonly HostSpec[],
  guests: readonly GuestSpec[],
  paths: readonly PathInfo[],
  problems: ProblemList,
): Pick<Scenario, "faults" | "troubles"> {
  const all = Array.from({ length: file.boards ?? 1 }, (_, rail) => linksOf(hosts, rail)).flat();
  const faults: FaultSpec[] = [];
  const troubles: TroubleSpec[] = [];
  for (const [i, fault] of (file.faults ?? []).entries()) {
    const place = placeOf(fault, i, problems);
    if (fault.at + (fault.for ?? 0) > TIME_LIMIT_PS) {
      problems.add(["faults", i, "for"], "at and for together pass 9007 s (2^53 ps), the end of virtual time");
    }
    if (place === "link") faults.push(linkFault(fault, i, all, problems));
    else if (place === "host") troubles.push(...hostTroubles(fault, i, hosts, guests, paths, problems));
    else if (place === "guest") troubles.push(...guestTroubles(fault, i, guests, problems));
  }
  return { faults, ...(troubles.length > 0 ? { troubles } : {}) };
}

/** What a fault is done to: exactly one thing, which everything else in it is for. */
function placeOf(fault: FaultEntry, i: number, problems: ProblemList): Place | null {
  const named = PLACES.filter((place) => fault[place] !== undefined);
  if (named.length !== 1) {
    const found = named.length === 0 ? "nothing that it is done to" : named.join(" and ");
    problems.add(["faults", i], `found ${found}, wanted one of link, host and guest`);
    return null;
  }
  const [place] = named;
  for (const other of PLACES) {
    for (const key of KEYS[other]) {
      if (other !== place && fault[key] !== undefined) {
        problems.add(["faults", i, key], `found on a ${place}, wanted on a ${other}`);
      }
    }
  }
  if (!KEYS[place].some((key) => fault[key] !== undefined)) {
    problems.add(["faults", i], `found a fault that does nothing, wanted ${oneOf(KEYS[place])}`);
  }
  return place;
}

function linkFault(fault: FaultEntry, i: number, all: readonly LinkName[], problems: ProblemList): FaultSpec {
  const links = all.map(({ name }) => name);
  const link = all.find(({ name, reversed }) => fault.link === name || fault.link === reversed)?.name;
  if (link === undefined) {
    const wanted = links.length === 0 ? "no faults: one host has no link" : `a link: ${oneOf(links)}`;
    const near = didYouMean(fault.link!, links);
    problems.add(["faults", i, "link"], `found ${showValue(fault.link)}, wanted ${wanted}${near}`);
  }
  return {
    atPs: fault.at,
    forPs: fault.for ?? null,
    link: link ?? fault.link!,
    loss: fault.loss ?? 0,
    delayPs: fault.delay ?? 0,
    cut: fault.cut ?? false,
    ...((fault.corrupt ?? 0) > 0 ? { corrupt: fault.corrupt } : {}),
  };
}

function hostTroubles(
  fault: FaultEntry,
  i: number,
  hosts: readonly HostSpec[],
  guests: readonly GuestSpec[],
  paths: readonly PathInfo[],
  problems: ProblemList,
): TroubleSpec[] {
  const { at: atPs, for: forPs = null, stall, hog: cpus } = fault;
  const host = fault.host!;
  const names = hosts.map(({ name }) => name);
  const index = names.indexOf(host);
  if (index < 0) {
    const near = didYouMean(host, names);
    problems.add(["faults", i, "host"], `found ${showValue(host)}, wanted a host: ${oneOf(names)}${near}`);
  }
  const troubles: TroubleSpec[] = [];
  if (stall === true) {
    if (forPs === null) problems.add(["faults", i, "for"], "missing; wanted how long the back end is stalled");
    const own = new Set(guests.filter((guest) => guest.host === index).map(({ path }) => path));
    const hasBackEnd = [...own].some((path) => paths.find(({ name }) => name === path)?.hasBackEnd ?? true);
    if (index >= 0 && !hasBackEnd) problems.add(["faults", i, "stall"], noBackEnd(host, [...own]));
    troubles.push({ kind: "stall", atPs, forPs: forPs ?? 1, host });
  }
  if (cpus !== undefined) troubles.push({ kind: "hog", atPs, forPs, host, cpus });
  return troubles;
}

/** Why a host cannot be stalled. */
export function noBackEnd(host: string, paths: readonly string[]): string {
  const where = paths.length === 0 ? "it has no guests" : `nothing stands between guests and NIC on ${oneOf(paths)}`;
  return `host ${host} has no back end to stall: ${where}`;
}

function guestTroubles(
  fault: FaultEntry,
  i: number,
  guests: readonly GuestSpec[],
  problems: ProblemList,
): TroubleSpec[] {
  const guest = fault.guest!;
  const names = guests.map(({ name }) => name);
  if (!names.includes(guest)) {
    const near = didYouMean(guest, names);
    problems.add(["faults", i, "guest"], `found ${showValue(guest)}, wanted a guest: ${oneOf(names)}${near}`);
  }
  if (fault.for === undefined) problems.add(["faults", i, "for"], "missing; wanted how long the guest is down");
  return fault.crash === true ? [{ kind: "crash", atPs: fault.at, forPs: fault.for ?? 1, guest }] : [];
}
