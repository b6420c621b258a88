import { SECOND } from "../base/units.ts";
import { type Baseline, directionCounts, nicCounts } from "../cluster/baseline.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { dom0Vcpus, namedNic, perCpu } from "./figures.ts";
import { rounded } from "./round.ts";
import type { RecentDirection, RecentHost } from "./snapshot.ts";

/* The latest interval of hosts and links, for the dashboard. */

/** What hosts did since `before`, `elapsed` picoseconds ago. */
export function recentHosts({ hosts }: Cluster, before: Baseline, elapsed: number): RecentHost[] {
  return hosts.map((host) => {
    const cpus = before.cpus[host.index];
    const perSecond: number[] = [];
    for (const [board, { nic }] of host.boards.entries()) {
      for (const [i, count] of nicCounts(nic).entries()) {
        const passed = count - before.nics[host.index][board][i];
        perSecond[i] = (perSecond[i] ?? 0) + rounded((passed / elapsed) * SECOND);
      }
    }
    return {
      per_cpu: perCpu(host, cpus, before.polled[host.index], elapsed),
      dom0_vcpus: dom0Vcpus(host, before.kernels[host.index], elapsed),
      nic_per_s: namedNic(perSecond),
    };
  });
}

/** What every direction of every link carried since `before`. */
export function recentLinks({ links, world }: Cluster, before: Baseline, elapsed: number): RecentDirection[][] {
  return links.map((link, i) =>
    link.directions.map((direction, side) => {
      const [frames, bytes, busy, lost] = directionCounts(direction, world.engine.now).map((count, field) =>
        count - before.links[i][side][field]
      );
      return {
        utilisation: rounded(Math.min(1, busy / elapsed)),
        frames_per_s: rounded((frames / elapsed) * SECOND),
        MBps: rounded((bytes / elapsed) * 1e6),
        lost,
      };
    })
  );
}
