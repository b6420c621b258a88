import type { Region } from "../layout.ts";
import type { Model } from "../model.ts";
import { plain, sanitize } from "../text.ts";
import { pathAtColumn } from "./columns.ts";
import { type ComparePage, digitOf, PAGES } from "./state.ts";

/** What a click in the comparison means. */
export type Hit =
  | { readonly kind: "base" | "toggle"; readonly path: string }
  | { readonly kind: "page"; readonly page: ComparePage };

/**
 * What is under the pointer: in a table, a path's column or row; above it, a path to switch on or off, or a page. `line`
 * is the line of the region that is there, `x` counts from the region's left edge.
 */
export function hitAt(model: Model, { id, width }: Region, line: string, x: number): Hit | null {
  const text = plain(line);
  switch (id) {
    case "compare.columns":
    case "compare.times": {
      const path = pathAtColumn(model, width, x);
      return path === undefined ? null : { kind: "base", path };
    }
    case "compare.figures":
    case "compare.ratios":
    case "compare.stages": {
      const path = model.paths.find((name) => text.startsWith(`${text[0]} ${labelOf(model, name)}`));
      return path === undefined || !model.compare.chosen.includes(path) ? null : { kind: "base", path };
    }
    case "compare.choice": {
      const path = model.paths.find((name) => isUnder(text, labelOf(model, name), x));
      return path === undefined ? null : { kind: "toggle", path };
    }
    case "compare.pages": {
      const page = PAGES.find((name) => isUnder(text, name, x));
      return page === undefined ? null : { kind: "page", page };
    }
  }
  return null;
}

function labelOf({ paths }: Model, path: string): string {
  return `${digitOf(paths, path)} ${sanitize(path)}`;
}

/** Whether `word`, or the mark beside it, is written at column `x`. */
function isUnder(text: string, word: string, x: number): boolean {
  const at = text.indexOf(word);
  return at >= 0 && x >= at - 1 && x <= at + word.length;
}
