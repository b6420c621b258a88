/**
 * Virtual time is integer picoseconds in a `number`: exact at every link rate from 1 to 100 Gb/s, and 2^53 ps is
 * two and a half virtual hours. Sizes are bytes; rates are bits per second.
 */
export const PS = 1;
/** Picoseconds in a nanosecond. */
export const NS = 1_000;
/** Picoseconds in a microsecond. */
export const US = 1_000_000;
/** Picoseconds in a millisecond. */
export const MS = 1_000_000_000;
/** Picoseconds in a second. */
export const SECOND = 1_000_000_000_000;
/** The last instant that virtual time can name exactly. */
export const TIME_LIMIT_PS = Number.MAX_SAFE_INTEGER;

export const KIB = 1024;
export const MIB = 1024 * 1024;
export const GIB = 1024 * 1024 * 1024;

/** Bytes in a page of every machine modelled (x86). */
export const PAGE_SIZE = 4096;
// What is exported is looked up each time it is used, and not known to be a constant: V8 would divide.
const PAGES_PER_BYTE = 1 / 4096;

/** Picoseconds that one byte takes at `rateBps` bits per second (800 at 10 Gb/s). */
export function psPerByte(rateBps: number): number {
  return (8 * SECOND) / rateBps;
}

/** Number of the page that an address below 2^43 is in. */
export function pageOf(address: number): number {
  return (address * PAGES_PER_BYTE) | 0;
}

/** Number of pages that the bytes [address, address + length) touch. */
export function pagesSpanned(address: number, length: number): number {
  if (length === 0) return 0;
  return (pageOf(address + length - 1) - pageOf(address) + 1) | 0;
}

/** `value` rounded up to a multiple of `step`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
