import { showValue } from "../base/quantity.ts";
import { didYouMean } from "../base/suggest.ts";
import type { GuestSpec, HostSpec } from "./scenario.ts";
import type { ScenarioFile } from "./scenario_file.ts";
import { oneOf, type ProblemList } from "./scenario_problem.ts";
import { HOST_LIMIT, type PathInfo } from "./scenario_schema.ts";

/*
 * Who is where: hosts and guests of a scenario with their names, defaults and the rules between them.
 *
 *   - a scenario on a path without a hypervisor makes every host native
 *   - a guest of a native host is a process, and its path is the native one whatever it asks for
 *   - one host runs one hypervisor
 *   - guest i of a number of guests is on host i modulo the number of hosts
 */

/** Hosts of a scenario that does not say. */
const DEFAULT_HOSTS = 2;

/** The list that means the same as a count of hosts in a file; null for what is none. */
export function countedHosts(count: unknown = DEFAULT_HOSTS): { name: string }[] | null {
  if (typeof count !== "number" || !Number.isInteger(count) || count < 1 || count > HOST_LIMIT) return null;
  return Array.from({ length: count }, (_, i) => ({ name: lettersOf(i) }));
}

/** The hosts, named a, b, ..., z, aa, ab, ... where only their number is given. */
export function resolveHosts(
  file: ScenarioFile,
  path: string,
  paths: readonly PathInfo[],
  problems: ProblemList,
): HostSpec[] {
  const allNative = hypervisorOf(path, paths) === "none";
  const listed = file.hosts ?? DEFAULT_HOSTS;
  if (typeof listed === "number") {
    return Array.from({ length: listed }, (_, i) => ({
      name: lettersOf(i),
      cpus: null,
      native: allNative,
      dom0Vcpus: file.dom0_vcpus ?? null,
    }));
  }
  reportTwins("hosts", listed.map(({ name }) => name), problems);
  return listed.map((host) => ({
    name: host.name,
    cpus: host.cpus ?? null,
    native: allNative || (host.native ?? false),
    dom0Vcpus: host.dom0_vcpus ?? file.dom0_vcpus ?? null,
  }));
}

/** The guests, named vm01, vm02, ... where no name is given. */
export function resolveGuests(
  file: ScenarioFile,
  path: string,
  hosts: readonly HostSpec[],
  paths: readonly PathInfo[],
  machineCpus: number,
  problems: ProblemList,
): GuestSpec[] {
  const wanted = file.guests ?? 2;
  const listed = typeof wanted === "number" ? Array.from({ length: wanted }, () => ({} as GuestEntry)) : wanted;
  const names = listed.map(({ name }, i) => name ?? `vm${String(i + 1).padStart(2, "0")}`);
  reportTwins("guests", names, problems);
  const native = paths.find(({ hypervisor }) => hypervisor === "none")?.name ?? path;
  return listed.map((entry, i) => {
    const host = hostOf(entry, i, hosts, problems);
    const spec = hosts[host];
    const asked = entry.path ?? path;
    if (!spec.native && hypervisorOf(asked, paths) === "none") {
      const where = entry.path === undefined ? ["path"] : ["guests", i, "path"];
      problems.add(where, `found ${asked} on host ${spec.name}, wanted native: true on that host`);
    }
    for (const cpu of entry.pin ?? []) {
      const cpus = spec.cpus ?? machineCpus;
      if (cpu >= cpus) problems.add(["guests", i, "pin"], `found ${cpu}, wanted 0 to ${cpus - 1} on host ${spec.name}`);
    }
    return {
      name: names[i],
      host,
      path: spec.native ? native : asked,
      vcpus: entry.vcpus ?? 1,
      weight: entry.weight ?? 256,
      pin: entry.pin ?? null,
    };
  });
}

/** What the guests of a host are to each other: its hypervisor's, and not more than there is room for. */
export function checkGuests(
  guests: readonly GuestSpec[],
  hosts: readonly HostSpec[],
  paths: readonly PathInfo[],
  problems: ProblemList,
): void {
  const firsts = new Map<number, GuestSpec>();
  const counts = new Map<string, number>();
  for (const [i, guest] of guests.entries()) {
    const first = firsts.get(guest.host);
    if (first === undefined) firsts.set(guest.host, guest);
    else reportMixture(guest, i, first, hosts, paths, problems);
    const key = `${guest.host} ${guest.path}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const most = paths.find(({ name }) => name === guest.path)?.guestsPerHost ?? Infinity;
    if (count === Math.floor(most) + 1) {
      const where = `${guest.path} on host ${hosts[guest.host].name}`;
      problems.add(["guests"], `found more than ${most} guests of path ${where}, wanted more hosts`);
    }
  }
}

/** a to z, aa to az, and so on. */
function lettersOf(index: number): string {
  return (index < 26 ? "" : lettersOf(Math.floor(index / 26) - 1)) + String.fromCharCode(97 + index % 26);
}

type GuestEntry = Exclude<ScenarioFile["guests"], number | undefined>[number];

function hostOf(entry: GuestEntry, i: number, hosts: readonly HostSpec[], problems: ProblemList): number {
  if (entry.host === undefined) return i % hosts.length;
  const index = hosts.findIndex(({ name }) => name === entry.host);
  if (index >= 0) return index;
  const names = hosts.map(({ name }) => name);
  problems.add(
    ["guests", i, "host"],
    `found ${showValue(entry.host)}, wanted a host: ${oneOf(names)}${didYouMean(entry.host, names)}`,
  );
  return 0;
}

/** Guests of one host share its hypervisor, and under Xen its path: each path's driver domain owns the NIC. */
function reportMixture(
  guest: GuestSpec,
  i: number,
  first: GuestSpec,
  hosts: readonly HostSpec[],
  paths: readonly PathInfo[],
  problems: ProblemList,
): void {
  const ours = hypervisorOf(guest.path, paths);
  const theirs = hypervisorOf(first.path, paths);
  if (guest.path === first.path || ours === "none" || theirs === "none") return;
  if (ours === theirs) {
    if (ours !== "xen") return; // all of KVM's paths share the host's bridge
    problems.add(
      ["guests", i],
      `found path ${guest.path} beside ${first.path} on host ${
        hosts[guest.host].name
      }, wanted one path for each Xen host`,
    );
    return;
  }
  problems.add(
    ["guests", i],
    `found path ${guest.path} (${ours}) beside ${first.path} (${theirs}) on host ${hosts[guest.host].name}, ` +
      "wanted one hypervisor for each host",
  );
}

function reportTwins(list: "hosts" | "guests", names: readonly string[], problems: ProblemList): void {
  const seen = new Set<string>();
  for (const [i, name] of names.entries()) {
    if (seen.has(name)) problems.add([list, i, "name"], `found ${showValue(name)} twice, wanted a name for each`);
    seen.add(name);
  }
}

function hypervisorOf(path: string, paths: readonly PathInfo[]): PathInfo["hypervisor"] | undefined {
  return paths.find(({ name }) => name === path)?.hypervisor;
}
