/* README.md and docs/ as texts. */

export const ROOT = new URL("../../", import.meta.url);

export const PAGES = ["README.md", ...[...Deno.readDirSync(new URL("docs", ROOT))].map(({ name }) => `docs/${name}`)]
  .filter((name) => name.endsWith(".md")).sort();

export const read = (page: string) => Deno.readTextFileSync(new URL(page, ROOT));

/** The fenced blocks of a language on a page. */
export function blocks(page: string, language: string): string[] {
  return [...read(page).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].filter((match) => match[1] === language)
    .map((match) => match[2]);
}
