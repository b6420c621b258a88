import { number, si } from "./format.ts";

/** The vertical scale of a chart of `rows` + 1 rows. */
export interface Scale {
  readonly rows: number;
  readonly high: number;
  /** Rows above the lowest one, with fraction; beyond the scale for what is beyond it. */
  place(value: number): number;
  /** What stands beside the axis, by row from the bottom. */
  readonly labels: ReadonlyMap<number, string>;
}

const TICKS = [1, 2, 2.5, 5];
/** A label stands at every second to fifth row; closer ones only where there are few rows. */
const SPACING = [2, 3, 4, 5];
/** One label more than zero and another says how the scale goes on. */
const FEWEST = 2;

/**
 * The smallest scale from zero (or below, for negative values) to at least `high` whose labels are round. Zero is part
 * of it: a chart that does not start at zero exaggerates.
 */
export function linearScale(low: number, high: number, rows: number): Scale {
  const floor = Math.min(low, 0);
  let best: { tick: number; every: number; bottom: number; span: number } | null = null;
  const wanted = Math.max(high, 0) - floor || 1;
  const spacing = (rows >= 6 ? SPACING : [1, ...SPACING]).filter((every) => every === 1 || rows / every >= FEWEST);
  const exponent = Math.floor(Math.log10(wanted / rows));
  for (let power = exponent - 1; power <= exponent + 2; power++) {
    for (const nice of TICKS) {
      const tick = nice * 10 ** power;
      const bottom = Math.floor(floor / tick + 1e-9) * tick;
      for (const every of spacing) {
        const span = (rows * tick) / every;
        if (bottom + span < Math.max(high, 0) * (1 - 1e-9) || span < wanted * (1 - 1e-9)) continue;
        // Of two that are as tall, the one with fewer labels is calmer, as long as there are some.
        const calmer = best !== null && span <= best.span * (1 + 1e-9) && rows / every > FEWEST + 1;
        if (best === null || span < best.span * (1 - 1e-9) || calmer) {
          best = { tick, every, bottom, span };
        }
      }
    }
  }
  const { tick, every, bottom, span } = best!;
  const labels = new Map<number, string>();
  for (let row = 0; row <= rows; row += every) labels.set(row, label(bottom + (row / every) * tick, tick));
  return { rows, high: bottom + span, place: (value) => ((value - bottom) / span) * rows, labels };
}

/** Powers of ten, from the one below `low` to the one above `high`; both must be above zero. */
export function logScale(low: number, high: number, rows: number): Scale {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(high) - 1e-9));
  const decades = last - first;
  const rowsPerDecade = rows / decades;
  const every = Math.max(1, Math.ceil(1 / rowsPerDecade));
  const labels = new Map<number, string>();
  for (let i = 0; i <= decades; i += every) {
    const power = 10 ** (first + i);
    // si has three digits; a power of ten needs one of them.
    labels.set(
      Math.round(i * rowsPerDecade),
      power < 1000 ? label(power, power) : si(power).replace(".00", "").replace(".0", ""),
    );
  }
  const place = (value: number) => value > 0 ? (Math.log10(value) - first) * rowsPerDecade : -Infinity;
  return { rows, high: 10 ** last, place, labels };
}

/** A number of an axis, with the decimals that its neighbours need. */
function label(value: number, step: number): string {
  if (Math.abs(value) >= 100_000) return si(value);
  let decimals = 0;
  while (decimals < 3 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals++;
  return number(Math.abs(value) < step * 1e-6 ? 0 : value, decimals);
}
