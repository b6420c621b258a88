import assert from "node:assert/strict";
import type { Input } from "../../src/cluster/input.ts";
import { intoColumns } from "../../src/tui/columns.ts";
import { turnGrid } from "../../src/tui/ghost.ts";
import { compareTurns, forkOf, otherTurn, presentNumber, type Turn } from "../../src/tui/time.ts";
import { render, toText } from "../../src/tui/screen.ts";
import { plain } from "../../src/tui/text.ts";
import { Desk } from "./desk.ts";
import { matchSnapshot } from "../support/snapshot.ts";

const LOSS: Input = { kind: "fault", link: "a-b", loss: 0.05, forPs: 50e9 };
const CUT: Input = { kind: "fault", link: "a-b", cut: true, forPs: 1e9 };

/** Back to 1.5 s from 2.35 s, and loss there; then on to 2.1 s. */
async function forked(columns = 120, rows = 40): Promise<Desk> {
  const desk = new Desk(columns, rows);
  desk.runTo(2.35);
  desk.key("b", ..."1.5", "space", "s", "enter");
  await desk.settle();
  desk.sample();
  assert.equal(desk.run.apply(LOSS), null);
  desk.runTo(2.1);
  return desk;
}

function box(desk: Desk): string {
  const region = render(desk.model).find(({ id }) => id === "turns");
  return region === undefined ? "" : plain(region.lines.join("\n"));
}

Deno.test("both turns side by side, and the other one behind the charts", async (t) => {
  for (const [columns, rows] of [[80, 24], [120, 40], [200, 50]]) {
    const desk = await forked(columns, rows);
    desk.key("B");
    await matchSnapshot(t, import.meta, toText(desk.model).join("\n"));
  }
});

Deno.test("the chart of a small screen shows the other turn too", async (t) => {
  const desk = await forked(80, 24);
  desk.key("tab");
  await matchSnapshot(t, import.meta, toText(desk.model).join("\n"));
});

Deno.test("before anything differs the box says so, and the charts show what had been", async (t) => {
  const desk = new Desk(120, 40);
  desk.runTo(1.7);
  desk.run.apply(CUT);
  desk.runTo(2.35);
  desk.key("b", ..."1.5", "space", "s", "enter");
  await desk.settle();
  desk.key("B");
  await matchSnapshot(t, import.meta, toText(desk.model).join("\n"));
});

Deno.test("figures are those of the stretch from the fork to where the shorter turn ends", async () => {
  const desk = await forked();
  const { forkPs, stretches } = compareTurns(desk.model, otherTurn(desk.model)!);
  assert.equal(forkPs, 1.5e12);
  // The fake does not look where the other turn was looked at: the ends are those that both happen to have.
  const { other, present } = stretches!;
  assert.deepEqual([other.fromPs, other.toPs], [present.fromPs, present.toPs]);
  assert.deepEqual([present.fromPs, present.toPs], [1.5e12, 2.1e12]);
  // It makes everything 1.3 times slower.
  assert.ok(Math.abs(present.p50_us! / other.p50_us! - 1.3) < 0.01);
  assert.ok(present.messages < other.messages && other.retransmits === 0 && present.retransmits > 0);
});

Deno.test("runs part where their inputs do, not where one has merely come further", () => {
  const at = (atPs: number, input: Input) => ({ atPs, events: atPs, input });
  const turn = (endPs: number, ...inputs: Turn["inputs"]): Turn => ({
    number: 1,
    inputs,
    samples: [],
    intervals: [],
    endPs,
  });
  assert.equal(forkOf([], 50, turn(100)), null);
  assert.equal(forkOf([], 150, turn(100)), null);
  assert.equal(forkOf([at(30, LOSS)], 50, turn(100, at(30, LOSS), at(70, CUT))), null);
  assert.equal(forkOf([at(30, LOSS)], 80, turn(100, at(30, LOSS), at(70, CUT))), 70);
  assert.equal(forkOf([at(30, LOSS), at(40, CUT)], 40, turn(100, at(30, LOSS), at(70, CUT))), 40);
  assert.equal(forkOf([at(30, CUT)], 50, turn(100, at(30, LOSS))), 30);
  // Done after the other had ended: it went on from there.
  assert.equal(forkOf([at(120, LOSS)], 130, turn(100)), null);
});

Deno.test("turns are numbered in the order in which they were taken, and the oldest goes when there are too many", async () => {
  const desk = await forked();
  assert.equal(presentNumber(desk.model), 2);
  for (let turn = 3; turn <= 6; turn++) {
    desk.key("b", ..."1.6", "space", "s", "enter");
    await desk.settle();
    // Up to here it is the turn that was left: only what is done makes it another.
    assert.equal(presentNumber(desk.model), turn - 1);
    for (let i = 0; i < turn; i++) desk.run.apply(CUT);
    desk.runTo(1.8);
    assert.equal(presentNumber(desk.model), turn);
  }
  assert.deepEqual(desk.model.time.turns.map(({ number }) => number), [3, 4, 5]);
});

Deno.test("going back within a turn that is known adds none; going on past its end makes it longer", async () => {
  const desk = new Desk();
  desk.runTo(2);
  for (const to of ["1", "0.5"]) {
    desk.key("b", ...to, "space", "s", "enter");
    await desk.settle();
    assert.deepEqual(desk.model.time.turns.map(({ number, endPs }) => [number, endPs]), [[1, 2e12]]);
  }
  desk.runTo(2.5);
  desk.key("b", "1", "s", "enter");
  await desk.settle();
  assert.deepEqual(desk.model.time.turns.map(({ number, endPs }) => [number, endPs]), [[1, 2.5e12]]);
});

Deno.test("B: the box for each turn from the latest on, then nothing, then the box again", async () => {
  const desk = await forked();
  assert.equal(box(desk), "", "at first only the charts show it");
  desk.key("b", ..."1.6", "space", "s", "enter");
  await desk.settle();
  desk.run.apply(CUT);
  desk.runTo(1.9);
  desk.key("B");
  assert.match(box(desk), /Turns 2 and 3/);
  desk.key("B");
  assert.match(box(desk), /Turns 1 and 3/);
  desk.key("B");
  assert.equal(box(desk), "");
  assert.equal(otherTurn(desk.model), null);
  desk.key("B");
  assert.match(box(desk), /Turns 2 and 3/);
});

Deno.test("without another turn B says how to get one; a new run forgets those of the old", async () => {
  const fresh = new Desk();
  fresh.key("B");
  assert.match(fresh.notice, /go back with , or b/);
  const desk = await forked();
  const { run } = desk;
  desk.receive({ type: "opened", scenario: "x", path: null, live: run.live(), nowPs: 0, endPs: 1 });
  assert.deepEqual(desk.model.time.turns, []);
});

Deno.test("the header says which turn it is, and how far the way back is", async () => {
  const desk = await forked();
  assert.match(toText(desk.model)[0], /turn 2 {3}PAUSED$/);
  desk.receive({ type: "travelling", travel: { kind: "back", progress: 0.437, leftMs: 2600 } });
  assert.match(toText(desk.model)[0], /turn 2 {3}REWINDING 43 %, 3 s left$/);
  desk.receive({ type: "travelling", travel: { kind: "message", progress: 0, leftMs: null } });
  assert.match(toText(desk.model)[0], /turn 2 {3}STEPPING$/);
});

Deno.test("both are in sight on the charts: the present is not pushed out by a long other turn", async () => {
  for (const back of ["0.2", "1", "2.3"]) {
    const desk = new Desk(120, 40);
    desk.runTo(2.35);
    desk.key("b", ...back, "space", "s", "enter");
    await desk.settle();
    const { grid, ghost } = turnGrid(desk.model, 40, true);
    const present = intoColumns(desk.model.live!.samples, grid, (sample) => sample.throughput_MBps);
    const behind = intoColumns(ghost, grid, (sample) => sample.throughput_MBps);
    assert.ok(grid.count <= 40 && behind.length === present.length);
    const shown = (values: readonly (number | null)[]) => values.filter((value) => value !== null).length;
    assert.ok(shown(present) >= 6, back);
    assert.ok(shown(behind) >= 1, back);
    assert.ok(present[0] !== null && behind.at(-1) !== null, back);
  }
});
