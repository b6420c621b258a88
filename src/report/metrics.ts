import { STAGE_MEANINGS, STAGES } from "../metrics/stage.ts";
import { LIBRARY_FIELDS } from "./activity.ts";
import { DERIVED } from "./derived.ts";
import { EXIT_NAMES } from "./hardware_figures.ts";
import { count, type Entries, type Metric, type Metrics, named, type NamedMetric, share, us } from "./metric.ts";

/*
 * Every number of a result: its field, its unit and what it is. The template, and with it what a threshold may name, is
 * made from these parts, and `list metrics` shows them. Parts that several objects have take the words for whose they are.
 */

const bytes = (help: string): Metric => ({ unit: "B", help });
const perSecond = (help: string): Metric => ({ unit: "/s", help });
const throughput = (help: string): Metric => ({ unit: "MB/s", help });

const distribution = (what: string) => ({
  min: us(`${what}: least`),
  mean: us(`${what}: mean`),
  p50: us(`${what}: median`),
  p90: us(`${what}: 90 % are below`),
  p99: us(`${what}: 99 % are below`),
  p999: us(`${what}: 99.9 % are below`),
  max: us(`${what}: most`),
});

export const cpuMetrics = (whose: string) => ({
  user: share(`${whose}: user code`),
  kernel: share(`${whose}: kernel`),
  irq: share(`${whose}: interrupts`),
  hypervisor: share(`${whose}: hypervisor`),
  steal: share(`${whose}: ready, without a physical CPU`),
  idle: share(`${whose}: nothing to do`),
});

/** Figures of what was received, after warm-up. */
export const figureMetrics = (whose: string) => ({
  messages: count(`messages that ${whose} received`),
  bytes: bytes(`payload of these`),
  latency_us: distribution("half a round trip for ping-pong, else send call to completion of the receive"),
  rtt_us: distribution("round trip, or round of a collective, where there are any"),
  throughput_MBps: throughput("payload received, in 10^6 bytes a second"),
  messages_per_s: perSecond("messages received"),
  integrity_errors: count("messages with a wrong payload or checksum"),
  lost: count("messages that never arrived"),
  duplicated: count("messages that arrived twice"),
  retransmits: count("messages sent again"),
});

export const SENT = {
  messages: count("messages of this guest that others received"),
  bytes: bytes("payload of these"),
  throughput_MBps: throughput("payload of these, in 10^6 bytes a second"),
  messages_per_s: perSecond("messages of this guest that others received"),
};

export const USED = { used: count("entries in use at the end"), size: count("entries that there are") };
export const GRANTS = { active: count("grant entries active at the end"), mapped: count("of these mapped by dom0") };
export const RING = { size: count("entries of one of its rings"), used: count("in use at the end") };
const EVENT_PORTS = count("event channel ports in use at the end");
const PEER_COUNT = count("partners of its endpoints");
export const PEER = { unacked: count("messages to a partner that wait for an acknowledgement") };

const notifications = (way: string) => ({
  sent: count(`publishings on its rings that ${way} wanted to hear of`),
  suppressed: count(`publishings that ${way} did not want to hear of`),
});

/** What the mechanisms of a guest have done; null, so without a value, where the path has none. */
export const ACTIVITY = {
  notifications: { to_backend: notifications("the back end"), to_guest: notifications("the guest") },
  grant_counts: {
    granted: count("grant entries filled in"),
    maps: count("mappings made of its grants"),
    copies: count("copies made from or to its grants"),
    copied_bytes: bytes("bytes of these copies"),
    reused: count("pages registered again while still granted and mapped"),
  },
  events: {
    sent: count("events that its domain sent"),
    received: count("events that arrived at its domain"),
    merged: count("of these, on a port that was pending already"),
  },
  interface: {
    tx_frames: count("frames its own network interface sent"),
    rx_frames: count("frames its own network interface received"),
    tx_drops: count("frames to send that it had no room for"),
    rx_drops: count("received frames that it had no room for"),
    interrupts: count("interrupts that the guest has had of it"),
  },
  library: Object.fromEntries(
    LIBRARY_FIELDS.map((name) => [name, count(`its MX library counted: ${name.replaceAll("_", " ")}`)]),
  ),
};

export const NIC_COUNTS = {
  tx_frames: count("frames sent"),
  rx_frames: count("frames received"),
  tx_bytes: bytes("bytes sent"),
  rx_bytes: bytes("bytes received"),
  drops: count("frames dropped, both directions"),
  interrupts: count("interrupts"),
  rx_drops: count("frames dropped: a receive ring was full"),
  tx_drops: count("frames dropped: the transmit ring and the queue before it were full"),
  coalesced: count("received frames without an interrupt of their own"),
};
const RX_RING_SIZE = count("descriptors of each receive ring");
export const RX_QUEUE = {
  used: count("frames in a receive ring at the end"),
  frames: count("frames it received"),
  drops: count("frames it had no room for"),
  interrupts: count("interrupts it made"),
  coalesced: count("frames without an interrupt of their own"),
};

export const PHYSICAL_CPU = {
  host: share("busy for the host's kernel and processes"),
  dom0: share("busy for dom0"),
  guest: share("busy for guests"),
  hypervisor: share("busy in the hypervisor, for whomever"),
  idle: share("not busy"),
  user: share("busy with user code"),
  kernel: share("busy in a kernel"),
  irq: share("busy with interrupts"),
  polling: share("the part that was busy polling"),
};

const HOST = "all CPUs of the host";
export const HOST_CPU = {
  host: cpuMetrics(`${HOST}, native kernel and processes`),
  dom0: cpuMetrics(`${HOST}, dom0`),
  guest: cpuMetrics(`${HOST}, guests`),
  idle: share(`${HOST}, nothing to do`),
};
export const DOM0_VCPU = cpuMetrics("a VCPU of dom0");
const CPUS = count("physical CPUs of the host");
export const VM_EXITS = Object.fromEntries(
  EXIT_NAMES.map((name) => [name, count(`VM exits of its guests: ${name.replaceAll("_", " ")}`)]),
);

const RATE: Metric = { unit: "Gb/s", help: "rate of the link" };
export const DIRECTION = {
  frames: count("frames sent that way"),
  wire_bytes: bytes("bytes of these, with preamble, FCS and gap"),
  utilisation: share("time that it takes to send the wire bytes, at the rate of the link"),
  port_busy: share("time that the sender's port is occupied, with what the NIC does for each page"),
  lost: count("frames lost on the wire"),
};
export const LINK_QUEUE = {
  used: count("frames that wait at the sender's port at the end"),
  size: count("frames that the port holds"),
  drops: count("frames that found it full"),
};

const STAGE = us("mean time of a message by cause");

export const ROW = {
  size: bytes("message size"),
  latency_us: us("latency at that size, median"),
  rtt_us: us("round trip at that size, median; mean of the rounds where guests work together"),
  throughput_MBps: throughput("payload at that size, in 10^6 bytes a second"),
  host_cpu: DERIVED.host_cpu,
  guest_cpu: DERIVED.guest_cpu,
};

export const OFFERED = {
  requests: count("requests that became due"),
  per_s: perSecond("requests that became due"),
  replied: count("requests replied to"),
  waiting: count("requests that wait to be sent, at the end"),
  under_way: count("requests sent and not replied to, at the end"),
};

export const SOLVER = {
  iterations: count("iterations of the present solve, or the last"),
  residual: count("largest change in an iteration, when last compared"),
  solves: count("solves that came to their end"),
  converged: count("of these, those that had converged"),
};

export const TOTALS = { ...figureMetrics("all guests"), cpu: cpuMetrics("VCPUs of all guests, mean") };
const SCENARIO = { guests: count("guests of the scenario"), seed: count("seed of every random choice") };
const TIMES = {
  virtual_ns: { unit: "ns", help: "virtual time of the run" } satisfies Metric,
  measured_ns: { unit: "ns", help: "virtual time after warm-up, which the figures cover" } satisfies Metric,
};

const list = (entry: string, each: Metrics): Entries => ({ entry, each });

/** The fields of a result that lie beside `totals`, by example: guest vm01, host a, link a-b. */
const ELSEWHERE: Metrics = {
  ...TIMES,
  scenario: SCENARIO,
  guests: list("[vm01]", {
    ...figureMetrics("this guest"),
    sent: SENT,
    cpu: cpuMetrics("its VCPUs"),
    ring: USED,
    grants: GRANTS,
    rings: list("[0]", RING),
    event_ports: EVENT_PORTS,
    peer_count: PEER_COUNT,
    peers: list("[0]", PEER),
    ...ACTIVITY,
  }),
  hosts: list("[a]", {
    cpus: CPUS,
    cpu: HOST_CPU,
    per_cpu: list("[0]", PHYSICAL_CPU),
    dom0_vcpus: list("[0]", DOM0_VCPU),
    vm_exits: VM_EXITS,
    nic: NIC_COUNTS,
    nics: list("[0]", {
      ...NIC_COUNTS,
      tx_ring: USED,
      rx_ring_size: RX_RING_SIZE,
      rx_queues: list("[0]", RX_QUEUE),
    }),
  }),
  links: list("[a-b]", { rate_Gbps: RATE, directions: list("[0]", { ...DIRECTION, queue: LINK_QUEUE }) }),
  rows: list("[4 KiB]", ROW),
  offered: OFFERED,
  solver: SOLVER,
};

/** Every metric that a threshold, a sweep or a sensitivity may name; those of lists by the example of one entry. */
export function allMetrics(): NamedMetric[] {
  const stages = STAGES.map((stage) => ({
    name: `stages[${stage}].us`,
    unit: STAGE.unit,
    help: `${STAGE.help}: ${STAGE_MEANINGS[stage]}`,
  }));
  return [...named(TOTALS), ...named(DERIVED), ...named(ELSEWHERE), ...stages];
}
