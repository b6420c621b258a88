import assert from "node:assert/strict";
import { actionOf, ACTIONS, KEYS } from "../../src/tui/keymap.ts";
import { type Model, PANES } from "../../src/tui/model.ts";
import { closeBox, openBox } from "../../src/tui/modes/box.ts";
import { paneHelp } from "../../src/tui/pane_help.ts";
import { toText } from "../../src/tui/screen.ts";
import { update } from "../../src/tui/update.ts";
import { after, modelOf } from "./fake_model.ts";

Deno.test("every action has a key, every key one action", () => {
  assert.deepEqual([...new Set(KEYS.map((binding) => binding.action))].sort(), [...ACTIONS].sort());
  const keys = KEYS.flatMap((binding) => binding.keys);
  assert.equal(new Set(keys).size, keys.length);
  for (const { keys, action } of KEYS) for (const key of keys) assert.equal(actionOf(key), action);
  assert.equal(actionOf("x"), null);
});

Deno.test("every key does something", () => {
  const model = { ...after(modelOf({ columns: 120, rows: 40 }), "/", "v", "enter", "down"), zoomed: true };
  for (const key of KEYS.flatMap((binding) => binding.keys)) {
    const [next, effects] = update(model, { type: "key", key });
    assert.ok(effects.length > 0 || JSON.stringify(next) !== JSON.stringify(model), key);
  }
});

Deno.test("the pages of the help show every key with its text, at every size", () => {
  for (const [columns, rows] of [[40, 10], [60, 20], [80, 24], [120, 40], [200, 50]]) {
    const text = helpPages(modelOf({ columns, rows })).join("\n");
    for (const { show, help } of KEYS) {
      assert.ok(text.includes(show), `${show} at ${columns}x${rows}`);
      // In narrow columns a text has several lines.
      assert.ok(text.includes(columns >= 80 ? help : help.split(" ")[0]), `${help} at ${columns}x${rows}`);
    }
  }
});

/** The screen at each page of the help, turned with space until it begins again. */
function helpPages(model: Model): string[] {
  const pages: string[] = [];
  for (let at = after(model, "?");; at = after(at, "space")) {
    const text = toText(at).join("\n");
    if (text === pages[0] || at.mode !== "help") return pages;
    pages.push(text);
  }
}

Deno.test("the footer names its keys, and always help and quit", () => {
  for (const columns of [40, 60, 80, 120, 200]) {
    const footer = toText(modelOf({ columns, rows: 40 })).at(-1)!;
    assert.match(footer, /\? help {2}q quit$/);
  }
  const wide = toText(modelOf({ columns: 200, rows: 50 })).at(-1)!;
  for (const { footer, footerShow, show } of KEYS) {
    if (footer) assert.ok(wide.includes(`${footerShow ?? show} ${footer}`));
  }
});

Deno.test("help begins with what has the focus: what the pane shows, then its keys", () => {
  const model = modelOf({ columns: 120, rows: 40 });
  for (const pane of PANES) {
    const { title, text: about } = paneHelp(pane);
    assert.ok(about !== "", `${pane} has no help`);
    const text = toText(after({ ...model, pane }, "?")).join("\n");
    assert.ok(text.includes(` keys ─ ${title} `), pane);
    assert.ok(text.includes(about.split(" ").slice(0, 6).join(" ")), pane);
  }
  const guests = toText(after({ ...model, pane: "guests" }, "?")).join("\n");
  assert.ok(guests.indexOf(" Guests  ") < guests.indexOf(" Run  "));
  const latency = toText(after({ ...model, pane: "latency" }, "?")).join("\n");
  assert.ok(latency.indexOf(" Run  ") < latency.indexOf(" Guests  "));
});

Deno.test("help turns its pages where it has several; any other key closes it", () => {
  const model = after(modelOf({ columns: 80, rows: 24 }), "?");
  const pageOf = (at: Model) => /page (\d) of \d/.exec(toText(at).join("\n"))?.[1];
  assert.deepEqual([pageOf(model), pageOf(after(model, "down")), pageOf(after(model, "down", "up"))], ["1", "2", "1"]);
  assert.equal(pageOf(after(model, ...Array(9).fill("pagedown"), "space")), "1", "round the end");
  assert.equal(after(model, "?").mode, "normal");
  assert.equal(after(modelOf({ columns: 120, rows: 40 }), "?", "down").mode, "normal", "one page only");
});

Deno.test("a box gives the keys back to the mode that it was opened over", () => {
  const model = { ...modelOf({ columns: 80, rows: 24 }), mode: "filter" as const };
  assert.equal(closeBox(openBox(model, "help")).mode, "filter");
  assert.equal(closeBox(openBox(openBox(model, "export"), "help")).mode, "filter", "a box over a box");
});
