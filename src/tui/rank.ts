/*
 * Fuzzy search as people expect it of a command palette: every word that was typed must be found; the whole name is worth
 * most, the beginning of the name more than the beginning of a word in it, that more than its middle, that more than letters apart, and the
 * explanation least.
 */

const START = 100;
const WORD = 70;
const MIDDLE = 40;
const APART = 20;
const HELP = 5;
/** Letters between those that were typed; more of them would find anything anywhere. */
const MOST_BETWEEN = 12;

/** What can be searched. */
export interface Ranked {
  readonly title: string;
  readonly help: string;
}

/** How well `query` names an entry: larger is better, null not at all. An empty query suits everything alike. */
export function score(query: string, { title, help }: Ranked): number | null {
  const name = title.toLowerCase();
  let sum = 0;
  for (const word of query.toLowerCase().split(" ")) {
    if (word === "") continue;
    const found = scoreWord(word, name) ?? (startsAWord(word, help.toLowerCase()) ? HELP : null);
    if (found === null) return null;
    sum += found;
  }
  return name === query.trim().toLowerCase() ? sum + START : sum;
}

/** Those that fit, the best first; equally good ones stay in their order. */
export function rank<T extends Ranked>(query: string, entries: readonly T[]): T[] {
  const scored = entries.map((entry) => ({ entry, points: score(query, entry) }));
  const fitting = scored.filter((one): one is { entry: T; points: number } => one.points !== null);
  return fitting.sort((a, b) => b.points - a.points).map(({ entry }) => entry);
}

function scoreWord(word: string, name: string): number | null {
  if (name.startsWith(word)) return START;
  if (startsAWord(word, name)) return WORD;
  const at = name.indexOf(word);
  if (at >= 0) return MIDDLE - at / 10;
  return apart(word, name);
}

function startsAWord(word: string, text: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at === 0 || !/[a-z0-9]/.test(text[at - 1])) return true;
  }
  return false;
}

/** The letters in their order, others between them; the first one begins a word. */
function apart(word: string, name: string): number | null {
  let best: number | null = null;
  for (let start = 0; start < name.length; start++) {
    if (name[start] !== word[0] || (start > 0 && /[a-z0-9]/.test(name[start - 1]))) continue;
    let at = start;
    for (const letter of word.slice(1)) {
      at = name.indexOf(letter, at + 1);
      if (at < 0) break;
    }
    const others = at - start + 1 - word.length;
    if (at >= 0 && others <= MOST_BETWEEN) best = Math.max(best ?? 0, APART - others);
  }
  return best;
}
