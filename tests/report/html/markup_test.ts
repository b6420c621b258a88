import assert from "node:assert/strict";
import fc from "fast-check";
import { ProgramFault } from "../../../src/base/assert.ts";
import { type Content, lines, markup } from "../../../src/report/html/markup.ts";
import { elementsOf, parseMarkup, textOf } from "../../support/markup.ts";

Deno.test("markup: texts are escaped, pieces of markup are not, and a list is its entries", () => {
  const name = markup`<b>${"<a & 'b' \"c\">"}</b>`;
  assert.equal(name.text, "<b>&lt;a &amp; &apos;b&apos; &quot;c&quot;&gt;</b>");
  assert.equal(
    markup`<p title="${'"x"'}">${[name, null, " ", 1.5]}</p>`.text,
    `<p title="&quot;x&quot;">${name.text} 1.5</p>`,
  );
  assert.equal(lines([markup`<i>1</i>`, null, markup`<i>2</i>`]).text, "\n<i>1</i>\n<i>2</i>\n");
});

Deno.test("markup: nothing but a piece of markup is one", () => {
  const forged = { text: "<script>" } as unknown as Content;
  assert.throws(() => markup`${forged}`);
  for (const number of [NaN, Infinity]) assert.throws(() => markup`${number}`, ProgramFault);
});

Deno.test("markup: whatever a text is, the page says it, and nothing else", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.oneof(fc.constantFrom(..."<>&\"'/=-!]\u0000\u0007\ud800\ufffe é€"), fc.string()) }),
      (text) => {
        const { children, attributes } = parseMarkup(markup`<p title="${text}">${text}<b>${text}</b></p>`.text);
        // deno-lint-ignore no-control-regex
        const sayable = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, "");
        assert.equal(attributes.title, sayable);
        assert.equal(
          children.map((child) => typeof child === "string" ? child : textOf(child)).join(""),
          sayable.repeat(2),
        );
      },
    ),
    { numRuns: 500, examples: [["]]>"], ["<b>"], ["&amp;"]] },
  );
});

Deno.test("the checker of pages finds what is not well-formed", () => {
  for (
    const wrong of [
      "<p>",
      "<p><b></p></b>",
      "<p>a & b</p>",
      "<p>&nbsp;</p>",
      "<p a=1></p>",
      '<p a="1" a="2"/>',
      "<p/><p/>",
      "<p/>x",
      "<p><</p>",
      '<p a="<"/>',
    ]
  ) {
    assert.throws(() => parseMarkup(wrong), wrong);
  }
  const { children } = parseMarkup("<p>x<br />&lt;</p>");
  assert.deepEqual([children[0], children[2]], ["x", "<"]);
  assert.equal(elementsOf(parseMarkup("<a><b><a/></b></a>"), "a").length, 2);
});
