import { didYouMean } from "../base/suggest.ts";

/** A name that nothing has; the message is ready to print. */
export class UnknownPlace extends Error {
  override name = "UnknownPlace";
}

/**
 * What the patterns name, in the order of `all` and each once. In a pattern `*` stands for any characters, `?` for one.
 * Throws {@link UnknownPlace} for a pattern that names nothing.
 */
export function choose<T extends { readonly name: string }>(all: readonly T[], patterns: readonly string[]): T[] {
  const chosen = new Set<T>();
  for (const pattern of patterns) {
    const matches = matcher(pattern);
    const found = all.filter(({ name }) => matches(name));
    if (found.length === 0) throw new UnknownPlace(unknown(pattern, all.map(({ name }) => name)));
    for (const one of found) chosen.add(one);
  }
  return all.filter((one) => chosen.has(one));
}

/** Names that a message lists. */
const MOST_NAMES = 12;

function unknown(pattern: string, names: readonly string[]): string {
  const hint = didYouMean(pattern, names);
  if (names.length === 0) return `nothing is called '${pattern}': there is no place to look at frames`;
  const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : "";
  return `nothing is called '${pattern}'${hint}; wanted one of ${names.slice(0, MOST_NAMES).join(", ")}${more}`;
}

function matcher(pattern: string): (name: string) => boolean {
  const source = pattern.replace(/[\\^$.*+?()[\]{}|]/g, (c) => c === "*" ? ".*" : c === "?" ? "." : `\\${c}`);
  const expression = new RegExp(`^${source}$`, "s");
  return (name) => expression.test(name);
}
