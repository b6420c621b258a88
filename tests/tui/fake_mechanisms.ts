import type { Activity } from "../../src/report/activity.ts";
import { noActivity } from "../../src/report/template.ts";
import type { RecentDirection, RecentGuest, RecentHost } from "../../src/report/live_snapshot.ts";
import type {
  CpuFigures,
  CpuFractions,
  LinkFigures,
  NicCounts,
  NicFigures,
  QueueFigures,
  RingFigures,
} from "../../src/report/snapshot.ts";

/*
 * The invented mechanisms of the fake run: rings, grants, notifications, NICs, links. Sums that hold in a real run hold
 * here too: a NIC's queues add up to it, its drops are those of both directions.
 */

type Noise = (...seeds: number[]) => number;

/** Whether a path of the fake has rings and grants. */
export function isVirtual(path: string): boolean {
  return path !== "native";
}

export function fakeRings(path: string, noise: Noise, i: number, frame: number): RingFigures[] {
  if (!isVirtual(path)) return [];
  if (path === "bridged") {
    return [
      { name: "netfront tx ring", holds: "work", size: 256, used: Math.floor(noise(i, 31, frame) * 200) },
      { name: "netfront rx ring", holds: "buffers", size: 256, used: 256 - Math.floor(noise(i, 32, frame) * 20) },
    ];
  }
  const used = Math.floor(noise(i, 4, frame) * 17);
  return [
    { name: "command ring", holds: "work", size: 16, used },
    { name: "event ring", holds: "work", size: 16, used: Math.floor(noise(i, 33, frame) * 5) },
  ];
}

/** Counts in a second; `scale` makes sums of them. */
export function fakeActivity(path: string, noise: Noise, i: number, frame: number, scale = 1): Activity {
  const some = (seed: number, most: number) => Math.floor(noise(i, seed, frame) * most * scale);
  const none = noActivity();
  const library = {
    ...none.library,
    sent_large: some(41, 60),
    received_large: some(42, 60),
    acks_delayed: some(43, 60),
    acks_piggy: some(44, 20),
    unexpected: some(45, 4),
    retransmits: some(46, 1.2),
    nacks: 0,
  };
  if (!isVirtual(path)) return { notifications: null, grant_counts: null, events: null, interface: null, library };
  const owns = path === "bridged";
  const sent = some(47, 800);
  return {
    notifications: {
      to_backend: { sent: some(48, 300), suppressed: some(49, 2000) },
      to_guest: { sent, suppressed: some(50, 1500) },
    },
    grant_counts: {
      granted: some(51, owns ? 9000 : 40),
      maps: some(52, 40),
      copies: owns ? some(53, 18000) : 0,
      copied_bytes: owns ? some(54, 30e6) : 0,
      reused: owns ? 0 : some(55, 7000),
    },
    events: { sent: some(48, 290), received: sent, merged: some(56, 10) },
    interface: owns
      ? { tx_frames: some(57, 3000), rx_frames: some(58, 3000), tx_drops: 0, rx_drops: 0, interrupts: some(59, 900) }
      : null,
    library,
  };
}

export function fakeRecentRings(rings: readonly RingFigures[], noise: Noise, i: number, frame: number) {
  return rings.map(({ used, size }, ring): RecentGuest["rings"][number] => ({
    mean: noise(i, 61 + ring, frame) * used,
    highest: Math.min(size, used + Math.floor(noise(i, 63 + ring, frame) * 4)),
  }));
}

export function fakeCpu(path: string, busy: number, noise: Noise, host: number, cpu: number): CpuFigures {
  const irq = busy * 0.1 * noise(host, cpu, 71);
  const user = busy * (0.2 + 0.4 * noise(host, cpu, 72));
  if (!isVirtual(path)) {
    const kernel = busy - irq - user;
    return { host: busy, dom0: 0, guest: 0, hypervisor: 0, idle: 1 - busy, user, kernel, irq, polling: 0 };
  }
  const hypervisor = busy / 6;
  const kernel = busy - hypervisor - irq - user;
  const polling = noise(host, cpu, 73) * busy / 3;
  return { host: 0, dom0: busy / 3, guest: busy / 2, hypervisor, idle: 1 - busy, user, kernel, irq, polling };
}

export function fakeVcpus(path: string, noise: Noise, host: number, frame: number): CpuFractions[] {
  if (!isVirtual(path)) return [];
  return Array.from({ length: 24 }, (_, vcpu) => {
    const busy = noise(host, vcpu, 74, frame) ** 3;
    const steal = 0.05 * noise(host, vcpu, 75, frame);
    const [kernel, irq, hypervisor] = [busy * 0.6, busy * 0.2, busy * 0.1];
    return { user: 0, kernel, irq, hypervisor, steal, idle: 1 - kernel - irq - hypervisor - steal };
  });
}

/** Frames of a NIC by the time, nanoseconds. */
function queues(noise: Noise, host: number, ns: number, frame: number): QueueFigures[] {
  return Array.from({ length: 8 }, (_, queue) => {
    const frames = Math.floor(ns / 1e9 * 16_000 * (0.5 + noise(host, queue, 81)));
    const coalesced = Math.floor(frames * (0.3 + 0.5 * noise(host, queue, 82)));
    const used = Math.floor(noise(host, queue, 83, frame) * 40);
    return {
      used,
      frames,
      drops: queue === 3 ? Math.floor(frames / 4000) : 0,
      interrupts: frames - coalesced,
      coalesced,
    };
  });
}

export function fakeNic(noise: Noise, name: string, host: number, ns: number, frame: number): NicFigures {
  const rx_queues = queues(noise, host, ns, frame);
  return {
    name: `${name} nic`,
    mac: `02:4d:58:00:00:0${host + 1}`,
    ...sums(rx_queues),
    tx_ring: { used: Math.floor(noise(host, 84, frame) * 600), size: 11_024 },
    rx_ring_size: 1024,
    rx_queues,
  };
}

function sums(rx_queues: readonly QueueFigures[]): NicCounts {
  const sum = (pick: (queue: QueueFigures) => number) => rx_queues.reduce((total, queue) => total + pick(queue), 0);
  const rx_frames = sum((queue) => queue.frames);
  const rx_drops = sum((queue) => queue.drops);
  return {
    tx_frames: rx_frames,
    rx_frames,
    tx_bytes: rx_frames * 9000,
    rx_bytes: rx_frames * 9000,
    drops: rx_drops,
    interrupts: sum((queue) => queue.interrupts),
    rx_drops,
    tx_drops: 0,
    coalesced: sum((queue) => queue.coalesced),
  };
}

/** Rates of the latest interval: those of the whole time. */
export function fakeRecentHost(per_cpu: CpuFigures[], dom0_vcpus: CpuFractions[], nic: NicCounts, ns: number) {
  const nic_per_s = Object.fromEntries(
    Object.entries(nic).filter(([, value]) => typeof value === "number")
      .map(([name, value]) => [name, ns > 0 ? Math.round(value as number / ns * 1e9) : 0]),
  ) as unknown as NicCounts;
  return { per_cpu, dom0_vcpus, nic_per_s } satisfies RecentHost;
}

export function fakeLink(noise: Noise, MBps: number, ns: number, frame: number): LinkFigures {
  const direction = (from: string, to: string, share: number, seed: number) => ({
    from,
    to,
    frames: Math.floor(ns / 1e9 * MBps * share / 0.009),
    wire_bytes: Math.floor(ns / 1000 * MBps * share),
    utilisation: Math.min(1, MBps * share / 1250),
    port_busy: Math.min(1, MBps * share / 1200),
    lost: seed === 91 ? Math.floor(ns / 1e8) : 0,
    queue: { used: Math.floor(noise(seed, frame) * 600), size: 11_024, drops: 0 },
  });
  return {
    name: "a-b",
    rate_Gbps: 10,
    directions: [direction("a nic", "b nic", 1, 91), direction("b nic", "a nic", 0.04, 92)],
  };
}

export function fakeRecentLink({ directions }: LinkFigures, ns: number): RecentDirection[] {
  return directions.map(({ utilisation, port_busy, frames, wire_bytes }, side) => ({
    utilisation,
    port_busy,
    frames_per_s: ns > 0 ? Math.round(frames / ns * 1e9) : 0,
    MBps: ns > 0 ? wire_bytes / ns * 1000 : 0,
    lost: side === 0 ? 1 : 0,
  }));
}
