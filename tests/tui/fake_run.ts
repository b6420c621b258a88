import { MS, SECOND } from "../../src/base/units.ts";
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
import type { GuestHistory, LiveSnapshot, LogLine, Sample } from "../../src/report/live_snapshot.ts";
import { SNAPSHOT_SCHEMA } from "../../src/report/snapshot.ts";
import { FakeFigures } from "./fake_figures.ts";
import { FAKE_PATHS, type Shape, SHAPES } from "./fake_shapes.ts";

/** Picoseconds of virtual time that one event of the fake takes. */
const EVENT_PS = 1_000_000;
/** From then on figures are counted. */
const WARM_UP_PS = 20 * MS;

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

  /** Its hosts have 24 CPUs. */
  check(input: Input): string | null {
    if (input.kind !== "set") return null;
    const wrong = input.assignments.find((text) => /dom0_vcpus=(?!([1-9]|1\d|2[0-4])$)/.test(text));
    return wrong === undefined ? null : `--set ${wrong.split("=")[0]}: wanted 1 to 24`;
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
    const figures = this.#figures;
    const { guests, recent, sample } = figures;
    if (sample.at_ns > (this.#samples.at(-1)?.at_ns ?? -1)) {
      this.#samples.push(sample);
      this.#history.push({ at_ns: sample.at_ns, guests: recent });
    }
    if (this.#history.length > 60) this.#history.shift();
    if (this.#samples.length > 240) this.#samples.shift();
    this.#interval(figures);
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
        measured_ns: (this.now > WARM_UP_PS ? this.now - WARM_UP_PS : this.now) / 1000,
        fingerprint: "0000",
        ok: true,
        failures: [],
        partial: !this.finished,
        totals: figures.totals,
        guests,
        hosts: figures.hosts,
        links: figures.links,
        stages: figures.stages(),
        rows: figures.rows(),
        thresholds: [],
        wall: { ms: 0, realtime_factor: 0, events: 0, events_per_s: 0 },
      },
      recent,
      recent_stages: figures.stages(1.02),
      recent_hosts: figures.recentHosts,
      recent_links: figures.recentLinks,
      history: [...this.#history],
      samples: [...this.#samples],
      link_limit_MBps: 1250,
      latency_histogram: figures.histogram(),
      ...(this.#shape.name === "throughput-4m" ? { published: { throughput_MBps: 1192, source: "a paper" } } : {}),
      log: this.#log(),
      finished: this.finished,
      ...(this.#alone === null
        ? {}
        : { guest_stages: { guest: this.#alone, from_ns: 0, messages: 1234, stages: figures.stages() } }),
    };
  }

  get #figures(): FakeFigures {
    return new FakeFigures(this.#shape, this.#path, this.now, this.inputs.length);
  }

  #interval({ totals, sample, latencyUs }: FakeFigures): void {
    const fromPs = this.intervals.at(-1)?.toPs ?? 0;
    if (this.now <= fromPs) return;
    const elapsed = this.now - fromPs;
    const messages = Math.round(totals.messages_per_s * elapsed / SECOND);
    const p50 = Math.round(latencyUs * 1000);
    this.intervals.push({
      fromPs,
      toPs: this.now,
      events: this.events,
      completed: this.messages,
      inputs: this.inputs.length,
      said: 0,
      messages,
      bytes: Math.round(sample.throughput_MBps * elapsed / 1e6),
      arrived: 0,
      retransmits: this.inputs.length,
      hostCpuPs: elapsed * 3,
      guestCpuPs: elapsed * 5,
      latencies: [p50, messages - 2, p50 * 2, 2],
    });
  }

  #log(): LogLine[] {
    const lines: LogLine[] = [
      { at_ns: 0, level: "info", text: `${this.#shape.name} on ${this.#path}, seed ${this.#seed}` },
      { at_ns: WARM_UP_PS / 1000, level: "info", text: "warm-up is over, measuring" },
      { at_ns: 200e6, level: "warn", text: "link a-b: loss 1 % for 50 ms" },
      { at_ns: 250e6, level: "info", text: "link a-b: loss ends" },
    ];
    if (this.finished) lines.push({ at_ns: this.end / 1000, level: "info", text: "the run is over" });
    return lines.filter((line) => line.at_ns * 1000 <= this.now);
  }
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
