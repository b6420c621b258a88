import { LibraryCounters } from "../mx/lib/counters.ts";
import type { Guest } from "./cluster.ts";

/** Names of a library's counters, in the order of their declaration. */
export const LIBRARY_COUNTS = Object.keys(new LibraryCounters()) as readonly (keyof LibraryCounters)[];

/*
 * Where a guest's counts stand in the array that {@link guestCounts} fills: what its rings have published and who was
 * told, its grants, its event channels, its own interface, and from LIBRARY on what its endpoints have counted.
 */
export const TO_BACKEND_SENT = 0;
export const TO_BACKEND_SUPPRESSED = 1;
export const TO_GUEST_SENT = 2;
export const TO_GUEST_SUPPRESSED = 3;
export const GRANTED = 4;
export const MAPS = 5;
export const COPIES = 6;
export const COPIED_BYTES = 7;
export const REUSED = 8;
export const EVENTS_SENT = 9;
export const EVENTS_RECEIVED = 10;
export const EVENTS_MERGED = 11;
export const TX_FRAMES = 12;
export const RX_FRAMES = 13;
export const TX_DROPS = 14;
export const RX_DROPS = 15;
export const INTERRUPTS = 16;
export const LIBRARY = 17;

/** Everything that the mechanisms of one guest have counted since the start, over all of its boards. */
export function guestCounts(guest: Guest): Float64Array {
  const counts = new Float64Array(LIBRARY + LIBRARY_COUNTS.length);
  for (const port of guest.ports) {
    for (const { toBackend, toGuest } of port.rings?.() ?? []) {
      counts[TO_BACKEND_SENT] += toBackend?.notified ?? 0;
      counts[TO_BACKEND_SUPPRESSED] += toBackend?.suppressed ?? 0;
      counts[TO_GUEST_SENT] += toGuest?.notified ?? 0;
      counts[TO_GUEST_SUPPRESSED] += toGuest?.suppressed ?? 0;
    }
    counts[REUSED] += port.reusedPages?.() ?? 0;
    const own = port.interface?.();
    if (own === undefined) continue;
    counts[TX_FRAMES] += own.txFrames;
    counts[RX_FRAMES] += own.rxFrames;
    counts[TX_DROPS] += own.txDrops;
    counts[RX_DROPS] += own.rxDrops;
    counts[INTERRUPTS] += own.interrupts;
  }
  addXen(guest, counts);
  for (const [i, name] of LIBRARY_COUNTS.entries()) counts[LIBRARY + i] = libraryCount(guest, name);
  return counts;
}

/** What a guest's libraries have counted since the start, those of its earlier lives too. */
export function libraryCount({ past, mx }: Guest, name: keyof LibraryCounters): number {
  let count = past[name] + (mx?.past?.[name] ?? 0);
  for (const { counters } of mx?.endpoints ?? []) count += counters[name];
  return count;
}

/** What the hypervisor knows of the guest's domain. */
function addXen({ site: { domain } }: Guest, counts: Float64Array): void {
  if (domain === null) return;
  const { granted, maps, copies, copiedBytes } = domain.grantTable.counters;
  const { sent, arrived, merged } = domain.eventChannels.counters;
  counts[GRANTED] = granted;
  counts[MAPS] = maps;
  counts[COPIES] = copies;
  counts[COPIED_BYTES] = copiedBytes;
  counts[EVENTS_SENT] = sent;
  counts[EVENTS_RECEIVED] = arrived;
  counts[EVENTS_MERGED] = merged;
}
