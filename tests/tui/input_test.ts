import assert from "node:assert/strict";
import fc from "fast-check";
import { splitInput } from "../../src/tui/input.ts";

const PIECES = ["a", ":", "é", "中", " ", "\r", "\t", "\x7f", "\x03", "\x1b[A", "\x1b[Z", "\x1b[6~", "\x1b[1;5C"]
  .concat(
    ["\x1bOP", "\x1b[<0;10;8M", "\x1b[<0;10;8m", "\x1b[<64;1;1M", "\x1b[M !!"],
  );

Deno.test("keys and mouse reports that come at once are taken apart, wherever the reads were cut", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }), fc.nat(40), (wanted, cut) => {
      const text = wanted.join("");
      assert.deepEqual(splitInput(text), { pieces: wanted, rest: "" });
      const first = splitInput(text.slice(0, cut));
      const second = splitInput(first.rest + text.slice(cut));
      assert.deepEqual([...first.pieces, ...second.pieces], wanted);
    }),
  );
});

Deno.test("Escape and the next key, pressed in a busy moment, are two keys", () => {
  assert.deepEqual(splitInput("\x1b:").pieces, ["\x1b", ":"]);
  assert.deepEqual(splitInput("\x1bx\x1b\x1b[A").pieces, ["\x1b", "x", "\x1b", "\x1b[A"]);
});

Deno.test("the beginning of a sequence waits for its end", () => {
  assert.deepEqual(splitInput("a\x1b[<0;1"), { pieces: ["a"], rest: "\x1b[<0;1" });
  assert.deepEqual(splitInput("\x1b"), { pieces: [], rest: "\x1b" });
  assert.deepEqual(splitInput("\x1b["), { pieces: [], rest: "\x1b[" });
});

Deno.test("a paste is one piece, however it comes, and a long one is cut short without losing its end", () => {
  const paste = "\x1b[200~q\nr\x1b[A\x1b[201~";
  for (let cut = 0; cut <= paste.length; cut++) {
    const first = splitInput("a" + paste.slice(0, cut));
    const second = splitInput(first.rest + paste.slice(cut) + "b");
    assert.deepEqual([...first.pieces, ...second.pieces], ["a", "\x1b[200~q\nr\x1b[A", "b"], `cut at ${cut}`);
  }
  let rest = "\x1b[200~";
  for (let i = 0; i < 1000; i++) ({ rest } = splitInput(rest + "0123456789"));
  assert.ok(rest.length < 5000);
  const { pieces } = splitInput(splitInput(rest + "\x1b[20").rest + "1~b");
  assert.deepEqual([pieces.length, pieces[1]], [2, "b"]);
});
