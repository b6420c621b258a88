import { Cluster, type Guest } from "../../src/cluster/cluster.ts";
import { type Process, processThread } from "../../src/hw/thread.ts";
import { Mx } from "../../src/mx/api.ts";
import type { Workload } from "../../src/workload/workload.ts";
import { scenario, type ScenarioOptions } from "./scenario.ts";

/** What a test's own program has at hand. */
export interface ProgramSite {
  readonly rank: number;
  readonly mx: Mx;
  readonly cluster: Cluster;
  readonly guest: Guest;
  /** Page-aligned memory of the guest. */
  alloc(bytes: number): number;
}

/** A cluster whose guests run a test's program instead of a workload; started, not run. `ended` counts those through. */
export function programs(
  options: Omit<ScenarioOptions, "workload">,
  program: (site: ProgramSite) => Process,
): { readonly cluster: Cluster; ended: number } {
  const spec = scenario({ ...options, workload: { kind: "pingpong" } });
  const none = { memoryBytes: () => 4 << 20 } as unknown as Workload;
  const running = { cluster: new Cluster(spec, none), ended: 0 };
  const { cluster } = running;
  const { engine, memory, costs } = cluster.world;
  for (const [rank, guest] of cluster.guests.entries()) {
    const { domain, processor } = guest.site;
    const attach = () => guest.port.attach();
    const mx = new Mx({ engine, memory, costs, name: guest.spec.name, boards: 1, attach });
    const alloc = (bytes: number) => domain?.allocPages(Math.ceil(bytes / 4096)) ?? memory.alloc(bytes);
    const process = program({ rank, mx, cluster, guest, alloc });
    guest.thread = processThread(guest.spec.name, processor, process, () => running.ended++);
    guest.mx = mx;
    mx.bind(guest.thread);
    guest.thread.notify();
  }
  return running;
}
