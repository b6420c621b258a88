import assert from "node:assert/strict";
import { toText } from "../../src/tui/screen.ts";
import { after, modelOf } from "./fake_model.ts";

const first = modelOf({ columns: 80, rows: 24, isFirst: true });
const lineOf = (model: typeof first) => toText(model).at(-2)!;
const frame = { type: "frame", live: null, nowPs: 0, finished: false, pace: 1 } as const;

Deno.test("the first line says what to try, until three keys have been pressed", () => {
  assert.match(lineOf(first), /^ try {2}\? help {2}: commands .*p another path/);
  assert.match(lineOf(after(first, "down", "down")), /^ try/);
  assert.doesNotMatch(lineOf(after(first, "down", "down", "down")), /^ try/);
});

Deno.test("or for twenty seconds", () => {
  assert.match(lineOf(after(first, ...Array(150).fill(frame))), /^ try/);
  assert.equal(after(first, ...Array(200).fill(frame)).hint, null);
});

Deno.test("it gives way to what the user is told, and to warnings of the run", () => {
  assert.match(lineOf(after(first, "9")), /there is no scenario 9/);
  const live = structuredClone(first.live!);
  live.log.push({ at_ns: 1, level: "error", text: "it broke" });
  assert.match(lineOf({ ...first, live }), /error it broke/);
});

Deno.test("it fits every width", () => {
  for (let columns = 40; columns <= 200; columns += 9) {
    const model = modelOf({ columns, rows: 24, isFirst: true, seconds: 0 });
    assert.match(lineOf(model), /^ try {2}\? help {2}: commands/);
  }
});
