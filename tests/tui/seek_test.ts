import assert from "node:assert/strict";
import { parseInstant } from "../../src/tui/instant.ts";
import { toText } from "../../src/tui/screen.ts";
import { plain } from "../../src/tui/text.ts";
import { update } from "../../src/tui/update.ts";
import { Desk } from "./desk.ts";
import { matchSnapshot } from "../support/snapshot.ts";

/** What Enter asks for. */
function order(desk: Desk) {
  const [model, effects] = update(desk.model, { type: "key", key: "enter" });
  return { model, effect: effects[0] };
}

Deno.test("a time is absolute, or relative to now, and never before the start", () => {
  const now = 8e12;
  for (
    const [text, ps] of [
      ["1.5 s", 1.5e12],
      ["1.5s", 1.5e12],
      ["-5 s", 3e12],
      [" - 5 s ", 3e12],
      ["+250 ms", 8.25e12],
      ["start", 0],
      ["0", 0],
      ["-9 s", 0],
    ] as const
  ) assert.equal(parseInstant(text, now), ps, text);
  for (const text of ["", "1.5", "soon", "-", "5 parsecs", "--5 s"]) assert.throws(() => parseInstant(text, now), text);
});

Deno.test("typed, the arrow follows; Enter goes, and pauses what ran", () => {
  const desk = new Desk();
  desk.runTo(2);
  desk.key("b", ..."1.5", "space", "s");
  assert.match(plain(toText(desk.model).join("\n")), /1\.5 s, 500 ms back/);
  const { model, effect } = order(desk);
  assert.deepEqual(effect, { type: "travel", order: { kind: "to", atPs: 1.5e12 } });
  assert.deepEqual([model.mode, model.running], ["normal", false]);
});

Deno.test("what is no time says what is wanted, and the prompt stays", () => {
  const desk = new Desk();
  desk.runTo(2);
  desk.key("b", "1", "2", "enter");
  assert.equal(desk.model.mode, "seek");
  assert.match(toText(desk.model).at(-2)!, /go to 12█ .*wanted a time such as 300 ns or 20 ms/);
  desk.key("escape");
  assert.deepEqual([desk.model.mode, desk.model.running], ["normal", true]);
});

Deno.test("arrows walk over the timeline by its columns, Home and End go to its ends", () => {
  const desk = new Desk();
  desk.runTo(2);
  desk.key("b", "left", "left", "pageup");
  const chosen = desk.model.seek.chosenPs!;
  assert.ok(Math.abs(chosen - 2e12 * (1 - 12 / 69)) < 2e12 / 138, String(chosen));
  desk.key("right", "pagedown", "pagedown");
  assert.equal(desk.model.seek.chosenPs, 2e12);
  desk.key("home");
  assert.deepEqual(order(desk).effect, { type: "travel", order: { kind: "to", atPs: 0 } });
  desk.key("left", "end", "right");
  assert.equal(desk.model.seek.chosenPs, 2e12);
  // Typing begins afresh, and arrows go on from what was typed.
  desk.key("1", "s", "right");
  assert.ok(desk.model.seek.chosenPs! > 1e12 && desk.model.seek.chosenPs! < 1.1e12);
});

Deno.test("the mouse moves the arrow; beside the box it closes it", () => {
  const desk = new Desk();
  desk.runTo(2);
  desk.key("b");
  const click = (x: number, y: number) => desk.receive({ type: "mouse", kind: "click", x, y });
  // The timeline is 70 columns from column 5 on.
  click(5, 4);
  assert.equal(desk.model.seek.chosenPs, 0);
  click(74, 4);
  assert.equal(desk.model.seek.chosenPs, 2e12);
  desk.receive({ type: "mouse", kind: "wheelup", x: 10, y: 4 });
  assert.ok(desk.model.seek.chosenPs! < 2e12 && desk.model.seek.chosenPs! > 1.9e12);
  click(10, 20);
  assert.equal(desk.model.mode, "normal");
});

Deno.test("the timeline shows what was done, now, and what was seen after it", async (t) => {
  for (const [columns, rows] of [[80, 24], [120, 40]]) {
    const desk = new Desk(columns, rows);
    desk.runTo(1.2);
    desk.run.apply({ kind: "fault", link: "a-b", loss: 0.05, forPs: 50e9 });
    desk.runTo(2.35);
    desk.key("b", ..."1.5", "space", "s", "enter");
    await desk.settle();
    desk.run.apply({ kind: "crash", guest: "vm03", forPs: 100e9 });
    desk.runTo(1.6);
    desk.key("b", ..."-300", "space", "m", "s");
    await matchSnapshot(t, import.meta, toText(desk.model).join("\n"));
  }
});
