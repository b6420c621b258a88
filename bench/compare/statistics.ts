/*
 * Whether two builds differ, from rounds in which one ran right after the other. On a machine that does other things
 * too, times are skewed, have outliers, and drift; what one pair of neighbours says of each other does not drift. So the
 * unit is the logarithm of a pair's ratio. If the builds are alike, its distribution is symmetric around zero, since who
 * goes first changes from round to round, and nothing else is assumed of it.
 *
 * The estimate is Hodges and Lehmann's: the median of the means of all pairs of rounds (Walsh averages). The interval is
 * the one that belongs to Wilcoxon's signed-rank test, between two of the sorted averages, and exact for any number of
 * rounds. Many figures are looked at in one comparison, so each gets its share of the error: with confidence 95 % and 18
 * figures, in 19 of 20 comparisons of a build with itself nothing at all is reported (Bonferroni).
 */

export interface Interval {
  /** Head over base. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** Probability of each signed-rank sum of `n` pairs that differ by chance alone: index is the sum. */
export function signedRankDistribution(n: number): Float64Array {
  const sums = n * (n + 1) / 2;
  let probability = new Float64Array(sums + 1);
  probability[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    const next = new Float64Array(sums + 1);
    for (let sum = 0; sum <= sums; sum++) {
      next[sum] = (probability[sum] + (sum >= rank ? probability[sum - rank] : 0)) / 2;
    }
    probability = next;
  }
  return probability;
}

/** Fewest rounds that can tell anything with this error. */
export function roundsFor(error: number): number {
  return Math.ceil(1 - Math.log2(error));
}

/**
 * Head over base, from one figure of each in every round, with an interval that misses the truth with probability
 * `error` at most. With fewer rounds than {@link roundsFor} it is infinite.
 */
export function compareRounds(base: readonly number[], head: readonly number[], error: number): Interval {
  const logs = base.map((value, i) => Math.log(head[i] / value));
  const walsh = logs.flatMap((x, i) => logs.slice(i).map((y) => (x + y) / 2)).sort((x, y) => x - y);
  const middle = (walsh[(walsh.length - 1) >> 1] + walsh[walsh.length >> 1]) / 2;
  const distribution = signedRankDistribution(logs.length);
  // So many averages lie outside on either side.
  let outside = 0;
  for (let tail = distribution[0]; 2 * tail <= error; tail += distribution[outside]) outside++;
  if (outside === 0) return { ratio: Math.exp(middle), low: 0, high: Infinity };
  return {
    ratio: Math.exp(middle),
    low: Math.exp(walsh[outside - 1]),
    high: Math.exp(walsh[walsh.length - outside]),
  };
}

/** Whether the interval leaves no doubt that there is a difference. */
export function isBeyondNoise({ low, high }: Interval): boolean {
  return low > 1 || high < 1;
}
