/** Significant digits of every figure that is not a count: what the clock and the histograms can tell apart. */
export function rounded(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(7)) : value;
}
