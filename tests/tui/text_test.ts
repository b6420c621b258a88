import assert from "node:assert/strict";
import { decimalsFor, number, pace, percent, seconds, si, span } from "../../src/tui/format.ts";
import {
  cut,
  cutMiddle,
  left,
  paint,
  plain,
  right,
  sanitize,
  shortened,
  spread,
  width,
  wrap,
} from "../../src/tui/text.ts";

Deno.test("numbers keep to few characters", () => {
  assert.deepEqual([0, 7, 999, 999.4, 1000, 12345, 999499, 999500, 1.5e6, 2e9].map((n) => si(n)), [
    "0",
    "7",
    "999",
    "999",
    "1.00k",
    "12.3k",
    "999k",
    "1.00M",
    "1.50M",
    "2.00G",
  ]);
  assert.equal(si(6300, 2), "6.3k");
  assert.deepEqual([996_000, 99_950, 994_999].map((n) => si(n, 2)), ["1.0M", "100k", "990k"], "four columns do");
  assert.deepEqual([99.7, 9.97, 99.4, 0.25, 0.0049, 1e-9, 1e13, 0.999].map((n) => si(n)), [
    ...["100", "10", "99", "0.25", "0.00", "0.00", "10.0T", "1.0"],
  ]);
  assert.equal(si(null), "-");
  assert.deepEqual([decimalsFor(3), decimalsFor(30), decimalsFor(3000)], [2, 1, 0]);
  assert.deepEqual([1_234_567, 999_999.6].map((n) => number(n, 0)), ["1.23M", "1.00M"]);
  assert.equal(number(NaN, 1), "-");
});

Deno.test("percent shows a decimal where it matters", () => {
  assert.deepEqual([0, 0.0001, 0.004, 0.0994, 0.0999, 0.41, 1].map(percent), [
    "0",
    "0.0",
    "0.4",
    "9.9",
    "10",
    "41",
    "100",
  ]);
});

Deno.test("times and spans", () => {
  assert.equal(seconds(1.284e12, 3), "1.284");
  assert.equal(seconds(1_284_037_219_000, 9), "1.284 037 219");
  assert.deepEqual([0, 96, 1500, 2.5e6, 1.284e9].map(span), ["0 s", "96 ns", "1.5 us", "2.5 ms", "1.284 s"]);
});

Deno.test("the pace is never rounded to zero while time goes on", () => {
  assert.deepEqual([0, 1e-6, 0.00083, 0.012, 0.83, 1, 12.34, 1234, Infinity].map(pace), [
    "x0.00",
    "x1.0e-6",
    "x8.3e-4",
    "x0.012",
    "x0.83",
    "x1.00",
    "x12.3",
    "x1.23k",
    "x0.00",
  ]);
});

Deno.test("tags take no room and survive cutting", () => {
  const text = `ab${paint("error", `cd${paint("title", "ef")}`)}`;
  assert.equal(width(text), 6);
  assert.equal(plain(text), "abcdef");
  const short = cut(text, 5);
  assert.equal(plain(short), "abcd…");
  assert.equal([...short].filter((c) => c === "\ue0ff").length, 2);
  assert.equal(plain(left("ab", 4)), "ab  ");
  assert.equal(plain(right("ab", 4)), "  ab");
  assert.equal(plain(right("abcdef", 4)), "abc…");
  assert.equal(spread("a", "b", 5), "a   b");
  assert.equal(spread("aaaa", "b", 5), "aaaa ");
});

Deno.test("text from outside can neither move the cursor nor forge a tag", () => {
  assert.equal(sanitize("a\x1b[2Jb\nc\ue001d"), "a [2Jb c d");
});

Deno.test("wrapping keeps words whole if it can", () => {
  assert.deepEqual(wrap("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
  assert.deepEqual(wrap("a\n\nb", 4), ["a", "", "b"]);
});

Deno.test("ideographs and emoji take two columns, accents none", () => {
  assert.deepEqual(["往復", "e\u0301", "✅👍", "µs → ▇│", paint("error", "한")].map(width), [4, 1, 4, 7, 2]);
  assert.equal(plain(left("往復時間", 5)), "往復…");
  assert.equal(plain(left("往復時間", 6)), "往復… ", "half of a character has no room");
  assert.equal(plain(right("往復", 6)), "  往復");
  assert.deepEqual(wrap("往復の時間 is 7 us", 6), ["往復の", "時間", "is 7", "us"]);
  assert.deepEqual(wrap("👍👍", 3), ["👍", "👍"]);
});

Deno.test("backspace takes away a character as people see it", () => {
  const taken = (text: string) => shortened(text, "backspace");
  assert.deepEqual(["ab", "a👍", "ae\u0301", "\u0301", ""].map(taken), ["a", "a", "a", "", ""]);
  assert.deepEqual(["C-w", "C-u", "x"].map((key) => shortened("go to 10 ms ", key)), ["go to 10 ", "", null]);
});

Deno.test("the middle of a name gives way, whatever it is made of", () => {
  assert.equal(cutMiddle("node-rack-17", 12), "node-rack-17");
  assert.equal(cutMiddle("compute-node-rack-17", 12), "compu…ack-17");
  for (const text of ["compute-node-rack-17", "メッセージが往復する", "e\u0301".repeat(20)]) {
    for (let columns = 0; columns < 22; columns++) {
      assert.ok(width(cutMiddle(text, columns)) <= columns, `${columns} ${text}`);
    }
  }
});
