/** Significant digits of every figure that is not a count: what the clock and the histograms can tell apart. */
export function rounded(value: number): number {
  if (Number.isInteger(value) && value < 1e7 && value > -1e7) return value; // as it is: most are 0
  return Number.isFinite(value) ? Number(value.toPrecision(7)) : value;
}
