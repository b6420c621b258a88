import { psPerByte } from "../base/units.ts";
import { type Baseline, directionCounts } from "../cluster/baseline.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { OWNER_DOM0, OWNER_GUEST, OWNER_HOST } from "../hw/cpu.ts";
import { fractions } from "./figures.ts";
import { usedPart } from "./hardware_figures.ts";
import { rounded } from "./round.ts";
import type { DirectionFigures, HostFigures, LinkFigures } from "./snapshot.ts";

/** Hosts and links of a cluster, as results name them. */
export interface Machines {
  readonly hosts: readonly Pick<HostFigures, "name" | "cpus" | "native">[];
  readonly links: readonly (Pick<LinkFigures, "name" | "rate_Gbps"> & { readonly ends: readonly [string, string] })[];
}

export function machinesOf({ hosts, links }: Cluster): Machines {
  return {
    hosts: hosts.map(({ name, cpus, spec }) => ({ name, cpus: cpus.length, native: spec.native })),
    links: links.map(({ name, rateBps, directions: [there] }) => ({
      name,
      rate_Gbps: rateBps / 1e9,
      ends: [there.from.name, there.to.name],
    })),
  };
}

/** What machines did in an interval, as sums: hundreds of them are kept, of hundreds of hosts. */
export interface MachineSums {
  /** The same object for all intervals of a cluster. */
  readonly machines: Machines;
  /** Picoseconds by host, and as in `PhysicalCpu.time`. */
  readonly cpus: Float64Array;
  /** By link and direction, {@link FIELDS} as in `directionCounts`. */
  readonly links: Float64Array;
}

/** Of a host: three owners of four classes. Of a direction: frames, wire bytes, busy picoseconds, lost. */
const ACCOUNTS = 12;
const OWNER = 4;
const FIELDS = 4;

/** What they did since `before`, until now. */
export function machineSums({ hosts, links, world }: Cluster, machines: Machines, before: Baseline): MachineSums {
  const cpus = new Float64Array(hosts.length * ACCOUNTS);
  for (const [i, host] of hosts.entries()) {
    for (const [j, { time }] of host.cpus.entries()) {
      const then = before.cpus[host.index][j];
      for (let account = 0; account < ACCOUNTS; account++) {
        cpus[i * ACCOUNTS + account] += time[account] - then[account];
      }
    }
  }
  const carried = new Float64Array(links.length * 2 * FIELDS);
  for (const [i, { directions }] of links.entries()) {
    for (const [side, direction] of directions.entries()) {
      const counts = directionCounts(direction, world.engine.now);
      const at = (2 * i + side) * FIELDS;
      for (let field = 0; field < FIELDS; field++) carried[at + field] = counts[field] - before.links[i][side][field];
    }
  }
  return { machines, cpus, links: carried };
}

/** CPU time of the kernels and driver domains of all hosts, and of all guests, picoseconds. */
export function cpuTime({ cpus }: MachineSums): { hostCpuPs: number; guestCpuPs: number } {
  let hostCpuPs = 0;
  let guestCpuPs = 0;
  for (const [i, ps] of cpus.entries()) {
    if (i % ACCOUNTS < OWNER_GUEST * OWNER) hostCpuPs += ps;
    else guestCpuPs += ps;
  }
  return { hostCpuPs, guestCpuPs };
}

/** A host of an interval, as a result writes it. */
export type SampledHost = Pick<HostFigures, "name" | "cpus" | "native" | "cpu">;
/** A link of an interval, as a result writes it, without the queues at its ends. */
export type SampledLink = Pick<LinkFigures, "name" | "rate_Gbps"> & { directions: Omit<DirectionFigures, "queue">[] };

/** The sums of `elapsed` picoseconds as a result writes them. */
export function machineFigures(
  { machines, cpus, links }: MachineSums,
  elapsed: number,
): { hosts: SampledHost[]; links: SampledLink[] } {
  return {
    hosts: machines.hosts.map((host, i) => {
      const all = elapsed * host.cpus;
      const mine = cpus.subarray(i * ACCOUNTS, (i + 1) * ACCOUNTS);
      const [own, dom0, guest] = [OWNER_HOST, OWNER_DOM0, OWNER_GUEST].map((n) =>
        fractions(mine.subarray(n * OWNER, (n + 1) * OWNER), all)
      );
      const busy = mine.reduce((sum, ps) => sum + ps, 0);
      return { ...host, cpu: { host: own, dom0, guest, idle: rounded(1 - busy / all) } };
    }),
    links: machines.links.map(({ name, rate_Gbps, ends }, i) => ({
      name,
      rate_Gbps,
      directions: [0, 1].map((side) => {
        const [frames, wire_bytes, busy, lost] = links.subarray((2 * i + side) * FIELDS);
        const utilisation = usedPart(wire_bytes * psPerByte(rate_Gbps * 1e9), elapsed);
        const port_busy = usedPart(busy, elapsed);
        return { from: ends[side], to: ends[1 - side], frames, wire_bytes, utilisation, port_busy, lost };
      }),
    })),
  };
}
