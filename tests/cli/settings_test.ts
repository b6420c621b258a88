import assert from "node:assert/strict";
import { openScenario } from "../../src/cli/catalogue.ts";
import { openRun } from "../../src/cli/dash.ts";
import { openRunInput } from "../../src/cli/run_input.ts";
import { BUILT_IN } from "../../src/cli/scenarios.ts";
import { settingsOf } from "../../src/cli/settings.ts";
import { parseSet } from "../../src/cluster/scenario_file.ts";
import type { Input } from "../../src/cluster/input.ts";

/** What the menu offers of a built-in scenario, by key; "" is the path's own. */
function offered(name: string, ...set: string[]): Map<string, string> {
  const settings = settingsOf(openScenario(name, set.map(parseSet)), []);
  return new Map(settings.map(({ key, value }) => [key, value]));
}

Deno.test("every value that the menu shows of a built-in scenario is taken, and changes nothing", () => {
  for (const { name } of BUILT_IN) {
    const before = openScenario(name);
    // As a whole: each by itself would take minutes, and a refusal names its key all the same.
    const shown = [...offered(name)].filter(([, value]) => value !== "").map(([key, value]) => `${key}=${value}`);
    const after = openScenario(name, shown.map(parseSet));
    assert.deepEqual(after.workload, before.workload, name);
    assert.deepEqual(after.link, before.link, name);
    assert.deepEqual(after.guests.map(({ host, path }) => [host, path]), before.guests.map((g) => [g.host, g.path]));
    for (const [i, { dom0Vcpus, ...host }] of after.hosts.entries()) {
      const { dom0Vcpus: was, ...other } = before.hosts[i];
      assert.deepEqual(host, other, name);
      assert.ok(was === null || was === dom0Vcpus, name);
    }
  }
});

Deno.test("times, rates and sizes of a workload are shown as they are written", () => {
  const requests = offered("request-reply", "workload.service=25 us");
  assert.deepEqual(["rate", "service", "reply"].map((name) => requests.get(`workload.${name}`)), [
    "4 k/s",
    "25 us",
    "1 KiB",
  ]);
  assert.equal(offered("all-reduce").get("workload.flop_time"), "1 ns");
  assert.equal(offered("pingpong-tiny", "workload.sizes=[16 B, 2 KiB]").get("workload.sizes"), "[16 B, 2 KiB]");
});

Deno.test("VCPUs of dom0 are offered of hosts that have a dom0", () => {
  const dom0s = (...set: string[]) =>
    [...offered("stream-both-ways", ...set).keys()].filter((key) => key.startsWith("hosts"));
  assert.deepEqual(dom0s(), ["hosts[0].dom0_vcpus", "hosts[1].dom0_vcpus"]);
  for (const path of ["virtio", "native"]) assert.deepEqual(dom0s(`path=${path}`), [], path);
});

Deno.test("a run says what it would refuse, and takes what it would not", async () => {
  const run = await openRun(await openRunInput("stream-both-ways", {}));
  const vcpus = (value: string): Input => ({ kind: "set", assignments: [`hosts[0].dom0_vcpus=${value}`] });
  assert.match(run.check!(vcpus("0"))!, /^--set hosts\[0\]\.dom0_vcpus: found 0, wanted 1 to 1024$/);
  assert.equal(run.check!(vcpus("5")), null);
  assert.deepEqual(run.inputs, []);
  assert.equal(run.apply(vcpus("5")), null);
  assert.equal(run.settings!().find(({ key }) => key === "hosts[0].dom0_vcpus")?.value, "5");
  assert.match(run.check!({ kind: "set", assignments: ["link.loss=a b c"] })!, /^--set link\.loss: found "a b c"/);
  run.release();
});
