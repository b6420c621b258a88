import assert from "node:assert/strict";
import { openScenario } from "../../src/cli/catalogue.ts";
import { BUILT_IN } from "../../src/cli/scenarios.ts";
import { Session } from "../../src/cluster/session.ts";
import { LiveView } from "../../src/report/live.ts";
import { MS } from "../../src/base/units.ts";
import { initialModel, type Model, PANES, SPEEDS } from "../../src/tui/model.ts";
import { TOUR_PANES, TOUR_SPEEDS, type TourStep } from "../../src/cluster/tour.ts";
import { toText } from "../../src/tui/screen.ts";
import { width } from "../../src/tui/text.ts";
import { update } from "../../src/tui/update.ts";
import type { Effect } from "../../src/tui/message.ts";
import { after, modelOf } from "./fake_model.ts";
import { untilTestEnds } from "../support/scenario.ts";
import { matchSnapshot } from "../support/snapshot.ts";

const STEPS: readonly TourStep[] = [
  { atPs: 0, title: "Begin", text: "It is {totals.messages} at first", speed: 0.01 },
  {
    atPs: 500 * MS,
    title: "Ask",
    text: "p50 is {latency_us.p50}",
    ask: "Why?",
    answer: "{guests[vm01].cpu.user}",
    look: "stages",
  },
  { atPs: 0, title: "Press", text: "Look at the paths", press: "z" },
  { atPs: 100 * MS, title: "Elsewhere", text: "on another path", path: "native" },
];

/** A model with the tour, as it is right after the run has been opened. */
function begun(seconds = 0): Model {
  const model = modelOf({ columns: 100, rows: 32, seconds: 0 });
  const opened = after({ ...model, scenario: "" }, {
    type: "opened",
    scenario: "scale-40-vms",
    path: null,
    live: model.live!,
    nowPs: seconds * 1e12,
    endPs: 60e12,
    tour: STEPS,
  });
  return opened;
}

const frame = (model: Model, ms: number) =>
  after(model, { type: "frame", live: null, nowPs: ms * MS, finished: false, pace: 1 });

Deno.test("a caption stops the run; the tour's key goes on at the step's speed until the next one's time", () => {
  const model = begun();
  assert.deepEqual([model.tour?.shown, model.running, SPEEDS[model.speed]], [true, false, 0.01]);
  assert.match(toText(model).join("\n"), /Begin .* 1 of 4/);
  const going = after(model, "t");
  assert.deepEqual([going.tour?.shown, going.running], [false, true]);
  const early = frame(going, 400);
  assert.deepEqual([early.tour?.shown, early.running], [false, true]);
  assert.match(after(early, "t").notice!.text, /goes on at 500 ms/);
  const there = frame(after(early, "t"), 501);
  assert.equal(there.notice, null, "when it goes on is past");
  assert.deepEqual([there.tour?.shown, there.running, there.pane], [true, false, "stages"]);
});

Deno.test("a question has its answer by the next press; figures are those of the moment", () => {
  const asked = frame(after(begun(), "t"), 501);
  assert.match(asked.tour!.text, /^p50 is (-|\d+)/);
  assert.ok(!toText(asked).join("\n").includes(asked.tour!.answer));
  const answered = after(asked, "t");
  assert.deepEqual([answered.tour!.index, answered.tour!.answered], [1, true]);
  assert.ok(toText(answered).join("\n").includes(answered.tour!.answer));
});

Deno.test("a key that the caption asks for does what it does, and goes on", () => {
  const model = after(frame(after(begun(), "t"), 501), "t", "t");
  assert.equal(model.tour!.index, 2);
  const [pressed, effects] = update(model, { type: "key", key: "z" });
  assert.deepEqual([pressed.zoomed, pressed.tour!.index, pressed.tour!.shown], [true, 3, false]);
  assert.deepEqual(effects, [{ type: "open", scenario: "scale-40-vms", path: "native" }] satisfies Effect[]);
  // The run of the path before is still there: its time does not count.
  assert.equal(frame(pressed, 900).tour!.shown, false);
});

Deno.test("a path that the user opens puts the tour away, whose captions are of another; its key goes back to it", () => {
  const on = (model: Model, path: string) => {
    const live = structuredClone(model.live!);
    live.snapshot.scenario.path = path;
    const opened = { type: "opened", scenario: model.scenario, path, live, nowPs: 0, endPs: 60e12 } as const;
    return after(model, { ...opened, tour: STEPS });
  };
  const own = begun().live!.snapshot.scenario.path;
  const there = frame(after(begun(), "t"), 501);
  const left = on(there, "bridged");
  assert.deepEqual([left.tour!.hidden, left.tour!.index, SPEEDS[left.speed]], [true, 1, 1]);
  assert.equal(left.notice!.text, `the tour is of the path ${own}, and put away: t goes back to it`);
  assert.doesNotMatch(toText(left).join(""), /2 of 4/);
  assert.equal(on(left, "native").tour!.hidden, true, "and stays away");
  const [back, effects] = update(left, { type: "key", key: "t" });
  assert.deepEqual(effects, [{ type: "open", scenario: "scale-40-vms", path: own }]);
  assert.equal(frame(back, 600).tour!.shown, false, "a run on the other path");
  const again = frame(on(back, own), 600);
  assert.deepEqual([again.tour!.index, again.tour!.shown, again.tour!.hidden], [1, true, false]);
  // A cluster whose path is set is another one as well; the tour's own changes are not the user's.
  const live = structuredClone(there.live!);
  live.snapshot.scenario.path = "bridged";
  const set = after(there, { type: "frame", live, nowPs: 502 * MS, finished: false, pace: 1 });
  assert.match(set.notice!.text, /put away/);
  const last = { ...there, tour: { ...there.tour!, index: 3, shown: false } };
  assert.deepEqual([on(last, "native").tour!.hidden, frame(on(last, "native"), 200).tour!.shown], [false, true]);
});

Deno.test("where a caption has no room the line above the footer says that the run waits for its reader", () => {
  const small = { ...begun(), columns: 40, rows: 10 };
  assert.match(toText(small)[8], /^ a tour: captions need 16 rows; t, Esc$/);
  assert.doesNotMatch(toText({ ...small, rows: 16 }).join(""), /captions need/);
  assert.doesNotMatch(toText(after(small, "escape"))[8], /captions need/);
  assert.doesNotMatch(toText(after(small, "t"))[8], /captions need/);
});

Deno.test("Escape puts a tour away, its key brings it back; at the end it says so and can begin again", () => {
  const away = after(begun(), "escape");
  assert.deepEqual([away.tour!.hidden, toText(away).join("").includes("Begin")], [true, false]);
  assert.ok(toText(after(away, "t")).join("").includes("Begin"));
  const last = { ...begun(), tour: { ...begun().tour!, index: 3, shown: true } };
  const ended = after(last, "t");
  assert.match(ended.notice!.text, /that was the tour/);
  assert.equal(after(ended, "t").tour!.index, 0);
});

Deno.test("where there is no tour its key offers those that there are", () => {
  const scenarios = ["pingpong-tiny", "tour-xen2mx", "tour-40-vms"].map((name, i) => ({
    name,
    title: "",
    number: i + 1,
  }));
  const asked = after({ ...modelOf({ columns: 100, rows: 32 }), scenarios }, "t");
  assert.deepEqual([asked.mode, asked.palette.text], ["palette", "open tour-"]);
  const shown = toText(asked).join("\n");
  assert.ok(shown.includes("open tour-xen2mx") && shown.includes("open tour-40-vms") && !shown.includes("pingpong"));
});

Deno.test("another scenario brings its own tour; the same one on another path keeps it", () => {
  const model = frame(after(begun(), "t"), 501);
  const open = (scenario: string, tour?: readonly TourStep[]) =>
    after(model, { type: "opened", scenario, path: null, live: model.live!, nowPs: 0, endPs: 60e12, tour });
  assert.equal(open("scale-40-vms", STEPS).tour!.index, 1);
  assert.equal(open("another").tour, null);
});

Deno.test("panes and speeds that a tour can name are the dashboard's", () => {
  for (const speed of TOUR_SPEEDS) assert.ok(SPEEDS.includes(speed));
  for (const pane of PANES) assert.ok(TOUR_PANES.includes(pane as typeof TOUR_PANES[number]), pane);
});

/** Every caption of a tour as a reader meets it, on real runs, a look at the run every 10 ms. */
function walk(name: string): string[] {
  const open = (path: string | null) => {
    const overrides = path === null ? [] : [{ option: "--path", path: ["path"], value: path }];
    const session = untilTestEnds(new Session(openScenario(name, overrides), { endless: true }));
    return { session, view: new LiveView(session, { command: "", version: "0" }) };
  };
  let run = open(null);
  const said: string[] = [];
  let model = initialModel({
    ...{ version: "0", scenarios: [], paths: [], initial: name, theme: "monochrome", columns: 120, rows: 40 },
  });
  const opened = (path: string | null) =>
    model = after(model, {
      type: "opened",
      scenario: name,
      path,
      live: run.view.live(),
      nowPs: run.session.now,
      endPs: run.session.end,
      tour: run.session.scenario.tour,
    });
  opened(null);
  for (let turns = 0; turns < 200 && model.tour!.index < model.tour!.steps.length; turns++) {
    if (!model.tour!.shown) {
      const stepMs = model.tour!.steps[model.tour!.index].atPs < 10 * MS ? 1 : 10;
      run.session.advance(run.session.now + stepMs * MS);
      model = after(model, {
        ...{ type: "frame", live: run.view.live(), nowPs: run.session.now, finished: false, pace: 1 },
      });
      continue;
    }
    const { tour } = model;
    const { title } = tour!.steps[tour!.index];
    if (!tour!.answered || tour!.ask === "") said.push("", `${title}`, tour!.text);
    if (tour!.ask !== "") said.push(tour!.answered ? tour!.answer : `? ${tour!.ask}`);
    const [next, effects] = update(model, { type: "key", key: "t" });
    model = next;
    for (const effect of effects) {
      if (effect.type !== "open") continue;
      run = open(effect.path);
      opened(effect.path);
    }
  }
  assert.equal(model.tour!.index, model.tour!.steps.length, "came to its end");
  return said;
}

for (const { name } of BUILT_IN.filter(({ text }) => /^tour:/m.test(text))) {
  Deno.test(`the captions of ${name}, with the figures that its runs give`, async (t) => {
    const said = walk(name);
    assert.ok(said.every((line) => !/[{}]/.test(line) && !/ - us/.test(line)), "every figure is there");
    await matchSnapshot(t, import.meta, said.join("\n"));
  });
}

Deno.test("a caption of wide characters is wrapped by columns, and its frame stays whole", () => {
  const text =
    "メッセージが往復するのにかかる時間です。これは長い文章なので、画面の幅を超えて折り返される必要があります。";
  const model = modelOf({ columns: 100, rows: 32, seconds: 0 });
  const shown = after({ ...model, scenario: "" }, {
    type: "opened",
    scenario: "scale-40-vms",
    path: null,
    live: model.live!,
    nowPs: 0,
    endPs: 60e12,
    tour: [{ atPs: 0, title: "往復の時間", text }],
  });
  const screen = toText(shown);
  const at = screen.findIndex((line) => line.includes("往復の時間"));
  const [top, ...caption] = screen.slice(at, at + 4);
  assert.deepEqual([top, ...caption].map(width), [100, 100, 100, 100]);
  assert.match(top, /1 of 1 ─┐$/);
  assert.equal(caption.slice(0, 2).map((line) => line.replace(/[│ ]/g, "")).join(""), text);
});

Deno.test("the slow motion of a tour ends with it; a speed that was chosen meanwhile stays", () => {
  const other = (model: Model) =>
    after(model, { type: "opened", scenario: "x", path: null, live: model.live!, nowPs: 0, endPs: 60e12 });
  const model = begun();
  assert.equal(SPEEDS[model.speed], 0.01);
  assert.equal(SPEEDS[other(model).speed], 1);
  assert.equal(SPEEDS[other(after(model, "-")).speed], 0.001);
  const last = { ...model, tour: { ...model.tour!, index: STEPS.length - 1 } };
  const ended = after(last, "t");
  assert.match(ended.notice!.text, /that was the tour/);
  assert.equal(SPEEDS[ended.speed], 1);
  // Begun again, it is slow again.
  assert.equal(SPEEDS[after(ended, "t").speed], 0.01);
});
