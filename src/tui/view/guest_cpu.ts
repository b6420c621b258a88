import type { CpuFractions } from "../../report/snapshot.ts";
import { percent } from "../format.ts";
import { busy, guestRows } from "../guest_list.ts";
import type { Model } from "../model.ts";
import { left, paint, right, type Role, sanitize } from "../text.ts";
import { bar, cell } from "./bar.ts";
import { frame } from "./frame.ts";

const CLASSES: readonly { key: keyof CpuFractions; label: string; role: Role }[] = [
  { key: "user", label: "user", role: "user" },
  { key: "kernel", label: "kernel", role: "kernel" },
  { key: "irq", label: "irq", role: "irq" },
  { key: "hypervisor", label: "hyperv.", role: "hypervisor" },
  { key: "steal", label: "steal", role: "steal" },
];
const LABEL = 8;

/** Mean of all guests by class, the selected VM beside it where there is room, and one cell per guest. */
export function guestCpu(model: Model, width: number, height: number): string[] {
  const inner = width - 3;
  const rows = guestRows(model);
  const selected = rows.find((row) => row.guest.name === model.selected);
  const beside = selected && inner >= 48;
  const barWidth = Math.max(2, inner - LABEL - 5 - (beside ? 8 : 0));
  const lines: string[] = [];
  if (beside && height >= 12) {
    lines.push(paint("dim", right("mean", inner - 8) + right(sanitize(selected.guest.name), 8)));
  }
  for (const { key, label, role } of CLASSES) {
    const mean = rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row.cpu[key], 0) / rows.length;
    lines.push(
      left(label, LABEL) + bar([{ role, fraction: mean }], barWidth, model.monochrome) + right(percent(mean), 5) +
        (beside ? right(percent(selected.cpu[key]), 8) : ""),
    );
  }
  const strip = heatStrip(rows.map((row) => ({ name: row.guest.name, value: busy(row.cpu) })), inner, model.selected);
  if (lines.length + strip.length + 1 <= height - 2) lines.push("");
  lines.push(...strip.slice(0, Math.max(0, height - 2 - lines.length)));
  return frame(lines.map((line) => ` ${line}`), {
    title: "Guest CPU %",
    note: rows.length > 0 ? paint("dim", `mean of ${rows.length}`) : undefined,
    width,
    height,
    focused: model.pane === "guest",
  });
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
