import { SECOND } from "../../src/base/units.ts";
import type {
  LatencyHistogram,
  RecentDirection,
  RecentGuest,
  RecentHost,
  Sample,
} from "../../src/report/live_snapshot.ts";
import type {
  CpuFractions,
  Distribution,
  GuestFigures,
  HostFigures,
  LinkFigures,
  RowFigures,
  TotalFigures,
} from "../../src/report/snapshot.ts";
import {
  fakeActivity,
  fakeCpu,
  fakeLink,
  fakeNic,
  fakeRecentHost,
  fakeRecentLink,
  fakeRecentRings,
  fakeRings,
  fakeVcpus,
  isVirtual,
} from "./fake_mechanisms.ts";
import type { Shape } from "./fake_shapes.ts";

/** How much slower a path is than native, so that switching paths can be seen. */
const FACTORS: Record<string, number> = { native: 1, "xen2mx-plain": 1.8, xen2mx: 1.15, bridged: 3.4 };

/** A number in [0, 1) that depends on its arguments and nothing else. */
function noise(...seeds: number[]): number {
  let hash = 0x811c9dc5;
  for (const seed of seeds) {
    hash = Math.imul(hash ^ (seed | 0), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  }
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

/** What a fake run has come to at an instant: the same arguments give the same figures. */
export class FakeFigures {
  readonly #shape: Shape;
  readonly #path: string;
  readonly #now: number;
  readonly #factor: number;
  /** The usual one. */
  readonly latencyUs: number;
  readonly guests: GuestFigures[];
  readonly recent: RecentGuest[];
  readonly hosts: HostFigures[];
  readonly recentHosts: RecentHost[];
  readonly totals: TotalFigures;
  readonly sample: Sample;
  readonly links: LinkFigures[];
  readonly recentLinks: RecentDirection[][];

  /** `now` is virtual time in picoseconds. Everything that was done to the run, `inputs` times, makes it slower. */
  constructor(shape: Shape, path: string, now: number, inputs: number) {
    this.#shape = shape;
    this.#path = path;
    this.#now = now;
    this.#factor = (FACTORS[path] ?? 1) * (1 + 0.3 * inputs);
    this.latencyUs = shape.latencyUs * this.#factor;
    const ns = now / 1000;
    this.guests = Array.from({ length: shape.guests }, (_, i) => this.#guest(i));
    this.recent = this.guests.map((guest, i) => this.#recent(guest, i));
    this.hosts = ["a", "b"].map((name, i) => this.#host(name, i));
    this.recentHosts = this.hosts.map(({ per_cpu, dom0_vcpus, nic }) => fakeRecentHost(per_cpu, dom0_vcpus, nic, ns));
    this.totals = this.#totals(this.guests);
    this.sample = this.#sample(this.recent, this.hosts);
    const link = fakeLink(noise, this.sample.link_MBps, ns, this.#frame);
    this.links = [link, { name: "a-b/1", rate_Gbps: 10, directions: [] }];
    this.recentLinks = [fakeRecentLink(link, ns)];
  }

  /** A hump at the usual latency and a tail of some outliers. */
  histogram(): LatencyHistogram | null {
    if (this.#now === 0) return null;
    const usual = Math.round(Math.log2(this.latencyUs) * 16);
    const counts = Array.from({ length: 40 }, (_, i) => Math.round(20_000 * Math.exp(-(((i - 8) / 2.5) ** 2))));
    for (const i of [25, 31, 39]) counts[i] = 40 - i;
    return { per_octave: 16, first: usual - 8, counts };
  }

  rows(): RowFigures[] {
    if (this.#now === 0 || this.#shape.name !== "latency-16k") return [];
    return Array.from({ length: 15 }, (_, i) => {
      const size = 2 ** i;
      const latency = (6 + size / 800) * this.#factor;
      const [rtt, rate] = [2 * latency, size / latency];
      return { size, latency_us: latency, rtt_us: rtt, throughput_MBps: rate, host_cpu: 0.1, guest_cpu: 0.2 };
    });
  }

  #guest(i: number): GuestFigures {
    const p50 = this.latencyUs * (0.9 + 0.2 * noise(i, 1));
    const MBps = this.#shape.totalMBps / this.#shape.guests / this.#factor * (0.9 + 0.2 * noise(i, 2));
    const seconds = this.#now / SECOND;
    const virtual = isVirtual(this.#path);
    const rings = fakeRings(this.#path, noise, i, this.#frame);
    return {
      name: `vm${String(i + 1).padStart(2, "0")}`,
      host: i % 2 === 0 ? "a" : "b",
      path: this.#path,
      messages: Math.floor(MBps * 1e6 / this.#shape.size * seconds),
      bytes: Math.floor(MBps * 1e6 * seconds),
      latency_us: seconds === 0 ? null : distribution(p50, p50 * (1.3 + noise(i, 3))),
      rtt_us: null,
      sent: { messages: 0, bytes: 0, throughput_MBps: 0, messages_per_s: 0 },
      throughput_MBps: MBps,
      messages_per_s: MBps * 1e6 / this.#shape.size,
      integrity_errors: 0,
      lost: 0,
      duplicated: 0,
      retransmits: 0,
      cpu: this.#cpu(i, 0),
      ring: virtual ? { used: rings[0].used, size: rings[0].size } : null,
      grants: virtual ? { active: 128 + Math.floor(noise(i, 5, this.#frame) * 64), mapped: 128 } : null,
      rings,
      event_ports: virtual ? 1 : null,
      peer_count: 1,
      peers: [{
        name: `vm${String((i ^ 1) + 1).padStart(2, "0")}`,
        unacked: Math.floor(noise(i, 34, this.#frame) * 8),
      }],
      ...fakeActivity(this.#path, noise, i, 0, seconds),
    };
  }

  /** Changes ten times in a virtual second: the fake's "latest interval". */
  get #frame(): number {
    return Math.floor(this.#now / SECOND * 10);
  }

  #cpu(i: number, frame: number): CpuFractions {
    const user = 0.1 + 0.3 * noise(i, 6, frame);
    const kernel = 0.1 + 0.2 * noise(i, 7, frame);
    const irq = 0.05 * noise(i, 8, frame);
    const hypervisor = this.#path === "native" ? 0 : 0.05 + 0.1 * noise(i, 9, frame);
    const steal = this.#path === "native" ? 0 : 0.1 * noise(i, 10, frame);
    return { user, kernel, irq, hypervisor, steal, idle: 1 - user - kernel - irq - hypervisor - steal };
  }

  #recent(guest: GuestFigures, i: number): RecentGuest {
    const wobble = 0.8 + 0.4 * noise(i, 11, this.#frame);
    const silent = noise(i, 12, this.#frame) < 0.05 || guest.latency_us === null;
    return {
      p50_us: silent ? null : guest.latency_us!.p50 * wobble,
      p99_us: silent ? null : guest.latency_us!.p99 * wobble,
      throughput_MBps: guest.throughput_MBps / wobble,
      sent_MBps: 0,
      sent_per_s: 0,
      messages_per_s: guest.messages_per_s / wobble,
      cpu: this.#cpu(i, this.#frame + 1),
      ring: guest.ring,
      rings: fakeRecentRings(guest.rings, noise, i, this.#frame),
      activity: fakeActivity(this.#path, noise, i, this.#frame),
    };
  }

  #host(name: string, i: number): HostFigures {
    const part = (scale: number, seed: number): CpuFractions => {
      const user = scale * 0.3;
      const kernel = scale * (0.5 + 0.2 * noise(i, seed, this.#frame));
      const hypervisor = this.#path === "native" ? 0 : scale * 0.15;
      return { user, kernel, irq: scale * 0.1, hypervisor, steal: 0, idle: 0 };
    };
    const native = this.#path === "native";
    const zero = part(0, 0);
    const perCpu = Array.from({ length: 24 }, (_, c) => {
      const busy = noise(i, c, this.#frame) ** 2;
      return fakeCpu(this.#path, busy, noise, i, c);
    });
    const nic = fakeNic(noise, name, i, this.#now / 1000, this.#frame);
    return {
      name,
      cpus: 24,
      native,
      cpu: native
        ? { host: part(0.2, 21), dom0: zero, guest: zero, idle: 0.8 }
        : { host: zero, dom0: part(0.2, 22), guest: part(0.3, 23), idle: 0.5 },
      per_cpu: perCpu,
      dom0_vcpus: fakeVcpus(this.#path, noise, i, this.#frame),
      vm_exits: null,
      nic,
      boards: [],
      nics: [nic],
    };
  }

  #sample(recent: RecentGuest[], hosts: HostFigures[]): Sample {
    const sum = recent.reduce((total, guest) => total + guest.throughput_MBps, 0);
    const gap = this.#now === 0 || this.#frame % 17 === 9;
    const base = this.latencyUs;
    return {
      at_ns: this.#now / 1000,
      p50_us: gap ? null : base * (0.95 + 0.1 * noise(14, this.#frame)),
      p99_us: gap ? null : base * (1.5 + 0.6 * noise(15, this.#frame)),
      p999_us: gap ? null : base * (2.2 + 0.8 * noise(16, this.#frame)),
      throughput_MBps: sum,
      link_MBps: Math.min(1250, sum * 1.02),
      hosts: hosts.map(({ cpu }) => ({
        host: cpu.host.kernel + cpu.host.user,
        dom0: cpu.dom0.kernel + cpu.dom0.user,
        guest: cpu.guest.kernel + cpu.guest.user,
        hypervisor: cpu.dom0.hypervisor + cpu.guest.hypervisor,
        idle: cpu.idle,
      })),
    };
  }

  #totals(guests: GuestFigures[]): TotalFigures {
    const sum = (pick: (guest: GuestFigures) => number) => guests.reduce((total, guest) => total + pick(guest), 0);
    const p50 = this.latencyUs;
    return {
      messages: sum((g) => g.messages),
      bytes: sum((g) => g.bytes),
      latency_us: this.#now === 0 ? null : distribution(p50, p50 * 1.8),
      rtt_us: null,
      throughput_MBps: sum((g) => g.throughput_MBps),
      messages_per_s: sum((g) => g.messages_per_s),
      integrity_errors: 0,
      lost: 0,
      duplicated: 0,
      retransmits: 0,
      cpu: guests[0].cpu,
    };
  }

  /** Of the whole run; times so much, of the latest interval. */
  stages(factor = 1): { stage: string; us: number }[] {
    if (this.#now === 0) return [];
    const parts: [string, number][] = [
      ["library", 2],
      ["syscall", 3],
      ["driver", 4],
      ["frontend", 5],
      ["notification", 3],
      ["hypervisor", 6],
      ["backend", 7],
      ["copy", 12],
      ["grant", 5],
      ["nic", 4],
      ["wire", 30],
      ["interrupt", 4],
      ["wakeup", 5],
      ["queueing", 10],
    ];
    return parts.map(([stage, share]) => ({ stage, us: this.latencyUs * factor * share / 100 }));
  }
}

function distribution(p50: number, p99: number): Distribution {
  return { min: p50 * 0.8, mean: p50 * 1.02, p50, p90: p50 * 1.15, p99, p999: p99 * 1.3, max: p99 * 2 };
}
