import assert from "node:assert/strict";
import { toText } from "../../src/tui/screen.ts";
import type { Model } from "../../src/tui/model.ts";
import { update } from "../../src/tui/update.ts";
import { keyNamed } from "../../src/tui/view/footer.ts";
import { after, modelOf } from "./fake_model.ts";

const small = modelOf({ columns: 80, rows: 24 });
const wide = modelOf({ columns: 200, rows: 50 });

/** A click on this text in the last line. */
function clickFooter(model: Model, text: string, offset = 0) {
  const x = toText(model).at(-1)!.indexOf(text) + offset;
  assert.ok(x > 0, text);
  return update(model, { type: "mouse", kind: "click", x, y: model.rows - 1 });
}

Deno.test("a click on a key in the footer is that key, its word too", () => {
  assert.equal(clickFooter(wide, "space pause")[0].running, false);
  assert.equal(clickFooter(wide, "pause", 3)[0].running, false);
  assert.equal(clickFooter(wide, "+ - speed")[0].speed, wide.speed + 1);
  assert.equal(clickFooter(wide, "+ - speed", 2)[0].speed, wide.speed - 1);
  assert.equal(clickFooter(wide, "? help")[0].mode, "help");
  assert.deepEqual(clickFooter(wide, "q quit")[1], [{ type: "quit", code: 0 }]);
  assert.deepEqual(clickFooter(wide, "p path")[1], update(wide, { type: "key", key: "p" })[1]);
});

Deno.test("one entry that stands for nine keys asks which", () => {
  const model = clickFooter(wide, "1-9 scenario")[0];
  assert.deepEqual([model.mode, model.palette.text], ["palette", "open "]);
});

Deno.test("a mode's own keys can be clicked; between entries nothing happens", () => {
  const palette = after(small, ":");
  assert.equal(clickFooter(palette, "Esc close")[0].mode, "normal");
  assert.equal(clickFooter(palette, "up down", 3)[0].palette.chosen, 1);
  assert.deepEqual(update(wide, { type: "mouse", kind: "click", x: 199, y: 49 })[0], wide);
});

Deno.test("a screen too small for anything hears no clicks", () => {
  const tiny = after(small, { type: "resize", columns: 30, rows: 5 });
  for (let y = 0; y < 5; y++) {
    for (let x = 0; x < 30; x++) {
      assert.deepEqual(update(tiny, { type: "mouse", kind: "click", x, y }), [tiny, []], `${x},${y}`);
    }
  }
});

Deno.test("keys by how they are written", () => {
  const names = ["Enter", "Esc", "Shift-Tab", "PageUp", "Ctrl-L", "space", "G", "?"].map(keyNamed);
  assert.deepEqual(names, ["enter", "escape", "S-tab", "pageup", "C-l", "space", "G", "?"]);
});

Deno.test("the wheel scrolls the guests and stays within them", () => {
  const wheel = (kind: "wheelup" | "wheeldown") => ({ type: "mouse", kind, x: 5, y: 7 }) as const;
  assert.equal(after(small, wheel("wheeldown"), wheel("wheeldown")).scroll, 6);
  assert.equal(after(small, ...Array(40).fill(wheel("wheeldown"))).scroll, 25);
  assert.equal(after(small, wheel("wheeldown"), wheel("wheelup"), wheel("wheelup")).scroll, 0);
});

Deno.test("a second click on a VM is Enter", () => {
  const click = { type: "mouse", kind: "click", x: 5, y: 7 } as const;
  const once = after(small, click);
  assert.equal(once.selected, "vm03");
  assert.deepEqual(update(once, click), update(once, { type: "key", key: "enter" }));
});

Deno.test("the mouse can be given to the terminal, and taken back", () => {
  const off = update(after(small, ":", ..."mouse", "space", ..."off"), { type: "key", key: "enter" });
  assert.deepEqual(off[1], [{ type: "mouse", on: false }]);
  assert.match(off[0].notice!.text, /drag to select text/);
  assert.equal(off[0].mouse, false);
});
