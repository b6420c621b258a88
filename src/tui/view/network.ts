import { overrunsOf } from "../../report/boards.ts";
import type { RecentDirection } from "../../report/live_snapshot.ts";
import type { DirectionFigures, LinkFigures, NicFigures } from "../../report/snapshot.ts";
import { number, percent, si } from "../format.ts";
import { guestRows } from "../guest_list.ts";
import { type Model, showsRecent } from "../model.ts";
import { left, paint, right, type Role, sanitize } from "../text.ts";
import { bar } from "./bar.ts";
import { frame } from "./frame.ts";
import { rangeNote, scrolledLines } from "./scrolled.ts";
import { levelCell } from "./spark.ts";

/** Links with their load, NICs with their rings and interrupts, and what the libraries had to do about losses. */
export function network(model: Model, width: number, height: number): string[] {
  const room = height - 2;
  const lines = networkLines(model, width - 2, room);
  const shown = scrolledLines(model, "network", lines, room);
  return frame(shown, {
    title: `Network ${paint("dim", showsRecent(model) ? "latest interval" : "whole run")}`,
    note: [rangeNote(model, "network", lines.length, room), ""],
    width,
    height,
    focused: model.pane === "network",
  });
}

/** All lines of the pane; each receive queue of the NICs by itself if that fits into `room`. */
export function networkLines(model: Model, inner: number, room: number): string[] {
  const { live } = model;
  if (live === null) return [paint("dim", "  starting")];
  const { links, hosts } = live.snapshot;
  const lines = [
    ...libraryLines(model, inner),
    linkHeading(inner),
    ...links.flatMap((link, i) => linkLines(model, link, i, inner)),
    nicHeading(inner),
    ...hosts.flatMap((host, i) => host.nics.map((nic) => nicLine(nic, nicRates(model, i, nic), inner))),
  ];
  const queues = queueLines(hosts.flatMap(({ nics }) => nics), inner);
  return lines.length + queues.length <= room ? [...lines, ...queues] : lines;
}

/** Counts of a NIC in a second: the latest interval's are of the host's boards together, so of the only one. */
function nicRates(model: Model, host: number, nic: NicFigures): NicRates {
  const { live } = model;
  const recent = showsRecent(model) ? live?.recent_hosts[host] : undefined;
  if (recent !== undefined && live?.snapshot.hosts[host].nics.length === 1) return recent.nic_per_s;
  const factor = live !== null && live.snapshot.measured_ns > 0 ? 1e9 / live.snapshot.measured_ns : 0;
  const { rx_frames, tx_frames, interrupts, coalesced } = nic;
  return {
    rx_frames: rx_frames * factor,
    tx_frames: tx_frames * factor,
    interrupts: interrupts * factor,
    coalesced: coalesced * factor,
  };
}

// ---- links

const ENDS = 11;
/** From this width on there is room for the queue at the sender's port, and from the next for a NIC's drops by reason. */
const WITH_QUEUE = 56;
const WITH_REASONS = 70;

function linkHeading(inner: number): string {
  const numbers = right("util%", 6) + right("MB/s", 6) + right("fr/s", 7) + right("lost", 6);
  const queue = inner >= WITH_QUEUE ? right("queue", 6) + right("drops", 6) : "";
  return paint("heading", ` ${left("link", ENDS)}${right("", barWidth(inner))} ${numbers}${queue}`);
}

function barWidth(inner: number): number {
  return Math.max(4, inner - 1 - ENDS - 1 - 25 - (inner >= WITH_QUEUE ? 12 : 0));
}

function linkLines(model: Model, link: LinkFigures, index: number, inner: number): string[] {
  const measured = model.live?.snapshot.measured_ns ?? 0;
  return link.directions.map((direction, side) => {
    const recent = showsRecent(model) ? model.live?.recent_links[index]?.[side] : undefined;
    return linkLine(model, direction, recent ?? wholeRun(direction, measured), inner);
  });
}

/** Rates of a direction since measuring began. */
function wholeRun(direction: DirectionFigures, ns: number): RecentDirection {
  const { frames, wire_bytes, utilisation, port_busy, lost } = direction;
  const factor = ns > 0 ? 1e9 / ns : 0;
  return { utilisation, port_busy, frames_per_s: frames * factor, MBps: wire_bytes * factor / 1e6, lost };
}

function linkLine(model: Model, direction: DirectionFigures, now: RecentDirection, inner: number): string {
  const { from, to, lost, queue } = direction;
  const ends = `${shortPort(from)} → ${shortPort(to)}`;
  const role: Role = now.port_busy >= 0.93 ? "error" : "link";
  // The port's own work, which the wire waits for, is behind what is on the wire.
  const work = { role: "dim" as const, fraction: Math.max(0, now.port_busy - now.utilisation) };
  const load = bar([{ role, fraction: now.utilisation }, work], barWidth(inner), model.monochrome);
  const numbers = right(percent(now.utilisation), 6) + right(number(now.MBps, now.MBps < 10 ? 1 : 0), 6) +
    right(si(now.frames_per_s), 7) + bad(lost, 6);
  const waiting = inner >= WITH_QUEUE ? right(si(queue.used), 6) + bad(queue.drops, 6) : "";
  return ` ${left(ends, ENDS)}${load} ${numbers}${waiting}`;
}

/** A NIC by its host, a port of the switch by its number. */
function shortPort(name: string): string {
  return sanitize(name).replace(/ nic(\d*)$/, (_, board: string) => board === "" ? "" : `:${board}`)
    .replace(/^switch/, "sw");
}

/** A count that ought to be 0: total since measuring began. */
function bad(count: number, width: number): string {
  const text = right(si(count), width);
  return count > 0 ? paint("warn", text) : text;
}

// ---- NICs

function nicHeading(inner: number): string {
  const numbers = right("rx/s", 6) + right("tx/s", 6) + right("irq/s", 6) + right("coal%", 6);
  const ring = inner >= WITH_QUEUE ? right("tx ring", 8) : "";
  const rest = ring + (inner >= WITH_REASONS ? right("rx drop", 8) + right("tx drop", 8) : right("drops", 6));
  return paint("heading", ` ${left("NIC", NIC)}${left("rings", QUEUES)}${numbers}${rest}`);
}

const NIC = 5;
const QUEUES = 8;

type NicRates = Pick<NicFigures, "rx_frames" | "tx_frames" | "interrupts" | "coalesced">;

/** The receive rings are one cell each, as full as the fullest of few neighbours. */
function nicLine(nic: NicFigures, rates: NicRates, inner: number): string {
  const perCell = Math.ceil(nic.rx_queues.length / QUEUES);
  let rings = "";
  for (let from = 0; from < nic.rx_queues.length; from += perCell) {
    const used = nic.rx_queues.slice(from, from + perCell).reduce((max, queue) => Math.max(max, queue.used), 0);
    const fill = used / Math.max(1, nic.rx_ring_size);
    rings += levelCell(fill > 0 ? Math.max(fill, 0.01) : 0, fill > 0.9 ? "error" : fill > 0.5 ? "warn" : "ok");
  }
  const { rx_frames, tx_frames, interrupts, coalesced } = rates;
  const numbers = right(si(rx_frames), 6) + right(si(tx_frames), 6) + right(si(interrupts), 6) +
    right(rx_frames > 0 ? percent(Math.min(1, coalesced / rx_frames)) : "-", 6);
  const ring = inner >= WITH_QUEUE ? right(si(nic.tx_ring.used), 8) : "";
  const rest = ring + (inner >= WITH_REASONS ? bad(nic.rx_drops, 8) + bad(nic.tx_drops, 8) : bad(nic.drops, 6));
  return ` ${left(shortPort(nic.name), NIC)}${left(rings, QUEUES)}${numbers}${rest}`;
}

/** Receive queues that have had frames, since measuring began; interrupts of the first are for sent frames too. */
function queueLines(nics: readonly NicFigures[], inner: number): string[] {
  const busy = nics.flatMap(({ name, rx_queues, rx_ring_size }) =>
    rx_queues.map((queue, i) => ({ ...queue, name: `${shortPort(name)} q${i}`, size: rx_ring_size }))
  ).filter(({ frames, interrupts, drops }) => frames + interrupts + drops > 0);
  if (busy.length === 0) return [];
  const heading = ` ${left("queue", ENDS)}${right("ring", 10)}${right("frames", 8)}${right("drops", 7)}` +
    `${right("irqs", 8)}${right("coalesced", 11)}`;
  if (heading.length > inner) return [];
  return [
    "",
    paint("heading", heading),
    ...busy.map(({ name, used, size, frames, drops, interrupts, coalesced }) =>
      ` ${left(name, ENDS)}${right(`${used}/${size}`, 10)}${right(si(frames), 8)}${bad(drops, 7)}` +
      `${right(si(interrupts), 8)}${right(si(coalesced), 11)}`
    ),
  ];
}

// ---- libraries

const WORDS: readonly (readonly [word: string, names: readonly string[], wrong: boolean])[] = [
  ["resent", ["retransmits", "connect_retransmits"], true],
  ["nacks", ["nacks"], true],
  ["duplicates", ["duplicates"], true],
  ["acks", ["acks_immediate", "acks_delayed"], false],
  ["piggy", ["acks_piggy"], false],
  ["early", ["early"], false],
  ["unexpected", ["unexpected"], false],
];

/** What the libraries of all guests counted, in one line, since measuring began; and events that found no room. */
function libraryLines(model: Model, inner: number): string[] {
  const rows = guestRows(model);
  const total = (names: readonly string[]) =>
    rows.reduce((sum, { guest: { library } }) => names.reduce((s, name) => s + (library[name] ?? 0), sum), 0);
  const counts = WORDS.map(([word, names, wrong]) => [word, total(names), wrong] as const);
  // Of the drivers, and since the start: a stream that overruns its receiver does so in the first millisecond.
  const overruns = model.live === null ? 0 : overrunsOf(model.live.snapshot);
  if (overruns > 0) counts.splice(1, 0, ["queue full", overruns, true]);
  let line = ` ${paint("heading", "MX")}`;
  let used = 3;
  for (const [word, count, wrong] of counts) {
    const text = `${word} ${si(count)}`;
    if (used + 2 + text.length > inner) break;
    used += 2 + text.length;
    line += `  ${paint("dim", word)} ${wrong && count > 0 ? paint("warn", si(count)) : si(count)}`;
  }
  return [line];
}
