import type { Input, InputRecord } from "../../src/cluster/input.ts";
import type { CompleteMessage } from "../../src/cluster/message_stop.ts";
import type { EarlierInstant } from "../../src/cluster/recording.ts";
import { PATHS } from "../../src/path/registry.ts";
import { recordAnatomy } from "../../src/report/anatomy.ts";
import type { Interval } from "../../src/report/interval.ts";
import type { Summary } from "../../src/report/summary.ts";
import type { DashboardOptions } from "../../src/tui/options.ts";
import type { DashboardRun, Rewinding } from "../../src/tui/run.ts";
import type { Setting } from "../../src/tui/settings.ts";
import { summaryOf } from "../report/summary_model.ts";
import {
  type GuestHistory,
  type LatencyHistogram,
  type LiveSnapshot,
  type LogLine,
  type RecentGuest,
  type Sample,
} from "../../src/report/live_snapshot.ts";
import {
  type CpuFractions,
  type Distribution,
  type Figures,
  type GuestFigures,
  type HostFigures,
  type RowFigures,
  SNAPSHOT_SCHEMA,
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

/** Picoseconds of virtual time that one event of the fake takes. */
const EVENT_PS = 1_000_000;
const SECOND_PS = 1e12;

interface Shape {
  name: string;
  title: string;
  guests: number;
  path: string;
  latencyUs: number;
  totalMBps: number;
  size: number;
  endPs: number;
}

const SHAPES: readonly Shape[] = [
  shape("pingpong-tiny", "32-byte ping-pong between two hosts", 2, "xen2mx", 7.1, 4.5, 32),
  shape("latency-16k", "Half round trip from 0 to 16 KiB", 2, "xen2mx", 27.4, 410, 16384),
  shape("throughput-4m", "One-way 4 MiB messages", 2, "native", 3510, 1186, 4 << 20),
  shape("scale-40-vms", "40 VMs stream 512 KiB messages between two hosts", 40, "xen2mx", 9000, 1150, 512 << 10, 60),
  shape("intra-node", "VMs of one host talk to each other", 8, "xen2mx", 19, 2400, 64 << 10),
];

function shape(
  name: string,
  title: string,
  guests: number,
  path: string,
  latencyUs: number,
  totalMBps: number,
  size: number,
  seconds = 3,
): Shape {
  return { name, title, guests, path, latencyUs, totalMBps, size, endPs: seconds * SECOND_PS };
}

/** How much slower a path is than native, so that switching paths can be seen. */
const FACTORS: Record<string, number> = { native: 1, "xen2mx-plain": 1.8, xen2mx: 1.15, bridged: 3.4 };
export const FAKE_PATHS = ["native", "xen2mx-plain", "xen2mx", "bridged", "emulated"];

/** A number in [0, 1) that depends on its arguments and nothing else. */
function noise(...seeds: number[]): number {
  let hash = 0x811c9dc5;
  for (const seed of seeds) {
    hash = Math.imul(hash ^ (seed | 0), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  }
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

/** Invented but believable: the same virtual time gives the same picture, whatever the slices were. */
export class FakeRun implements DashboardRun {
  now = 0;
  readonly #shape: Shape;
  readonly #path: string;
  readonly #seed: number;
  readonly #spinMs: number;
  #alone: string | null = null;
  readonly #samples: Sample[] = [];
  readonly #history: GuestHistory[] = [];

  /** `spinMs` of wall time per thousand events stand for the work of a real engine. */
  constructor(shape: Shape, path: string, seed = 1, spinMs = 0) {
    this.#shape = shape;
    this.#path = path;
    this.#seed = seed;
    this.#spinMs = spinMs;
  }

  get end(): number {
    return this.#shape.endPs;
  }

  get finished(): boolean {
    return this.now >= this.end;
  }

  advance(until: number, maxEvents: number): boolean {
    const events = Math.min(maxEvents, Math.max(0, Math.floor((until - this.now) / EVENT_PS)));
    if (this.#spinMs > 0) {
      const stop = performance.now() + (events / 1000) * this.#spinMs;
      while (performance.now() < stop);
    }
    const reached = this.now + maxEvents * EVENT_PS >= until;
    this.now = Math.min(this.end, reached ? Math.max(this.now, until) : this.now + events * EVENT_PS);
    return reached;
  }

  get events(): number {
    return Math.floor(this.now / EVENT_PS);
  }

  /** One in ten events completes a message. */
  get messages(): number {
    return Math.floor(this.events / 10);
  }

  get lastEvent(): string {
    return this.now === 0 ? "" : "a-b to b";
  }

  get lastMessage(): CompleteMessage | null {
    return this.messages === 0 ? null : { from: "vm01", to: "vm02", bytes: this.#shape.size, latencyPs: 1e9 };
  }

  readonly intervals: Interval[] = [];

  /** What it was asked to sample at. */
  sampleTimes: readonly number[] = [];
  sampleAt(times: readonly number[]): void {
    this.sampleTimes = times;
  }

  gone = false;
  /** Whether it cannot stay while it is made again. */
  large = false;
  release(): void {
    this.gone = true;
  }

  step(): void {
    this.now = Math.min(this.end, this.now + EVENT_PS);
  }

  readonly inputs: InputRecord[] = [];

  get lasting(): number[] {
    return this.inputs.map((_, i) => i + 1);
  }

  nextMessage(maxEvents: number): boolean {
    this.now = Math.min(this.end, this.now + Math.min(10, maxEvents) * EVENT_PS);
    return maxEvents >= 10;
  }

  /** Nothing can be done to a host "nowhere". */
  apply(input: Input): string | null {
    if ("host" in input && input.host === "nowhere") return "no host nowhere; wanted a or b";
    this.inputs.push({ atPs: this.now, events: this.now / EVENT_PS, input });
    return null;
  }

  settings(): Setting[] {
    return [
      { key: "guests", value: String(this.#shape.guests), unit: "", help: "number of guests" },
      { key: "path", value: this.#path, unit: "", help: "I/O path of the guests", choices: FAKE_PATHS },
      { key: "workload.size", value: "512 KiB", unit: "", help: "of the workload stream" },
      { key: "mechanisms.polling", value: "", unit: "", help: "the worker polls", choices: ["true", "false"] },
      { key: "hosts[0].dom0_vcpus", value: "24", unit: "", help: "VCPUs of dom0 on host a" },
      { key: "hosts[1].dom0_vcpus", value: "24", unit: "", help: "VCPUs of dom0 on host b" },
      { key: "link.loss", value: "0 %", unit: "", help: "loss of every link" },
      { key: "costs.syscall", value: "160", unit: "ns", help: "of the machine vhpc12" },
      { key: "costs.hypercall", value: "400", unit: "ns", help: "of the machine vhpc12" },
      { key: "costs.coalesceUs", value: "75", unit: "us", help: "of the machine vhpc12" },
    ];
  }

  /** Takes three calls of `advance`. */
  rewind(toPs: number, { events = Infinity, messages = Infinity }: EarlierInstant = {}): Promise<Rewinding> {
    const run = new FakeRun(this.#shape, this.#path, this.#seed, this.#spinMs);
    let to = Math.min(toPs, events * EVENT_PS, messages * 10 * EVENT_PS);
    if (this.large) this.gone = true;
    run.large = this.large;
    run.inputs.push(...this.inputs.filter(({ atPs }) => atPs <= to));
    run.#samples.push(...this.#samples.filter(({ at_ns }) => at_ns * 1000 < to));
    run.intervals.push(...this.intervals.filter((interval) => interval.toPs < to));
    let calls = 0;
    return Promise.resolve({
      get progress() {
        return calls / 3;
      },
      advance() {
        if (++calls < 3) return null;
        run.now = to;
        return run;
      },
      onTo: (laterPs) => {
        to = laterPs;
        calls = 0;
      },
      release: () => run.release(),
    });
  }

  summary(): Summary {
    return summaryOf(this.live());
  }

  live(alone?: string | null): LiveSnapshot {
    if (alone !== undefined) this.#alone = alone;
    const guests = Array.from({ length: this.#shape.guests }, (_, i) => this.#guest(i));
    const recent = guests.map((guest, i) => this.#recent(guest, i));
    const hosts = ["a", "b"].map((name, i) => this.#host(name, i));
    const totals = this.#totals(guests);
    const sample = this.#sample(recent, hosts);
    if (sample.at_ns > (this.#samples.at(-1)?.at_ns ?? -1)) {
      this.#samples.push(sample);
      this.#history.push({ at_ns: sample.at_ns, guests: recent });
    }
    if (this.#history.length > 60) this.#history.shift();
    const ns = this.now / 1000;
    const link = fakeLink(noise, sample.link_MBps, ns, this.#frame);
    if (this.#samples.length > 240) this.#samples.shift();
    this.#interval(totals, sample);
    return {
      snapshot: {
        schema: SNAPSHOT_SCHEMA,
        tool: { name: "mxtop", version: "0.0.0" },
        command: "dash",
        scenario: {
          name: this.#shape.name,
          title: this.#shape.title,
          hash: "0000",
          path: this.#path,
          guests: guests.length,
          seed: this.#seed,
          workload: "stream",
        },
        machine: { profile: "vhpc12", hash: "0000" },
        virtual_ns: this.now / 1000,
        measured_ns: this.now / 1000,
        fingerprint: "0000",
        ok: true,
        failures: [],
        partial: !this.finished,
        totals,
        guests,
        hosts,
        links: [link, { name: "a-b/1", rate_Gbps: 10, directions: [] }],
        stages: this.#stages(),
        rows: this.#rows(),
        thresholds: [],
        wall: { ms: 0, realtime_factor: 0, events: 0, events_per_s: 0 },
      },
      recent,
      recent_hosts: hosts.map(({ per_cpu, dom0_vcpus, nic }) => fakeRecentHost(per_cpu, dom0_vcpus, nic, ns)),
      recent_links: [fakeRecentLink(link, ns)],
      history: [...this.#history],
      samples: [...this.#samples],
      link_limit_MBps: 1250,
      latency_histogram: this.#histogram(),
      ...(this.#shape.name === "throughput-4m" ? { published: { throughput_MBps: 1192, source: "a paper" } } : {}),
      log: this.#log(),
      finished: this.finished,
      ...(this.#alone === null
        ? {}
        : { guest_stages: { guest: this.#alone, from_ns: 0, messages: 1234, stages: this.#stages() } }),
    };
  }

  /** A hump at the usual latency and a tail of some outliers. */
  #histogram(): LatencyHistogram | null {
    if (this.now === 0) return null;
    const usual = Math.round(Math.log2(this.#shape.latencyUs * this.#factor) * 16);
    const counts = Array.from({ length: 40 }, (_, i) => Math.round(20_000 * Math.exp(-(((i - 8) / 2.5) ** 2))));
    for (const i of [25, 31, 39]) counts[i] = 40 - i;
    return { per_octave: 16, first: usual - 8, counts };
  }

  #rows(): RowFigures[] {
    if (this.now === 0 || this.#shape.name !== "latency-16k") return [];
    return Array.from({ length: 15 }, (_, i) => {
      const size = 2 ** i;
      const latency = (6 + size / 800) * this.#factor;
      const [rtt, rate] = [2 * latency, size / latency];
      return { size, latency_us: latency, rtt_us: rtt, throughput_MBps: rate, host_cpu: 0.1, guest_cpu: 0.2 };
    });
  }

  /** Everything that was done to it makes it slower. */
  get #factor(): number {
    return (FACTORS[this.#path] ?? 1) * (1 + 0.3 * this.inputs.length);
  }

  #interval(totals: Figures, sample: Sample): void {
    const fromPs = this.intervals.at(-1)?.toPs ?? 0;
    if (this.now <= fromPs) return;
    const elapsed = this.now - fromPs;
    const messages = Math.round(totals.messages_per_s * elapsed / SECOND_PS);
    const p50 = Math.round(this.#shape.latencyUs * this.#factor * 1000);
    this.intervals.push({
      fromPs,
      toPs: this.now,
      events: this.events,
      completed: this.messages,
      inputs: this.inputs.length,
      said: 0,
      messages,
      bytes: Math.round(sample.throughput_MBps * elapsed / 1e6),
      retransmits: this.inputs.length,
      hostCpuPs: elapsed * 3,
      guestCpuPs: elapsed * 5,
      latencies: [p50, messages - 2, p50 * 2, 2],
    });
  }

  #guest(i: number): GuestFigures {
    const p50 = this.#shape.latencyUs * this.#factor * (0.9 + 0.2 * noise(i, 1));
    const MBps = this.#shape.totalMBps / this.#shape.guests / this.#factor * (0.9 + 0.2 * noise(i, 2));
    const seconds = this.now / SECOND_PS;
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
    return Math.floor(this.now / SECOND_PS * 10);
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
    const nic = fakeNic(noise, name, i, this.now / 1000, this.#frame);
    return {
      name,
      cpus: 24,
      native,
      cpu: native
        ? { host: part(0.2, 21), dom0: zero, guest: zero, idle: 0.8 }
        : { host: zero, dom0: part(0.2, 22), guest: part(0.3, 23), idle: 0.5 },
      per_cpu: perCpu,
      dom0_vcpus: fakeVcpus(this.#path, noise, i, this.#frame),
      nic,
      boards: [],
      nics: [nic],
    };
  }

  #sample(recent: RecentGuest[], hosts: HostFigures[]): Sample {
    const sum = recent.reduce((total, guest) => total + guest.throughput_MBps, 0);
    const gap = this.now === 0 || this.#frame % 17 === 9;
    const base = this.#shape.latencyUs * this.#factor;
    return {
      at_ns: this.now / 1000,
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

  #totals(guests: GuestFigures[]): Figures {
    const sum = (pick: (guest: GuestFigures) => number) => guests.reduce((total, guest) => total + pick(guest), 0);
    const p50 = this.#shape.latencyUs * this.#factor;
    return {
      messages: sum((g) => g.messages),
      bytes: sum((g) => g.bytes),
      latency_us: this.now === 0 ? null : distribution(p50, p50 * 1.8),
      rtt_us: null,
      throughput_MBps: sum((g) => g.throughput_MBps),
      messages_per_s: sum((g) => g.messages_per_s),
      integrity_errors: 0,
      lost: 0,
      duplicated: 0,
      retransmits: 0,
    };
  }

  #stages(): { stage: string; us: number }[] {
    if (this.now === 0) return [];
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
    return parts.map(([stage, share]) => ({ stage, us: this.#shape.latencyUs * this.#factor * share / 100 }));
  }

  #log(): LogLine[] {
    const lines: LogLine[] = [
      { at_ns: 0, level: "info", text: `${this.#shape.name} on ${this.#path}, seed ${this.#seed}` },
      { at_ns: 20e6, level: "info", text: "warm-up is over, measuring" },
      { at_ns: 200e6, level: "warn", text: "link a-b: loss 1 % for 50 ms" },
      { at_ns: 250e6, level: "info", text: "link a-b: loss ends" },
    ];
    if (this.finished) lines.push({ at_ns: this.end / 1000, level: "info", text: "the run is over" });
    return lines.filter((line) => line.at_ns * 1000 <= this.now);
  }
}

function distribution(p50: number, p99: number): Distribution {
  return { min: p50 * 0.8, mean: p50 * 1.02, p50, p90: p50 * 1.15, p99, p999: p99 * 1.3, max: p99 * 2 };
}

/** The fake's runs are there at once. */
type FakeOptions = Omit<DashboardOptions, "open"> & { open(...args: Parameters<DashboardOptions["open"]>): FakeRun };

/** Options as the command line would build them; the path "emulated" cannot be opened. */
export function fakeOptions(initial: string, spinMs = 0): FakeOptions {
  return {
    scenarios: SHAPES.map(({ name, title }, i) => ({ name, title, number: i + 1 })),
    initial,
    paths: FAKE_PATHS,
    version: "0.0.0",
    // The recordings are real ones: they take no longer than invented ones would.
    anatomy: (_, path) => {
      const known = PATHS.find(({ name }) => name === path)!;
      return Promise.resolve(recordAnatomy(known, { machine: "vhpc12", costs: {}, mtu: 9000 }));
    },
    open(name, { path, seed }) {
      const found = SHAPES.find((candidate) => candidate.name === name);
      if (!found) throw new Error(`there is no scenario "${name}"`);
      if (path === "emulated") {
        throw new Error(
          `${name} cannot run on the path "emulated": it needs a register-level NIC\nuse one of: native, xen2mx`,
        );
      }
      return new FakeRun(found, path ?? found.path, seed, spinMs);
    },
  };
}
