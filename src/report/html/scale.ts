import { count } from "../number_text.ts";

/** One axis of a chart: from a value to its place, 0 (left or below) to 1, and where it is labelled. */
export interface Scale {
  readonly isLog: boolean;
  readonly place: (value: number) => number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

/** Values that differ by this factor, and are all above 0, want powers of ten. */
const FAR = 10;
/** As good as 0: no figure of ours has so many decimals. */
const TINY = 1e-12;
/** Labels of an axis, about. */
const TICKS = 5;

/**
 * A scale that has room for all the values, of which there is at least one. It begins at 0, unless it `mayBeLog` and the
 * values are far apart.
 */
export function valueScale(values: readonly number[], mayBeLog: boolean): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const isLog = mayBeLog && least > TINY && most / least >= FAR;
  return isLog ? logScale(least, most) : linearScale(Math.min(0, least), Math.max(0, most));
}

function linearScale(least: number, most: number): Scale {
  const top = most - least > TINY ? most : least + 1;
  const step = niceStep((top - least) / TICKS);
  const [first, end] = [Math.floor(least / step + 1e-9), Math.ceil(top / step - 1e-9)];
  const values = Array.from({ length: end - first + 1 }, (_, i) => (first + i) * step);
  return {
    isLog: false,
    place: (value) => (value / step - first) / (end - first),
    ticks: values.map(tick),
  };
}

/** From a 1, 2 or 5 to the next; where there are more than three powers of ten, only those are labelled. */
function logScale(least: number, most: number): Scale {
  const low = Math.log10(1 / niceStep(1 / least));
  const high = Math.log10(niceStep(most));
  const first = Math.floor(low + 1e-9);
  const every = Math.ceil((high - low) / (TICKS + 1));
  const within = high - low <= 3 ? [1, 2, 5] : [1];
  const powers = Array.from(
    { length: Math.floor((high - first) / every + 1e-9) + 1 },
    (_, i) => 10 ** (first + i * every),
  );
  const place = (value: number) => (Math.log10(value) - low) / (high - low);
  const values = powers.flatMap((power) => within.map((factor) => factor * power));
  return {
    isLog: true,
    place,
    ticks: values.filter((value) => place(value) > -1e-9 && place(value) < 1 + 1e-9).map(tick),
  };
}

/**
 * Places of abscissae: evenly one after another where one has no value; else as their values are, by logarithm where
 * these are far apart. 0 has no logarithm, and stands one step before the least of the others.
 */
export function placesOf(values: readonly (number | null)[]): { places: number[]; isEven: boolean } {
  const known = values.filter((value) => value !== null);
  const isEven = known.length < values.length || new Set(known).size < known.length || known.some((one) => one < 0);
  const numbers = isEven ? values.map((_, i) => i) : known;
  const positive = numbers.filter((value) => value > TINY);
  const least = Math.min(...positive);
  const isLog = !isEven && positive.length > 1 && Math.max(...positive) / least >= FAR;
  const at = numbers.map((value) => !isLog ? value : value > TINY ? Math.log2(value / least) : -1);
  const [first, last] = [Math.min(...at), Math.max(...at)];
  return { places: at.map((one) => last > first ? (one - first) / (last - first) : 0.5), isEven };
}

function tick(value: number) {
  return { value, label: Math.abs(value) >= 1e5 ? count(value) : String(Number(value.toPrecision(6))) };
}

/** The next 1, 2 or 5 times a power of ten. */
function niceStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5].find((factor) => factor * power >= step * 0.999) ?? 10);
}
