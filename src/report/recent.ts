import { SECOND } from "../base/units.ts";
import { type Baseline, directionCounts, nicCounts } from "../cluster/baseline.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { dom0Vcpus, namedNic, perCpu, usedPart } from "./hardware_figures.ts";
import { rounded } from "./round.ts";
import type { RecentDirection, RecentHost } from "./live_snapshot.ts";

/* The latest interval of hosts and links, for the dashboard: shares of time since `before`, rates since `rateFrom`. */

export function recentHosts({ hosts, world }: Cluster, before: Baseline, rateFrom: Baseline): RecentHost[] {
  const elapsed = world.engine.now - before.at;
  const ratePs = world.engine.now - rateFrom.at;
  return hosts.map((host) => {
    const cpus = before.cpus[host.index];
    const perSecond: number[] = [];
    for (const [board, { nic }] of host.boards.entries()) {
      for (const [i, count] of nicCounts(nic).entries()) {
        const passed = count - rateFrom.nics[host.index][board][i];
        perSecond[i] = (perSecond[i] ?? 0) + rounded((passed / ratePs) * SECOND);
      }
    }
    return {
      per_cpu: perCpu(host, cpus, before.polled[host.index], elapsed),
      dom0_vcpus: dom0Vcpus(host, before.kernels[host.index], elapsed),
      nic_per_s: namedNic(perSecond),
    };
  });
}

/** What every direction of every link carried. */
export function recentLinks({ links, world }: Cluster, before: Baseline, rateFrom: Baseline): RecentDirection[][] {
  const { now } = world.engine;
  const ratePs = now - rateFrom.at;
  return links.map((link, i) =>
    link.directions.map((direction, side) => {
      const counts = directionCounts(direction, now);
      const [frames, bytes] = counts.map((count, field) => count - rateFrom.links[i][side][field]);
      const [, onWire, busy, lost] = counts.map((count, field) => count - before.links[i][side][field]);
      const elapsed = now - before.at;
      return {
        utilisation: usedPart(onWire * link.psPerByte, elapsed),
        port_busy: usedPart(busy, elapsed),
        frames_per_s: rounded((frames / ratePs) * SECOND),
        MBps: rounded((bytes / ratePs) * 1e6),
        lost,
      };
    })
  );
}
