import type { Scenario } from "../cluster/scenario.ts";
import { machineHash, scenarioHash } from "../cluster/scenario_hash.ts";
import type { Session } from "../cluster/session.ts";
import { bottleneckSince } from "./bottleneck.ts";
import {
  arrivedSince,
  guestFigures,
  offeredFigures,
  rowFigures,
  solverFigures,
  stageFigures,
  totalFigures,
} from "./figures.ts";
import { hostFigures, linkFigures } from "./hardware_figures.ts";
import { rounded } from "./round.ts";
import { type Snapshot, SNAPSHOT_SCHEMA } from "./snapshot.ts";

/** What a snapshot says of the program and of the real world. */
export interface SnapshotMeta {
  readonly command: string;
  readonly version: string;
  /** Milliseconds of real time that the run has taken so far. */
  readonly wallMs: number;
  /** The run was stopped before its end. */
  readonly partial: boolean;
}

/** Hashes of what changes with the cluster only, by scenario. */
const hashes = new WeakMap<Scenario, { readonly scenario: string; readonly machine: string }>();

function hashesOf({ scenario, cluster }: Session) {
  let known = hashes.get(scenario);
  if (known === undefined) {
    known = { scenario: scenarioHash(scenario), machine: machineHash(cluster.profile) };
    hashes.set(scenario, known);
  }
  return known;
}

/** What says in a result which run it is of. */
export type RunIdentity = Pick<Snapshot, "schema" | "tool" | "command" | "scenario" | "machine">;

export function runIdentity(
  session: Session,
  { command, version }: Pick<SnapshotMeta, "command" | "version">,
): RunIdentity {
  const { scenario, cluster } = session;
  const hash = hashesOf(session);
  return {
    schema: SNAPSHOT_SCHEMA,
    tool: { name: "mxtop", version },
    command,
    scenario: {
      name: scenario.name,
      title: scenario.title,
      hash: hash.scenario,
      path: scenario.path,
      guests: scenario.guests.length,
      seed: scenario.seed,
      workload: scenario.workload.kind,
      ...(scenario.program === undefined ? {} : { program: scenario.program.file }),
    },
    machine: { profile: cluster.profile.name, hash: hash.machine },
  };
}

/** Reads every figure of a run at its present instant. Thresholds and the verdict are left to `judge`. */
export function takeSnapshot(session: Session, meta: SnapshotMeta): Snapshot {
  session.settle();
  const { cluster } = session;
  const seconds = meta.wallMs / 1000;
  const offered = offeredFigures(session);
  const solver = solverFigures(session);
  const arrived = arrivedSince(session);
  return {
    ...runIdentity(session, meta),
    virtual_ns: session.now / 1000,
    measured_ns: session.measuredPs / 1000,
    fingerprint: session.fingerprint,
    ok: true,
    failures: programFailures(session),
    partial: meta.partial,
    totals: totalFigures(session, arrived),
    guests: cluster.guests.map((guest, index) => guestFigures(session, guest, index, arrived)),
    hosts: cluster.hosts.map((host) => hostFigures(session, host)),
    links: cluster.links.map((link, index) => linkFigures(session, link, index)),
    stages: stageFigures(session),
    bottleneck: bottleneckSince(session, session.baseline),
    rows: rowFigures(session),
    ...(offered === undefined ? {} : { offered }),
    ...(solver === undefined ? {} : { solver }),
    ...outputFigures(session),
    thresholds: [],
    wall: {
      ms: Math.round(meta.wallMs),
      realtime_factor: seconds > 0 ? rounded(session.now / 1e12 / seconds) : 0,
      events: session.events,
      events_per_s: seconds > 0 ? Math.round(session.events / seconds) : 0,
    },
  };
}

/** What the guest programs themselves say is wrong. */
function programFailures({ failure, output }: Session): string[] {
  return [...(failure === null ? [] : [failure]), ...(output?.failures() ?? [])];
}

/** The lines are those of the run, not a copy: a dashboard asks often, and they are only added to. */
function outputFigures({ output }: Session) {
  if (output === null) return {};
  const checks = { made: output.checks, failed: output.failedChecks };
  return { output: output.lines, output_dropped: output.dropped, checks };
}

/** A verdict with what guest programs have said since, while they came to their end. */
export function withProgramOutput(snapshot: Snapshot, session: Session): Snapshot {
  const late = programFailures(session).filter((failure) => !snapshot.failures.includes(failure));
  const failures = [...snapshot.failures, ...late];
  return { ...snapshot, ...outputFigures(session), failures, ok: failures.length === 0 };
}
