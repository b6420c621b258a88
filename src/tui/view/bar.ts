import type { CpuFractions } from "../../report/snapshot.ts";
import { paint, type Role } from "../text.ts";

/** A part of a stacked bar: what it is, and which fraction of the whole bar it takes. */
export interface Part {
  role: Role;
  fraction: number;
}

/** Glyphs that tell the parts of a bar apart without colour. */
const MONOCHROME_GLYPHS: Partial<Record<Role, string>> = {
  user: "█",
  guest: "█",
  kernel: "▓",
  host: "▓",
  irq: "▒",
  dom0: "▒",
  hypervisor: "░",
  steal: "×",
};

/**
 * A bar of `width` cells. Edges of the parts are rounded as running sums, so that the bar as a whole is never longer
 * or shorter than the sum says; a part that is not quite nothing does not vanish when it is the only one. `rest` fills
 * what is left of the whole.
 */
export function bar(parts: readonly Part[], width: number, monochrome: boolean, rest = "·"): string {
  let out = "";
  let sum = 0;
  let drawn = 0;
  for (const { role, fraction } of parts) {
    sum += Number.isFinite(fraction) ? Math.max(0, fraction) : 0;
    let edge = Math.min(width, Math.round(sum * width));
    if (edge === 0 && sum > 0.004) edge = 1;
    if (edge > drawn) out += paint(role, glyph(role, monochrome).repeat(edge - drawn));
    drawn = Math.max(drawn, edge);
  }
  return out + paint("frame", rest.repeat(Math.max(0, width - drawn)));
}

/** The glyph that a bar uses for a role: for legends. */
export function glyph(role: Role, monochrome: boolean): string {
  return monochrome ? MONOCHROME_GLYPHS[role] ?? "█" : "▇";
}

/** The classes of a guest's CPU time as parts of a bar, work first, then what was taken from it. */
export function cpuParts(cpu: CpuFractions): Part[] {
  return [
    { role: "user", fraction: cpu.user },
    { role: "kernel", fraction: cpu.kernel },
    { role: "irq", fraction: cpu.irq },
    { role: "hypervisor", fraction: cpu.hypervisor },
    { role: "steal", fraction: cpu.steal },
  ];
}

const LEVELS = "▁▂▃▄▅▆▇█";

/** One cell of a heat strip: height says how busy, so it reads without colour too. */
export function cell(fraction: number): string {
  if (!(fraction > 0.005)) return paint("frame", "·");
  const level = LEVELS[Math.min(LEVELS.length - 1, Math.floor(fraction * LEVELS.length))];
  const role: Role = fraction >= 0.9 ? "error" : fraction >= 0.6 ? "warn" : "ok";
  return paint(role, level);
}
