/**
 * The candidate that somebody who typed `text` most likely meant, or null when none is near. Case, dashes and
 * underscores do not count, so `pingpong_tiny` finds `pingpong-tiny`.
 */
export function nearest(text: string, candidates: Iterable<string>): string | null {
  const wanted = plain(text);
  let best: string | null = null;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, plain(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  // A third of the letters wrong is a typo; more is another word.
  return bestDistance <= Math.max(1, Math.floor(wanted.length / 3)) ? best : null;
}

/** `; did you mean x?`, or nothing: ready to be put behind a message. */
export function didYouMean(text: string, candidates: Iterable<string>): string {
  const match = nearest(text, candidates);
  return match === null ? "" : `; did you mean ${match}?`;
}

function plain(text: string): string {
  return text.slice(0, 64).toLowerCase().replace(/[-_ ]/g, "");
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn one text into the other. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[to.length];
}
