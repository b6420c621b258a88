/** Numbers as the screen shows them: few characters, fixed width in a column, never a unit that is not in a heading. */

const PS_PER_SECOND = 1e12;
const NS_PER_SECOND = 1e9;

/** Decimals that keep three to four digits for the largest number of a column, so that a column's points line up. */
export function decimalsFor(largest: number): number {
  if (!(largest >= 10)) return 2;
  return largest < 1000 ? 1 : 0;
}

/** `value` with `decimals` decimals, shortened to 12.3k, 4.56M, 7.89G when it would need more than six digits. */
export function number(value: number | null | undefined, decimals: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "-";
  return Math.abs(value) < 999_999.5 ? value.toFixed(decimals) : si(value);
}

/** {@link number} in six columns: what stands beside it does not move when it grows. */
export function figure(value: number | null | undefined, decimals: number): string {
  return number(value, decimals).padStart(6);
}

/** Three significant digits (or as many as asked for) with a suffix: 999, 1.23k, 45.6k, 789k, 1.23M. */
export function si(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "-";
  if (Math.abs(value) < 999.5) return small(value);
  const suffixes = ["", "k", "M", "G", "T"];
  let rounded = value;
  let index = 0;
  // Rounded first: 999.7 k is 1.00 M, and 9.996 has one digit more than 9.994.
  for (let scaled = value; index === 0 || (Math.abs(rounded) >= 1000 && index < suffixes.length - 1); index++) {
    scaled /= 1000;
    rounded = Number(scaled.toPrecision(digits));
  }
  return rounded.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(rounded))))) + suffixes[index];
}

/** Below a thousand: whole from a hundred on, else two digits, and never more than two decimals. */
function small(value: number): string {
  const abs = Math.abs(value);
  if (Number.isInteger(value) || abs >= 99.5) return value.toFixed(0);
  if (abs < 0.005) return "0.00";
  return value.toFixed(abs >= 9.95 ? 0 : abs >= 0.995 ? 1 : 2);
}

/** A fraction as percent without the sign: 0, 0.4, 41, 100. One decimal only where it says something. */
export function percent(fraction: number): string {
  if (!Number.isFinite(fraction)) return "-";
  const value = fraction * 100;
  if (value > 0 && value < 0.05) return "0.0";
  return value !== 0 && Math.abs(value) < 9.95 ? value.toFixed(1) : value.toFixed(0);
}

/** Virtual time, seconds with `decimals` decimals; from a microsecond on in groups of three, as people read them. */
export function seconds(ps: number, decimals: number): string {
  const text = (ps / PS_PER_SECOND).toFixed(decimals);
  const [whole, fraction] = text.split(".");
  if (fraction === undefined || fraction.length <= 3) return text;
  return `${whole}.${fraction.replace(/(\d{3})(?=\d)/g, "$1 ")}`;
}

/** A virtual time or span in the unit that suits it: 1.284 s, 12.5 ms, 840 us, 96 ns. */
export function span(ns: number): string {
  const abs = Math.abs(ns);
  if (abs === 0) return "0 s";
  if (abs >= NS_PER_SECOND) return `${trim(ns / NS_PER_SECOND)} s`;
  if (abs >= 1e6) return `${trim(ns / 1e6)} ms`;
  if (abs >= 1e3) return `${trim(ns / 1e3)} us`;
  return `${trim(ns)} ns`;
}

/** Real-time factor: two significant digits below one, so that a slow-motion pace is not shown as zero. */
export function pace(factor: number): string {
  if (!Number.isFinite(factor) || factor <= 0) return "x0.00";
  if (factor >= 99.5) return `x${si(Math.round(factor))}`;
  if (factor >= 9.95) return `x${factor.toFixed(1)}`;
  if (factor >= 0.0995) return `x${factor.toFixed(2)}`;
  if (factor >= 0.001) return `x${factor.toPrecision(2)}`;
  return `x${factor.toExponential(1)}`;
}

function trim(value: number): string {
  return value.toPrecision(4).includes("e") ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}
