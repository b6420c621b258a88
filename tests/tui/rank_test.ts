import assert from "node:assert/strict";
import fc from "fast-check";
import { rank, type Ranked, score } from "../../src/tui/rank.ts";

const entry = (title: string, help = ""): Ranked => ({ title, help });
const titles = (query: string, ...all: Ranked[]) => rank(query, all).map(({ title }) => title);

Deno.test("the whole name, its beginning, a word, the middle, letters apart, the explanation: in this order", () => {
  const all = [
    entry("zebra", "pause at once"),
    entry("p-a-u-s-e"),
    entry("unpaused"),
    entry("do pause"),
    entry("pause more"),
    entry("pause"),
  ];
  assert.deepEqual(titles("pause", ...all), ["pause", "pause more", "do pause", "unpaused", "p-a-u-s-e", "zebra"]);
});

Deno.test("every word has to be found, in any order", () => {
  const all = [entry("open scale-40-vms", "40 VMs stream"), entry("open scale-2"), entry("path virtio")];
  assert.deepEqual(titles("40 open", ...all), ["open scale-40-vms"]);
  assert.deepEqual(titles("os40", ...all), ["open scale-40-vms"]);
  assert.deepEqual(titles("nothing", ...all), []);
});

Deno.test("capital letters do not matter; an empty query keeps everything in its order", () => {
  const all = [entry("b"), entry("A"), entry("c")];
  assert.deepEqual(titles("a", ...all), ["A"]);
  assert.deepEqual(titles("  ", ...all), ["b", "A", "c"]);
});

Deno.test("equally good ones stay in their order, and a title finds itself first", () => {
  const word = fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom(..."abc1") });
  const title = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(" "));
  fc.assert(fc.property(fc.uniqueArray(title, { minLength: 1, maxLength: 12 }), (all) => {
    const entries = all.map((text) => entry(text));
    for (const text of all) {
      assert.notEqual(score(text, entry(text)), null);
      assert.equal(rank(text, entries)[0].title, text);
    }
  }));
});
