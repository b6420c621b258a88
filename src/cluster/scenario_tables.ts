import { counted } from "../base/counted.ts";
import type { MachineProfile } from "../hw/machine_profile.ts";
import { mxLimits } from "../mx/limits.ts";
import type { Build, Dom0Share } from "../path/path.ts";
import { DEFAULT_LIMITS } from "../xen/hypervisor.ts";
import { EVTCHN_PORTS } from "../xen/shared_info.ts";
import type { Workload } from "../workload/workload.ts";
import type { Cluster } from "./cluster.ts";
import type { Scenario } from "./scenario.ts";
import type { ProblemList } from "./scenario_problem.ts";
import type { PathInfo } from "./scenario_schema.ts";

/*
 * Dom0 has tables of a fixed size for what its guests need of it: 4096 event channels, of which one is nobody's and each
 * receive queue of a NIC takes one, and 131,072 foreign pages that it can have mapped (maptrack). A scenario that cannot
 * fit is refused before it starts, as far as it can be known then: a guest program opens the endpoints that it likes,
 * none of them maybe, and of one that has found no room is told afterwards why there was none.
 */

/** Reports hosts whose guests want more of dom0's tables than there is. */
export function checkTables(
  scenario: Scenario,
  paths: readonly PathInfo[],
  machine: MachineProfile,
  workload: Workload | undefined,
  problems: ProblemList,
): void {
  const { boards, hosts, guests } = scenario;
  const build = buildOf(scenario);
  // A guest program has no workload here.
  const endpointsOf = (rank: number) =>
    workload === undefined ? 0 : workload.endpoints?.(scenario.workload.params, rank) ?? 1;
  const shares = new Map(paths.map((path) => [path.name, path.dom0Share?.(build)]));
  const interrupts = boards * (scenario.costs.nicQueues ?? machine.limits.nicQueues.value);
  for (const [host, { name }] of hosts.entries()) {
    const wanted = { guests: 0, ports: 0, mappings: 0 };
    for (const [rank, guest] of guests.entries()) {
      const share = guest.host === host ? shares.get(guest.path) : undefined;
      if (share === undefined) continue;
      wanted.guests++;
      wanted.ports += share.ports;
      wanted.mappings += share.mappings + endpointsOf(rank) * share.endpointMappings;
    }
    report(name, wanted, { ports: EVTCHN_PORTS - 1 - interrupts, mappings: DEFAULT_LIMITS.maptrackEntries }, problems);
  }
}

function buildOf({ boards, link, mechanisms }: Scenario): Build {
  return { mx: mxLimits(link.mtu, link.wire === "mx"), boards, mechanisms };
}

/**
 * Why the host of a rank has no room for another endpoint, and what would help, in one line. Null where dom0 has mapped
 * what it was asked for, or has nothing to map: then it is the guest itself that has opened too many.
 */
export function endpointShortage({ guests }: Cluster, rank: number, scenario: Scenario): string | null {
  const { host, path } = guests[rank];
  const takes = path.dom0Share?.(buildOf(scenario)).endpointMappings ?? 0;
  const mappings = host.hypervisor?.domain(0)?.mappings;
  if (takes === 0 || mappings === undefined || mappings.counters.exhausted === 0) return null;
  const { maxHandles } = mappings;
  return `dom0 of host ${host.name} maps at most ${maxHandles} pages, and ${takes} for each endpoint, which is ` +
    `${counted(Math.floor(maxHandles / takes), "endpoint")}: fewer guests on a host, or a smaller link.mtu`;
}

function report(
  host: string,
  wanted: Omit<Dom0Share, "endpointMappings"> & { readonly guests: number },
  most: Omit<Dom0Share, "endpointMappings">,
  problems: ProblemList,
): void {
  const found = `found ${wanted.guests} guests on host ${host} that take`;
  if (wanted.ports > most.ports) {
    problems.add(
      ["guests"],
      `${found} ${wanted.ports} event channels of dom0, wanted at most ${most.ports}: more hosts, or fewer netQueues`,
    );
  }
  if (wanted.mappings > most.mappings) {
    const fit = Math.floor(most.mappings / (wanted.mappings / wanted.guests));
    problems.add(
      ["guests"],
      `${found} ${wanted.mappings} pages that dom0 maps, wanted at most ${most.mappings}, which is ${fit} such guests: ` +
        `more hosts, or a smaller link.mtu`,
    );
  }
}
