import { assert } from "../../base/assert.ts";
import { xmlText } from "../xml_text.ts";

/*
 * Templates that escape by default:
 *
 *     markup`<td class="${kind}">${name}</td>`
 *
 * What stands between the placeholders is markup, what they are filled with is text, unless it came out of `markup`
 * itself. Only `markup` makes a Markup, so no text of a user becomes markup by mistake. (The tag is not called `html`: `deno fmt` would
 * lay such templates out anew, and with them the page.)
 */

class MarkupText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A piece of a page: elements, each of them closed, or attributes, each in double quotes. */
export type Markup = MarkupText;

/** What a placeholder may be filled with; null is nothing, a list its entries one after another. */
export type Content = Markup | string | number | null | readonly Content[];

/** Markup with its placeholders filled in. */
export function markup(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  let text = parts[0];
  contents.forEach((content, i) => text += textOf(content) + parts[i + 1]);
  return new MarkupText(text);
}

/** The pieces, each on a line of its own, so that a page can be read and compared; what holds them begins and ends a line. */
export function lines(pieces: readonly (Markup | null)[]): Markup {
  const texts = pieces.filter((piece) => piece !== null).map(({ text }) => text.replace(/^\n|\n$/g, ""));
  return new MarkupText(`\n${texts.map((text) => `${text}\n`).join("")}`);
}

function textOf(content: Content): string {
  if (content === null) return "";
  if (content instanceof MarkupText) return content.text;
  if (typeof content === "string") return xmlText(content);
  if (typeof content !== "number") return content.map(textOf).join("");
  assert(Number.isFinite(content), "html: a number on a page is finite; figures without a value are texts");
  return String(content);
}
