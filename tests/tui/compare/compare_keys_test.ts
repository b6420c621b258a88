import assert from "node:assert/strict";
import type { Model } from "../../../src/tui/model.ts";
import { toText } from "../../../src/tui/screen.ts";
import { update } from "../../../src/tui/update.ts";
import { found } from "../../../src/tui/modes/palette.ts";
import { after, modelOf } from "../fake_model.ts";
import { comparing, EIGHT } from "./fake_compare.ts";

const SIZE = { columns: 120, rows: 40 };
const single = { ...modelOf(SIZE), paths: EIGHT };

Deno.test("c compares the present path with the usual ones, from the beginning", () => {
  const model = after({
    ...single,
    live: {
      ...single.live!,
      snapshot: { ...single.live!.snapshot, scenario: { ...single.live!.snapshot.scenario, path: "virtio" } },
    },
  }, "c");
  assert.equal(model.mode, "compare");
  assert.deepEqual(model.compare.chosen, ["native", "xen2mx", "bridged", "virtio"]);
  assert.equal(model.compare.base, "native");
  assert.equal(model.nowPs, 0);
  assert.equal(model.running, true);
});

Deno.test("c and Esc leave; the single run goes on or stands as it did", () => {
  for (const key of ["c", "escape"]) {
    const left = after(single, "c", key);
    assert.deepEqual([left.mode, left.compare.open, left.running], ["normal", false, true]);
    const stood = after(single, "space", "c", key);
    assert.equal(stood.running, false);
  }
});

Deno.test("a click on the digits in the footer opens the list of paths", () => {
  const model = after(single, "c");
  const x = toText(model).at(-1)!.indexOf("1-8");
  assert.ok(after(model, { type: "mouse", kind: "click", x, y: SIZE.rows - 1 }).compare.chooser);
});

Deno.test("digits and the list switch paths on and off; one stays", () => {
  const model = after(single, "c", "1", "8");
  assert.deepEqual(model.compare.chosen, ["xen2mx", "bridged", "emulated"]);
  assert.equal(model.compare.base, "xen2mx", "the base is one of them");
  const listed = after(single, "c", "p", "down", "space", "enter");
  assert.deepEqual(listed.compare.chosen, ["native", "iov", "xen2mx", "bridged"]);
  assert.equal(listed.compare.chooser, false);
  const last = after(single, "c", "1", "4", "5");
  assert.deepEqual(last.compare.chosen, ["bridged"]);
  assert.equal(last.notice?.text, "one path must stay");
  assert.equal(after(single, "c", "9").compare.chosen.length, 3);
});

Deno.test("what was chosen is still chosen the next time", () => {
  const again = after(single, "c", "2", "right", "c", "c");
  assert.deepEqual(again.compare.chosen, ["native", "iov", "xen2mx", "bridged"]);
  assert.equal(again.compare.base, "iov");
});

Deno.test("pause, speed and quit work; keys of the panes do nothing", () => {
  const model = comparing({ ...SIZE, paths: EIGHT });
  assert.equal(after(model, "space").running, false);
  assert.equal(after(model, "+").speed, model.speed + 1);
  assert.deepEqual(update(model, { type: "key", key: "q" })[1], [{ type: "quit", code: 0 }]);
  assert.deepEqual(update(model, { type: "key", key: "C-c" })[1], [{ type: "quit", code: 130 }]);
  for (const key of ["]", "P", "/", "up", "z", "G", "x", "S"]) {
    assert.deepEqual(update(model, { type: "key", key }), [model, []], key);
  }
});

Deno.test("one step pauses and asks for a millisecond; restart begins a new round", () => {
  const model = comparing({ ...SIZE, paths: EIGHT });
  const [stepped, effects] = update(model, { type: "key", key: "." });
  assert.equal(stepped.running, false);
  assert.deepEqual(effects, [{ type: "compare-step" }]);
  const again = after(stepped, "r");
  assert.deepEqual([again.running, again.nowPs, again.compare.paths], [true, 0, []]);
  assert.equal(again.compare.round, model.compare.round + 1);
});

Deno.test("a box over the comparison gives the keys back to it", () => {
  const model = comparing({ ...SIZE, paths: EIGHT });
  assert.equal(after(model, "?").mode, "help");
  assert.equal(after(model, "?", "x").mode, "compare");
  const failed = after(model, { type: "failed", text: "no" });
  assert.equal(after(failed, "x").mode, "compare");
});

Deno.test("another run in place of the single one ends the comparison", () => {
  const model = comparing({ ...SIZE, paths: EIGHT });
  const opened = after(model, { type: "opened", scenario: "x", path: null, live: model.live!, nowPs: 0, endPs: 1 });
  assert.deepEqual([opened.mode, opened.compare.open], ["normal", false]);
});

Deno.test("a click makes a path the base, switches one on or off, opens a page", () => {
  const lineOf = (model: Model, text: string) => toText(model).findIndex((line) => line.includes(text));
  const click = (model: Model, x: number, y: number) => after(model, { type: "mouse", kind: "click", x, y });
  const four = ["native", "xen2mx-plain", "xen2mx", "virtio-user"];
  const large = comparing({ ...SIZE, paths: four });
  const heading = lineOf(large, "native◂");
  const columnOf = (path: string) => toText(large)[heading].indexOf(path);
  for (const path of ["xen2mx-plain", "virtio-user", "native"]) {
    for (const down of [0, 4, 22]) {
      assert.equal(click(large, columnOf(path), heading + down).compare.base, path, `${path} ${down}`);
    }
  }
  assert.equal(click(large, 3, heading + 3).compare.base, "native", "beside the columns");
  const choice = lineOf(large, "[1 native]");
  const off = click(large, toText(large)[choice].indexOf("4 xen2mx"), choice);
  assert.ok(!off.compare.chosen.includes("xen2mx") && off.compare.chosen.length === 3);

  const small = comparing({ columns: 80, rows: 24, paths: EIGHT });
  assert.equal(click(small, 20, lineOf(small, "5 bridged")).compare.base, "bridged");
  assert.equal(click(small, toText(small)[2].indexOf("stages"), 2).compare.page, "stages");

  const listed = after(large, "p");
  const switched = click(listed, 60, lineOf(listed, "[ ] 2 iov"));
  assert.deepEqual([switched.compare.chooser, switched.compare.chosen.includes("iov")], [true, true]);
  assert.equal(click(listed, 1, 1).compare.chooser, false);
});

Deno.test("the key for sizes is there where there are sizes, and says so where there are none", () => {
  const footer = (model: Model) => toText({ ...model, columns: 160 }).at(-1)!;
  const one = comparing({ ...SIZE, paths: EIGHT });
  assert.doesNotMatch(footer(one), / m sizes/);
  const asked = after(one, "m");
  assert.deepEqual([asked.compare.bySize, asked.notice?.text], [
    one.compare.bySize,
    "all messages are of one size: there is nothing to choose",
  ]);
  const sweep = comparing({ ...SIZE, paths: EIGHT, scenario: "latency-16k" });
  assert.match(footer(sweep), / m sizes/);
  assert.equal(after(sweep, "m").compare.bySize, !sweep.compare.bySize);
});

Deno.test("on a small screen what has no room is scrolled to, below its heading, and says how far", () => {
  const model = comparing({ columns: 60, rows: 14, paths: EIGHT });
  const shown = (of: Model) => toText(of).filter((line) => /^│ \d /.test(line)).map((line) => line.slice(2, 10).trim());
  const title = (of: Model) => toText(of)[3];
  assert.match(title(model), /1-6 of 16/);
  assert.deepEqual(shown(model).map((name) => name[0]), ["1", "2", "3", "4", "5", "6"]);
  const down = after(model, "down", "down", "down");
  assert.match(title(down), /4-9 of 16/);
  assert.match(toText(down)[4], /p50 us/);
  const end = after(model, "end", "down");
  assert.match(title(end), /11-16 of 16/);
  assert.deepEqual(after(end, "up").compare.top, 9);
  assert.equal(after(end, "home").compare.top, 0);
  assert.equal(after(model, { type: "mouse", kind: "wheeldown", x: 5, y: 8 }).compare.top, 3);
  // Another page begins at its top, and one that has room, or a larger screen, does not scroll.
  assert.equal(after(end, "tab").compare.top, 0);
  assert.match(title(after(end, "S-tab")), /1-7 of 16/);
  const four = comparing({ columns: 80, rows: 24, paths: EIGHT.slice(0, 4) });
  assert.equal(after(four, "down").compare.top, 0);
});

Deno.test("restart and a step by name are the comparison's own, of all runs", () => {
  const model = after(comparing({ ...SIZE, paths: EIGHT }), ":");
  const run = (title: string) =>
    update(after(model, ...title.replace(" ", "_").split("").map((c) => c === "_" ? "space" : c)), {
      type: "key",
      key: "enter",
    });
  const [again, effects] = run("restart");
  assert.deepEqual([again.compare.round, again.nowPs, effects], [model.compare.round + 1, 0, []]);
  const [stepped, steps] = run("step millisecond");
  assert.deepEqual([stepped.mode, stepped.running, steps], ["compare", false, [{ type: "compare-step" }]]);
});

Deno.test("the palette offers what means something here", () => {
  const model = after(comparing({ ...SIZE, paths: EIGHT }), ":");
  const titles = found(model).map(({ title }) => title);
  for (const title of ["pause", "faster", "compare", "export", "quit", "redraw", "set", "open", "speed"]) {
    assert.ok(titles.includes(title), title);
  }
  for (const title of ["pane", "sort", "go", "zoom", "seek", "back", "filter", "one vm"]) {
    assert.ok(!titles.includes(title), title);
  }
});

Deno.test("the header says what is compared, not how many guests the single run has", () => {
  const top = (model: Model) => toText(model)[0];
  const three = comparing({ columns: 120, rows: 40, paths: ["native", "xen2mx", "bridged"] });
  assert.match(top(three), /comparing native, xen2mx, bridged {3}base native {3}seed 1/);
  assert.match(top(comparing({ columns: 80, rows: 24, paths: EIGHT })), /comparing 8 paths {3}base native/);
});
