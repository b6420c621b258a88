import type { RecentGuest } from "../../report/live_snapshot.ts";
import type { GuestFigures } from "../../report/snapshot.ts";
import { decimalsFor, number, percent, si } from "../format.ts";
import { busy, type GuestRow, guestRows, listedGuests } from "../guest_list.ts";
import { type Model, showsRecent } from "../model.ts";
import { left, paint, right, type Role, sanitize, width as widthOf, wrap } from "../text.ts";
import { bar, cpuParts } from "./bar.ts";
import { frame } from "./frame.ts";
import { sparkline } from "./spark.ts";
import { stageLines } from "./stages.ts";

/** The VM that is looked at, with its place in the run and in the list. */
interface Subject {
  row: GuestRow;
  index: number;
  place: string;
  recent: RecentGuest | undefined;
  history: readonly (RecentGuest | undefined)[];
}

/** Null when no guest is selected. */
export function subjectOf(model: Model): Subject | null {
  const { live, selected } = model;
  const rows = guestRows(model);
  const index = rows.findIndex(({ guest }) => guest.name === selected);
  if (live === null || index < 0) return null;
  const listed = listedGuests(model);
  const at = listed.findIndex(({ guest }) => guest.name === selected);
  return {
    row: rows[index],
    index,
    place: at < 0 ? "" : `${at + 1} of ${listed.length}`,
    recent: live.recent[index],
    history: live.history.map(({ guests }) => guests[index]),
  };
}

const LABEL = 10;
const VALUE = 8;

/** Latency, throughput and CPU of one VM: the whole run and the latest interval, and how they went. */
export function vmFigures(model: Model, width: number, height: number): string[] {
  const subject = subjectOf(model);
  const inner = width - 3;
  const lines = subject === null
    ? [paint("dim", "no VM is selected: Esc goes back")]
    : figureLines(subject, inner, model);
  const guest = subject?.row.guest;
  const title = guest === undefined
    ? "VM"
    : `${sanitize(guest.name)} ${paint("dim", `on ${sanitize(guest.host)}, ${sanitize(guest.path)}`)}`;
  return frame(lines.map((line) => ` ${line}`), {
    title,
    note: subject?.place,
    width,
    height,
    focused: true,
  });
}

function figureLines({ row, history, recent }: Subject, inner: number, model: Model): string[] {
  const { guest } = row;
  const spark = Math.max(0, inner - LABEL - 2 * VALUE - 2);
  const line = (label: string, whole: string, latest: string, values: readonly (number | null)[], role: Role) =>
    left(label, LABEL) + right(whole, VALUE) + right(latest, VALUE) + "  " + sparkline(values, spark, role);
  const of = (pick: (guest: RecentGuest) => number | null) =>
    history.map((guest) => guest === undefined ? null : pick(guest));
  const decimals = decimalsFor(guest.latency_us?.p99 ?? recent?.p99_us ?? 0);
  const us = (value: number | null | undefined) => number(value, decimals);
  const MBps = (value: number | undefined) => number(value, decimalsFor(value ?? 0));
  const heading = left("", LABEL) + right("run", VALUE) + right("latest", VALUE) + "  " + left("recent", spark);
  const lines = [
    paint("heading", heading),
    line("p50 us", us(guest.latency_us?.p50), us(recent?.p50_us), of((g) => g.p50_us), "p50"),
    line("p99 us", us(guest.latency_us?.p99), us(recent?.p99_us), of((g) => g.p99_us), "p99"),
    line(
      "in MB/s",
      MBps(guest.throughput_MBps),
      MBps(recent?.throughput_MBps),
      of((g) => g.throughput_MBps),
      "throughput",
    ),
    line("out MB/s", MBps(guest.sent.throughput_MBps), MBps(recent?.sent_MBps), of((g) => g.sent_MBps), "throughput"),
  ];
  lines.push(...cpuLines(guest, recent, of, spark, model, inner));
  lines.push(peerLine(guest));
  const { latency_us: latency } = guest;
  if (latency !== null) {
    const { min, mean, p90, p999, max } = latency;
    const figures = Object.entries({ min, mean, p90, "p99.9": p999, max });
    lines.push(...flow(figures.map(([name, value]) => [name, us(value)]), inner));
  }
  lines.push(...flow([
    ["received", si(guest.messages)],
    ["sent", si(guest.sent.messages)],
    ["lost", String(guest.lost)],
    ["twice", String(guest.duplicated)],
    ["damaged", String(guest.integrity_errors)],
  ], inner));
  return lines;
}

/** Figures with their names, one after another, in as many lines as they take. */
function flow(figures: readonly (readonly [name: string, text: string])[], inner: number): string[] {
  const lines: string[] = [];
  for (const [name, text] of figures) {
    const item = `${paint("dim", name)} ${text}`;
    const line = lines.length === 0 ? item : `${lines.at(-1)}  ${item}`;
    if (lines.length > 0 && widthOf(line) <= inner) lines[lines.length - 1] = line;
    else lines.push(item);
  }
  return lines;
}

/** Who the VM talks to, with what has not been acknowledged. */
function peerLine({ peers, peer_count }: GuestFigures): string {
  if (peer_count === 0) return `${paint("dim", "peers")} none yet`;
  const names = peers.map(({ name, unacked }) =>
    sanitize(name) + (unacked > 0 ? paint("dim", ` ${unacked} unacked`) : "")
  );
  const more = peer_count > peers.length ? `  and ${peer_count - peers.length} more` : "";
  return `${paint("dim", peer_count === 1 ? "peer" : "peers")} ${names.join("  ")}${more}`;
}

const CLASSES = [["user", "user"], ["kernel", "kernel"], ["irq", "irq"], ["hypervisor", "hypervisor"], [
  "steal",
  "steal",
]] as const;

/** All of the CPU time in one line with its bar, then each class by itself. */
function cpuLines(
  guest: GuestFigures,
  recent: RecentGuest | undefined,
  of: (pick: (guest: RecentGuest) => number | null) => (number | null)[],
  spark: number,
  model: Model,
  inner: number,
): string[] {
  const all = left("CPU %", LABEL) + right(percent(busy(guest.cpu)), VALUE) +
    right(recent === undefined ? "-" : percent(busy(recent.cpu)), VALUE) + "  " +
    bar(cpuParts(recent?.cpu ?? guest.cpu), Math.max(2, inner - LABEL - 2 * VALUE - 2), model.monochrome);
  // A full CPU is the same height in each line: they can be compared.
  return [
    all,
    ...CLASSES.map(([key, role]) =>
      left(` ${key}`, LABEL + 1) + right(percent(guest.cpu[key]), VALUE - 1) +
      right(recent === undefined ? "-" : percent(recent.cpu[key]), VALUE) + "  " +
      sparkline(of((g) => g.cpu[key]), spark, role, 1)
    ),
  ];
}

/** Each ring of the VM, its notifications, its grants, its event channels, its interface. */
export function vmRings(model: Model, width: number, height: number): string[] {
  const subject = subjectOf(model);
  const lines = subject === null ? [] : ringLines(subject, width - 3);
  if (lines.length === 0) lines.push(paint("dim", "this path has no rings"));
  return frame(lines.map((line) => ` ${line}`), {
    title: "Rings, notifications, grants",
    note: paint("dim", showsRecent(model) ? "/s: latest interval" : "/s: whole run"),
    width,
    height,
  });
}

function ringLines({ row, recent, history }: Subject, inner: number): string[] {
  const { guest, rates } = row;
  const lines: string[] = [];
  const narrow = inner < 48;
  const label = narrow ? 9 : 16;
  for (const [i, { name, size, used, holds }] of guest.rings.entries()) {
    const of = recent?.rings[i];
    const text = [["now", `${used}/${size}`], ["mean", number(of?.mean, 1)], ["high", `${of?.highest ?? "-"}`]]
      .map(([word, value]) => `${paint("dim", word)} ${value}`).join(narrow ? " " : "  ");
    const short = narrow ? sanitize(name).replace(/^(netfront|virtio|e1000|vf) /, "") : sanitize(name);
    const values = history.map((g) => g?.rings[i]?.highest ?? null);
    const start = `${left(short.replace(/ (ring|queue)/, ringWord(holds, narrow)), label)} ${text}`;
    const room = inner - widthOf(start) - 2;
    lines.push(room >= 6 ? `${start}  ${sparkline(values, Math.min(60, room), "link", size)}` : start);
  }
  const pair = (name: string, ...items: (readonly [string, number | null | undefined])[]) =>
    `${left(name, label)} ${items.map(([name, value]) => `${paint("dim", name)} ${si(value)}`).join("  ")}`;
  const { notifications: notes, grant_counts: grants, events, interface: own } = rates;
  if (notes !== null) {
    const { to_backend: out, to_guest: back } = notes;
    const suppressed = narrow ? "supp" : "suppressed/s";
    lines.push(pair(narrow ? "to back" : "notify back end", ["sent/s", out.sent], [suppressed, out.suppressed]));
    lines.push(pair(narrow ? "to guest" : "notify guest", ["sent/s", back.sent], [suppressed, back.suppressed]));
  }
  if (guest.grants !== null) {
    lines.push(pair("grants", ["active", guest.grants.active], ["mapped", guest.grants.mapped]));
  }
  if (grants !== null) {
    lines.push(pair("", ["new/s", grants.granted], ["maps/s", grants.maps], ["reused/s", grants.reused]));
    if (grants.copies > 0) lines.push(pair("", ["copies/s", grants.copies], ["MB/s", grants.copied_bytes / 1e6]));
  }
  if (events !== null) {
    const ports = ["ports", guest.event_ports] as const;
    lines.push(pair(narrow ? "events" : "event channels", ["out/s", events.sent], ["in/s", events.received], ports));
  }
  if (own !== null) {
    lines.push(pair("interface", ["tx/s", own.tx_frames], ["rx/s", own.rx_frames], ["irq/s", own.interrupts]));
    const drops = guest.interface?.tx_drops ?? 0;
    lines.push(pair("", ["tx drops", drops], ["rx drops", guest.interface?.rx_drops]));
  }
  return lines;
}

/** What stands for "ring" or "queue" in a ring's name: buffers are no work, and a narrow pane has no room for the word. */
function ringWord(holds: "work" | "buffers", narrow: boolean): string {
  if (holds === "buffers") return narrow ? " bufs" : " buffers";
  return narrow ? "" : "$&";
}

/** Where the messages that it receives and those that it sends spend their time. */
export function vmStages(model: Model, width: number, height: number): string[] {
  const own = model.live?.guest_stages;
  const figures = own?.guest === model.selected ? own : undefined;
  const { lines, total } = stageLines(model, figures?.stages ?? [], width - 3, height - 2);
  if (total === 0) {
    lines.push(
      ...wrap(`No message of ${sanitize(model.selected ?? "it")} is complete since you look at it alone.`, width - 4)
        .map((line) => paint("dim", line)),
    );
  }
  const count = width >= 80 ? `${si(figures?.messages ?? 0)} since you look  ` : "";
  const sum = total > 0 ? `${count}sum ${number(total, decimalsFor(total))}` : undefined;
  return frame(lines.map((line) => ` ${line}`), {
    title: hasAllPanes(model) ? "Where its messages spend their time us" : "Its messages us",
    note: hasAllPanes(model) ? sum : paint("dim", "Tab: library"),
    width,
    height,
  });
}

/** Whether the panes of one VM have room beside one another; otherwise Tab changes the last one. */
export function hasAllPanes({ columns, rows }: Model): boolean {
  return columns >= 100 && rows >= 28;
}

/** Counters that say that something went wrong. */
const WRONG = new Set(
  "retransmits connect_retransmits duplicates obsolete stray malformed nacks truncated bad_checksums".split(" "),
);

/** What the VM's endpoints have counted; those at 0 are left out, but for what one looks for. */
export function vmLibrary(model: Model, width: number, height: number): string[] {
  const subject = subjectOf(model);
  const inner = width - 3;
  const counts = Object.entries(subject?.row.guest.library ?? {})
    .filter(([name, count]) => count > 0 || name === "retransmits" || name === "nacks");
  const cells = counts.map(([name, count]) => {
    const text = left(name.replaceAll("_", " "), 20) + right(si(count), 7);
    return WRONG.has(name) && count > 0 ? paint("warn", text) : text;
  });
  const columns = Math.max(1, Math.floor((inner + 2) / 29));
  const rows = Math.max(1, height - 2);
  const perColumn = Math.max(1, Math.min(rows, Math.ceil(cells.length / columns)));
  const lines = Array.from(
    { length: perColumn },
    (_, i) => Array.from({ length: columns }, (_, c) => cells[i + c * perColumn] ?? "").join("  "),
  );
  return frame(lines.map((line) => ` ${line}`), {
    title: "MX library",
    note: paint("dim", hasAllPanes(model) ? "since warm-up" : "Tab: its messages"),
    width,
    height,
  });
}
