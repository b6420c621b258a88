import assert from "node:assert/strict";
import { Exporter, type ReportFiles } from "../../src/tui/drive/export.ts";
import type { Model } from "../../src/tui/model.ts";
import type { ExportAbility } from "../../src/tui/modes/export.ts";
import type { DashboardRun, Recorder } from "../../src/tui/run.ts";
import { render, toText } from "../../src/tui/screen.ts";
import { plain } from "../../src/tui/text.ts";
import { update } from "../../src/tui/update.ts";
import type { Effect } from "../../src/tui/message.ts";
import { after, modelOf } from "./fake_model.ts";
import { fakeOptions } from "./fake_run.ts";
import { matchSnapshot } from "../support/snapshot.ts";

const small = modelOf({ columns: 80, rows: 24 });
/** The menu, when everything can be done or all but this. */
function menu(model = small, but: Partial<ExportAbility> = {}): Model {
  const ability: ExportAbility = { files: null, kinds: {}, directory: "./reports/", ...but };
  return after(model, "e", { type: "export-ability", ability });
}

const enter = (model: Model, key = "enter") => update(model, { type: "key", key });

type Export = Extract<Effect, { type: "export" }>;

/** The one effect, which is an export. */
function exported([, effects]: ReturnType<typeof update>): Export {
  assert.equal(effects.length, 1);
  assert.equal(effects[0].type, "export");
  return effects[0] as Export;
}

Deno.test("the menu asks what can be done, and dims what cannot, with the reason", async (t) => {
  assert.deepEqual(update(small, { type: "key", key: "e" })[1], [{ type: "export-look" }]);
  const box = (model: Model) =>
    render(model).find(({ id }) => id === "export")!.lines.map((line) => plain(line)).join("\n");
  const kinds = { log: "this run has no log of inputs" };
  const missing = "writing files needs: deno run --allow-write=reports main.ts";
  await matchSnapshot(t, import.meta, box(menu(small, { kinds })));
  await matchSnapshot(t, import.meta, box(menu(small, { files: missing })));
});

Deno.test("letters, digits and Enter choose; the screen is exported without the menu over it", () => {
  const text = exported(enter(menu(), "t"));
  assert.equal(text.kind, "text");
  assert.equal(text.screen, toText(small).join("\n") + "\n");
  assert.equal(exported(enter(menu(), "2")).kind, "json");
  assert.equal(exported(enter(after(menu(), "down", "down", "down"))).kind, "capture");
  assert.equal(enter(menu(), "t")[0].mode, "normal");
});

Deno.test("a recording is as long as left and right say, and that is remembered", () => {
  const longer = enter(after(menu(), "right", "right"), "c");
  assert.deepEqual([exported(longer).kind, exported(longer).forPs], ["capture", 50e9]);
  assert.equal(exported(enter(menu(longer[0]), "r")).forPs, 50e9);
  assert.equal(exported(enter(after(menu(), ...Array(9).fill("left")), "r")).forPs, 1e9);
});

Deno.test("what cannot be done says why and stays", () => {
  const [model, effects] = enter(menu(small, { kinds: { log: "no log" } }), "l");
  assert.deepEqual([model.mode, model.notice?.text, effects.length], ["export", "log: no log", 0]);
  assert.equal(enter(menu(), "escape")[0].mode, "normal");
});

/** Files in memory. */
function memoryFiles(missing: string | null = null) {
  const written = new Map<string, string>();
  const files: ReportFiles = {
    directory: "./reports/",
    missing: () => missing,
    create(name) {
      let text = "";
      const decoder = new TextDecoder();
      return {
        path: `reports/${name}`,
        write: (part) => void (text += typeof part === "string" ? part : decoder.decode(part)),
        close: () => void written.set(name, text),
        discard: () => {},
      };
    },
  };
  return { written, files };
}

function setUp(missing: string | null = null, change: Partial<DashboardRun> = {}) {
  const { written, files } = memoryFiles(missing);
  const said: string[] = [];
  const exporter = new Exporter(files, (level, text) => said.push(`${level} ${text}`));
  const run: DashboardRun = Object.assign(fakeOptions("scale-40-vms").open("scale-40-vms", {}), change);
  return { written, said, exporter, run };
}

const effect = (kind: Export["kind"]): Export => ({ type: "export", kind, forPs: 10e9, screen: "a screen\n" });

Deno.test("text, JSON and the log go to files with scenario, path and time in their names", () => {
  const { written, said, exporter, run } = setUp(null, { inputLog: () => "a log\n" });
  for (const ms of [10, 20]) {
    run.advance(ms * 1e9, Infinity);
    run.live();
  }
  for (const kind of ["text", "json", "log"] as const) exporter.begin(effect(kind), small, run);
  assert.deepEqual([...written.keys()], [
    "scale-40-vms-xen2mx-2.300000s.txt",
    "scale-40-vms-xen2mx-2.300000s.json",
    "scale-40-vms-xen2mx-2.300000s.log",
  ]);
  const [text, json, log] = [...written.values()];
  assert.deepEqual([text, log], ["a screen\n", "a log\n"]);
  const { scenario, series, wall } = JSON.parse(json);
  assert.equal(scenario.name, "scale-40-vms");
  assert.ok(wall !== undefined);
  assert.deepEqual(series.map(({ to_ns }: { to_ns: number }) => to_ns), [10e6, 20e6]);
  assert.equal(said[0], "info wrote reports/scale-40-vms-xen2mx-2.300000s.txt: the screen as text");
});

Deno.test("without the permission nothing is written, and it is said which one is missing", () => {
  const { written, said, exporter, run } = setUp("writing files needs: deno run --allow-write=reports main.ts");
  exporter.begin(effect("text"), small, run);
  assert.equal(written.size, 0);
  assert.deepEqual(said, ["warn text: writing files needs: deno run --allow-write=reports main.ts"]);
});

Deno.test("a run without a log or recordings says so", () => {
  const { exporter, run } = setUp();
  const { kinds } = exporter.ability(run);
  assert.match(kinds.log!, /no log/);
  assert.match(kinds.capture!, /cannot be recorded/);
});

/** A recorder that is done when the test says so. */
function fakeRecorder() {
  const state = { done: false, finished: 0 };
  const recorder: Recorder = {
    get done() {
      return state.done;
    },
    finish() {
      state.finished++;
      return { parts: ["part one, ", "part two"], note: "12 frames" };
    },
  };
  return { state, recorder };
}

Deno.test("a recording is written when its time has come; one at a time", () => {
  const { state, recorder } = fakeRecorder();
  const { written, said, exporter, run } = setUp(null, { record: () => recorder });
  exporter.begin(effect("capture"), small, run);
  exporter.tick(run);
  assert.equal(written.size, 0);
  assert.match(exporter.ability(run).kinds.trace!, /a capture goes on until 0.010 000 s/);
  state.done = true;
  exporter.tick(run);
  assert.deepEqual([...written], [["scale-40-vms-xen2mx-2.300000s.pcapng", "part one, part two"]]);
  assert.match(said.at(-1)!, /12 frames$/);
});

Deno.test("a recording of a run that is left, and one at the end of the session, is written too", () => {
  for (const end of ["another run", "close"]) {
    const { state, recorder } = fakeRecorder();
    const { written, exporter, run } = setUp(null, { record: () => recorder });
    exporter.begin(effect("trace"), small, run);
    if (end === "close") exporter.close();
    else exporter.tick(fakeOptions("scale-40-vms").open("scale-40-vms", {}));
    assert.deepEqual([written.size, state.finished], [1, 1], end);
  }
});

Deno.test("a file that cannot be made, or written to its end, is an error in the notice line", () => {
  const said: string[] = [];
  let discarded = 0;
  const broken = (create: ReportFiles["create"]): ReportFiles => ({ directory: "", missing: () => null, create });
  const { run } = setUp();
  const say = (level: string, text: string) => said.push(`${level} ${text}`);
  const cannot = () => {
    throw new Error("no space left\nat the disk");
  };
  new Exporter(broken(cannot), say).begin(effect("text"), small, run);
  const file = { path: "reports/x.txt", write: cannot, close: () => {}, discard: () => void discarded++ };
  new Exporter(broken(() => file), say).begin(effect("text"), small, run);
  assert.deepEqual(said, ["error no space left", "error reports/x.txt: no space left"]);
  assert.equal(discarded, 1);
});
