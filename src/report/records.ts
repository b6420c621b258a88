import { bytes, count, figure, percent } from "./number_text.ts";
import type { DirectionFigures, GuestFigures, LinkFigures, NicFigures, RowFigures, Snapshot } from "./snapshot.ts";

/*
 * Parts of a result as records for people, the same in every form that shows them.
 */

/**
 * The paths that guests of a run are on. A guest may have another one than its scenario says; processes on native hosts
 * are the other end of a path, and named only where there is nothing else.
 */
export function pathsText({ scenario, guests }: Pick<Snapshot, "scenario" | "guests">): string {
  const paths = [...new Set(guests.map(({ path }) => path))];
  const virtual = paths.filter((path) => path !== "native");
  return (virtual.length > 0 ? virtual : paths).join(", ") || scenario.path;
}

/**
 * Whether a guest only sends: then it is what others receive of it that counts. Parts of a large message count as they
 * arrive, so that a guest may have received some and yet no message.
 */
export function onlySends({ messages, throughput_MBps, sent }: GuestRates): boolean {
  return messages === 0 && throughput_MBps === 0 && (sent.messages > 0 || sent.throughput_MBps > 0);
}

type GuestRates = Pick<GuestFigures, "messages" | "throughput_MBps" | "sent">;

/** Megabytes a second that a guest receives, or ↑ those that others receive of it. */
export function guestRateText(guest: GuestRates): string {
  return onlySends(guest) ? `↑${figure(guest.sent.throughput_MBps)}` : figure(guest.throughput_MBps);
}

export const ROW_HEAD: readonly string[] = ["size", "latency us", "rtt us", "MB/s", "host cpu %", "guest cpu %"];

export function rowRecord(row: RowFigures): string[] {
  return [
    bytes(row.size),
    figure(row.latency_us),
    figure(row.rtt_us),
    figure(row.throughput_MBps),
    percent(row.host_cpu),
    percent(row.guest_cpu),
  ];
}

export const NIC_HEAD: readonly string[] = [
  "NIC",
  "mac",
  "tx",
  "tx bytes",
  "rx",
  "rx bytes",
  "drops",
  "interrupts",
];

export function nicRecord(nic: NicFigures): string[] {
  return [
    nic.name,
    nic.mac,
    count(nic.tx_frames),
    bytes(nic.tx_bytes),
    count(nic.rx_frames),
    bytes(nic.rx_bytes),
    count(nic.drops),
    count(nic.interrupts),
  ];
}

export const LINK_HEAD: readonly string[] = [
  "link",
  "direction",
  "Gb/s",
  "frames",
  "wire bytes",
  "used %",
  "port %",
  "lost",
];

/** One direction of a link. */
export function linkRecord({ name, rate_Gbps }: LinkFigures, direction: DirectionFigures): string[] {
  const { from, to, frames, wire_bytes, utilisation, port_busy, lost } = direction;
  return [
    name,
    `${from} > ${to}`,
    figure(rate_Gbps),
    count(frames),
    bytes(wire_bytes),
    percent(utilisation),
    percent(port_busy),
    count(lost),
  ];
}
