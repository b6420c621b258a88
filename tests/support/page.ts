import assert from "node:assert/strict";
import { type Element, parsePage } from "./markup.ts";
import { checkDrawings } from "./svg_geometry.ts";

/** What every report has to be: well-formed, of itself alone, and with drawings that can be read. The page, parsed. */
export function checkPage(text: string): Element {
  const page = parsePage(text);
  assert.doesNotMatch(text, /\b(?:NaN|Infinity|undefined|null|\[object)\b/);
  assert.doesNotMatch(
    text,
    /<(?:script|link|img|iframe|object|embed|base)\b|\s(?:src|href|on\w+|style)=|url\(|@import/i,
  );
  assert.ok(text.endsWith("</html>\n"));
  checkDrawings(page);
  return page;
}
