import type { FaultSpec, GuestSpec, Scenario, TroubleSpec } from "../../src/cluster/scenario.ts";
import { Session } from "../../src/cluster/session.ts";
import { MS, SECOND } from "../../src/base/units.ts";
import type { Mechanisms } from "../../src/path/mechanisms.ts";
import { PATHS } from "../../src/path/registry.ts";
import { WORKLOADS } from "../../src/workload/registry.ts";

/** What a test says of a scenario; all else has a default. */
export interface ScenarioOptions {
  /** Hosts a, b, ...; 2 by default. */
  readonly hosts?: number;
  /** NICs of each host; 1 by default. */
  readonly boards?: number;
  /** Guests, or processes: guest i is on host i modulo the number of hosts. 2 by default. */
  readonly guests?: number;
  /** Path of every guest, or one for each host. */
  readonly path?: string | readonly string[];
  /** Parameters as in a scenario file, with `kind`. */
  readonly workload: { readonly kind: string } & Record<string, unknown>;
  readonly mtu?: number;
  readonly wire?: "mx";
  readonly discovery?: "omxoed";
  readonly packetLoss?: Scenario["packetLoss"];
  readonly environment?: Scenario["environment"];
  readonly loss?: number;
  readonly rateBps?: number;
  readonly latencyPs?: number;
  readonly costs?: Record<string, number>;
  readonly mechanisms?: Mechanisms;
  readonly cpus?: number;
  readonly seed?: number;
  readonly warmupPs?: number;
  readonly durationPs?: number;
  readonly faults?: readonly FaultSpec[];
  readonly troubles?: readonly TroubleSpec[];
}

/** A scenario with every default filled in. A host whose path has no hypervisor is native. */
export function scenario(options: ScenarioOptions): Scenario {
  const { kind, ...params } = options.workload;
  const hosts = options.hosts ?? 2;
  const pathOf = (host: number) => {
    const { path = "native" } = options;
    return typeof path === "string" ? path : path[host % path.length];
  };
  const isNative = (host: number) => PATHS.find(({ name }) => name === pathOf(host))!.hypervisor === "none";
  return {
    name: "test",
    title: "",
    description: "",
    machine: "vhpc12",
    costs: options.costs ?? {},
    hosts: Array.from({ length: hosts }, (_, i) => ({
      name: String.fromCharCode(97 + i),
      cpus: options.cpus ?? null,
      native: isNative(i),
      dom0Vcpus: null,
    })),
    boards: options.boards ?? 1,
    guests: Array.from({ length: options.guests ?? 2 }, (_, i): GuestSpec => ({
      name: `vm${String(i + 1).padStart(2, "0")}`,
      host: i % hosts,
      path: pathOf(i % hosts),
      vcpus: 1,
      weight: 256,
      pin: null,
    })),
    path: pathOf(0),
    link: {
      rateBps: options.rateBps ?? 10e9,
      mtu: options.mtu ?? 9000,
      latencyPs: options.latencyPs ?? null,
      loss: options.loss ?? 0,
      wire: options.wire,
    },
    discovery: options.discovery,
    packetLoss: options.packetLoss,
    environment: options.environment,
    mechanisms: options.mechanisms ?? {},
    workload: { kind, params: WORKLOADS.find((known) => known.kind === kind)!.params.parse(params) },
    warmupPs: options.warmupPs ?? 0,
    durationPs: options.durationPs ?? 30 * SECOND,
    seed: options.seed ?? 1,
    faults: options.faults ?? [],
    ...(options.troubles === undefined ? {} : { troubles: options.troubles }),
    thresholds: [],
  };
}

/** Sessions of the test that is under way. */
const opened: Session[] = [];

Deno.test.afterEach(() => {
  for (const session of opened.splice(0)) session.release();
});

/**
 * Has a session's memory given back when its test is over. The collector takes that memory for heap: left to it, many
 * sessions make it collect for up to a third of the time. A test of many sessions releases each as soon as it can.
 */
export function untilTestEnds(session: Session): Session {
  opened.push(session);
  return session;
}

/** A session of such a scenario, run to its end; to be used by one test. */
export function run(options: ScenarioOptions, prepare: (session: Session) => void = () => {}): Session {
  const session = untilTestEnds(new Session(scenario(options)));
  prepare(session);
  session.advance(session.end);
  return session;
}

/** Advances in slices of `maxEvents` events. */
export function runSliced(options: ScenarioOptions, maxEvents: number): Session {
  const session = untilTestEnds(new Session(scenario(options)));
  while (!session.finished) session.advance(Math.min(session.end, session.now + 5 * MS), maxEvents);
  return session;
}

/** What all guests of a session have seen, added up. */
export function totals(session: Session) {
  const sum = { messages: 0, bytes: 0, integrityErrors: 0, lost: 0, duplicated: 0, retransmits: 0 };
  for (const [rank, { meter }] of session.cluster.guests.entries()) {
    sum.messages += meter.messages;
    sum.bytes += meter.bytes;
    sum.integrityErrors += meter.integrityErrors;
    sum.lost += meter.lost;
    sum.duplicated += meter.duplicated;
    sum.retransmits += session.retransmits(rank);
  }
  return sum;
}
