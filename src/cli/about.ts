import { scenarioHash } from "../cluster/scenario_hash.ts";
import type { Session } from "../cluster/session.ts";
import { wireText } from "../report/decode.ts";
import type { CaptureAbout } from "../report/pcapng.ts";
import type { TraceMeta } from "../report/perfetto.ts";
import type { Tracer } from "../report/trace/tracer.ts";
import { VERSION } from "./version.ts";

/** What a capture's file says of the run that `command` made. */
export function captureAbout({ scenario, cluster }: Session, command: string): CaptureAbout {
  return {
    hardware: `emulated machines of profile ${cluster.profile.name}`,
    os: "virtual time",
    application: `mxtop ${VERSION}`,
    comment: [
      command,
      `scenario ${scenario.name}, hash ${scenarioHash(scenario)}, seed ${scenario.seed}`,
      wireText(cluster.world.mx),
    ].join("\n"),
  };
}

/** What a trace's file says of the run that `command` made, and of its stretch of virtual time. */
export function traceMeta({ scenario, fingerprint }: Session, command: string, { log, until }: Tracer): TraceMeta {
  return {
    program: `mxtop ${VERSION}`,
    command,
    scenario: scenario.name,
    path: scenario.path,
    seed: String(scenario.seed),
    virtual_from_ns: String(log.from / 1000),
    virtual_until_ns: String(until / 1000),
    fingerprint,
    cut: String(log.isFull),
  };
}
