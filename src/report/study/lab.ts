import { canonicalJson } from "../../base/hash.ts";
import { MS, SECOND } from "../../base/units.ts";
import type { Scenario } from "../../cluster/scenario.ts";
import { Session } from "../../cluster/session.ts";
import type { Mechanisms } from "../../path/mechanisms.ts";
import { PATHS } from "../../path/registry.ts";
import { linkRateOf as linkRate, MACHINES } from "../../hw/profiles/registry.ts";
import { WORKLOADS } from "../../workload/registry.ts";
import { machineStamp, type Made, ownProvenance, type Provenance } from "../provenance.ts";
import type { Snapshot } from "../snapshot.ts";
import { takeSnapshot } from "../take_snapshot.ts";

/** Payload that a 10GbE link carries at best. */
const LINK_BYTES_PER_S = 1.19e9;

/** Whole milliseconds, as picoseconds, between two bounds in milliseconds. */
function clampMs(ps: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.ceil(ps / MS))) * MS;
}

/** One run of the study. */
export interface Experiment {
  readonly path: string;
  readonly machine?: string;
  /** One guest against a process on a native host, as the study measured; otherwise guests on both hosts. */
  readonly farNative?: boolean;
  readonly guests?: number;
  readonly workload: { readonly kind: string; readonly [key: string]: unknown };
  readonly mechanisms?: Mechanisms;
  readonly costs?: Readonly<Record<string, number>>;
  readonly mtu?: number;
  readonly cpus?: number;
  /** Physical CPUs that all guests are confined to; null or absent for all. */
  readonly pin?: readonly number[];
  readonly dom0Vcpus?: number;
  readonly warmupPs?: number;
  readonly durationPs?: number;
}

/** Runs experiments, each once, and reads what the study asks of them. */
export class Lab {
  readonly #made: Made;
  readonly #done = new Map<string, Snapshot>();
  readonly #machines = new Set<string>();

  /** `command` is what the experiments are made for. */
  constructor(version: string, command = "mxtop reproduce") {
    this.#made = { version, command };
  }

  /** What has made the report of the experiments so far: on these machines, though some had single costs changed. */
  get provenance(): Provenance {
    return ownProvenance(this.#made, MACHINES.filter(({ name }) => this.#machines.has(name)).map(machineStamp));
  }

  /** Experiments that were not made, and whose outcome was made up. */
  get guesses(): number {
    return 0;
  }

  run(experiment: Experiment): Snapshot {
    return this.#done.get(canonicalJson(experiment)) ?? this.make(experiment);
  }

  /** Takes over what an experiment has come to. */
  learn(experiment: Experiment, snapshot: Snapshot): void {
    this.#done.set(canonicalJson(experiment), snapshot);
    this.#machines.add(snapshot.machine.profile);
  }

  /** Makes an experiment that is not known yet. */
  protected make(experiment: Experiment): Snapshot {
    const session = new Session(scenarioOf(experiment));
    while (!session.finished) session.advance(session.end);
    const meta = { ...this.#made, wallMs: 0, partial: false };
    const snapshot = takeSnapshot(session, meta);
    session.release();
    this.learn(experiment, snapshot);
    return snapshot;
  }

  /** Median round trip of a 16-byte message, microseconds: one guest against a native node. */
  rtt(path: string, machine: string, mechanisms: Mechanisms = {}): number {
    const workload = { kind: "pingpong", sizes: ["16 B"], iterations: 300 };
    return this.run({ path, machine, farNative: true, mechanisms, workload }).rows[0].rtt_us;
  }

  /** Half round trips by size, and the throughput that follows from them: one guest against a native node. */
  sweep(path: string, machine: string, sizes: readonly number[], iterations: number, more: Partial<Experiment> = {}) {
    const workload = { kind: "pingpong", sizes: [...sizes], iterations, warmup_iterations: 4 };
    return this.run({ path, machine, farNative: true, workload, ...more }).rows;
  }

  /** A one-way stream between pairs of guests, in steady state. */
  stream(path: string, machine: string, size: number, guests: number, more: Partial<Experiment> = {}): Snapshot {
    const workload = { kind: "stream", size, outstanding: 8 };
    // Until every message in flight at the start is through, and then long enough for some hundreds of messages. The
    // guests also connect all at once: what queues up meanwhile is consumed faster than the link could bring it.
    const perMessagePs = (size / LINK_BYTES_PER_S) * SECOND;
    const inFlight = (guests / 2) * 8;
    const timing = {
      warmupPs: clampMs(1.2 * inFlight * perMessagePs, Math.ceil(5 + 1.5 * guests), 400),
      durationPs: clampMs(350 * perMessagePs, 40, 1300),
    };
    return this.run({ path, machine, guests, workload, ...timing, ...more });
  }
}

/** What an experiment runs. */
export function scenarioOf(experiment: Experiment): Scenario {
  const { path, machine = "vhpc12", guests = 2, farNative = false, workload, mechanisms = {}, costs = {} } = experiment;
  const known = WORKLOADS.find(({ kind }) => kind === workload.kind)!;
  const { kind: _kind, ...params } = workload;
  const allNative = PATHS.find(({ name }) => name === path)!.hypervisor === "none";
  const { cpus = null, dom0Vcpus = null } = experiment;
  const hosts = ["a", "b"].map((name, i) => ({
    name,
    cpus,
    native: allNative || (farNative && i === 1),
    dom0Vcpus,
  }));
  return {
    name: `study-${path}`,
    title: "",
    description: "",
    machine,
    costs,
    hosts,
    boards: 1,
    guests: Array.from({ length: guests }, (_, i) => ({
      name: `vm${String(i + 1).padStart(2, "0")}`,
      host: i % 2,
      path: hosts[i % 2].native ? "native" : path,
      vcpus: 1,
      weight: 256,
      pin: experiment.pin ?? null,
    })),
    path,
    link: { rateBps: linkRate(machine), mtu: experiment.mtu ?? 9000, latencyPs: null, loss: 0 },
    mechanisms,
    workload: { kind: workload.kind, params: known.params.parse(params) },
    warmupPs: experiment.warmupPs ?? 0,
    durationPs: experiment.durationPs ?? 20 * SECOND,
    seed: 1,
    faults: [],
    thresholds: [],
  };
}
