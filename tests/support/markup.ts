import assert from "node:assert/strict";

/*
 * Reads a page as an XML parser would (XML 1.0, 2.1, "Well-Formed XML Documents"), as far as our own pages go: no
 * processing instructions, no comments, no sections of CDATA, no entities but the five of XML.
 */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (Element | string)[];
}

const TOKEN = /<(\/?)([A-Za-z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The root element of a page; fails with the place of what is not well-formed. */
export function parsePage(page: string): Element {
  const doctype = "<!DOCTYPE html>\n";
  assert.ok(page.startsWith(doctype), "a page begins with its document type");
  return parseMarkup(page.slice(doctype.length));
}

/** The one element that a text is. */
export function parseMarkup(text: string): Element {
  const root: { name: string; children: (Element | string)[] } = { name: "", children: [] };
  const open = [root];
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    assert.ok(match !== null, `not markup: ${text.slice(at, at + 80)}`);
    at = TOKEN.lastIndex;
    const [, closing, name, attributes, empty, content] = match;
    const parent = open.at(-1)!;
    if (content !== undefined) {
      parent.children.push(decoded(content));
    } else if (closing !== "") {
      assert.equal(name, open.pop()!.name, `the element that is closed at ${text.slice(at - 20, at)}`);
    } else {
      const element = { name, attributes: attributesOf(attributes), children: [] };
      parent.children.push(element);
      if (empty === "") open.push(element);
    }
  }
  assert.equal(open.length, 1, `not closed: ${open.at(-1)!.name}`);
  const elements = root.children.filter((child) => typeof child !== "string" || child.trim() !== "");
  assert.equal(elements.length, 1, "one root element, and nothing beside it");
  assert.ok(typeof elements[0] !== "string");
  return elements[0];
}

function attributesOf(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/([\w:-]+)="([^"]*)"/g)) {
    assert.ok(!Object.hasOwn(found, name), `an attribute twice: ${text}`);
    found[name] = decoded(value);
  }
  return found;
}

function decoded(text: string): string {
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(text, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\]\]>/u);
  return text.replace(/&(\w*;?)/g, (_, entity: string) => {
    const mark = ENTITIES[entity.slice(0, -1)];
    assert.ok(entity.endsWith(";") && mark !== undefined, `no entity: &${entity}`);
    return mark;
  });
}

/** All elements of a name, from the first to the last, those within others too. */
export function elementsOf(root: Element, name: string): Element[] {
  const inner = root.children.flatMap((child) => typeof child === "string" ? [] : elementsOf(child, name));
  return root.name === name ? [root, ...inner] : inner;
}

/** Everything that is written in an element. */
export function textOf(element: Element): string {
  return element.children.map((child) => typeof child === "string" ? child : textOf(child)).join("");
}
