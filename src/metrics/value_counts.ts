/*
 * Samples by value, as `Histogram.counts` gives them: a value, the number of samples that have it, and so on, values
 * ascending. Such lists can be added up and taken off each other, where histograms cannot.
 */

/** Two lists as one; with `sign` -1 what `a` has more than `b`. */
export function mergeCounts(a: readonly number[], b: readonly number[], sign: 1 | -1): number[] {
  const out: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const value = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    let count = 0;
    if (a[i] === value) {
      count += a[i + 1];
      i += 2;
    }
    if (b[j] === value) {
      count += sign * b[j + 1];
      j += 2;
    }
    if (count !== 0) out.push(value, count);
  }
  return out;
}

/** For each of `percents` of a hundred, rising, the smallest value that so many do not exceed; NaN without samples. */
export function percentilesOf(counts: readonly number[], percents: readonly number[]): number[] {
  let total = 0;
  for (let i = 1; i < counts.length; i += 2) total += counts[i];
  let at = -2;
  let passed = 0;
  return percents.map((percent) => {
    // Rounded up, but not because of an error in the last digit.
    const wanted = Math.max(1, Math.ceil((percent / 100) * total * (1 - Number.EPSILON)));
    while (passed < wanted && at + 2 < counts.length) passed += counts[(at += 2) + 1];
    return total === 0 ? NaN : counts[at];
  });
}
