import assert from "node:assert/strict";
import { PATHS } from "../../src/path/registry.ts";
import { ANATOMY_SUBJECTS, type AnatomyClass } from "../../src/report/anatomy.ts";
import { isFolded, rowsOf } from "../../src/tui/anatomy/rows.ts";
import { sharedNow } from "../../src/tui/anatomy/shared.ts";
import { positionOf } from "../../src/tui/anatomy/state.ts";
import type { Model } from "../../src/tui/model.ts";
import { render, toText } from "../../src/tui/screen.ts";
import { plain, width } from "../../src/tui/text.ts";
import { update } from "../../src/tui/update.ts";
import { recordClass } from "../report/record_class.ts";
import { after, modelOf } from "./fake_model.ts";
import { matchSnapshot } from "../support/snapshot.ts";

const OPTIONS = { machine: "vhpc12", costs: {}, mtu: 9000 };
const SIZES = [[80, 24], [120, 40], [200, 50]] as const;
const [TINY, , , LARGE, FIRST] = ANATOMY_SUBJECTS.keys();

const made = new Map<string, AnatomyClass>();

function recorded(path: string, subject: number): AnatomyClass {
  const key = `${path} ${subject}`;
  let known = made.get(key);
  if (known === undefined) {
    const found = PATHS.find(({ name }) => name === path)!;
    made.set(key, known = recordClass(found, OPTIONS, ANATOMY_SUBJECTS[subject]));
  }
  return known;
}

/** The screen of one message, as if these classes had been recorded on the path. */
function opened(path: string, subjects: readonly number[], columns = 120, rows = 40): Model {
  const before = modelOf({ columns, rows, scenario: "pingpong-tiny", seconds: 1 });
  const live = structuredClone(before.live!);
  live.snapshot.scenario.path = path;
  const model = after({ ...before, live, path }, "a");
  const { asked } = model.anatomy;
  const classes = subjects.map((subject) => ({
    ...{ type: "anatomy-class", asked, made: recorded(path, subject) } as const,
  }));
  return after(model, ...classes, { type: "anatomy-complete", asked });
}

/** Goes to the first step that says so. */
function at(model: Model, what: RegExp): Model {
  const { rows } = positionOf(model)!;
  const index = rows.findIndex(({ step }) => what.test(step.what));
  assert.ok(index >= 0, `${what}`);
  return after(after(model, "home"), ...Array(index).fill("right"));
}

const present = (model: Model) => positionOf(model)!.step;

const PICTURES: readonly (readonly [path: string, subject: number, what: RegExp])[] = [
  ["xen2mx", TINY, /slot \d+ published, SEND_TINY/],
  ["xen2mx", TINY, /^wire: TINY frame/],
  ["xen2mx", FIRST, /^grant of 17 pages/],
  ["bridged", TINY, /slot \d+ published, filled page/],
  ["virtio", TINY, /^kick/],
  ["native", LARGE, /^PULL_REPLY frame/],
];

for (const [columns, rows] of SIZES) {
  for (const [path, subject, what] of PICTURES) {
    Deno.test(`anatomy at ${columns}x${rows}: ${path}, ${what.source}`, async (t) => {
      const model = opened(path, subject === TINY ? [TINY] : [TINY, subject], columns, rows);
      const chosen = at(subject === TINY ? model : after(model, "n"), what);
      await matchSnapshot(t, import.meta, toText(chosen).join("\n"));
    });
  }
}

Deno.test("the box of a step shows the fields of its frame", async (t) => {
  const model = after(at(opened("xen2mx", [TINY], 80, 24), /^wire: TINY/), "enter");
  await matchSnapshot(t, import.meta, toText(model).join("\n"));
  assert.equal(after(model, "escape").mode, "anatomy");
  assert.equal(after(model, "down").anatomy.scroll, 1);
  assert.equal(after(model, ...Array(500).fill("down"), "pageup").anatomy.details, true);
});

Deno.test("a opens it and asks for a recording of the run's path; a and Esc leave; what is recorded is kept", () => {
  const model = modelOf({ columns: 120, rows: 40, scenario: "pingpong-tiny" });
  const [open, effects] = update(model, { type: "key", key: "a" });
  assert.equal(open.mode, "anatomy");
  assert.deepEqual(effects, [{ type: "anatomy", asked: 1, scenario: "pingpong-tiny", path: "xen2mx" }]);
  assert.match(toText(open).join("\n"), /recording one message of each class on xen2mx/);
  const filled = opened("xen2mx", [TINY]);
  for (const key of ["a", "escape"]) {
    const left = after(filled, key);
    assert.equal(left.mode, "normal");
    const [again, asks] = update(left, { type: "key", key: "a" });
    assert.deepEqual([again.anatomy.classes.length, asks], [1, []]);
  }
});

Deno.test("a part of a recording that is not wanted any more is not shown; a failure is", () => {
  const model = opened("xen2mx", []);
  const late = { type: "anatomy-class", asked: model.anatomy.asked - 1, made: recorded("xen2mx", TINY) } as const;
  assert.equal(after(model, late), model);
  const failed = after(model, { type: "anatomy-failed", asked: model.anatomy.asked, text: "xen2mx: cannot\nbe" });
  const text = toText(failed).join("\n");
  assert.match(text, /no recording/);
  assert.match(text, /xen2mx: cannot/);
  // Nothing breaks a screen without a message.
  for (const key of ["right", "space", "n", "x", "w", "enter", "end", "+"]) {
    assert.equal(toText(after(failed, key)).length, 40);
  }
});

Deno.test("p records the next path, P the one before; the class stays", () => {
  const model = after(opened("native", [TINY, LARGE]), "n");
  const [next, effects] = update(model, { type: "key", key: "p" });
  const { paths } = model;
  const expected = paths[paths.indexOf("native") + 1];
  assert.deepEqual(effects.map((effect) => effect.type === "anatomy" && effect.path), [expected]);
  assert.deepEqual([next.anatomy.chosen, next.anatomy.classes.length, next.path], [1, 0, "native"]);
  assert.equal(after(next, "P").anatomy.path, "native");
});

Deno.test("steps go one by one to both ends and no further", () => {
  const model = opened("xen2mx", [TINY]);
  const { rows } = positionOf(model)!;
  assert.equal(after(model, "left").anatomy.row, 0);
  assert.equal(after(model, "right", ".", "down", "left").anatomy.row, 2);
  const end = after(model, "end");
  assert.equal(end.anatomy.row, rows.length - 1);
  assert.equal(after(end, "right").anatomy.row, rows.length - 1);
  assert.equal(after(end, "home").anatomy.row, 0);
});

Deno.test("n and Tab walk through the classes, N and Shift-Tab back", () => {
  const model = opened("xen2mx", [TINY, LARGE, FIRST]);
  const visit = (...keys: string[]) => after(model, ...keys).anatomy.chosen;
  assert.deepEqual([visit("n"), visit("n", "tab"), visit("n", "n", "n"), visit("N"), visit("n", "S-tab")], [
    1,
    2,
    0,
    2,
    0,
  ]);
  assert.equal(after(model, "right", "right", "n").anatomy.row, 0);
});

Deno.test("playing goes on with wall time, moves the frame on the wire, and stops at the end", () => {
  const tick = { type: "tick", wallMs: 100 } as const;
  let model = after(opened("xen2mx", [TINY]), "space");
  const { latencyPs } = positionOf(model)!.message;
  const wires = new Set<string>();
  let last = 0;
  let ticks = 0;
  while (model.anatomy.playing) {
    model = after(model, tick);
    ticks++;
    assert.ok(model.anatomy.clockPs > last && ticks < 1000);
    last = model.anatomy.clockPs;
    assert.ok(present(model).atPs <= last);
    for (const line of toText(model)) if (line.includes("[TINY]")) wires.add(line);
  }
  assert.equal(last, latencyPs);
  assert.ok(wires.size >= 5, `${wires.size} places of the frame`);
  // Slowest at first; faster is fewer ticks; a step stops it.
  const fast = after(model, "space", "+", "+", tick);
  assert.ok(fast.anatomy.clockPs > after(model, "space", tick).anatomy.clockPs);
  assert.equal(after(fast, "right").anatomy.playing, false);
  // Other screens stand still.
  assert.equal(after(fast, "escape", tick).anatomy.clockPs, fast.anatomy.clockPs);
});

Deno.test("steps of one sort are one, or each by itself; beside the way or only it: the present step stays", () => {
  const model = after(opened("xen2mx", [TINY, LARGE]), "n");
  const { message, rows } = positionOf(model)!;
  assert.deepEqual(rows.flatMap(({ members }) => members).sort((x, y) => x - y), [...message.steps.keys()]);
  const folded = rows.filter((row) => isFolded(row) && /PULL_REPLY frame/.test(row.step.what));
  assert.ok(folded.some(({ members }) => members.length > 20));
  const there = at(model, /PULL_REPLY frame/);
  const each = after(there, "x");
  assert.equal(rowsOf(message, each.anatomy).length, message.steps.length);
  assert.equal(present(each), present(there));
  assert.equal(present(after(each, "x")), present(there));
  const way = after(there, "w");
  assert.ok(positionOf(way)!.rows.every(({ step }) => step.onWay));
  assert.ok(present(way).atPs <= present(there).atPs);
});

Deno.test("rings and grants at a step are what the steps until then have made of them", () => {
  const model = opened("xen2mx", [TINY, FIRST]);
  const before = sharedNow(positionOf(model)!, "from");
  assert.deepEqual(before.rings.map(({ ring, marks }) => [ring.name, marks.size]), [["command ring", 0], [
    "event ring",
    0,
  ]]);
  const pushed = sharedNow(positionOf(at(model, /published, SEND_TINY/))!, "from").rings[0];
  assert.deepEqual([pushed.used, [...pushed.marks.values()], pushed.isPresent], [1, ["request"], true]);
  const end = sharedNow(positionOf(after(model, "end"))!, "from");
  assert.deepEqual([...end.rings[0].marks.values()], ["response taken"]);
  assert.equal(end.suppressed, 2);
  const first = after(model, "n");
  const grown = sharedNow(positionOf(at(first, /^grant of 17/))!, "from").grants!;
  assert.equal(grown.active - recorded("xen2mx", FIRST).grants.from!.active, 17);
});

Deno.test("the mouse: a click goes to a row, on it again opens the box, the wheel steps", () => {
  const model = opened("xen2mx", [TINY]);
  const list = render(model).find(({ id }) => id === "anatomy-steps")!;
  const click = { type: "mouse", kind: "click", x: 10, y: list.y + 2 + 3 } as const;
  const clicked = after(model, click);
  assert.equal(clicked.anatomy.row, 3);
  assert.equal(after(clicked, click).anatomy.details, true);
  assert.equal(after(clicked, click, click).anatomy.details, false);
  assert.equal(after(model, { type: "mouse", kind: "wheeldown", x: 5, y: 5 }).anatomy.row, 1);
});

Deno.test("its regions tile every screen, and every line is as wide as its region", () => {
  const xen = at(after(opened("xen2mx", [TINY, LARGE]), "n"), /PULL_REPLY frame/);
  const native = opened("native", [TINY]);
  for (let columns = 40; columns <= 240; columns += 13) {
    for (let rows = 12; rows <= 70; rows += 5) {
      for (const model of [xen, native, opened("native", [])]) {
        const regions = render({ ...model, columns, rows });
        assert.equal(regions.reduce((sum, r) => sum + r.width * r.height, 0), columns * rows, `${columns}x${rows}`);
        for (const { id, width: wide, height, lines } of regions) {
          assert.equal(lines.length, height, `${id} at ${columns}x${rows}`);
          for (const line of lines) assert.equal(width(line), wide, `${id} at ${columns}x${rows}: ${plain(line)}`);
        }
      }
    }
  }
});

Deno.test("a device with many queues: the stack of boxes is complete, with the rings that are used", () => {
  const options = { ...OPTIONS, mechanisms: { netQueues: 4 } };
  const bridged = PATHS.find(({ name }) => name === "bridged")!;
  const many = recordClass(bridged, options, ANATOMY_SUBJECTS[TINY]);
  assert.equal(many.rings.length, 16);
  for (const [columns, rows] of SIZES.slice(1)) {
    const empty = opened("bridged", [], columns, rows);
    const model = after(empty, { type: "anatomy-class", asked: empty.anatomy.asked, made: many });
    const text = toText(at(model, /published, transmit request/)).join("\n");
    for (const title of ["vm02 program", "vm02 kernel", "Xen on b", "dom0 on b", "b NIC"]) {
      assert.ok(text.includes(` ${title} ─`) || text.includes(`▸${title} ─`), title);
    }
    assert.match(text, /netfront tx ring.*■/);
  }
});

Deno.test("what was recorded before something of the run was set is not what a message does now", () => {
  const model = after(opened("xen2mx", [TINY]), "a");
  assert.equal(model.mode, "normal");
  assert.equal(after(model, "a").anatomy.classes.length, 1, "kept");
  const live = structuredClone(model.live!);
  live.snapshot.machine.hash = "1111";
  const [again, effects] = update({ ...model, live }, { type: "key", key: "a" });
  assert.deepEqual(effects, [{ type: "anatomy", asked: 2, scenario: "pingpong-tiny", path: "xen2mx" }]);
  assert.equal(again.anatomy.classes.length, 0);
});
