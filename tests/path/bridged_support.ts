import { KIB, MIB, SECOND } from "../../src/base/units.ts";
import type { Scenario } from "../../src/cluster/scenario.ts";
import { Session } from "../../src/cluster/session.ts";
import type { Mechanisms } from "../../src/path/mechanisms.ts";
import { WORKLOADS } from "../../src/workload/registry.ts";
import { untilTestEnds } from "../support/scenario.ts";

export interface Options {
  readonly workload: Record<string, unknown> & { kind: string };
  readonly guests?: number;
  readonly hosts?: number;
  /** The second host is native, with one process for each guest of the first. */
  readonly native?: boolean;
  readonly mtu?: number;
  readonly dom0Vcpus?: number;
  readonly durationPs?: number;
  readonly warmupPs?: number;
  readonly loss?: number;
  readonly mechanisms?: Mechanisms;
}

/** Guests over bridged on one or two hosts, in turn. */
export function session(options: Options): Session {
  const { kind, ...params } = options.workload;
  const workload = WORKLOADS.find((known) => known.kind === kind)!;
  const hosts = options.hosts ?? 2;
  const scenario: Scenario = {
    name: "test",
    title: "test",
    description: "",
    machine: "vhpc12",
    costs: {},
    hosts: Array.from({ length: hosts }, (_, i) => ({
      name: `host${i}`,
      cpus: null,
      native: options.native === true && i === 1,
      dom0Vcpus: options.dom0Vcpus ?? null,
    })),
    boards: 1,
    guests: Array.from({ length: options.guests ?? 2 }, (_, i) => ({
      name: `vm${i}`,
      host: i % hosts,
      path: options.native === true && i % hosts === 1 ? "native" : "bridged",
      vcpus: 1,
      weight: 256,
      pin: null,
    })),
    path: "bridged",
    link: { rateBps: 1e10, mtu: options.mtu ?? 9000, latencyPs: null, loss: options.loss ?? 0 },
    mechanisms: options.mechanisms ?? {},
    workload: { kind, params: workload.params.parse(params) },
    warmupPs: options.warmupPs ?? 0,
    durationPs: options.durationPs ?? 10 * SECOND,
    seed: 1,
    faults: [],
    thresholds: [],
  };
  return untilTestEnds(new Session(scenario));
}

export function run(options: Options): Session {
  const built = session(options);
  built.advance(built.end);
  return built;
}

export function integrityErrors({ cluster }: Session): number {
  return cluster.guests.reduce((sum, { meter }) => sum + meter.integrityErrors, 0);
}

export function totalBytes({ cluster }: Session): number {
  return cluster.guests.reduce((sum, { meter }) => sum + meter.bytes, 0);
}

// Around every threshold: tiny, small, medium fragments of both MTUs, rendezvous, several pull blocks.
export const SIZES = [0, 1, 31, 32, 33, 128, 129, 1452, 1453, 4096, 8192, 8193, 32768, 32769, 100_000, 256 * KIB, MIB];
