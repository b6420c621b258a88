import assert from "node:assert/strict";
import { ProgramFault } from "../../../src/base/assert.ts";
import { Opener } from "../../../src/tui/drive/open.ts";
import type { DashboardOptions } from "../../../src/tui/options.ts";
import { fakeOptions, type FakeRun } from "../fake_run.ts";

const { open } = fakeOptions("pingpong-tiny");

/** An opener and what it tells the dashboard, a line for each call. */
function opening(from: DashboardOptions["open"] = open): { opener: Opener; told: string[] } {
  const told: string[] = [];
  const opener = new Opener({ open: from }, {
    attach: (run, scenario, path) => told.push(`${scenario} on ${path}, ${run.end / 1e12} s`),
    apply: (message) => told.push("text" in message ? `${message.type}: ${message.text}` : message.type),
    draw: () => told.push("draw"),
    fail: (error) => told.push(`fail: ${error}`),
  });
  return { opener, told };
}

/** Until timers and promises that are due have been served. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("a run is opened after the picture that says so; of several orders in a row the last one counts", async () => {
  const { opener, told } = opening();
  opener.open("intra-node", null);
  opener.open("scale-40-vms", "native");
  assert.deepEqual(told.splice(0), [
    "notice: opening intra-node ...",
    "notice: opening scale-40-vms on native ...",
  ]);
  await settle();
  assert.deepEqual(told, ["scale-40-vms on native, 60 s", "draw"]);
});

Deno.test("a run that takes its time does not take the place of one that was asked for later", async () => {
  let arrive = () => {};
  const late: FakeRun[] = [];
  const { opener, told } = opening((name, overrides) => {
    const run = open(name, overrides);
    if (name !== "intra-node") return run;
    late.push(run);
    return new Promise((resolve) => arrive = () => resolve(run));
  });
  opener.open("intra-node", null);
  await settle();
  opener.open("pingpong-tiny", null);
  await settle();
  told.length = 0;
  arrive();
  await settle();
  assert.deepEqual(told, []);
  assert.ok(late[0].gone, "its memory is given back");
  opener.open("intra-node", null);
  await settle();
  arrive();
  await settle();
  assert.deepEqual(told.slice(-2), ["intra-node on null, 3 s", "draw"]);
  assert.ok(!late[1].gone);
});

Deno.test("a run that cannot be built says why, now or later; after the end nothing appears", async () => {
  const message = 'failed: there is no scenario "none"';
  const { opener, told } = opening();
  opener.open("none", null);
  await settle();
  assert.deepEqual(told.slice(1), [message, "draw"]);
  const late = opening((name, overrides) => Promise.resolve().then(() => open(name, overrides)));
  late.opener.open("none", null);
  await settle();
  assert.ok(late.told.includes(message));
  late.told.length = 0;
  late.opener.open("intra-node", null);
  late.opener.stop();
  await settle();
  assert.deepEqual(late.told, ["notice: opening intra-node ..."]);
});

Deno.test("a fault of ours is no scenario that cannot be built: the dashboard ends", async () => {
  const fault = new ProgramFault("it cannot be");
  const opens: DashboardOptions["open"][] = [
    () => {
      throw fault;
    },
    () => Promise.reject(fault),
  ];
  for (const from of opens) {
    const { opener, told } = opening(from);
    opener.open("intra-node", null);
    await settle();
    assert.ok(told.includes("fail: ProgramFault: it cannot be") && !told.some((line) => line.startsWith("failed")));
  }
});
