import { number, percent, si } from "../format.ts";
import { type GuestRow, listedGuests } from "../guest_list.ts";
import { type Model, showsRecent } from "../model.ts";
import { cutMiddle, left, paint, right, sanitize } from "../text.ts";
import { frame } from "./frame.ts";

/** Lines of the pane that are not rows of guests: two of frame, two of heading, one of sums. */
const FIXED_LINES = 5;

const NOTHING = "this path has no rings or grants";

/** What a row has to say, beside the guest that it is about. */
interface Row extends GuestRow {
  /** By ring: entries after each publishing of the latest interval, on average and at most. */
  recent: readonly { mean: number | null; highest: number }[];
}

/** A column: two lines of heading, and its text; the sum of all guests where it has one. */
interface Column {
  group: string;
  title: string;
  width: number;
  cell: (row: Row) => string;
  sum?: (rows: readonly Row[]) => string;
}

/** What has a larger rank gives way first where there is no room for all. */
interface RankedColumn extends Column {
  readonly rank: number;
}

/**
 * Rings, notifications and grants, one row per VM in the order of the guests pane: what is the guest's end, what is the
 * back end's, and how much of it the other end did not want to hear of.
 */
export function rings(model: Model, width: number, height: number): string[] {
  const inner = width - 2;
  const all = rowsOf(model);
  const columns = fitting(columnsFor(all), inner);
  const shown = ringRows(model, height);
  const names = new Set(shown.map(({ guest }) => guest.name));
  const lines = [headings(columns, "group"), headings(columns, "title")];
  for (const row of all) {
    if (!names.has(row.guest.name)) continue;
    const selected = row.guest.name === model.selected;
    const cells = columns.map((column, i) =>
      i === 0 ? left((selected ? "▸" : " ") + sanitize(row.guest.name), column.width) : cellOf(column, row)
    );
    const line = left(cells.join(" "), inner);
    lines.push(selected ? paint("select", line) : line);
  }
  if (all.length === 0) lines.push(paint("dim", model.live ? "  no guest matches the filter" : "  starting"));
  else if (columns.length === 1) lines.splice(0, lines.length, "", paint("dim", `  ${NOTHING}`));
  while (lines.length < height - 3) lines.push("");
  const sums = columns.map((column, i) =>
    i === 0 ? left(" all", column.width) : right(column.sum?.(all) ?? "", column.width)
  );
  lines.push(columns.length > 1 ? paint("title", left(sums.join(" "), inner)) : "");
  return frame(lines, {
    title: `Rings, grants ${paint("dim", showsRecent(model) ? "latest interval" : "whole run")}`,
    note: shown.length < all.length ? `${shown.length} of ${all.length}` : `${all.length}`,
    width,
    height,
    focused: model.pane === "rings",
  });
}

/** The guests that the pane shows: as far down the list as it takes to have the selected one among them. */
export function ringRows(model: Model, height: number): GuestRow[] {
  const all = listedGuests(model);
  const room = Math.max(1, height - FIXED_LINES);
  const at = all.findIndex(({ guest }) => guest.name === model.selected);
  const first = Math.max(0, Math.min(all.length - room, at - Math.floor(room / 2)));
  return all.slice(first, first + room);
}

function rowsOf(model: Model): Row[] {
  const { live } = model;
  const index = new Map(live?.snapshot.guests.map(({ name }, i) => [name, i]));
  return listedGuests(model).map((row) => ({
    ...row,
    recent: live?.recent[index.get(row.guest.name) ?? -1]?.rings ?? [],
  }));
}

function cellOf(column: Column, row: Row): string {
  return right(column.cell(row), column.width);
}

/** One line of the headings; a group's name stands over the first of its columns and may reach over the next. */
function headings(columns: readonly Column[], what: "group" | "title"): string {
  if (what === "title") return columns.map((c) => paint("heading", right(c.title, c.width))).join(" ");
  let line = "";
  for (const [i, { group, width }] of columns.entries()) {
    if (i > 0 && group === columns[i - 1].group) continue;
    const wide = columns.slice(i).findIndex((c) => c.group !== group);
    const members = columns.slice(i, wide < 0 ? undefined : i + wide);
    const room = members.reduce((sum, c) => sum + c.width + 1, -1);
    const short = group.length > room ? SHORT[group] ?? group : group;
    const text = group === "" ? "" : members.length > 1 ? centre(short, room) : right(short, width);
    line += (i === 0 ? "" : " ") + left(paint("dim", text), room);
  }
  return line;
}

/** Names of groups of which a narrow pane has only one column. */
const SHORT: Readonly<Record<string, string>> = { "to backend": "backend", "to guest": "guest", grants: "grant" };

/** A name with a line at both sides, as far as there is room. */
function centre(name: string, width: number): string {
  const text = name.length + 2 <= width ? ` ${name} ` : name;
  return ("─".repeat(Math.max(0, Math.floor((width - text.length) / 2))) + text).padEnd(width, "─").slice(0, width);
}

/** Which columns the paths of these guests have something for, in order. */
function columnsFor(rows: readonly Row[]): RankedColumn[] {
  const some = (test: (row: Row) => boolean) => rows.some(test);
  // Two rings for a guest on every path: what it asks or sends by, and what comes to it by.
  const used = [0, 1].filter((ring) => some(({ guest }) => guest.rings[ring] !== undefined));
  return [
    nameColumn(rows),
    ...used.flatMap((ring) => ringColumns(rows, ring)),
    ...(some(({ rates }) => rates.notifications !== null) ? NOTIFICATIONS : []),
    ...(some(({ guest }) => guest.grants !== null) ? GRANTS : []),
    ...(some(({ guest }) => guest.event_ports !== null) ? EVENTS : []),
    ...(some(({ rates }) => rates.interface !== null) ? INTERFACE : []),
  ];
}

function nameColumn(rows: readonly Row[]): RankedColumn {
  const width = Math.min(12, rows.reduce((max, { guest }) => Math.max(max, guest.name.length + 1), 5));
  return { rank: 0, group: "", title: "vm  ", width, cell: ({ guest }) => cutMiddle(guest.name, width - 1) };
}

/** How full a ring is now, and how full it was after publishings. */
function ringColumns(rows: readonly Row[], ring: number): RankedColumn[] {
  const group = ringGroup(rows, ring);
  const size = rows.reduce((max, { guest }) => Math.max(max, guest.rings[ring]?.size ?? 0), 0);
  const digits = String(size).length;
  return [
    {
      rank: 1 + ring,
      group,
      title: "now",
      width: Math.max(group.length, 2 * digits + 1),
      cell: (row) => ringNow(row, ring),
    },
    {
      rank: 8 + ring,
      group,
      title: "mean",
      width: Math.max(4, digits + 2),
      cell: ({ recent }) => recent[ring]?.mean == null ? "-" : number(recent[ring].mean, size < 100 ? 1 : 0),
    },
    {
      rank: 10 + ring,
      group,
      title: "high",
      width: Math.max(4, digits),
      cell: ({ recent }) => recent[ring] === undefined ? "-" : String(recent[ring].highest),
    },
  ];
}

/** What one end has told the other, and how much of it the other did not want to hear. */
function notificationColumns(end: "to_backend" | "to_guest", group: string, rank: number): RankedColumn[] {
  const sent = ({ rates }: Row) => rates.notifications?.[end].sent;
  const suppressed = ({ rates }: Row) => rates.notifications?.[end].suppressed;
  return [
    {
      rank,
      group,
      title: "sent/s",
      width: 6,
      cell: (row) => si(sent(row)),
      sum: (all) => si(total(all, sent)),
    },
    {
      rank: rank + 2,
      group,
      title: "sup%",
      width: 4,
      cell: (row) => share(suppressed(row), sent(row)),
      sum: (all) => share(total(all, suppressed), total(all, sent)),
    },
  ];
}

const NOTIFICATIONS: readonly RankedColumn[] = [
  ...notificationColumns("to_backend", "to backend", 3),
  ...notificationColumns("to_guest", "to guest", 4),
];

const GRANTS: readonly RankedColumn[] = [
  plain(3, "grants", "activ", 5, ({ guest }) => guest.grants?.active),
  plain(7, "grants", "mappd", 5, ({ guest }) => guest.grants?.mapped),
  plain(14, "grants", "new/s", 5, ({ rates }) => rates.grant_counts?.granted),
  plain(15, "grants", "reuse/s", 7, ({ rates }) => rates.grant_counts?.reused),
  plain(16, "grants", "copy/s", 6, ({ rates }) => rates.grant_counts?.copies),
];

const EVENTS: readonly RankedColumn[] = [
  plain(12, "events", "ports", 5, ({ guest }) => guest.event_ports ?? undefined),
  plain(13, "events", "in/s", 5, ({ rates }) => rates.events?.received),
  plain(17, "events", "merged", 6, ({ rates }) => rates.events?.merged),
];

const INTERFACE: readonly RankedColumn[] = [
  plain(7, "interface", "irq/s", 6, ({ rates }) => rates.interface?.interrupts),
  plain(18, "interface", "drops", 5, ({ guest }) => drops(guest.interface)),
];

function drops(counts: Row["guest"]["interface"]): number | undefined {
  return counts === null ? undefined : counts.tx_drops + counts.rx_drops;
}

/** A column of plain numbers, whose sum is that of the guests. */
function plain(
  rank: number,
  group: string,
  title: string,
  width: number,
  pick: (row: Row) => number | undefined,
): RankedColumn {
  return {
    rank,
    group,
    title,
    width,
    cell: (row) => si(pick(row), 2),
    sum: (all) => si(total(all, pick), 2),
  };
}

/** As many columns as fit, the least important ones left out. */
function fitting(columns: readonly RankedColumn[], inner: number): Column[] {
  const kept = [...columns];
  const used = () => kept.reduce((sum, { width }) => sum + width + 1, -1);
  while (used() > inner && kept.length > 1) {
    const last = kept.reduce((worst, { rank }, i) => rank >= kept[worst].rank ? i : worst, 0);
    kept.splice(last, 1);
  }
  return kept;
}

/** What the first guest calls the ring, without the name of its driver; each end has its own on mixed paths. */
function ringGroup(rows: readonly Row[], ring: number): string {
  const names = new Set(rows.map(({ guest }) => guest.rings[ring]?.name).filter((name) => name !== undefined));
  if (names.size > 1) return ring === 0 ? "ring out" : "ring in";
  const name = [...names][0] ?? "";
  const holds = rows.find(({ guest }) => guest.rings[ring] !== undefined)?.guest.rings[ring].holds;
  const short = sanitize(name).replace(/^(netfront|virtio|e1000|vf) /, "").replace(/ \d+$/, "");
  return short.replace(/ (ring|queue)$/, holds === "buffers" ? " bufs" : "");
}

/** Full means trouble for messages, and comfort for buffers. */
function ringNow({ guest }: Row, ring: number): string {
  const figures = guest.rings[ring];
  if (figures === undefined) return "-";
  const { used, size, holds } = figures;
  const text = `${used}/${size}`;
  const trouble = holds === "work" ? used / size : 1 - used / size;
  return trouble >= 1 ? paint("error", text) : trouble >= 0.75 ? paint("warn", text) : text;
}

function total(rows: readonly Row[], pick: (row: Row) => number | undefined): number {
  return rows.reduce((sum, row) => sum + (pick(row) ?? 0), 0);
}

/** The suppressed part of all publishings, percent. */
function share(suppressed: number | undefined, sent: number | undefined): string {
  if (suppressed === undefined || sent === undefined || suppressed + sent === 0) return "-";
  return percent(suppressed / (suppressed + sent));
}
