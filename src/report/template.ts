import type { Scenario } from "../cluster/scenario.ts";
import { railLinks } from "../cluster/scenario_faults.ts";
import { STAGES } from "../metrics/stage.ts";
import { COUNTER_LABELS } from "../mx/driver/counters.ts";
import { WORKLOADS } from "../workload/registry.ts";
import { noActivity } from "./activity.ts";
import { EXIT_NAMES } from "./hardware_figures.ts";
import {
  type BoardFigures,
  type CpuFigures,
  type CpuFractions,
  type Distribution,
  type Figures,
  type GuestFigures,
  type HostFigures,
  type LinkFigures,
  type NicCounts,
  type NicFigures,
  type RowFigures,
  type Snapshot,
  SNAPSHOT_SCHEMA,
} from "./snapshot.ts";

/*
 * A snapshot in which every field is there and every number is 0. It says which metrics exist (so that a threshold on
 * a metric that does not exist is found before the run), and in which order the fields of a result are written.
 */

const distribution = (): Distribution => ({ min: 0, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 });

const cpu = (): CpuFractions => ({ user: 0, kernel: 0, irq: 0, hypervisor: 0, steal: 0, idle: 0 });

const figures = (): Figures => ({
  messages: 0,
  bytes: 0,
  latency_us: distribution(),
  rtt_us: distribution(),
  throughput_MBps: 0,
  messages_per_s: 0,
  integrity_errors: 0,
  lost: 0,
  duplicated: 0,
  retransmits: 0,
});

const guest = (name: string, host: string, path: string): GuestFigures => ({
  name,
  host,
  path,
  ...figures(),
  sent: { messages: 0, bytes: 0, throughput_MBps: 0, messages_per_s: 0 },
  cpu: cpu(),
  ring: { used: 0, size: 0 },
  grants: { active: 0, mapped: 0 },
  rings: [{ name: "", holds: "work", size: 0, used: 0 }],
  event_ports: 0,
  peer_count: 0,
  peers: [{ name: "", unacked: 0 }],
  ...noActivity(),
});

const nic = (): NicCounts => ({
  tx_frames: 0,
  rx_frames: 0,
  tx_bytes: 0,
  rx_bytes: 0,
  drops: 0,
  interrupts: 0,
  rx_drops: 0,
  tx_drops: 0,
  coalesced: 0,
});

const nicOf = (): NicFigures => ({
  name: "",
  mac: "",
  ...nic(),
  tx_ring: { used: 0, size: 0 },
  rx_ring_size: 0,
  rx_queues: [{ used: 0, frames: 0, drops: 0, interrupts: 0, coalesced: 0 }],
});

const physical = (): CpuFigures => ({
  host: 0,
  dom0: 0,
  guest: 0,
  hypervisor: 0,
  idle: 0,
  user: 0,
  kernel: 0,
  irq: 0,
  polling: 0,
});

const host = (name: string, nics: number, boards: BoardFigures[]): HostFigures => ({
  name,
  cpus: 0,
  native: false,
  cpu: { host: cpu(), dom0: cpu(), guest: cpu(), idle: 0 },
  per_cpu: [physical()],
  dom0_vcpus: [cpu()],
  vm_exits: Object.fromEntries(EXIT_NAMES.map((name) => [name, 0])),
  nic: nic(),
  nics: Array.from({ length: nics }, nicOf),
  boards,
});

const board = (): BoardFigures => ({
  name: "",
  mac: "",
  peers: 0,
  counters: Object.fromEntries(COUNTER_LABELS.map((label) => [label, 0])),
});

const link = (name: string): LinkFigures => {
  const direction = { from: "", to: "", frames: 0, wire_bytes: 0, utilisation: 0, port_busy: 0, lost: 0 };
  const queue = () => ({ used: 0, size: 0, drops: 0 });
  return { name, rate_Gbps: 0, directions: [{ ...direction, queue: queue() }, { ...direction, queue: queue() }] };
};

const row = (): RowFigures => ({
  size: 0,
  latency_us: 0,
  rtt_us: 0,
  throughput_MBps: 0,
  host_cpu: 0,
  guest_cpu: 0,
});

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
    totals: { ...figures(), cpu: cpu() },
    guests: scenario?.guests.map(({ name, host, path }) => guest(name, scenario.hosts[host].name, path)) ??
      [guest("vm01", "a", "")],
    // Which boards there are, and what they count, shows in a run.
    hosts: hosts.map(({ name }) => host(name, rails.length, scenario === undefined ? [board()] : [])),
    links: (scenario === undefined ? ["a-b"] : rails.flatMap((rail) => railLinks(hosts, rail))).map(link),
    stages: STAGES.map((stage) => ({ stage, us: 0 })),
    rows: [row()],
    ...(has("offered") ? { offered: { requests: 0, per_s: 0, replied: 0, waiting: 0, under_way: 0 } } : {}),
    ...(has("solver") ? { solver: { iterations: 0, residual: 0, solves: 0, converged: 0 } } : {}),
    thresholds: [{ expression: "", value: 0, ok: true }],
    wall: { ms: 0, realtime_factor: 0, events: 0, events_per_s: 0 },
  };
}
