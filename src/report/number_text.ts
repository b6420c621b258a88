import { formatSize } from "../base/quantity.ts";

/*
 * Numbers for people, at most seven characters wide. Files for programs carry every digit instead.
 */

/** Microseconds, MB/s and the like: three or four digits that count, `-` for what was not measured. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "-";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e6) return count(value);
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 0.1 ? 2 : 4);
}

/** A count: exact to five digits, then in thousands, millions and so on. */
export function count(value: number): string {
  const size = Math.abs(value);
  if (size < 1e5) return String(Math.round(value));
  for (const [unit, factor] of [["G", 1e9], ["M", 1e6], ["k", 1e3]] as const) {
    if (size >= factor) return `${Number((value / factor).toPrecision(4))}${unit}`;
  }
  return String(value);
}

/** A fraction of one as a whole percentage, with one digit more where it would be 0. */
export function percent(fraction: number): string {
  const hundredths = fraction * 100;
  return hundredths >= 0.05 && hundredths < 0.95 ? hundredths.toFixed(1) : hundredths.toFixed(0);
}

/** Bytes in the unit that shows them without loss if that is a short number, or else in MB. */
export function bytes(value: number): string {
  const exact = formatSize(value);
  const isShort = value < 1e6 ? exact.length <= 9 : parseInt(exact) < 1e4;
  return isShort ? exact : value >= 1e9 ? `${figure(value / 1e9)} GB` : `${figure(value / 1e6)} MB`;
}

/** Virtual nanoseconds in the unit that reads best. */
export function duration(ns: number): string {
  for (const [unit, factor] of [["s", 1e9], ["ms", 1e6], ["us", 1e3]] as const) {
    if (ns >= factor) return `${Number((ns / factor).toPrecision(4))} ${unit}`;
  }
  return `${ns} ns`;
}
