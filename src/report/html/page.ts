import { type Provenance, provenanceEntries } from "../provenance.ts";
import { type Content, lines, type Markup, markup } from "./markup.ts";
import { STYLE } from "./style.ts";

/*
 * What every report is put together from. A page is one file that wants nothing else: no script, no font, no network. It
 * is well-formed XML too, so that programs can read it.
 */

export interface Page {
  readonly title: string;
  /** What the title is of, in words; empty where there are none. */
  readonly about: string;
  readonly verdict: Verdict;
  readonly sections: readonly (Markup | null)[];
  readonly provenance: Provenance;
}

export interface Verdict {
  readonly ok: boolean;
  readonly text: string;
}

/** As the tables end. */
export function verdictOf({ ok, partial }: { readonly ok: boolean; readonly partial: boolean }): Verdict {
  return { ok, text: !ok ? "FAILED" : partial ? "OK so far" : "OK" };
}

/** The file. */
export function page({ title, about, verdict, sections, provenance }: Page): string {
  const badge = markup`<span class="verdict ${verdict.ok ? "good" : "bad"}">${verdict.text}</span>`;
  const head = lines([
    markup`<meta charset="utf-8" />`,
    markup`<meta name="viewport" content="width=device-width, initial-scale=1" />`,
    markup`<meta name="generator" content="mxtop ${provenance.version}" />`,
    markup`<title>${title}: ${verdict.text}</title>`,
    STYLE,
  ]);
  const body = lines([
    markup`<header><h1>${title} ${badge}</h1></header>`,
    about === "" ? null : markup`<p>${about}</p>`,
    markup`<main>${lines(sections)}</main>`,
    made(provenance),
  ]);
  const { text } = markup`<html lang="en" xmlns="http://www.w3.org/1999/xhtml">
<head>${head}</head>
<body>${body}</body>
</html>`;
  return `<!DOCTYPE html>\n${text}\n`;
}

/** What made the report, at its foot. */
function made(provenance: Provenance): Markup {
  const rows = provenanceEntries(provenance).map(([name, text]) =>
    markup`<tr><td class="text dim">${name.replaceAll("_", " ")}</td><td class="long"><code>${text}</code></td></tr>`
  );
  return markup`<footer>
<h3>What made this</h3>
<table>${lines(rows)}</table>
</footer>`;
}

/** A heading and what stands below it; null where that is nothing. */
export function section(title: string, ...parts: readonly (Markup | null)[]): Markup | null {
  if (parts.every((part) => part === null)) return null;
  return markup`<section>${lines([markup`<h2>${title}</h2>`, ...parts])}</section>`;
}

/** A column of a table: words stand left, and long ones are wrapped; figures stand right. */
export interface Column {
  readonly head: string;
  readonly kind?: "text" | "long";
}

/** A column of words. */
export const words = (head: string): Column => ({ head, kind: "text" });
/** A column of figures, by its heading. */
const columnOf = (column: Column | string): Column => typeof column === "string" ? { head: column } : column;

/** A table, or null without a row. */
export function table(head: readonly (Column | string)[], rows: readonly (readonly Content[])[]): Markup | null {
  if (rows.length === 0) return null;
  const columns = head.map(columnOf);
  const shown = ({ kind }: Column) => kind === undefined ? null : markup` class="${kind}"`;
  const body = rows.map((cells) =>
    markup`<tr>${cells.map((cell, i) => markup`<td${shown(columns[i])}>${cell}</td>`)}</tr>`
  );
  const heads = columns.map((column) => markup`<th scope="col"${shown(column)}>${column.head}</th>`);
  return markup`<div class="wide"><table>
<thead><tr>${heads}</tr></thead>
<tbody>${lines(body)}</tbody>
</table></div>`;
}

/** Single figures with their names. */
export function tiles(figures: readonly (readonly [name: string, figure: string])[]): Markup {
  const items = figures.map(([name, figure]) => markup`<li><b>${figure}</b>${name}</li>`);
  return markup`<ul class="tiles">${lines(items)}</ul>`;
}

/** Charts side by side where there is room; null without one. */
export function charts(drawn: readonly (Markup | null)[]): Markup | null {
  if (drawn.every((chart) => chart === null)) return null;
  return markup`<div class="charts">${lines(drawn)}</div>`;
}

/** What failed. */
export function failureList(failures: readonly string[]): Markup | null {
  if (failures.length === 0) return null;
  return markup`<ul class="bad">${lines(failures.map((failure) => markup`<li>${failure}</li>`))}</ul>`;
}

/** More than most readers want, to be unfolded. */
export function folded(title: string, content: Markup | null): Markup | null {
  return content === null ? null : markup`<details><summary>${title}</summary>${content}</details>`;
}

/** `pass` or `FAIL`, in their colours. */
export function judged(ok: boolean, good: string, bad: string): Markup {
  return markup`<span class="${ok ? "good" : "bad"}">${ok ? good : bad}</span>`;
}
