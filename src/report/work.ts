import type { Session } from "../cluster/session.ts";

/*
 * What the emulator is busy with: counted from a run, by the names of its events.
 */

/** Kinds of events, as a person would say it, and the names that belong to them; the first that fits counts. */
const KINDS: readonly (readonly [kind: string, names: RegExp])[] = [
  ["frames on NICs and wires", /\bnic\b| to (?:\S+ )?(?:nic|port|switch)|serialiser|frame|switch|\b(?:TDT|RDT|IMS)\b/],
  ["the driver domain", /\bdom0\b/],
  ["rings between guests and back ends", /\bvif|\bvhost|available|used|kick|request|response|answers|buffers|event/],
  ["scheduling of CPUs", /arrives|slice|scheduler|balance/],
  ["processes on CPUs", /burst end/],
];

/** What kind of work an event of this name is. */
export function kindOfEvent(name: string): string {
  return KINDS.find(([, names]) => names.test(name))?.[0] ?? "timers and interrupts";
}

/** Where events go. */
export interface Work {
  /** The commonest kind, and its part of all events, 0 to 1. */
  readonly kind: string;
  readonly share: number;
  /** Part of all events that are frames on NICs and wires. */
  readonly frames: number;
  /** Mean bytes of a frame on the wires since the start, with preamble, FCS and gap; 0 where there was none. */
  readonly frameBytes: number;
}

/**
 * Runs so many events one by one and counts what they are: the same run, cut into smaller slices. `advance` moves the
 * session.
 */
export function sampleWork(session: Session, advance: Session["advance"], events: number): Work {
  const counts = new Map<string, number>();
  let counted = 0;
  for (; counted < events && !session.finished; counted++) {
    advance(session.end, 1);
    const kind = kindOfEvent(session.lastEvent);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const [kind, most] = [...counts].reduce((best, entry) => entry[1] > best[1] ? entry : best, ["nothing", 0]);
  const directions = session.cluster.links.flatMap((link) => link.directions);
  const frames = directions.reduce((sum, direction) => sum + direction.frames, 0);
  const bytes = directions.reduce((sum, direction) => sum + direction.wireBytes, 0);
  return {
    kind,
    share: most / Math.max(1, counted),
    frames: (counts.get(KINDS[0][0]) ?? 0) / Math.max(1, counted),
    frameBytes: frames === 0 ? 0 : bytes / frames,
  };
}
