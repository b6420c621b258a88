import type { Activity } from "./activity.ts";
import type { MachineSums } from "./machine_sums.ts";
import type { Bottleneck, CpuFigures, CpuFractions, NicCounts, Snapshot, StageFigures } from "./snapshot.ts";

/** One sample of the dashboard's charts: an interval of virtual time that ended at `at_ns`. Null is a gap. */
export interface Sample {
  at_ns: number;
  p50_us: number | null;
  p99_us: number | null;
  p999_us?: number | null;
  throughput_MBps: number;
  /** The busiest direction of any link, all rails together, payload and headers, MB/s on the wire. */
  link_MBps: number;
  /** By host, in order: fractions of all its CPUs. */
  hosts: { host: number; dom0: number; guest: number; hypervisor: number; idle: number }[];
  /** For an export; no chart shows them. */
  sums?: MachineSums;
}

/** What one guest did in the latest interval: latencies of what it received or, if that is nothing, of what it sent. */
export interface RecentGuest {
  p50_us: number | null;
  p99_us: number | null;
  throughput_MBps: number;
  messages_per_s: number;
  sent_MBps: number;
  sent_per_s: number;
  cpu: CpuFractions;
  ring: { used: number; size: number } | null;
  /** By ring, as in the guest's figures: entries after each publishing, on average (null without any) and at most. */
  rings: { mean: number | null; highest: number }[];
  /** In a second of virtual time. */
  activity: Activity;
}

/** What a host did in the latest interval. */
export interface RecentHost {
  per_cpu: CpuFigures[];
  dom0_vcpus: CpuFractions[];
  /** All its NICs together, in a second of virtual time. */
  nic_per_s: NicCounts;
}

/** What one direction of a link carried in the latest interval. */
export interface RecentDirection {
  utilisation: number;
  port_busy: number;
  frames_per_s: number;
  MBps: number;
  /** Frames, not a rate. */
  lost: number;
}

/** The latest interval of every guest, as it was at an earlier sample. */
export interface GuestHistory {
  at_ns: number;
  guests: readonly RecentGuest[];
}

export interface LogLine {
  at_ns: number;
  level: "info" | "warn" | "error";
  text: string;
}

/**
 * Latencies of all measured messages by size of latency: bucket `i` counts those from
 * `2 ** ((first + i) / per_octave)` microseconds up to the next edge. At most {@link MAX_BUCKETS}.
 */
export interface LatencyHistogram {
  per_octave: number;
  first: number;
  counts: number[];
}

/** Buckets of a {@link LatencyHistogram}, at most. */
export const MAX_BUCKETS = 192;

/** What the study, or a source like it, measured where the run is. */
export interface Published {
  /** Half a round trip, or send call to receive completion, as `latency_us` elsewhere. */
  latency_us?: number;
  throughput_MBps?: number;
  source: string;
}

/** What the dashboard draws: the cumulative figures, the latest interval, a window of samples, and the event log. */
export interface LiveSnapshot {
  snapshot: Snapshot;
  recent: RecentGuest[];
  /** What holds the run back in the latest interval; absent before there is one. */
  bottleneck?: Bottleneck;
  /** Mean microseconds, by cause, of the messages that were complete in the latest interval; empty where none was. */
  recent_stages: StageFigures[];
  /** In the order of the snapshot's hosts; of its links, with both directions of each. Empty before the first sample. */
  recent_hosts: RecentHost[];
  recent_links: RecentDirection[][];
  /** The latest samples of the guests, oldest first; the last one is `recent`. */
  history: readonly GuestHistory[];
  samples: Sample[];
  /** Capacity of one link direction, all rails together, MB/s on the wire: the ceiling of the throughput chart. */
  link_limit_MBps: number;
  /** Of the measured messages so far; null before the first one. */
  latency_histogram?: LatencyHistogram | null;
  /** Absent where nothing was published for exactly this scenario. */
  published?: Published;
  log: LogLine[];
  finished: boolean;
  /** Absent while no guest is looked at alone. */
  guest_stages?: GuestStageFigures;
}

/** Where the messages of one guest spend their time, received and sent, since somebody looks at it alone. */
export interface GuestStageFigures {
  guest: string;
  /** Virtual time since when it is looked at, nanoseconds. */
  from_ns: number;
  messages: number;
  /** Mean microseconds of these messages. */
  stages: StageFigures[];
}
