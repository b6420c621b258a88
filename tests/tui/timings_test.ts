import assert from "node:assert/strict";
import { Timings } from "../../src/tui/drive/timings.ts";
import { toText } from "../../src/tui/screen.ts";
import { after, modelOf } from "./fake_model.ts";

Deno.test("shares are of CPU time, over a window of two seconds", () => {
  let wall = 0;
  let cpu = 0;
  const timings = new Timings(() => wall, () => cpu);
  timings.look(true);
  const work = (ms: number) => () => void (cpu += ms);
  assert.equal(timings.report(), "measuring");
  for (let i = 0; i < 20; i++) {
    timings.measure("draw", work(i === 7 ? 14 : 4));
    timings.measure("sample", work(2));
    timings.measure("engine", work(80));
    cpu += 5; // what nobody accounts for
    wall += 100;
  }
  const text = "draw 4.5 (14.0) ms x10.0/s 4.5 %  sample 2.0 %  engine 80.0 %  all 91.5 %";
  assert.equal(timings.report(), text);
  wall += 100;
  assert.equal(timings.report(), text, "until the next window is full");
});

Deno.test("what throws is booked too, and a driven run is the run", () => {
  let cpu = 0;
  const timings = new Timings(() => 0, () => cpu++);
  const asked = cpu;
  timings.measure("engine", () => {});
  assert.equal(cpu, asked, "nobody looks");
  timings.look(true);
  assert.throws(() => timings.measure("engine", () => assert.fail("broken")), /broken/);
  let advanced: [number, number] | null = null;
  const run = {
    now: 3,
    end: 9,
    finished: false,
    advance: (until: number, most: number) => (advanced = [until, most], true),
  };
  const paced = timings.paced(run);
  run.now = 4;
  assert.deepEqual([paced.now, paced.end, paced.finished, paced.advance(7, 100)], [4, 9, false, true]);
  assert.deepEqual(advanced, [7, 100]);
});

Deno.test("the command shows them in the header, at 80 columns too, and takes them away", () => {
  const text = "draw 4.5 (14.0) ms x10.0/s 4.5 %  sample 2.0 %  engine 80.0 %  all 91.5 %";
  const on = after(modelOf({ columns: 80, rows: 24 }), ":", ..."timings", "space", ..."on", "enter");
  const shown = after(on, { type: "timings", text });
  assert.ok(toText(shown)[1].endsWith(text), toText(shown)[1]);
  const off = after(shown, ":", ..."timings", "space", ..."off", "enter");
  assert.ok(!toText(after(off, { type: "timings", text }))[1].includes("draw"));
});
