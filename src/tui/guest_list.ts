import type { Activity } from "../report/activity.ts";
import { onlySends } from "../report/records.ts";
import type { CpuFractions, GuestFigures } from "../report/snapshot.ts";
import { type Model, showsRecent, type SortColumn } from "./model.ts";

/** One row of the guests pane: a guest with the figures that are to be shown now. */
export interface GuestRow {
  guest: GuestFigures;
  p50: number | null;
  p99: number | null;
  /** What it receives or, if `sends`, what others receive of it. */
  MBps: number;
  rate: number;
  sends: boolean;
  cpu: CpuFractions;
  /** Slots of its rings: at the end of the latest interval. */
  ring: GuestFigures["ring"];
  /** Notifications both ways in a second of the latest interval, or of the whole run; null where there are none. */
  notes: number | null;
  /** Messages sent again since measuring began. */
  resent: number;
  /** What its mechanisms did: rates of the latest interval, or of the whole run. */
  rates: Activity;
  /** No message completed in the latest interval: p50 and p99 are those of the whole run. */
  stale: boolean;
}

/** Fraction of its CPU that a guest keeps busy. */
export function busy(cpu: CpuFractions): number {
  return cpu.user + cpu.kernel + cpu.irq + cpu.hypervisor;
}

/** All guests in the order of the run. */
export function guestRows(model: Model): GuestRow[] {
  const live = model.live;
  if (live === null) return [];
  return live.snapshot.guests.map((guest, i): GuestRow => {
    const recent = showsRecent(model) ? live.recent[i] : undefined;
    const p50 = recent?.p50_us ?? null;
    const rates = recent?.activity ?? perSecond(guest, live.snapshot.measured_ns);
    const sends = onlySends(guest);
    return {
      guest,
      p50: p50 ?? guest.latency_us?.p50 ?? null,
      p99: recent?.p99_us ?? guest.latency_us?.p99 ?? null,
      MBps: sends ? recent?.sent_MBps ?? guest.sent.throughput_MBps : recent?.throughput_MBps ?? guest.throughput_MBps,
      rate: sends ? recent?.sent_per_s ?? guest.sent.messages_per_s : recent?.messages_per_s ?? guest.messages_per_s,
      sends,
      cpu: recent?.cpu ?? guest.cpu,
      ring: recent?.ring ?? guest.ring,
      notes: notesOf(rates),
      resent: guest.retransmits,
      rates,
      stale: recent !== undefined && p50 === null,
    };
  });
}

/** Notifications of both ends together. */
function notesOf({ notifications }: Activity): number | null {
  return notifications === null ? null : notifications.to_backend.sent + notifications.to_guest.sent;
}

/** Rates of a whole run by the figures that they were made from: a run that stands still keeps its figures. */
const wholeRun = new WeakMap<GuestFigures, Activity>();

/** Counts of a whole run as rates. */
function perSecond(guest: GuestFigures, measuredNs: number): Activity {
  let known = wholeRun.get(guest);
  if (known === undefined) {
    known = ratesOf(guest, measuredNs);
    wholeRun.set(guest, known);
  }
  return known;
}

function ratesOf(guest: GuestFigures, measuredNs: number): Activity {
  const factor = measuredNs > 0 ? 1e9 / measuredNs : 0;
  const scaled = <T extends object>(counts: T): T =>
    Object.fromEntries(
      Object.entries(counts).map(([name, value]) => [name, typeof value === "number" ? value * factor : scaled(value)]),
    ) as T;
  const { notifications, grant_counts, events, library } = guest;
  return {
    notifications: notifications && scaled(notifications),
    grant_counts: grant_counts && scaled(grant_counts),
    events: events && scaled(events),
    interface: guest.interface && scaled(guest.interface),
    library: scaled(library),
  };
}

/** The rows that pass the filter, in the order that the user asked for. */
export function listedGuests(model: Model): GuestRow[] {
  const wanted = model.filter.toLowerCase();
  const rows = guestRows(model).filter(({ guest }) =>
    wanted === "" || `${guest.name} ${guest.host} ${guest.path}`.toLowerCase().includes(wanted)
  );
  const { column, reversed } = model.sort;
  // A stable sort keeps the run's own order among equals, so rows do not dance.
  if (column !== "vm") rows.sort((a, b) => compare(sortValue(a, column), sortValue(b, column)));
  return reversed ? rows.reverse() : rows;
}

function sortValue(row: GuestRow, column: SortColumn): number | string | null {
  switch (column) {
    case "vm":
      return row.guest.name;
    case "host":
      return row.guest.host;
    case "path":
      return row.guest.path;
    case "p50":
      return row.p50;
    case "p99":
      return row.p99;
    case "MBps":
      return row.MBps;
    case "rate":
      return row.rate;
    case "cpu":
      return busy(row.cpu);
    case "steal":
      return row.cpu.steal;
    case "ring":
      return row.ring?.used ?? null;
    case "grants":
      return row.guest.grants?.active ?? null;
    case "notes":
      return row.notes;
    case "resent":
      return row.resent;
  }
}

/** Words from a to z; numbers from large to small, because who sorts by a number looks for the worst or the best. */
function compare(a: number | string | null, b: number | string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === "string" || typeof b === "string") return String(a).localeCompare(String(b), "en");
  return b - a;
}
