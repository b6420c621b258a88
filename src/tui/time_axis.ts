import { paint } from "./text.ts";

const UNITS = [["s", 1e9], ["ms", 1e6], ["us", 1e3], ["ns", 1]] as const;
/** Columns from one tick to the next, at least: a label, and room around it. */
const SPACING = 10;
/** Longer labels than this tell the time from the end instead: in slow motion, seconds have many digits. */
const LONGEST = 8;

/**
 * The line below a chart: round times under their columns, and at the right the span that is shown. The ticks move with
 * the data; their texts do not change meanwhile.
 */
export function timeAxis(options: { fromNs: number; toNs: number; columns: number; width: number }): string {
  const { fromNs, toNs, columns, width } = options;
  const spanNs = toNs - fromNs;
  if (!(spanNs > 0)) return " ".repeat(width);
  const last = `last ${inUnit(Number(spanNs.toPrecision(3)))} `;
  const cells = new Array<string>(width).fill(" ");
  const room = width >= last.length + SPACING ? width - last.length - 1 : width;
  if (room < width) cells.splice(width - last.length, last.length, ...last);
  const step = roundStep((SPACING / columns) * spanNs);
  const absolute = ticks(fromNs, toNs, step, 0);
  const shown = absolute.some(({ text }) => text.length > LONGEST) ? ticks(fromNs, toNs, step, toNs) : absolute;
  let free = 0;
  for (const { atNs, text } of shown) {
    const column = Math.round(((atNs - fromNs) / spanNs) * columns);
    if (column < free || column + 1 + text.length > room) continue;
    cells.splice(column, 1 + text.length, "╵", ...text);
    free = column + text.length + 2;
  }
  return paint("dim", cells.join(""));
}

/** Multiples of `step` from `origin`, with texts of one unit and as many decimals as they need. */
function ticks(fromNs: number, toNs: number, step: number, origin: number): { atNs: number; text: string }[] {
  const [unit, size] = unitOf(origin === 0 ? toNs : toNs - fromNs);
  const decimals = Math.max(0, Math.ceil(-Math.log10(step / size) - 1e-9));
  // A step of 2.5 has one decimal more than its magnitude says.
  const exact = decimalsOf(step / size, decimals);
  const out: { atNs: number; text: string }[] = [];
  for (let i = Math.ceil((fromNs - origin) / step - 1e-9); origin + i * step < toNs * (1 + 1e-12); i++) {
    out.push({
      atNs: origin + i * step,
      text: i === 0 ? (origin === 0 ? `0 ${unit}` : "now") : `${((i * step) / size).toFixed(exact)} ${unit}`,
    });
  }
  return out;
}

function decimalsOf(value: number, least: number): number {
  let decimals = least;
  while (decimals < 9 && Math.abs(value * 10 ** decimals - Math.round(value * 10 ** decimals)) > 1e-6) decimals++;
  return decimals;
}

/** The smallest of 1, 2, 5 times a power of ten that is at least `least`. */
function roundStep(least: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(least) + 1e-9);
  return magnitude * ([1, 2, 5].find((nice) => nice * magnitude >= least * (1 - 1e-9)) ?? 10);
}

function unitOf(ns: number): readonly [string, number] {
  return UNITS.find(([, size]) => ns >= size) ?? UNITS[UNITS.length - 1];
}

function inUnit(ns: number): string {
  const [unit, size] = unitOf(ns);
  return `${Number((ns / size).toPrecision(3))} ${unit}`;
}
