import { chart, LABEL_WIDTH, MARK_WIDTH, type Reference } from "../chart.ts";
import { intoColumns } from "../columns.ts";
import { decimalsFor, figure, number } from "../format.ts";
import { ghostNote, turnGrid } from "../ghost.ts";
import { guestRows } from "../guest_list.ts";
import { type Model, showsRecent } from "../model.ts";
import { cutMiddle, left, paint, right, sanitize } from "../text.ts";
import { bar } from "./bar.ts";
import { beside, frame } from "./frame.ts";
import { viewMark } from "./pane_views.ts";

/** Wide panes have the guests beside the sum. */
const WIDE = 120;
/** A guest's name, number and bar take at least this much. */
const GUEST_WIDTH = 26;

/** Delivered payload of all guests and the busiest link against its capacity, over time; or every guest by itself. */
export function throughput(model: Model, width: number, height: number): string[] {
  const [inner, room] = [width - 3, height - 2];
  const byGuest = model.views.throughput === "guests";
  const box = { mark: viewMark(model, "throughput"), width, height, focused: model.pane === "throughput" };
  if (byGuest) {
    const note = paint("dim", "whole run");
    return frame(guestBars(model, inner, room), { ...box, title: "Throughput MB/s by guest", note });
  }
  const second = width < WIDE ? 0 : Math.floor(inner * 0.4);
  const first = second === 0 ? inner : inner - second - 3;
  const { lines, sum, link } = overTime(model, first, room);
  return frame(second === 0 ? lines : beside(lines, guestBars(model, second, room), first, second), {
    ...box,
    title: "Throughput MB/s",
    note: notes(model, sum, link),
  });
}

/** Which line is which, and where it is now: widest first. */
function notes(model: Model, sumNow: number | null, linkNow: number | null): string[] {
  const { live } = model;
  const ghost = ghostNote(model);
  const show = (value: number | null) => figure(value, decimalsFor(value ?? 0));
  const sum = paint("throughput", `─ sum ${show(sumNow)}`);
  const link = (name: string) => paint("link", `╌ ${name} ${show(linkNow)}`);
  const limit = live?.link_limit_MBps ?? 0;
  const of = limit > 0 ? paint("dim", ` of ${number(limit, decimalsFor(limit))}`) : "";
  const links = live?.snapshot.links ?? [];
  const busiest = links.toSorted((a, b) => used(b) - used(a))[0];
  const named = links.length < 2 ? "link" : `link ${sanitize(busiest.name)}`;
  const texts = [`${sum}  ${link(named)}${of}`, `${sum}  ${link("link")}${of}`, `${sum}  ${link("link")}`, sum];
  return texts.map((text) => ghost + text);
}

function used({ directions }: { directions: readonly { utilisation: number }[] }): number {
  return Math.max(...directions.map(({ utilisation }) => utilisation));
}

/** The latest value: where another turn is shown, the lines of this one end before the chart does. */
function lastOf(values: readonly (number | null)[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

interface Chart {
  readonly lines: string[];
  /** Where the lines end. */
  readonly sum: number | null;
  readonly link: number | null;
}

function overTime(model: Model, width: number, height: number): Chart {
  const { live } = model;
  const samples = live?.samples ?? [];
  const { grid, time, ghost } = turnGrid(model, width - LABEL_WIDTH - MARK_WIDTH, !showsRecent(model));
  const sum = intoColumns(samples, grid, (sample) => sample.throughput_MBps);
  const link = intoColumns(samples, grid, (sample) => sample.link_MBps);
  const series = [
    { role: "link", values: link, broken: true },
    { role: "throughput", values: sum },
  ] as const;
  const before = intoColumns(ghost, grid, (sample) => sample.throughput_MBps);
  const ghosts = ghost.length === 0 ? [] : [{ role: "dim", values: before } as const];
  const lines = chart({ width, height, series, ...time, ghosts, references: references(model) });
  return { lines, sum: lastOf(sum), link: lastOf(link) };
}

function references({ live }: Model): Reference[] {
  const out: Reference[] = [];
  const limit = live?.link_limit_MBps ?? 0;
  if (limit > 0) out.push({ value: limit, role: "dim", label: `link ${number(limit, decimalsFor(limit))}` });
  const study = live?.published?.throughput_MBps;
  if (study !== undefined) {
    out.push({ value: study, role: "study", label: `study ${number(study, decimalsFor(study))}` });
  }
  return out;
}

/** Every guest, the fastest first; by the whole run, so that the order stays. In as many columns as it takes. */
function guestBars(model: Model, width: number, height: number): string[] {
  const rows = guestRows({ ...model, running: false }).toSorted((a, b) => b.MBps - a.MBps);
  if (rows.length === 0 || rows[0].MBps === 0) return ["", paint("dim", "  nothing delivered yet")];
  const across = Math.max(1, Math.min(Math.ceil(rows.length / height), Math.floor(width / GUEST_WIDTH)));
  const each = Math.floor((width - 1 - 2 * (across - 1)) / across);
  const down = Math.ceil(rows.length / across);
  const room = Math.min(height, down);
  const decimals = decimalsFor(rows[0].MBps);
  const name = Math.min(12, Math.max(4, ...rows.map(({ guest }) => guest.name.length)));
  const shown = rows.length <= room * across ? rows : rows.slice(0, room * across - 1);
  const cells = shown.map(({ guest, MBps, sends }) =>
    left(cutMiddle(sanitize(guest.name), name), name) + right((sends ? "↑" : "") + number(MBps, decimals), 8) + " " +
    bar([{ role: "throughput", fraction: MBps / rows[0].MBps }], Math.max(2, each - name - 9), model.monochrome, " ")
  );
  if (shown.length < rows.length) cells.push(paint("dim", `and ${rows.length - shown.length} slower ones`));
  return Array.from(
    { length: room },
    (_, row) =>
      " " + Array.from({ length: across }, (_, column) => left(cells[column * room + row] ?? "", each)).join("  "),
  );
}
