import assert from "node:assert/strict";
import fc from "fast-check";
import { KEYS } from "../../src/tui/keymap.ts";
import { MODES } from "../../src/tui/modes/registry.ts";
import { render } from "../../src/tui/screen.ts";
import { plain, width } from "../../src/tui/text.ts";
import { update } from "../../src/tui/update.ts";
import type { Message } from "../../src/tui/message.ts";
import { after, modelOf } from "./fake_model.ts";

const BEGINNINGS = [
  modelOf({ columns: 80, rows: 24 }),
  modelOf({ columns: 120, rows: 40, scenario: "pingpong-tiny", isFirst: true }),
  modelOf({ columns: 200, rows: 50, seconds: 0 }),
];

const TEXT = ["enter", "backspace", "left", "right", "C-u", "C-w", "v", "m", "t", "o", "x"];
const NAMES = [...KEYS.flatMap(({ keys }) => keys), ...TEXT];

const key = fc.constantFrom(...NAMES).map((name): Message => ({ type: "key", key: name }));
const resize = fc.record({ columns: fc.integer({ min: 1, max: 300 }), rows: fc.integer({ min: 1, max: 100 }) })
  .map(({ columns, rows }): Message => ({ type: "resize", columns, rows }));
const mouse = fc.record({
  kind: fc.constantFrom("click" as const, "wheelup" as const, "wheeldown" as const),
  x: fc.nat(300),
  y: fc.nat(100),
}).map((one): Message => ({ type: "mouse", ...one }));
const failed = fc.constantFrom("no", "no\n" + "way ".repeat(90)).map((text): Message => ({ type: "failed", text }));
const message = fc.oneof(
  { arbitrary: key, weight: 30 },
  { arbitrary: resize, weight: 6 },
  { arbitrary: mouse, weight: 6 },
  { arbitrary: failed, weight: 1 },
);

/** Every region lies on the screen, and its lines fill it. */
function checkScreen(model: Parameters<typeof render>[0], where: string): void {
  for (const { id, x, y, width: wide, height, lines } of render(model)) {
    assert.ok(x >= 0 && y >= 0 && x + wide <= model.columns && y + height <= model.rows, `${where}: ${id} sticks out`);
    assert.equal(lines.length, height, `${where}: lines of ${id}`);
    for (const line of lines) assert.equal(width(line), wide, `${where}: ${id}: ${plain(line)}`);
  }
}

Deno.test("any keys, clicks and sizes in any order: nothing throws and every line fits", () => {
  fc.assert(
    fc.property(
      fc.nat(BEGINNINGS.length - 1),
      fc.array(message, { minLength: 1, maxLength: 12 }),
      (begin, messages) => {
        let model = BEGINNINGS[begin];
        for (const one of messages) {
          model = update(model, one)[0];
          checkScreen(model, `${model.columns}x${model.rows} ${model.mode} after ${JSON.stringify(one)}`);
        }
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("every mode fits every size", () => {
  const sizes = [[1, 1], [39, 9], [40, 10], [41, 13], [80, 24], [99, 29], [100, 30], [160, 30], [300, 100]];
  for (const mode of Object.keys(MODES) as (keyof typeof MODES)[]) {
    for (const [columns, rows] of sizes) {
      const model = after({ ...BEGINNINGS[0], mode, message: ["a", "b"] }, { type: "resize", columns, rows });
      checkScreen(model, `${mode} at ${columns}x${rows}`);
    }
  }
});
