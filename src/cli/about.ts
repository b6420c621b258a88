import type { Session } from "../cluster/session.ts";
import { wireText } from "../report/decode.ts";
import type { CaptureAbout } from "../report/pcapng.ts";
import type { TraceMeta } from "../report/perfetto.ts";
import { provenanceEntries, sessionProvenance } from "../report/provenance.ts";
import type { Tracer } from "../report/trace/tracer.ts";
import { VERSION } from "./version.ts";

/** What a capture's file says of the run that `command` made. */
export function captureAbout(session: Session, command: string): CaptureAbout {
  const { scenario, machines: [machine] } = sessionProvenance(session, { command, version: VERSION });
  return {
    hardware: `emulated machines of profile ${machine.profile}`,
    os: "virtual time",
    application: `mxtop ${VERSION}`,
    comment: [
      command,
      `scenario ${scenario!.name}, hash ${scenario!.hash}, seed ${scenario!.seed}`,
      `machine ${machine.profile}, hash ${machine.hash}`,
      wireText(session.cluster.world.mx),
    ].join("\n"),
  };
}

/** What a trace's file says of the run that `command` made, and of its stretch of virtual time. */
export function traceMeta(session: Session, command: string, { log, until }: Tracer): TraceMeta {
  return {
    program: `mxtop ${VERSION}`,
    ...Object.fromEntries(provenanceEntries(sessionProvenance(session, { command, version: VERSION }))),
    path: session.scenario.path,
    virtual_from_ns: String(log.from / 1000),
    virtual_until_ns: String(until / 1000),
    cut: String(log.isFull),
  };
}
