import type { Scenario } from "../cluster/scenario.ts";
import { railLinks } from "../cluster/scenario_faults.ts";
import { STAGES } from "../metrics/stage.ts";
import { COUNTER_LABELS } from "../mx/driver/counters.ts";
import { WORKLOADS } from "../workload/registry.ts";
import type { Activity } from "./activity.ts";
import type { IntervalFigures } from "./interval_figures.ts";
import { zeros } from "./metric.ts";
import * as metrics from "./metrics.ts";
import {
  type BoardFigures,
  type CpuFractions,
  type GuestFigures,
  type HostFigures,
  type LinkFigures,
  type NicFigures,
  type Snapshot,
  SNAPSHOT_SCHEMA,
} from "./snapshot.ts";

/*
 * A snapshot in which every field is there and every number is 0. It says which metrics exist (so that a threshold on
 * a metric that does not exist is found before the run), and in which order the fields of a result are written.
 */

/** An activity in which nothing has happened. */
export function noActivity(): Activity {
  return zeros(metrics.ACTIVITY);
}

const cpu = (): CpuFractions => zeros(metrics.cpuMetrics(""));

const guest = (name: string, host: string, path: string): GuestFigures => ({
  name,
  host,
  path,
  ...zeros(metrics.figureMetrics("")),
  sent: zeros(metrics.SENT),
  cpu: cpu(),
  ring: zeros(metrics.USED),
  grants: zeros(metrics.GRANTS),
  rings: [{ name: "", holds: "work", ...zeros(metrics.RING) }],
  event_ports: 0,
  peer_count: 0,
  peers: [{ name: "", ...zeros(metrics.PEER) }],
  ...noActivity(),
});

const nicOf = (): NicFigures => ({
  name: "",
  mac: "",
  ...zeros(metrics.NIC_COUNTS),
  tx_ring: zeros(metrics.USED),
  rx_ring_size: 0,
  rx_queues: [zeros(metrics.RX_QUEUE)],
});

const host = (name: string, nics: number): HostFigures => ({
  name,
  cpus: 0,
  native: false,
  cpu: zeros(metrics.HOST_CPU),
  per_cpu: [zeros(metrics.PHYSICAL_CPU)],
  dom0_vcpus: [zeros(metrics.DOM0_VCPU)],
  vm_exits: zeros(metrics.VM_EXITS),
  nic: zeros(metrics.NIC_COUNTS),
  nics: Array.from({ length: nics }, nicOf),
  boards: [board()],
});

const board = (): BoardFigures => ({
  name: "",
  mac: "",
  peers: 0,
  counters: Object.fromEntries(COUNTER_LABELS.map((label) => [label, 0])),
});

const link = (name: string): LinkFigures => {
  const direction = () => ({ from: "", to: "", ...zeros(metrics.DIRECTION), queue: zeros(metrics.LINK_QUEUE) });
  return { name, rate_Gbps: 0, directions: [direction(), direction()] };
};

/** Lists of which only a run shows how long they are: here they have one entry, which stands for all. */
export const OPEN_LISTS: ReadonlySet<string> = new Set([
  ...["rows", "rings", "peers", "per_cpu", "dom0_vcpus", "rx_queues", "boards"],
]);

/** The snapshot that a run of `scenario` will have, with 0 for every figure; without one, that of any scenario. */
export function templateSnapshot(scenario?: Scenario): Snapshot {
  const hosts = scenario?.hosts ?? [{ name: "a" }];
  const rails = Array.from({ length: scenario?.boards ?? 1 }, (_, rail) => rail);
  const own = WORKLOADS.find(({ kind }) => kind === scenario?.workload.kind)?.reports ?? [];
  const has = (part: "offered" | "solver") => scenario === undefined || own.includes(part);
  return {
    schema: SNAPSHOT_SCHEMA,
    tool: { name: "mxtop", version: "" },
    command: "",
    scenario: { name: "", title: "", hash: "", path: "", guests: 0, seed: 0, workload: "" },
    machine: { profile: "", hash: "" },
    virtual_ns: 0,
    measured_ns: 0,
    fingerprint: "",
    ok: true,
    failures: [],
    partial: false,
    totals: zeros(metrics.TOTALS),
    guests: scenario?.guests.map(({ name, host, path }) => guest(name, scenario.hosts[host].name, path)) ??
      [guest("vm01", "a", "")],
    hosts: hosts.map(({ name }) => host(name, rails.length)),
    links: (scenario === undefined ? ["a-b"] : rails.flatMap((rail) => railLinks(hosts, rail))).map(link),
    stages: STAGES.map((stage) => ({ stage, us: 0 })),
    rows: [zeros(metrics.ROW)],
    ...(has("offered") ? { offered: zeros(metrics.OFFERED) } : {}),
    ...(has("solver") ? { solver: zeros(metrics.SOLVER) } : {}),
    thresholds: [{ expression: "", value: 0, ok: true }],
    wall: { ms: 0, realtime_factor: 0, events: 0, events_per_s: 0 },
  };
}

let interval: IntervalFigures | undefined;

/** An interval in which every field is there, with 0 for every figure. */
export function templateInterval(): IntervalFigures {
  if (interval !== undefined) return interval;
  const { fingerprint, partial, totals, guests, hosts, links, stages, offered, solver } = templateSnapshot();
  const when = { from_ns: 0, to_ns: 0, measured_ns: 0, fingerprint, partial, cluster: 0 };
  return interval = { ...when, totals, guests, hosts, links, stages, offered, solver };
}
