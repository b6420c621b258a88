import { z } from "zod";
import { GIB, KIB, MIB, MS, NS, PS, SECOND, TIME_LIMIT_PS, US } from "./units.ts";

/*
 * Quantities as people write them ("512 KiB", "300 ns", "10 Gb/s", "1 %") to the plain numbers that the program
 * computes with (bytes, integer picoseconds, bits per second, 0 to 1), and back. Units are never guessed: a time
 * without a unit is an error, because whoever wrote `duration: 10` meant seconds, or milliseconds.
 */

/** A text that is not the quantity it should be; the message names what was found and what is wanted. */
export class QuantityError extends Error {
  override name = "QuantityError";
}

interface Kind {
  readonly wanted: string;
  /** Largest first: formatting takes the first unit that gives back the same number. */
  readonly units: readonly (readonly [name: string, factor: number])[];
  /** Other spellings that are read, never written. */
  readonly spellings: Readonly<Record<string, number>>;
  /** Whether a number without a unit (other than 0) has a meaning. */
  readonly bare: boolean;
  /** Whether the result counts indivisible things. */
  readonly whole: boolean;
  readonly limit: number;
  /** The limit as a message names it. */
  readonly most: string;
}

const SIZE: Kind = {
  wanted: "a size such as 512 KiB",
  units: [["GiB", GIB], ["MiB", MIB], ["KiB", KIB], ["GB", 1e9], ["MB", 1e6], ["KB", 1e3], ["B", 1]],
  spellings: { kB: 1e3 },
  bare: true,
  whole: true,
  limit: Number.MAX_SAFE_INTEGER,
  most: "8 PiB",
};

const TIME: Kind = {
  wanted: "a time such as 300 ns or 20 ms",
  units: [["s", SECOND], ["ms", MS], ["us", US], ["ns", NS], ["ps", PS]],
  spellings: { "µs": US, "μs": US },
  bare: false,
  whole: true,
  limit: TIME_LIMIT_PS,
  most: "9007 s (2^53 ps)",
};

const RATE: Kind = {
  wanted: "a rate such as 10 Gb/s",
  units: [["Gb/s", 1e9], ["Mb/s", 1e6], ["kb/s", 1e3], ["b/s", 1]],
  spellings: {},
  bare: false,
  whole: false,
  limit: 1e15,
  most: "1000000 Gb/s",
};

const FREQUENCY: Kind = {
  wanted: "how often in a second, such as 20 k/s",
  units: [["M/s", 1e6], ["k/s", 1e3], ["/s", 1]],
  spellings: {},
  bare: false,
  whole: false,
  limit: 1e12,
  most: "1000000 M/s",
};

const FRACTION: Kind = {
  wanted: "a fraction from 0 to 1 such as 1 % or 0.01",
  units: [["%", 0.01], ["", 1]],
  spellings: {},
  bare: true,
  whole: false,
  limit: 1,
  most: "100 %",
};

const NUMBER = "(?:\\d+(?:\\.\\d+)?|\\.\\d+)(?:[eE][+-]?\\d+)?";
const GRAMMAR = new RegExp(`^([+-]?${NUMBER})\\s*(\\S*)$`);

/**
 * What a JSON Schema says of the texts and numbers of a kind, so that an editor finds what is without its unit. What a
 * pattern cannot say, such as bounds, is for the parser.
 */
function schemaOf({ units, spellings, bare, whole }: Kind): Record<string, unknown> {
  const names = [...units.map(([name]) => name), ...Object.keys(spellings)].filter((name) => name !== "");
  const bareText = bare ? NUMBER : "0";
  return {
    pattern: `^\\s*\\+?(?:${NUMBER}\\s*(?:${names.join("|")})|${bareText})\\s*$`,
    minimum: 0,
    ...(bare ? {} : { maximum: 0 }),
    ...(whole && bare ? { multipleOf: 1 } : {}),
  };
}

/** A size in bytes: `512 KiB`, `1 MB` (10^6), or a whole number of bytes. Throws {@link QuantityError}. */
export function parseSize(input: unknown): number {
  return parse(input, SIZE);
}

/** A time in integer picoseconds: `300 ns`, `1.5 us`, `0`. Throws {@link QuantityError}. */
export function parseTime(input: unknown): number {
  return parse(input, TIME);
}

/** A rate in bits per second: `10 Gb/s`. Throws {@link QuantityError}. */
export function parseRate(input: unknown): number {
  return parse(input, RATE);
}

/** A fraction, 0 to 1: `1 %` or `0.01`. Throws {@link QuantityError}. */
export function parseFraction(input: unknown): number {
  return parse(input, FRACTION);
}

/** Bytes in the largest unit that loses nothing: 524288 is `512 KiB`. */
export function formatSize(bytes: number): string {
  return format(bytes, SIZE, true);
}

/** Picoseconds in the largest unit that loses nothing: 1500000 is `1.5 us`. */
export function formatTime(ps: number): string {
  return format(ps, TIME, false);
}

/** Bits per second in the largest unit that loses nothing. */
export function formatRate(bps: number): string {
  return format(bps, RATE, false);
}

/** Times per second in the largest unit that loses nothing. */
export function formatFrequency(perSecond: number): string {
  return format(perSecond, FREQUENCY, false);
}

/** A fraction as a percentage, or as it is where a percentage would lose digits. */
export function formatFraction(fraction: number): string {
  return format(fraction, FRACTION, false);
}

/** A value of a scenario file as a message shows it: short, quoted when it is text, and safe to print. */
export function showValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a block of keys";
  // JSON escapes control characters below 0x20; the rest of the terminal's (DEL, C1) and bidi marks are ours to hide.
  const plain = typeof value === "number" ? String(value) : JSON.stringify(value) ?? String(value);
  const text = plain.replace(
    /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    "?",
  );
  return text.length <= 48 ? text : `${text.slice(0, 44)}..."`;
}

/** Bounds of a field, in the unit of its result, both inclusive. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** A zod field that reads a size into bytes. A default is given as bytes: `sizeField().default(4096)`. */
export function sizeField(bounds: Bounds = {}) {
  return field(SIZE, bounds, formatSize, ["512 KiB"]);
}

/** A zod field that reads a time into integer picoseconds. */
export function timeField(bounds: Bounds = {}) {
  return field(TIME, bounds, formatTime, ["20 ms"]);
}

/** A zod field that reads a rate into bits per second. */
export function rateField(bounds: Bounds = {}) {
  return field(RATE, bounds, formatRate, ["10 Gb/s"]);
}

/** A zod field that reads how often something happens into times per second. */
export function frequencyField(bounds: Bounds = {}) {
  return field(FREQUENCY, bounds, formatFrequency, ["20 k/s"]);
}

/** A zod field that reads a fraction into a number from 0 to 1. */
export function fractionField(bounds: Bounds = {}) {
  return field(FRACTION, bounds, formatFraction, ["1 %"]);
}

/** A zod field that reads one or more sizes into bytes. */
export function sizeListField(bounds: Bounds = {}) {
  return z.array(sizeField(bounds), { error: (issue) => `found ${showValue(issue.input)}, wanted a list of sizes` })
    .min(1, { error: "found an empty list, wanted at least one size such as 512 KiB" });
}

/** The fields below, each with how its values are written. */
const WRITTEN = new WeakMap<z.ZodType, (value: number) => string>();

/** A value of one of these fields in the largest unit that loses nothing; null for what is no such value. */
export function writtenQuantity(field: z.ZodType, value: unknown): string | null {
  return typeof value === "number" ? WRITTEN.get(field)?.(value) ?? null : null;
}

function field(kind: Kind, bounds: Bounds, show: (value: number) => string, examples: string[]) {
  const input = z.union([z.string(), z.number()], {
    error: (issue) => `found ${showValue(issue.input)}, wanted ${kind.wanted}`,
  });
  const reader = input.transform((value, context) => {
    const fail = (message: string) => {
      context.issues.push({ code: "custom", message, input: value });
      return z.NEVER;
    };
    try {
      const number = parse(value, kind);
      if (number < (bounds.min ?? 0)) {
        return fail(`found ${showValue(value)}, wanted at least ${show(bounds.min ?? 0)}`);
      }
      if (bounds.max !== undefined && number > bounds.max) {
        return fail(`found ${showValue(value)}, wanted at most ${show(bounds.max)}`);
      }
      return number;
    } catch (error) {
      if (error instanceof QuantityError) return fail(error.message);
      throw error;
    }
  }).meta({ description: kind.wanted, examples, ...schemaOf(kind) });
  WRITTEN.set(reader, show);
  return reader;
}

function parse(input: unknown, kind: Kind): number {
  const fail = (wanted = kind.wanted) => new QuantityError(`found ${showValue(input)}, wanted ${wanted}`);
  if (typeof input !== "string" && typeof input !== "number") throw fail();
  const match = GRAMMAR.exec(String(input).trim());
  if (match === null) throw fail();
  const number = Number(match[1]);
  const unit = match[2];
  const factor = factorOf(unit, number, kind);
  if (factor === undefined) throw fail(unit === "" ? `${kind.wanted} (with its unit)` : kind.wanted);
  if (number < 0) throw fail(`${kind.wanted}, not below 0`);
  const value = number * factor;
  if (!(value <= kind.limit)) throw fail(`at most ${kind.most}`);
  if (!kind.whole) return kind === FRACTION && unit === "%" ? Number((number / 100).toPrecision(15)) : value;
  // Decimal fractions of a unit are not exact in binary: 1.1 us is 1100000.0000000001 ps before rounding.
  const rounded = Math.round(value);
  if (Math.abs(rounded - value) > 1e-6 * Math.max(1, value * 1e-6)) throw fail(wholeWanted(kind));
  return rounded;
}

function wholeWanted(kind: Kind): string {
  return kind === SIZE ? "a whole number of bytes" : "a whole number of picoseconds";
}

function factorOf(unit: string, number: number, kind: Kind): number | undefined {
  if (unit === "") return kind.bare || number === 0 ? 1 : undefined;
  return kind.units.find(([name]) => name === unit)?.[1] ??
    (Object.hasOwn(kind.spellings, unit) ? kind.spellings[unit] : undefined);
}

function format(value: number, kind: Kind, wholeOnly: boolean): string {
  const last = kind.units[kind.units.length - 1];
  if (value === 0) return kind === FRACTION ? "0 %" : `0 ${last[0]}`;
  for (const [name, factor] of kind.units) {
    const scaled = Number((value / factor).toPrecision(15));
    if (scaled < 1 && name !== last[0] && kind !== FRACTION) continue;
    if (wholeOnly && !Number.isInteger(scaled)) continue;
    const text = `${scaled} ${name}`.trim();
    if (sameAfterReading(text, value, kind)) return text;
  }
  return `${value} ${last[0]}`.trim();
}

function sameAfterReading(text: string, value: number, kind: Kind): boolean {
  try {
    return parse(text, kind) === value;
  } catch {
    return false;
  }
}
