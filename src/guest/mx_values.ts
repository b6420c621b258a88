import { MS, TIME_LIMIT_PS } from "../base/units.ts";

/*
 * The values of MX's C types. A program without types may pass anything, so nothing here calls a method of a value or
 * converts one that is not a primitive.
 */

const U32 = 0x1_0000_0000;
const U64_MAX = 0xffff_ffff_ffff_ffffn;
const words = new DataView(new ArrayBuffer(8));

/** Match information, a mask or a NIC id: an unsigned number of 64 bits. */
export function isU64(value: unknown): value is bigint {
  return typeof value === "bigint" && value >= 0n && value <= U64_MAX;
}

export function upperWord(value: bigint): number {
  words.setBigUint64(0, value);
  return words.getUint32(0);
}

export function lowerWord(value: bigint): number {
  words.setBigUint64(0, value);
  return words.getUint32(4);
}

export function wide(upper: number, lower: number): bigint {
  words.setUint32(0, upper);
  words.setUint32(4, lower);
  return words.getBigUint64(0);
}

/** A whole number of at most 32 bits; also negative ones, which C would wrap. */
export function isU32(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= -U32 / 2 && (value as number) < U32;
}

/** Milliseconds from 0 on, also parts of one. */
export function isMilliseconds(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

/** Picoseconds; MX_INFINITE (0), and all that virtual time could not name, is no limit. */
export function timeoutPs(milliseconds: number): number {
  return milliseconds === 0 ? Infinity : exactPs(milliseconds);
}

/** The same where 0 is 0. */
export function exactPs(milliseconds: number): number {
  const ps = Math.ceil(milliseconds * MS);
  return ps < TIME_LIMIT_PS ? ps : Infinity;
}

/** A value in a message for people: short, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === "bigint") return `0x${value.toString(16)}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function") return "a function";
  return String(value);
}
