import { openScenario, overridesOf } from "../src/cli/catalogue.ts";
import { Session } from "../src/cluster/session.ts";

/** What a whole run did, and how fast. */
export interface SessionResult {
  /** Virtual over wall time, building not included. */
  readonly realtime: number;
  /** Frames on all wires, and events, for each second of wall time. */
  readonly framesPerS: number;
  readonly eventsPerS: number;
  readonly hash: string;
}

/** Runs a built-in scenario on a path at an MTU, for a stretch of virtual time such as "100 ms". */
export function runSession(name: string, path: string, mtu: number, duration: string): SessionResult {
  const session = new Session(openScenario(name, overridesOf({ path, duration, set: [`link.mtu=${mtu}`] })));
  const startedAt = performance.now();
  while (!session.finished) session.advance(session.end);
  const seconds = (performance.now() - startedAt) / 1000;
  let frames = 0;
  for (const link of session.cluster.links) for (const { frames: carried } of link.directions) frames += carried;
  return {
    realtime: session.now / 1e12 / seconds,
    framesPerS: frames / seconds,
    eventsPerS: session.events / seconds,
    hash: session.fingerprint,
  };
}
