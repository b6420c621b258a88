import type { Guest } from "../cluster/cluster.ts";
import * as at from "../cluster/guest_counts.ts";
import { rounded } from "./round.ts";

/** Publishings on a guest's rings, one way: those that the other end wanted to hear of, and those that it did not. */
export interface NotificationCounts {
  sent: number;
  suppressed: number;
}

/** What happened to a guest's grants. */
export interface GrantCounts {
  /** Entries filled in, mappings that others made of them, copies that others made from or to them. */
  granted: number;
  maps: number;
  copies: number;
  copied_bytes: number;
  /** Pages that were registered again while they were still granted and mapped. */
  reused: number;
}

/** Events of a domain: sent by it, arrived at it, and of these those whose port was pending already. */
export interface EventCounts {
  sent: number;
  received: number;
  merged: number;
}

/** Frames of a guest's own network interface. */
export interface InterfaceFigures {
  tx_frames: number;
  rx_frames: number;
  tx_drops: number;
  rx_drops: number;
  interrupts: number;
}

/**
 * What the mechanisms of a guest have done: counts, or counts in a second of virtual time. Null where the path has no
 * such mechanism.
 */
export interface Activity {
  notifications: { to_backend: NotificationCounts; to_guest: NotificationCounts } | null;
  grant_counts: GrantCounts | null;
  events: EventCounts | null;
  interface: InterfaceFigures | null;
  /** What the endpoints of its library have counted, by name. */
  library: Record<string, number>;
}

/** Names of the library's counters as a result writes them: `acks_delayed`. */
export const LIBRARY_FIELDS: readonly string[] = at.LIBRARY_COUNTS.map((name) =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
);

const notifying = new WeakMap<Guest, boolean>();

/** Whether its rings have notifications that could be suppressed. */
function notifies(guest: Guest): boolean {
  let known = notifying.get(guest);
  if (known === undefined) {
    known = guest.port.rings?.().some(({ toBackend }) => toBackend !== undefined) ?? false;
    notifying.set(guest, known);
  }
  return known;
}

/**
 * What a guest's mechanisms did from `before` to `now`, arrays of `guestCounts`; divided by `seconds` of virtual time,
 * where 1 leaves counts as they are. A guest that was started again has counted from nothing.
 */
export function activityOf(guest: Guest, now: Float64Array, before: Float64Array, seconds = 1): Activity {
  const count = (index: number) => {
    const passed = now[index] < before[index] ? now[index] : now[index] - before[index];
    return seconds === 1 ? passed : rounded(passed / seconds);
  };
  const [port] = guest.ports;
  const library: Record<string, number> = {};
  for (let i = 0; i < LIBRARY_FIELDS.length; i++) library[LIBRARY_FIELDS[i]] = count(at.LIBRARY + i);
  return {
    notifications: !notifies(guest) ? null : {
      to_backend: { sent: count(at.TO_BACKEND_SENT), suppressed: count(at.TO_BACKEND_SUPPRESSED) },
      to_guest: { sent: count(at.TO_GUEST_SENT), suppressed: count(at.TO_GUEST_SUPPRESSED) },
    },
    grant_counts: port.figures().grants === null ? null : {
      granted: count(at.GRANTED),
      maps: count(at.MAPS),
      copies: count(at.COPIES),
      copied_bytes: count(at.COPIED_BYTES),
      reused: count(at.REUSED),
    },
    events: guest.site.domain === null ? null : {
      sent: count(at.EVENTS_SENT),
      received: count(at.EVENTS_RECEIVED),
      merged: count(at.EVENTS_MERGED),
    },
    interface: port.interface === undefined ? null : {
      tx_frames: count(at.TX_FRAMES),
      rx_frames: count(at.RX_FRAMES),
      tx_drops: count(at.TX_DROPS),
      rx_drops: count(at.RX_DROPS),
      interrupts: count(at.INTERRUPTS),
    },
    library,
  };
}
