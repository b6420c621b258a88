import type { CpuFractions } from "../../report/snapshot.ts";
import { percent } from "../format.ts";
import { busy, type GuestRow, guestRows } from "../guest_list.ts";
import type { Model } from "../model.ts";
import { cutMiddle, left, paint, right, type Role, sanitize } from "../text.ts";
import { bar, cell, cpuParts } from "./bar.ts";
import { frame } from "./frame.ts";
import { levelCell } from "./spark.ts";

const CLASSES: readonly { key: keyof CpuFractions; label: string; role: Role }[] = [
  { key: "user", label: "user", role: "user" },
  { key: "kernel", label: "kernel", role: "kernel" },
  { key: "irq", label: "irq", role: "irq" },
  { key: "hypervisor", label: "hyperv.", role: "hypervisor" },
  { key: "steal", label: "steal", role: "steal" },
];
const LABEL = 8;
const NUMBER = 5;
const SELECTED = 8;
/** Narrowest bar that says something beside a strip. */
const LEAST_BAR = 6;

/** Mean of all guests by class, the selected VM beside it where there is room, and a cell for every guest. */
export function guestCpu(model: Model, width: number, height: number): string[] {
  const inner = width - 3;
  const rows = guestRows(model);
  const selected = selectedOf(model, rows);
  const room = height - 2;
  // Enough guests for a strip to say more than a bar, and room for one of them all.
  const strips = rows.length >= 8 && rows.length + LABEL + NUMBER <= inner;
  const lines = strips ? classStrips(model, rows, selected, inner) : classBars(model, rows, selected, inner, room);
  const each = eachGuest(model, rows, inner);
  if (each.length > 0 && lines.length + 1 + each.length <= room) lines.push("", ...each);
  return frame(lines.slice(0, room).map((line) => ` ${line}`), {
    title: "Guest CPU %",
    note: rows.length > 0 ? paint("dim", `mean of ${rows.length}`) : undefined,
    width,
    height,
    focused: model.pane === "guest",
  });
}

function meanOf(rows: readonly GuestRow[], pick: (cpu: CpuFractions) => number): number {
  return rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + pick(row.cpu), 0) / rows.length;
}

/** Columns that one guest takes in {@link eachGuest}, the gap to the next one included. */
const EACH = 38;

/** Every guest with a bar of its classes, what is busy and what was stolen, in as many columns as fit. */
function eachGuest(model: Model, rows: readonly GuestRow[], inner: number): string[] {
  const columns = Math.floor((inner + 2) / EACH);
  if (columns === 0) return [];
  const perColumn = Math.ceil(rows.length / columns);
  const each = (row: GuestRow | undefined) => {
    if (row === undefined) return "";
    const { guest, cpu } = row;
    const text = left(cutMiddle(sanitize(guest.name), LABEL), LABEL) +
      bar(cpuParts(cpu), EACH - 2 - LABEL - 2 * NUMBER, model.monochrome) +
      right(percent(busy(cpu)), NUMBER) + paint("steal", right(percent(cpu.steal), NUMBER));
    return row === selectedOf(model, rows) ? paint("select", text) : text;
  };
  return Array.from(
    { length: perColumn },
    (_, i) => Array.from({ length: columns }, (_, c) => each(rows[i + c * perColumn])).join("  "),
  );
}

function selectedOf({ selected }: Model, rows: readonly GuestRow[]): GuestRow | undefined {
  return rows.find((row) => row.guest.name === selected);
}

/** A strip of all guests for each class, with the mean; then the bar of the selected VM. */
function classStrips(
  model: Model,
  rows: readonly GuestRow[],
  selected: GuestRow | undefined,
  inner: number,
): string[] {
  const space = inner - LABEL - rows.length - NUMBER;
  const beside = selected !== undefined && space >= SELECTED ? selected : undefined;
  const barWidth = space - (beside ? SELECTED : 0) - 1;
  const withBar = barWidth >= LEAST_BAR;
  const line = (
    label: string,
    pick: (cpu: CpuFractions) => number,
    draw: (fraction: number) => string,
    role?: Role,
  ) => {
    const cells = rows.map((row) => {
      const text = draw(pick(row.cpu));
      return row === selected ? paint("select", text) : text;
    }).join("");
    const mean = meanOf(rows, pick);
    const bars = withBar && role !== undefined
      ? " " + bar([{ role, fraction: mean }], barWidth, model.monochrome)
      : " ".repeat(withBar ? barWidth + 1 : 0);
    return left(label, LABEL) + cells + bars + right(percent(mean), NUMBER) +
      (beside ? right(percent(pick(beside.cpu)), SELECTED) : "");
  };
  const first = sanitize(rows[0].guest.name);
  const last = sanitize(rows[rows.length - 1].guest.name);
  // Two names that touch would read as one.
  const between = rows.length - first.length - last.length;
  const names = between > 0 ? first + " ".repeat(between) + last : first;
  const heading = " ".repeat(LABEL) + left(names, rows.length + (withBar ? barWidth + 1 : 0)) + right("mean", NUMBER) +
    (beside ? right(cutMiddle(sanitize(beside.guest.name), SELECTED), SELECTED) : "");
  return [
    paint("dim", heading),
    line("busy", busy, (fraction) => cell(fraction)),
    ...CLASSES.map(({ key, label, role }) =>
      line(label, (cpu) => cpu[key], (fraction) => levelCell(fraction, role), role)
    ),
  ];
}

/** A bar for each class, and the guests in as many rows of cells as it takes. */
function classBars(
  model: Model,
  rows: readonly GuestRow[],
  selected: GuestRow | undefined,
  inner: number,
  room: number,
): string[] {
  const beside = selected && inner >= 48;
  const barWidth = Math.max(2, inner - LABEL - NUMBER - (beside ? SELECTED : 0));
  const lines: string[] = [];
  if (beside && room >= 10) {
    lines.push(paint("dim", right("mean", inner - SELECTED) + right(sanitize(selected.guest.name), SELECTED)));
  }
  for (const { key, label, role } of CLASSES) {
    const mean = meanOf(rows, (cpu) => cpu[key]);
    lines.push(
      left(label, LABEL) + bar([{ role, fraction: mean }], barWidth, model.monochrome) + right(percent(mean), NUMBER) +
        (beside ? right(percent(selected.cpu[key]), SELECTED) : ""),
    );
  }
  const strip = heatStrip(rows.map((row) => ({ name: row.guest.name, value: busy(row.cpu) })), inner, model.selected);
  if (lines.length + strip.length + 1 <= room) lines.push("");
  lines.push(...strip.slice(0, Math.max(0, room - lines.length)));
  return lines;
}

/** One cell per guest in the order of the run, in rows of 10, 20 or 40, the name of the first one in front. */
function heatStrip(
  cells: readonly { name: string; value: number }[],
  inner: number,
  selected: string | null,
): string[] {
  if (cells.length === 0) return [];
  const label = Math.min(LABEL, cells.reduce((max, { name }) => Math.max(max, name.length + 1), 0));
  const perRow = [40, 20, 10].find((n) => n <= inner - label) ?? Math.max(1, inner - label);
  const lines: string[] = [];
  for (let from = 0; from < cells.length; from += perRow) {
    const part = cells.slice(from, from + perRow);
    const strip = part.map(({ name, value }) => name === selected ? paint("select", cell(value)) : cell(value)).join(
      "",
    );
    lines.push(paint("dim", left(sanitize(part[0].name), label)) + strip);
  }
  return lines;
}
