import assert from "node:assert/strict";
import fc from "fast-check";
import { combinations, parseOver } from "../../../src/cli/sweep/over.ts";

const values = (text: string) => parseOver(text).values;

Deno.test("values with commas between them; those in brackets and quotes belong to a value", () => {
  assert.deepEqual(parseOver("path=native, xen2mx"), { key: "path", values: ["native", "xen2mx"] });
  assert.deepEqual(values("workload.sizes=[1 KiB, 2 KiB],[4 KiB]"), ["[1 KiB, 2 KiB]", "[4 KiB]"]);
  assert.deepEqual(values(`title="a, b",'c, d'`), [`"a, b"`, `'c, d'`]);
  assert.deepEqual(values("faults=[{at: 1 ms, for: 1 ms, link: a-b, cut: true}],[]").length, 2);
  assert.deepEqual(values("program.args.x=a=b"), ["a=b"]);
});

Deno.test("ranges of plain numbers, sizes, times, rates and fractions, with a step or a factor", () => {
  assert.deepEqual(values("guests=2..5"), ["2", "3", "4", "5"]);
  assert.deepEqual(values("guests=10..40 by 10"), ["10", "20", "30", "40"]);
  assert.deepEqual(values("guests=10..39 by 10"), ["10", "20", "30"]);
  assert.deepEqual(values("costs.x=0..0.3 by 0.1"), ["0", "0.1", "0.2", "0.3"]);
  assert.deepEqual(values("workload.size=1 KiB..1 MiB by x4"), [
    "1 KiB",
    "4 KiB",
    "16 KiB",
    "64 KiB",
    "256 KiB",
    "1 MiB",
  ]);
  assert.deepEqual(values("workload.size=1 KiB .. 2 KiB by 512 B"), ["1 KiB", "1536 B", "2 KiB"]);
  assert.deepEqual(values("link.latency=0..1 us by 500 ns"), ["0 ps", "500 ns", "1 us"]);
  assert.deepEqual(values("link.rate=10 Gb/s..40 Gb/s by x2"), ["10 Gb/s", "20 Gb/s", "40 Gb/s"]);
  assert.deepEqual(values("link.loss=0 %..0.3 % by 0.1 %"), ["0 %", "0.1 %", "0.2 %", "0.3 %"]);
  assert.deepEqual(values("link.loss=10 %..40 % by 10 %"), ["10 %", "20 %", "30 %", "40 %"]);
  // Rounding is forgiven by the step: neither by the size of the values nor by their sign.
  assert.deepEqual(values("seed=20000000000..20000000003").length, 4);
  assert.deepEqual(values("seed=9007199254740988..9007199254740990").at(-1), "9007199254740990");
  assert.deepEqual(values("costs.x=-10..-2 by 2"), ["-10", "-8", "-6", "-4", "-2"]);
  assert.deepEqual(values("guests=2,10..30 by 10"), ["2", "10", "20", "30"]);
  // No range: what it is, whoever takes it says.
  assert.deepEqual(values("title=2..many"), ["2..many"]);
  assert.deepEqual(values("program.file=../x.ts"), ["../x.ts"]);
});

Deno.test("what cannot be read is refused, with what was found and what is wanted", () => {
  const wrong: [string, RegExp][] = [
    ["guests", /^--over: found "guests", wanted a key and values such as/],
    ["=1", /^--over: found "=1", wanted a key/],
    ["guests=", /^--over guests: found an empty value/],
    ["guests=1,,2", /^--over guests: found an empty value/],
    ["guests=2,3,2", /^--over guests: found 2 twice/],
    ["guests=5..2", /wanted a range from the smaller to the larger value$/],
    ["guests=1..5 by 0", /wanted a step above 0$/],
    ["guests=1..5 by -1", /wanted a step above 0$/],
    ["guests=1..5 by x1", /wanted a factor above 1 and a range above 0$/],
    ["guests=0..5 by x2", /wanted a factor above 1 and a range above 0$/],
    ["costs.x=0.5..2", /wanted a step too/],
    ["workload.size=1 KiB..2 KiB", /wanted a step too/],
    ["workload.size=1 KiB..2 KiB by 1 us", /wanted a step above 0$/],
    ["seed=1..1001", /wanted at most 1000 values$/],
  ];
  for (const [text, message] of wrong) assert.throws(() => parseOver(text), { name: "UsageError", message });
});

Deno.test("every combination once, the last key fastest; too many are refused with their number", () => {
  const axes = [{ key: "a", values: ["1", "2"] }, { key: "b", values: ["x", "y", "z"] }];
  assert.deepEqual(combinations(axes).map((point) => point.join("")), ["1x", "1y", "1z", "2x", "2y", "2z"]);
  const many = { key: "seed", values: Array.from({ length: 501 }, (_, i) => String(i)) };
  assert.throws(() => combinations([axes[0], many]), {
    message: "--over: found 1002 runs (2 of a x 501 of seed), wanted at most 1000",
  });
  assert.throws(() => combinations([axes[0], axes[0]]), { message: /^--over a: found it twice/ });
});

Deno.test("a range is what counting gives", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 9 }),
      (from, more, by) => {
        const counted: string[] = [];
        for (let tenths = from; tenths <= from + more; tenths += by) counted.push(String(tenths / 10));
        assert.deepEqual(values(`costs.x=${from / 10}..${(from + more) / 10} by ${by / 10}`), counted);
      },
    ),
  );
});
