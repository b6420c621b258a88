import { noActivity } from "../../src/report/template.ts";
import type { CpuFractions, Distribution, Figures, Snapshot } from "../../src/report/snapshot.ts";

/*
 * A small result made by hand, with a number in every field, for tests of formats and thresholds.
 */

const distribution = (p50: number): Distribution => ({
  min: p50 - 1,
  mean: p50 + 0.25,
  p50,
  p90: p50 + 1,
  p99: p50 + 2.5,
  p999: p50 * 2,
  max: p50 * 10,
});

const cpu = (user: number, steal = 0): CpuFractions => ({
  user,
  kernel: 0.125,
  irq: 0.0625,
  hypervisor: 0.004,
  steal,
  idle: 1 - user - 0.125 - 0.0625 - 0.004 - steal,
});

const figures = (messages: number, p50: number): Figures => ({
  messages,
  bytes: messages * 4096,
  latency_us: distribution(p50),
  rtt_us: distribution(p50 * 2),
  throughput_MBps: messages / 100,
  messages_per_s: messages * 2.5,
  integrity_errors: 0,
  lost: 0,
  duplicated: 0,
  retransmits: 3,
});

const physical = { host: 0, dom0: 0.5, guest: 0.25, hypervisor: 0.05, idle: 0.2 };

const queue = { used: 4, size: 1024, drops: 0 };

const nic = {
  ...{ tx_frames: 60_001, rx_frames: 123_456, tx_bytes: 1e8, rx_bytes: 2e8, drops: 1, interrupts: 99 },
  ...{ rx_drops: 1, tx_drops: 0, coalesced: 123_357 },
};

/** A fresh copy each time, so that a test may change it. */
export function sample(): Snapshot {
  return {
    schema: "mxtop/1",
    tool: { name: "mxtop", version: "0.1.0" },
    command: "mxtop run sample --seed 7",
    scenario: {
      name: "sample",
      title: "Two guests & a <title>",
      hash: "0123456789abcdef",
      path: "xen2mx",
      guests: 2,
      seed: 7,
      workload: "pingpong",
    },
    machine: { profile: "vhpc12", hash: "fedcba9876543210" },
    virtual_ns: 1_020_000_000,
    measured_ns: 1_000_000_000,
    fingerprint: "00112233aabbccdd",
    ok: true,
    failures: [],
    partial: false,
    totals: { ...figures(120_000, 14), cpu: cpu(0.4, 0.05) },
    guests: [
      {
        name: "vm01",
        host: "a",
        path: "xen2mx",
        ...figures(60_000, 14),
        sent: { messages: 60_000, bytes: 245_760_000, throughput_MBps: 600, messages_per_s: 150_000 },
        cpu: cpu(0.5, 0.1),
        ring: { used: 3, size: 16 },
        grants: { active: 128, mapped: 64 },
        rings: [
          { name: "command ring", holds: "work", size: 8, used: 1 },
          { name: "event ring", holds: "work", size: 8, used: 2 },
        ],
        event_ports: 1,
        peer_count: 1,
        peers: [{ name: "node01", unacked: 2 }],
        notifications: { to_backend: { sent: 3, suppressed: 17 }, to_guest: { sent: 5, suppressed: 15 } },
        grant_counts: { granted: 130, maps: 66, copies: 7, copied_bytes: 28_672, reused: 4096 },
        events: { sent: 3, received: 5, merged: 1 },
        interface: { tx_frames: 5, rx_frames: 6, tx_drops: 0, rx_drops: 1, interrupts: 4 },
        library: { ...noActivity().library, acks_delayed: 12, retransmits: 3 },
      },
      {
        name: "node01",
        host: "b",
        path: "native",
        ...figures(60_000, 12.5),
        sent: { messages: 60_000, bytes: 245_760_000, throughput_MBps: 600, messages_per_s: 150_000 },
        cpu: cpu(0.25),
        ring: null,
        grants: null,
        rings: [],
        event_ports: null,
        peer_count: 1,
        peers: [{ name: "vm01", unacked: 0 }],
        ...noActivity(),
        notifications: null,
        grant_counts: null,
        events: null,
        interface: { tx_frames: 60_001, rx_frames: 60_000, tx_drops: 0, rx_drops: 2, interrupts: 17 },
      },
    ],
    hosts: [
      {
        name: "a",
        cpus: 24,
        native: false,
        cpu: { host: cpu(0), dom0: cpu(0.01), guest: cpu(0.02), idle: 0.75 },
        per_cpu: [{ ...physical, user: 0.3, kernel: 0.4, irq: 0.05, polling: 0.25 }],
        dom0_vcpus: [cpu(0.5)],
        vm_exits: { kick: 1200, hlt: 34, host_interrupt: 5, interrupt_window: 6, eoi: 789, user_space: 0 },
        nic: { ...nic },
        nics: [{
          name: "a nic",
          mac: "02:4d:58:00:00:01",
          ...nic,
          tx_ring: { used: 3, size: 1024 },
          rx_ring_size: 512,
          rx_queues: [{ used: 2, frames: 123_456, drops: 1, interrupts: 99, coalesced: 123_357 }],
        }],
        boards: [
          { name: "a", mac: "02:4d:58:00:00:01", peers: 2, counters: { "send tiny": 60_001, "recv tiny": 60_000 } },
        ],
      },
    ],
    links: [
      {
        name: "a-b",
        rate_Gbps: 10,
        directions: [
          {
            from: "a",
            to: "b",
            frames: 60_001,
            wire_bytes: 123_456_789,
            utilisation: 0.0988,
            port_busy: 0.1025,
            lost: 0,
            queue: { ...queue },
          },
          {
            from: "b",
            to: "a",
            frames: 60_002,
            wire_bytes: 524_288,
            utilisation: 0.5,
            port_busy: 0.5,
            lost: 2,
            queue: { ...queue },
          },
        ],
      },
    ],
    stages: [{ stage: "copy", us: 1.5 }, { stage: "wire", us: 4.25 }, { stage: "grant", us: 0 }],
    rows: [
      { size: 0, latency_us: 7, rtt_us: 14, throughput_MBps: 0, host_cpu: 0.05, guest_cpu: 0.9 },
      { size: 4096, latency_us: 12.345, rtt_us: 24.69, throughput_MBps: 331.8, host_cpu: 0.06, guest_cpu: 0.95 },
    ],
    thresholds: [
      { expression: "throughput_MBps > 1100", value: 1200, ok: true },
    ],
    wall: { ms: 1234.5, realtime_factor: 0.826, events: 2_345_678, events_per_s: 1_900_000 },
  };
}

/** The same, gone wrong in every way that a format must show. */
export function failedSample(): Snapshot {
  return {
    ...sample(),
    ok: false,
    partial: true,
    failures: ["2 messages arrived with a wrong payload", "threshold rtt_us.p50 < 1: found 28"],
    totals: { ...sample().totals, integrity_errors: 2, latency_us: null },
    thresholds: [{ expression: "rtt_us.p50 < 1", value: 28, ok: false }, {
      expression: 'x["<&>"] > 0',
      value: NaN,
      ok: false,
    }],
  };
}
