import type { Activity } from "./activity.ts";

/**
 * Everything that an observer may see of a run. The headless formats and the dashboard read only this; field names
 * are those of `run --format json`, units are in the names (MB = 10^6 bytes). Only `wall` may differ between two runs
 * of the same input.
 */
export const SNAPSHOT_SCHEMA = "mxtop/1";

/** Latencies or round trips, microseconds: three digits of each percentile. */
export interface Distribution {
  min: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

/** The fields of a distribution, in the order of every table. */
export const POINTS: readonly (keyof Distribution)[] = ["min", "mean", "p50", "p90", "p99", "p999", "max"];

/** Fractions of one CPU over the measured time. They add up to 1 for a one-VCPU guest. */
export interface CpuFractions {
  user: number;
  kernel: number;
  irq: number;
  hypervisor: number;
  steal: number;
  idle: number;
}

/** What a guest, or all of them, did after warm-up. */
export interface Figures {
  /** Complete messages, and their payload. */
  messages: number;
  bytes: number;
  /** Half a round trip for ping-pong, send call to receive completion otherwise. Null without samples. */
  latency_us: Distribution | null;
  rtt_us: Distribution | null;
  /**
   * Payload that has arrived in the measured time, MB (10^6 bytes) a second: of messages above 32 KiB that were under way
   * at its ends the parts that came within, where `bytes` has all of those that were complete within.
   */
  throughput_MBps: number;
  messages_per_s: number;
  integrity_errors: number;
  lost: number;
  duplicated: number;
  retransmits: number;
}

/** What others have received of a guest's messages. */
export interface SentFigures {
  messages: number;
  bytes: number;
  throughput_MBps: number;
  messages_per_s: number;
}

/** All guests together; `cpu` is the mean of theirs. */
export interface TotalFigures extends Figures {
  cpu: CpuFractions;
}

/**
 * A guest's figures are those of what it received; those of all guests add up to the totals. The latency of one that
 * has received nothing is that of what it sent.
 */
export interface GuestFigures extends Figures, Activity {
  name: string;
  host: string;
  path: string;
  sent: SentFigures;
  cpu: CpuFractions;
  /** Slots in use of the path's ring between guest and driver domain; null where the path has none. */
  ring: { used: number; size: number } | null;
  /** Grant entries active in the guest, and of these mapped by the driver domain; null outside Xen. */
  grants: { active: number; mapped: number } | null;
  /** Each of its rings by itself, those of all its connections. */
  rings: RingFigures[];
  /** Ports of event channels in use; null outside Xen. */
  event_ports: number | null;
  /** Partners of its endpoints: how many, and the first few of them. */
  peer_count: number;
  peers: PeerFigures[];
}

/** Another guest that an endpoint has met: by its name, or by board and endpoint where it is no guest's. */
export interface PeerFigures {
  name: string;
  /** Messages to it that wait for an acknowledgement. */
  unacked: number;
}

/** A ring or queue between a guest and what serves it. */
export interface RingFigures {
  name: string;
  /** Messages under way, where a full ring holds somebody up, or empty buffers, where a full ring is a good one. */
  holds: "work" | "buffers";
  size: number;
  used: number;
}

/** An MX board: a host's own, or that of a guest whose kernel has an MX driver. */
export interface BoardFigures {
  /** Host name on the MX network. */
  name: string;
  mac: string;
  /** Hosts that its driver knows, itself included. */
  peers: number;
  /** The driver's counters by label, as omx_counters names them, since the start of the run; those at 0 are left out. */
  counters: Record<string, number>;
}

/** Frames and bytes of a NIC, or of several. `drops` are those of both directions. */
export interface NicCounts {
  tx_frames: number;
  rx_frames: number;
  tx_bytes: number;
  rx_bytes: number;
  drops: number;
  interrupts: number;
  /** A receive ring was full; the transmit ring and the queue before it were. */
  rx_drops: number;
  tx_drops: number;
  /** Received frames without an interrupt of their own. */
  coalesced: number;
  /** Frames that came with a wrong check sequence, which no driver has seen; left out when there were none. */
  crc_errors?: number;
}

/** A receive queue of a NIC: frames in its ring now, and what it has counted. */
export interface QueueFigures {
  used: number;
  frames: number;
  drops: number;
  interrupts: number;
  coalesced: number;
}

/** A NIC by itself. */
export interface NicFigures extends NicCounts {
  /** As in the directions of links. */
  name: string;
  mac: string;
  /** Frames in the transmit ring and the queue before it, and how many these hold. */
  tx_ring: { used: number; size: number };
  /** Descriptors of each receive ring. */
  rx_ring_size: number;
  rx_queues: QueueFigures[];
}

/** Busy fractions of a physical CPU: by owner, with the hypervisor's work for all of them apart; and by class. */
export interface CpuFigures {
  host: number;
  dom0: number;
  guest: number;
  hypervisor: number;
  idle: number;
  user: number;
  kernel: number;
  irq: number;
  /** The part of all this that was busy polling. */
  polling: number;
}

/** What a host did after warm-up. */
export interface HostFigures {
  name: string;
  cpus: number;
  native: boolean;
  /** Fractions of all CPUs together, by owner: the native kernel and processes, the driver domain, the guests. */
  cpu: { host: CpuFractions; dom0: CpuFractions; guest: CpuFractions; idle: number };
  /** Busy fractions of each physical CPU. */
  per_cpu: CpuFigures[];
  /** Each VCPU of the driver domain; empty where there is none. */
  dom0_vcpus: CpuFractions[];
  /** VM exits of its guests by reason; null where there is no KVM. */
  vm_exits: Record<string, number> | null;
  /** All its NICs together, and each of them: one for each of the scenario's boards. */
  nic: NicCounts;
  nics: NicFigures[];
  boards: BoardFigures[];
}

/** A link, each of its directions by itself. */
export interface LinkFigures {
  name: string;
  rate_Gbps: number;
  directions: DirectionFigures[];
}

/** One direction of a link, since warm-up; the queue as it is now. */
export interface DirectionFigures {
  from: string;
  to: string;
  frames: number;
  /** With preamble, FCS and gap. */
  wire_bytes: number;
  /** Part of the time for which bits were on the wire. */
  utilisation: number;
  /** Part of the time for which the sender's port was occupied, its own work on each frame included: that is the limit. */
  port_busy: number;
  lost: number;
  /** Frames that wait at the sender's port, how many it holds, and those that found it full. */
  queue: { used: number; size: number; drops: number };
  /** Frames that arrived with bytes changed, and were dropped for that; left out when there were none. */
  corrupted?: number;
}

/** What holds the run back. */
export interface Bottleneck {
  /**
   * A link by its name, `dom0 CPU a/0` (also `kernel`, `guest`), or one of: lost messages, physical CPUs, requests under
   * way, offered load, grant references, latency.
   */
  what: string;
  /** How full it is, or how much of a message's time it takes. */
  why: string;
}

/** A cause of latency; those of a run add up to the mean latency. */
export interface StageFigures {
  stage: string;
  /** Mean microseconds of one message. */
  us: number;
}

/** What open-loop clients were asked for since measuring began, and what has come of it. */
export interface OfferedFigures {
  /** Requests that became due, and how many that is in a second. */
  requests: number;
  per_s: number;
  /** Those that were replied to; they may have become due before measuring began. */
  replied: number;
  /** Requests without a reply now: those that wait to be sent, and those under way. */
  waiting: number;
  under_way: number;
}

/** How far a workload has got that computes until its result has converged. */
export interface SolverFigures {
  /** Of the solve that is under way, or that was the last, from its beginning, warm-up or not. */
  iterations: number;
  /** The largest change in an iteration, when the ranks compared theirs last; null before they have. */
  residual: number | null;
  /** Solves that came to their own end since the cluster began, and how many of them had converged. */
  solves: number;
  converged: number;
}

/** One message size of a workload that sweeps sizes. */
export interface RowFigures {
  size: number;
  /** Medians. */
  latency_us: number;
  rtt_us: number;
  throughput_MBps: number;
  host_cpu: number;
  guest_cpu: number;
}

/** A threshold, and what was found. */
export interface ThresholdResult {
  expression: string;
  value: number;
  ok: boolean;
}

/** A line that a guest program has printed, without control characters. */
export interface OutputFigures {
  /** Virtual time, microseconds. */
  at_us: number;
  guest: string;
  text: string;
}

/** A result as `run --format json` prints it. */
export interface Snapshot {
  schema: typeof SNAPSHOT_SCHEMA;
  tool: { name: "mxtop"; version: string };
  command: string;
  scenario: {
    name: string;
    title: string;
    hash: string;
    path: string;
    guests: number;
    seed: number;
    workload: string;
    program?: string;
  };
  machine: { profile: string; hash: string };
  virtual_ns: number;
  /** Virtual time after warm-up that the figures cover, nanoseconds. */
  measured_ns: number;
  fingerprint: string;
  /** No threshold failed, no integrity error, at least one sample. */
  ok: boolean;
  /** Why not. */
  failures: string[];
  /** The run was stopped before its end. */
  partial: boolean;
  totals: TotalFigures;
  guests: GuestFigures[];
  hosts: HostFigures[];
  links: LinkFigures[];
  stages: StageFigures[];
  /** Absent before anything was measured. */
  bottleneck?: Bottleneck;
  rows: RowFigures[];
  /** Absent where nobody sends requests at an open-loop rate. */
  offered?: OfferedFigures;
  /** Absent where nobody computes until it has converged. */
  solver?: SolverFigures;
  /** What guest programs have printed, and how many lines found no room; absent where a workload ran. */
  output?: OutputFigures[];
  output_dropped?: number;
  /** Calls of `guest.check`, and those that failed. */
  checks?: { made: number; failed: number };
  thresholds: ThresholdResult[];
  wall: { ms: number; realtime_factor: number; events: number; events_per_s: number };
}
