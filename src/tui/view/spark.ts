import { paint, type Role } from "../text.ts";

const LEVELS = "▁▂▃▄▅▆▇█";

/**
 * The last `width` values as a line of blocks, the newest at the right, as high as `top` (the largest value by default)
 * allows. What is not known is a gap, and next to nothing is a dot.
 */
export function sparkline(values: readonly (number | null)[], width: number, role: Role, top?: number): string {
  const shown = values.slice(-Math.max(0, width));
  const high = top ?? shown.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
  const blocks = shown.map((value) => {
    if (value === null || !Number.isFinite(value)) return " ";
    if (!(value > high / 200)) return "·";
    return LEVELS[Math.min(LEVELS.length - 1, Math.floor((value / high) * LEVELS.length))];
  });
  return " ".repeat(Math.max(0, width - blocks.length)) + paint(role, blocks.join(""));
}

/** One cell for a fraction of something full at 1, in a role of its own; nothing is a dot. */
export function levelCell(fraction: number, role: Role): string {
  if (!(fraction > 0.005)) return paint("frame", "·");
  return paint(role, LEVELS[Math.min(LEVELS.length - 1, Math.floor(fraction * LEVELS.length))]);
}

/** One cell for each group of `perCell` neighbours: their mean. */
export function strip(fractions: readonly number[], perCell: number, role: Role): string {
  let out = "";
  for (let from = 0; from < fractions.length; from += perCell) {
    const group = fractions.slice(from, from + perCell);
    out += levelCell(group.reduce((sum, value) => sum + value, 0) / group.length, role);
  }
  return out;
}
