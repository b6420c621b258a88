import { onlySends } from "../../report/records.ts";
import type { CpuFractions, GuestFigures } from "../../report/snapshot.ts";
import { decimalsFor, number, percent, si } from "../format.ts";
import { busy, type GuestRow, listedGuests } from "../guest_list.ts";
import { type Model, showsRecent, type SortColumn } from "../model.ts";
import { cutMiddle, left, paint, right, sanitize } from "../text.ts";
import { bar, cpuParts } from "./bar.ts";
import { frame } from "./frame.ts";
import { sparkline } from "./spark.ts";

/** A column of the guests table at its place. */
export interface TableColumn {
  readonly sort: SortColumn;
  readonly title: string;
  readonly x: number;
  readonly width: number;
  readonly words: boolean;
}

/** Lines of the pane that are not rows of guests: two of frame, heading, total. */
const FIXED_LINES = 4;
const BAR_TITLE = "";
/** The throughput of the latest samples as a line of blocks: sorted by, it is the throughput. */
const SPARK_TITLE = "recent";
/** Columns of a name at most, and of a long one where there is little room: then without its middle. */
const NAME_MOST = 32;
const NAME_LEAST = 12;
const LONG_NAMES = "names";
const BAR_MOST = 24;
const SPARK_MOST = 30;

/** Rows of guests that a pane of this height shows. */
export function visibleRows(height: number): number {
  return Math.max(1, height - FIXED_LINES);
}

type Spec = [sort: SortColumn, title: string, width: number, words: boolean];

/** Every column that there is, as wide as what stands in it. */
function allColumns(guests: readonly GuestFigures[]): Spec[] {
  const longest = (texts: string[], low: number, high: number) =>
    Math.min(high, texts.reduce((max, text) => Math.max(max, text.length), low));
  return [
    ["vm", " vm", 1 + longest(guests.map((g) => g.name), 4, NAME_MOST), true],
    ["host", "host", longest(guests.map((g) => g.host), 4, 8), true],
    ["path", "path", longest(guests.map((g) => g.path), 6, 12), true],
    ["p50", "p50 us", 6, false],
    ["p99", "p99 us", 6, false],
    ["MBps", "MB/s", 6, false],
    ["MBps", SPARK_TITLE, 7, true],
    ["rate", "msg/s", 6, false],
    ["cpu", "CPU%", 4, false],
    ["cpu", BAR_TITLE, 7, true],
    ["steal", "st%", 4, false],
    ["ring", "ring", longest(guests.map((g) => g.ring ? `${g.ring.size}/${g.ring.size}` : ""), 5, 7), false],
    ["grants", "grnt", 4, false],
    ["notes", "note/s", 6, false],
    ["resent", "rsnt", 4, false],
  ];
}

/** Columns for an inner width: first those that matter most, and what is left for the sparkline and the CPU bar. */
export function tableColumns(model: Model, inner: number): TableColumn[] {
  const guests = model.live?.snapshot.guests ?? [];
  let specs = allColumns(guests);
  const [[, , name]] = specs;
  // What goes first when there is no room; bar and sparkline grow into what is left over.
  const used = () => specs.reduce((sum, spec) => sum + spec[2] + 1, -1);
  // On one path for all, the header says which; the sparkline says more than the number of grants.
  const onePath = guests.every(({ path }) => path === guests[0].path);
  const order = onePath
    ? ["resent", "steal", "notes", "path", LONG_NAMES, "grants", SPARK_TITLE, "ring", "host", "rate"]
    : ["resent", "steal", "notes", LONG_NAMES, "grants", SPARK_TITLE, "path", "ring", "host", "rate"];
  for (const dispensable of order) {
    if (used() <= inner) break;
    if (dispensable === LONG_NAMES) specs[0][2] = Math.min(name, 1 + NAME_LEAST);
    if (dispensable === "grants") specs.find((spec) => spec[1] === BAR_TITLE)![2] = 4;
    specs = specs.filter((spec) => spec[0] !== dispensable && spec[1] !== dispensable);
  }
  const barColumn = specs.find((spec) => spec[1] === BAR_TITLE)!;
  const spark = specs.find((spec) => spec[1] === SPARK_TITLE);
  // What is left over is the names' first.
  specs[0][2] += Math.max(0, Math.min(name - specs[0][2], inner - used()));
  const left = inner - used();
  const half = spark === undefined ? 0 : Math.min(SPARK_MOST - spark[2], Math.floor(left / 2));
  if (spark !== undefined) spark[2] += half;
  barColumn[2] = Math.min(BAR_MOST, Math.max(2, barColumn[2] + left - half));
  let x = 0;
  return specs.map(([sort, title, width, words]): TableColumn => {
    const column = { sort, title, x, width, words };
    x += width + 1;
    return column;
  });
}

/** One row per VM, the worst or the best on top, and the whole cluster at the bottom. */
export function guests(model: Model, width: number, height: number): string[] {
  const rows = listedGuests(model);
  const inner = width - 2;
  const columns = tableColumns(model, inner);
  const shown = rows.slice(model.scroll, model.scroll + visibleRows(height));
  const decimals = columnDecimals(rows);
  const lines = [heading(model, columns)];
  const recent = throughputs(model, columns.find((c) => c.title === SPARK_TITLE)?.width ?? 0);
  const top = recentTop(recent);
  for (const row of shown) {
    const selected = row.guest.name === model.selected;
    const cells = columns.map((c) =>
      c.title === SPARK_TITLE
        ? sparkline(recent.get(row.guest.name) ?? [], c.width, "throughput", top)
        : cellOf(row, c, decimals, model.monochrome, selected)
    );
    const line = left(cells.join(" "), inner);
    lines.push(selected ? paint("select", line) : line);
  }
  if (rows.length === 0) lines.push(paint("dim", model.live ? "  no guest matches the filter" : "  starting"));
  while (lines.length < height - 3) lines.push("");
  lines.push(totalsLine(model, rows, columns, inner));
  return frame(lines, {
    title: `Guests ${paint("dim", showsRecent(model) ? "latest interval" : "whole run")}${sortNote(model)}`,
    note: note(model, rows.length, shown.length),
    width,
    height,
    focused: model.pane === "guests",
  });
}

/** Throughput of every guest at so many of the latest samples, of what it receives or else of what it sends. */
function throughputs({ live }: Model, samples: number): Map<string, number[]> {
  const byName = new Map<string, number[]>();
  if (samples === 0) return byName;
  const history = live?.history.slice(-samples) ?? [];
  for (const [i, guest] of (live?.snapshot.guests ?? []).entries()) {
    const sends = onlySends(guest);
    byName.set(
      guest.name,
      history.map(({ guests }) => (sends ? guests[i]?.sent_MBps : guests[i]?.throughput_MBps) ?? 0),
    );
  }
  return byName;
}

/** The height of all sparklines is that of the largest value of any guest: they can be compared. */
function recentTop(recent: Map<string, number[]>): number {
  let top = 0;
  for (const values of recent.values()) for (const value of values) top = Math.max(top, value);
  return top;
}

function sortNote(model: Model): string {
  const { column, reversed } = model.sort;
  if (column === "vm" && !reversed) return "";
  const title = {
    vm: "vm",
    host: "host",
    path: "path",
    p50: "p50",
    p99: "p99",
    MBps: "MB/s",
    rate: "msg/s",
    cpu: "CPU",
    steal: "steal",
    ring: "ring",
    grants: "grants",
    notes: "notifications",
    resent: "resent",
  };
  return ` ─ by ${title[column]} ${sortMark(model)}`;
}

/** Points down when the largest is on top (or z before a), as in other tools. */
function sortMark({ sort }: Model): string {
  const words = sort.column === "vm" || sort.column === "host" || sort.column === "path";
  return words !== sort.reversed ? "▲" : "▼";
}

/** Which rows are shown, of how many, and why not all. */
function note(model: Model, rows: number, shown: number): string {
  const filter = model.filter === "" ? "" : `/${sanitize(model.filter)}  `;
  const total = model.live?.snapshot.guests.length ?? 0;
  const range = shown < rows ? `${model.scroll + 1}-${model.scroll + shown} of ${rows}` : `${rows}`;
  return paint("warn", filter) + (rows < total ? `${range} of ${total}` : range);
}

function heading(model: Model, columns: readonly TableColumn[]): string {
  return columns.map((column, i) => {
    const { title, width, words } = column;
    const sorted = column.sort === model.sort.column && title !== BAR_TITLE && title !== SPARK_TITLE;
    const role = sorted ? "accent" : "heading";
    if (i === 0) return paint(role, left(`${title}${sorted ? sortMark(model) : ""}`, width));
    // The mark of the sorted column touches its words, in the gap before the column if need be: nothing moves.
    const marked = sorted ? `${sortMark(model)}${title}` : ` ${title}`;
    return paint(role, words ? left(marked, width + 1) : right(marked, width + 1));
  }).join("");
}

interface Decimals {
  latency: number;
  MBps: number;
}

/** p50 and p99 share their decimals, so that they can be compared at a glance. */
function columnDecimals(rows: readonly GuestRow[]): Decimals {
  return {
    latency: decimalsFor(rows.reduce((max, row) => Math.max(max, row.p50 ?? 0, row.p99 ?? 0), 0)),
    MBps: decimalsFor(rows.reduce((max, row) => Math.max(max, row.MBps), 0)),
  };
}

function cellOf(row: GuestRow, c: TableColumn, decimals: Decimals, monochrome: boolean, selected: boolean): string {
  const { guest } = row;
  const stale = (text: string) => row.stale ? paint("dim", text) : text;
  switch (c.sort) {
    case "vm":
      return left((selected ? "▸" : " ") + cutMiddle(sanitize(guest.name), c.width - 1), c.width);
    case "host":
      return left(sanitize(guest.host), c.width);
    case "path":
      return left(sanitize(guest.path), c.width);
    case "p50":
      return stale(right(number(row.p50, decimals.latency), c.width));
    case "p99":
      return stale(right(number(row.p99, decimals.latency), c.width));
    case "MBps":
      return right(`${row.sends ? "↑" : ""}${number(row.MBps, decimals.MBps)}`, c.width);
    case "rate":
      return right(si(row.rate), c.width);
    case "cpu":
      return c.title === BAR_TITLE
        ? bar(cpuParts(row.cpu), c.width, monochrome)
        : right(percent(busy(row.cpu)), c.width);
    case "steal":
      return right(percent(row.cpu.steal), c.width);
    case "ring":
      return ringCell(row.ring, c.width);
    case "grants":
      return right(guest.grants ? si(guest.grants.active, 2) : "-", c.width);
    case "notes":
      return right(row.notes === null ? "-" : si(row.notes), c.width);
    case "resent":
      return row.resent > 0 ? paint("warn", right(si(row.resent, 2), c.width)) : right("0", c.width);
  }
}

/** Used and size; yellow when three quarters full, red when full, because a full ring holds the guest up. */
export function ringCell(ring: GuestRow["guest"]["ring"], width: number): string {
  if (ring === null) return right("-", width);
  const exact = `${ring.used}/${ring.size}`;
  const text = right(exact.length <= width ? exact : `${si(ring.used, 2)}/${si(ring.size, 2)}`, width);
  if (ring.used >= ring.size) return paint("error", text);
  return ring.used * 4 >= ring.size * 3 ? paint("warn", text) : text;
}

/** The whole cluster in one row: what the charts show, as numbers. */
function totalsLine(model: Model, rows: readonly GuestRow[], columns: readonly TableColumn[], inner: number): string {
  const live = model.live;
  if (live === null || rows.length === 0) return "";
  const sum = (pick: (row: GuestRow) => number) => rows.reduce((total, row) => total + pick(row), 0);
  const whole = rows.length === live.snapshot.guests.length;
  const sample = showsRecent(model) ? live.samples.at(-1) : undefined;
  const p50 = sample?.p50_us ?? live.snapshot.totals.latency_us?.p50 ?? null;
  const p99 = sample?.p99_us ?? live.snapshot.totals.latency_us?.p99 ?? null;
  const mean = (pick: (cpu: CpuFractions) => number) => sum((row) => pick(row.cpu)) / rows.length;
  const cpu: CpuFractions = {
    user: mean((c) => c.user),
    kernel: mean((c) => c.kernel),
    irq: mean((c) => c.irq),
    hypervisor: mean((c) => c.hypervisor),
    steal: mean((c) => c.steal),
    idle: mean((c) => c.idle),
  };
  // What the run itself says of the whole; a sum over guests counts both ends of a ping-pong.
  const totals = live.snapshot.totals;
  const MBps = whole ? sample?.throughput_MBps ?? totals.throughput_MBps : sum((row) => row.sends ? 0 : row.MBps);
  const rate = whole && !sample ? totals.messages_per_s : sum((row) => row.sends ? 0 : row.rate);
  const grants = sum((row) => row.guest.grants?.active ?? 0);
  const texts: Record<SortColumn, string> = {
    vm: whole ? " all" : " sum",
    host: "",
    path: "",
    // Percentiles of a part of the guests cannot be made from those of its members.
    p50: whole ? number(p50, decimalsFor(p99 ?? 0)) : "-",
    p99: whole ? number(p99, decimalsFor(p99 ?? 0)) : "-",
    MBps: number(MBps, decimalsFor(MBps)),
    rate: si(rate),
    cpu: percent(busy(cpu)),
    steal: percent(cpu.steal),
    ring: "",
    notes: rows.some((row) => row.notes !== null) ? si(sum((row) => row.notes ?? 0)) : "-",
    resent: si(sum((row) => row.resent), 2),
    grants: rows.some((row) => row.guest.grants) ? si(grants, 2) : "-",
  };
  const cells = columns.map((c) => {
    if (c.title === BAR_TITLE) return bar(cpuParts(cpu), c.width, model.monochrome);
    if (c.title === SPARK_TITLE) return sparkline(live.samples.map((s) => s.throughput_MBps), c.width, "throughput");
    return c.words ? left(texts[c.sort], c.width) : right(texts[c.sort], c.width);
  });
  return paint("title", left(cells.join(" "), inner));
}
