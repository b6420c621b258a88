import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import {
  formatFraction,
  formatFrequency,
  formatRate,
  formatSize,
  formatTime,
  fractionField,
  frequencyField,
  parseFraction,
  parseRate,
  parseSize,
  parseTime,
  QuantityError,
  showValue,
  sizeField,
  sizeListField,
  timeField,
  writtenQuantity,
} from "../../src/base/quantity.ts";
import { TIME_LIMIT_PS } from "../../src/base/units.ts";

Deno.test("sizes, times, rates and fractions are read in the units that people write", () => {
  assert.equal(parseSize("512 KiB"), 524288);
  assert.equal(parseSize("1 MB"), 1_000_000);
  assert.equal(parseSize("1.5 KiB"), 1536);
  assert.equal(parseSize("0 B"), 0);
  assert.equal(parseSize(32), 32);
  assert.equal(parseTime("300 ns"), 300_000);
  assert.equal(parseTime("1.1us"), 1_100_000);
  assert.equal(parseTime("1 s"), 1e12);
  assert.equal(parseTime(0), 0);
  assert.equal(parseRate("10 Gb/s"), 1e10);
  assert.equal(parseRate("1 kb/s"), 1000);
  const frequency = frequencyField();
  assert.deepEqual(["20 k/s", "500/s", "1.5 M/s"].map((text) => frequency.parse(text)), [20e3, 500, 1.5e6]);
  assert.equal(parseFraction("1 %"), 0.01);
  assert.equal(parseFraction(0.25), 0.25);
  assert.equal(parseFraction("0.25"), 0.25);
});

const WRONG: [(input: unknown) => number, unknown, string][] = [
  [parseSize, "512 KiBs", 'found "512 KiBs", wanted a size such as 512 KiB'],
  [parseSize, "-4 KiB", 'found "-4 KiB", wanted a size such as 512 KiB, not below 0'],
  [parseSize, "1.5 B", 'found "1.5 B", wanted a whole number of bytes'],
  [parseSize, true, "found true, wanted a size such as 512 KiB"],
  [parseTime, 10, "found 10, wanted a time such as 300 ns or 20 ms (with its unit)"],
  [parseTime, "1 sec", 'found "1 sec", wanted a time such as 300 ns or 20 ms'],
  [parseTime, "99999 s", 'found "99999 s", wanted at most 9007 s (2^53 ps)'],
  [parseRate, "10 GB/s", 'found "10 GB/s", wanted a rate such as 10 Gb/s'],
  [parseFraction, "101 %", 'found "101 %", wanted at most 100 %'],
  [parseFraction, "constructor", 'found "constructor", wanted a fraction from 0 to 1 such as 1 % or 0.01'],
];
for (const [parse, input, message] of WRONG) {
  Deno.test(`quantity error: ${message}`, () => {
    assert.throws(() => parse(input), new QuantityError(message));
  });
}

Deno.test("what was formatted is read back as the same number", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => assert.equal(parseSize(formatSize(bytes)), bytes)));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: TIME_LIMIT_PS }), (ps) => assert.equal(parseTime(formatTime(ps)), ps)),
  );
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e12 }), (bps) => assert.equal(parseRate(formatRate(bps)), bps)));
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (f) => assert.equal(parseFraction(formatFraction(f)), f)),
  );
});

Deno.test("formatting takes the largest unit that loses nothing", () => {
  assert.equal(formatSize(524288), "512 KiB");
  assert.equal(formatSize(1_000_000), "1 MB");
  assert.equal(formatSize(1500), "1500 B");
  assert.equal(formatTime(1_500_000), "1.5 us");
  assert.equal(formatTime(20e9), "20 ms");
  assert.equal(formatRate(1e10), "10 Gb/s");
  assert.deepEqual([20e3, 999, 0].map(formatFrequency), ["20 k/s", "999 /s", "0 /s"]);
  assert.equal(formatFraction(0.01), "1 %");
});

Deno.test("fields carry the quantity's own message, bounds and defaults", () => {
  const schema = z.strictObject({
    size: sizeField({ min: 1, max: 4096 }).default(1024),
    wait: timeField().optional(),
    loss: fractionField().optional(),
    sizes: sizeListField().optional(),
  });
  const messages = (value: unknown) => schema.safeParse(value).error?.issues.map((issue) => issue.message) ?? [];
  assert.deepEqual(schema.parse({ wait: "1 us", loss: "2 %", sizes: ["0 B", 8] }), {
    size: 1024,
    wait: 1_000_000,
    loss: 0.02,
    sizes: [0, 8],
  });
  assert.deepEqual(messages({ size: "8 KiB" }), ['found "8 KiB", wanted at most 4 KiB']);
  assert.deepEqual(messages({ size: 0 }), ["found 0, wanted at least 1 B"]);
  assert.deepEqual(messages({ wait: null }), ["found null, wanted a time such as 300 ns or 20 ms"]);
  assert.deepEqual(messages({ sizes: [] }), ["found an empty list, wanted at least one size such as 512 KiB"]);
  assert.deepEqual(messages({ sizes: "1 B" }), ['found "1 B", wanted a list of sizes']);
});

Deno.test("a field knows how its values are written", () => {
  assert.equal(writtenQuantity(timeField(), 25_000_000), "25 us");
  assert.equal(writtenQuantity(frequencyField({ min: 1 }), 4000), "4 k/s");
  assert.equal(writtenQuantity(fractionField(), 0.01), "1 %");
  assert.equal(writtenQuantity(sizeField(), "4 KiB"), null);
  assert.equal(writtenQuantity(z.number(), 4), null);
});

Deno.test("values in messages are short and cannot move the cursor", () => {
  assert.equal(showValue("\u001b[2J\u009b1m"), '"\\u001b[2J?1m"');
  assert.equal(showValue("x".repeat(100)).length, 48);
});
