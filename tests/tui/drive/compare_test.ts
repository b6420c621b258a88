import assert from "node:assert/strict";
import { ProgramFault } from "../../../src/base/assert.ts";
import type { Input } from "../../../src/cluster/input.ts";
import { NO_COMPARISON } from "../../../src/tui/compare/state.ts";
import { CompareDrive } from "../../../src/tui/drive/compare.ts";
import type { DashboardRun } from "../../../src/tui/run.ts";
import { fakeOptions } from "../fake_run.ts";

const MS = 1e9;
const DONE = { isDone: true, problem: null };
const STALL: Input = { kind: "stall", host: "a", forPs: MS };

/** Runs of the fake, those of some paths after a while only, and what became of them. */
class Runs {
  readonly opened: string[] = [];
  readonly runs = new Map<string, DashboardRun>();
  readonly errors: unknown[] = [];
  readonly #fake = fakeOptions("scale-40-vms");

  drive(...chosen: string[]): CompareDrive {
    return new CompareDrive(this.state(...chosen), "scale-40-vms", this.open, (error) => this.errors.push(error));
  }

  state(...chosen: string[]) {
    return { ...NO_COMPARISON, open: true, chosen };
  }

  readonly open = async (path: string): Promise<DashboardRun> => {
    this.opened.push(path);
    await Promise.resolve();
    const run = this.#fake.open("scale-40-vms", { path });
    this.runs.set(path, run);
    return run;
  };
}

/** Until `condition` holds; the event loop goes on meanwhile. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    assert.ok(turn < 1000, "it never came");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const allThere = (drive: CompareDrive) => !drive.look().some(({ state }) => state === "opening");

Deno.test("runs are built one at a time, and time begins when all are there; one that cannot run says why", async () => {
  const runs = new Runs();
  const drive = runs.drive("native", "emulated", "bridged");
  assert.deepEqual(runs.opened, [], "not at once: keys come first");
  assert.deepEqual(drive.look().map(({ state }) => state), ["opening", "opening", "opening"]);
  await until(() => runs.opened.length === 2);
  drive.group.advance(5 * MS, Infinity);
  assert.equal(drive.group.now, 0);
  await until(() => allThere(drive));
  drive.group.advance(5 * MS, Infinity);
  const [native, emulated, bridged] = drive.look();
  assert.deepEqual([native.state, emulated.state, bridged.state], ["on time", "refused", "on time"]);
  assert.match(emulated.problem!, /cannot run on the path "emulated"/);
  assert.equal(emulated.summary, null);
  assert.equal(native.summary!.virtual_ns, 5e6);
  assert.deepEqual(runs.errors, []);
  drive.close();
});

Deno.test("a path taken up later catches up while the clock stands, and has done to it what the others had", async () => {
  const runs = new Runs();
  const drive = runs.drive("native");
  await until(() => allThere(drive));
  drive.group.advance(10 * MS, Infinity);
  assert.deepEqual(drive.apply(STALL), DONE);
  drive.group.advance(20 * MS, Infinity);
  assert.ok(drive.follow(runs.state("native", "bridged"), "scale-40-vms", true));
  await until(() => allThere(drive));
  assert.deepEqual(drive.look().map(({ state }) => state), ["on time", "late"]);
  assert.match(drive.apply(STALL).problem!, /not all paths are on time/);
  drive.group.advance(30 * MS, 5);
  assert.equal(drive.group.now, 20 * MS);
  drive.group.advance(30 * MS, Infinity);
  assert.deepEqual(drive.look().map(({ state, progress }) => [state, progress]), [["on time", 1], ["on time", 1]]);
  assert.deepEqual(runs.runs.get("bridged")!.inputs.map(({ atPs, input }) => [atPs, input]), [[10 * MS, STALL]]);
  drive.close();
});

Deno.test("an input goes to all runs at the same instant; what one refuses is said", async () => {
  const runs = new Runs();
  const drive = runs.drive("native", "xen2mx", "bridged");
  await until(() => allThere(drive));
  drive.group.advance(1000 * MS, 100);
  assert.deepEqual(drive.apply(STALL), DONE);
  const times = [...runs.runs.values()].map((run) => run.inputs[0].atPs);
  assert.equal(new Set(times).size, 1);
  assert.match(
    drive.apply({ ...STALL, host: "nowhere" }).problem!,
    /^native: no host nowhere.*; xen2mx: .*; bridged: /,
  );
  assert.match(drive.apply({ kind: "set", assignments: ["path=iov"] }).problem!, /paths are what is compared/);
  drive.close();
});

Deno.test("a change is told to be impossible when no run would take it", async () => {
  const runs = new Runs();
  const drive = runs.drive("native", "bridged");
  await until(() => allThere(drive));
  const change = (text: string): Input => ({ kind: "set", assignments: [text] });
  assert.equal(drive.check(change("hosts[0].dom0_vcpus=5")), null);
  assert.equal(
    drive.check(change("hosts[0].dom0_vcpus=0")),
    "native: --set hosts[0].dom0_vcpus: wanted 1 to 24; bridged: --set hosts[0].dom0_vcpus: wanted 1 to 24",
  );
  assert.match(drive.check(change("path=native"))!, /paths are what is compared/);
  runs.runs.get("native")!.check = () => null;
  assert.equal(drive.check(change("hosts[0].dom0_vcpus=0")), null);
});

Deno.test("what goes on is told and ended by the comparison's own numbers, whatever each run has refused", async () => {
  const runs = new Runs();
  const drive = runs.drive("native", "xen2mx");
  await until(() => allThere(drive));
  drive.group.advance(10 * MS, Infinity);
  const [native, xen2mx] = ["native", "xen2mx"].map((path) => runs.runs.get(path)!);
  const { apply } = native;
  native.apply = (input) => input.kind === "stall" ? "there is no back end" : apply.call(native, input);
  const LOSS: Input = { kind: "fault", link: "a-b", loss: 0.1, forPs: null };
  assert.deepEqual(drive.apply(STALL), { isDone: true, problem: "native: there is no back end" });
  assert.deepEqual(drive.apply(LOSS), DONE);
  const { inputs, lasting, settings } = drive.world;
  assert.deepEqual([inputs.map(({ input }) => input), lasting], [[STALL, LOSS], [1, 2]]);
  assert.ok(settings.some(({ key }) => key === "guests") && !settings.some(({ key }) => key === "path"));
  assert.deepEqual(drive.apply({ kind: "end", input: 2 }), DONE);
  assert.deepEqual([native, xen2mx].map((run) => run.inputs.at(-1)!.input), [
    { kind: "end", input: 1 },
    { kind: "end", input: 2 },
  ]);
  // A stall that one never had need not be ended there.
  assert.deepEqual(drive.apply({ kind: "end", input: 1 }), DONE);
  assert.deepEqual([native, xen2mx].map((run) => run.inputs.length), [2, 4]);
  drive.close();
});

Deno.test("a step is a millisecond of all, steps add up, and going on ends them", async () => {
  const runs = new Runs();
  const drive = runs.drive("native", "bridged");
  const state = runs.state("native", "bridged");
  await until(() => allThere(drive));
  drive.group.advance(3 * MS, Infinity);
  drive.step();
  drive.step();
  await until(() => drive.group.now === 5 * MS);
  assert.ok(drive.follow(state, "scale-40-vms", false));
  assert.deepEqual([...runs.runs.values()].map(({ now }) => now), [5 * MS, 5 * MS]);
  drive.step();
  drive.follow(state, "scale-40-vms", true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(drive.group.now <= 6 * MS);
  drive.close();
});

Deno.test("a path that is left out is gone; another scenario, round or the end is another comparison", async () => {
  const runs = new Runs();
  const drive = runs.drive("native", "bridged");
  await until(() => allThere(drive));
  assert.ok(drive.follow(runs.state("bridged"), "scale-40-vms", true));
  assert.deepEqual(drive.look().map(({ path }) => path), ["bridged"]);
  drive.group.advance(5 * MS, Infinity);
  await until(() => runs.runs.get("native")!.gone);
  assert.equal(runs.runs.get("native")!.now, 0);
  const state = runs.state("bridged");
  assert.equal(drive.follow(state, "intra-node", true), false);
  assert.equal(drive.follow({ ...state, round: 1 }, "scale-40-vms", true), false);
  assert.equal(drive.follow({ ...state, open: false }, "scale-40-vms", true), false);
  assert.deepEqual([...runs.runs.values()].map(({ gone }) => gone), [true, false], "its memory is given back");
  drive.close();
  await until(() => runs.runs.get("bridged")!.gone);
});

Deno.test("a run that was left out while it was being built does not join", async () => {
  const runs = new Runs();
  const drive = runs.drive("native", "bridged");
  await until(() => runs.opened.length === 1);
  drive.follow(runs.state("bridged"), "scale-40-vms", true);
  await until(() => allThere(drive));
  drive.group.advance(5 * MS, Infinity);
  assert.equal(runs.runs.get("native")!.now, 0);
  assert.deepEqual(drive.look().map(({ path, state }) => [path, state]), [["bridged", "on time"]]);
  drive.close();
});

Deno.test("points of the charts are added when time went on, and their number is bounded", async () => {
  const runs = new Runs();
  const drive = runs.drive("native");
  await until(() => allThere(drive));
  for (let at = 1; at <= 700; at++) {
    drive.group.advance(at * 10 * MS, Infinity);
    drive.look();
    drive.look();
  }
  const [{ points }] = drive.look();
  assert.equal(points.length, 600);
  assert.equal(points.at(-1)!.at_ns, 7000 * 1e6);
  drive.close();
});

Deno.test("a fault of ours while a run is built is no reason of its path", async () => {
  const errors: unknown[] = [];
  const fault = new ProgramFault("it cannot be");
  const state = new Runs().state("native");
  const drive = new CompareDrive(state, "scale-40-vms", () => Promise.reject(fault), (error) => errors.push(error));
  await until(() => errors.length > 0);
  assert.deepEqual([errors, drive.look()[0].problem], [[fault], null]);
});
