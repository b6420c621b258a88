import type { Notice } from "./model.ts";
import { cut, shortened, width } from "./text.ts";

/* A text field of one line, as the palette, filters, the menu and the prompt for a time have one. */

/** Characters that a field takes: more than any command, key and value of a scenario need. */
const MOST = 500;

/** Said beside a field that takes no more. */
export const FULL: Notice = { level: "warn", text: `no more than ${MOST} characters`, isOfField: true };
/** And of a paste that has no room: a beginning of it would be another text. */
export const TOO_LONG: Notice = { ...FULL, text: `${FULL.text}: nothing was pasted` };

/** What a key makes of the text in a field; "full" where there is no room for it, null where it is no key of a text. */
export function typedInto(text: string, key: string): { readonly text: string } | "full" | null {
  const shorter = shortened(text, key);
  if (shorter !== null) return { text: shorter };
  const char = key === "space" ? " " : key;
  if ([...char].length !== 1) return null;
  return [...text].length < MOST ? { text: text + char } : "full";
}

/** A field's text, of which the end is what is being typed: a long one is scrolled to it. */
export function fieldText(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  const chars = [...text];
  let end = "";
  while (chars.length > 0 && width(chars.at(-1) + end) < columns) end = chars.pop() + end;
  return cut(`…${end}`, columns);
}
