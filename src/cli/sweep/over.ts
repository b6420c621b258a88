import {
  formatFraction,
  formatRate,
  formatSize,
  formatTime,
  parseFraction,
  parseRate,
  parseSize,
  parseTime,
  QuantityError,
  showValue,
} from "../../base/quantity.ts";
import { UsageError } from "../exit.ts";

/** A key of the scenario and the values that it takes, each as a text that `--set` would take. */
export interface Axis {
  readonly key: string;
  readonly values: readonly string[];
}

/** Runs of one sweep, at most: results are kept until the last one is there. */
export const RUN_LIMIT = 1000;

const EXAMPLE = "such as guests=2,10,40 or 'workload.size=1 KiB..1 MiB by x4'";

/**
 * Reads `key=values`: values with commas between them, each of them one value as `--set` takes it, or a range
 * `from..to by step` (`by 1` where nothing is said and both ends are whole numbers), or `by x2` for a factor. Both ends
 * belong to it. Throws {@link UsageError}.
 */
export function parseOver(text: string): Axis {
  const equals = text.indexOf("=");
  const key = text.slice(0, Math.max(0, equals)).trim();
  if (key === "") throw new UsageError(`--over: found ${showValue(text)}, wanted a key and values ${EXAMPLE}`);
  const values = splitAtCommas(text.slice(equals + 1)).flatMap((part) => {
    if (part === "") throw new UsageError(`--over ${key}: found an empty value, wanted values ${EXAMPLE}`);
    return rangeOf(part, `--over ${key}`) ?? [part];
  });
  const twin = values.find((value, i) => values.indexOf(value) !== i);
  if (twin !== undefined) throw new UsageError(`--over ${key}: found ${twin} twice, wanted each value once`);
  return { key, values };
}

/** Every combination of values, one of each axis; the last axis changes fastest. Throws {@link UsageError}. */
export function combinations(axes: readonly Axis[]): string[][] {
  for (const [i, { key }] of axes.entries()) {
    if (axes.findIndex((other) => other.key === key) === i) continue;
    throw new UsageError(`--over ${key}: found it twice, wanted all its values in one`);
  }
  const runs = axes.reduce((product, { values }) => product * values.length, 1);
  if (runs > RUN_LIMIT) {
    const factors = axes.map(({ key, values }) => `${values.length} of ${key}`).join(" x ");
    throw new UsageError(`--over: found ${runs} runs (${factors}), wanted at most ${RUN_LIMIT}`);
  }
  return axes.reduce<string[][]>(
    (points, { values }) => points.flatMap((point) => values.map((value) => [...point, value])),
    [[]],
  );
}

/** Commas inside brackets or quotes belong to a value. */
function splitAtCommas(text: string): string[] {
  const parts = [""];
  let depth = 0;
  let quote = "";
  for (const char of text) {
    if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === "[" || char === "{") depth++;
    else if (char === "]" || char === "}") depth--;
    if (char === "," && depth === 0 && quote === "") parts.push("");
    else parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim());
}

const RANGE = /^(\S[^,]*?)\s*\.\.\s*(\S.*?)(?:\s+by\s+(x?)\s*(\S.*))?$/;
const NUMBER = /^-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A kind of number: what its values are computed with, and back. */
interface Kind {
  readonly parse: (text: string) => number;
  readonly show: (value: number) => string;
}

// Steps such as 0.1 are not exact in binary.
const decimal = (value: number) => Number.isInteger(value) ? value : Number(value.toPrecision(12));

const PLAIN: Kind = {
  parse: (text) => {
    if (NUMBER.test(text)) return Number(text);
    throw new QuantityError(`found ${showValue(text)}, wanted a number`);
  },
  show: String,
};
const KINDS: readonly Kind[] = [
  PLAIN,
  { parse: parseSize, show: formatSize },
  { parse: parseTime, show: formatTime },
  { parse: parseRate, show: formatRate },
  { parse: parseFraction, show: formatFraction },
];

/** The values of a range; null when the text is none. */
function rangeOf(text: string, option: string): string[] | null {
  const [, from, to, x, by] = RANGE.exec(text) ?? [];
  if (from === undefined) return null;
  const kind = KINDS.find(({ parse }) => canParse(parse, from) && canParse(parse, to));
  if (kind === undefined) return null;
  const [first, last] = [kind.parse(from), kind.parse(to)];
  const wrong = (wanted: string) => new UsageError(`${option}: found ${showValue(text)}, wanted ${wanted}`);
  if (first > last) throw wrong("a range from the smaller to the larger value");
  if (by === undefined && (kind !== PLAIN || !Number.isInteger(first) || !Number.isInteger(last))) {
    throw wrong("a step too: from..to by step, or by x2 for a factor");
  }
  const step = by === undefined ? 1 : stepOf(by, x === "x" ? PLAIN : kind);
  if (x === "x" ? !(step > 1 && first > 0) : !(step > 0)) {
    throw wrong(x === "x" ? "a factor above 1 and a range above 0" : "a step above 0");
  }
  const values: string[] = [];
  // Half of a millionth of a step is rounding.
  const end = x === "x" ? last * (1 + 5e-7) : last + step * 5e-7;
  for (let i = 0, value = first; value <= end; value = x === "x" ? first * step ** i : first + step * i) {
    if (values.length === RUN_LIMIT) throw wrong(`at most ${RUN_LIMIT} values`);
    values.push(kind.show(kind === PLAIN || kind.parse === parseFraction ? decimal(value) : Math.round(value)));
    i++;
  }
  return values;
}

function stepOf(text: string, { parse }: Kind): number {
  return canParse(parse, text) ? parse(text) : NaN;
}

function canParse(parse: Kind["parse"], text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
}
