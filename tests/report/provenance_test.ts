import assert from "node:assert/strict";
import { hash64 } from "../../src/base/hash.ts";
import { openScenario, overridesOf } from "../../src/cli/catalogue.ts";
import { Session } from "../../src/cluster/session.ts";
import { MACHINES } from "../../src/hw/profiles/registry.ts";
import { csvRecords } from "../../src/report/csv.ts";
import {
  machineStamp,
  provenanceEntries,
  provenanceMarkdown,
  provenanceOf,
  sessionProvenance,
  sweepProvenance,
} from "../../src/report/provenance.ts";
import { sweepMarkdown } from "../../src/report/sweep/render.ts";
import { sweepOf, type SweepRun } from "../../src/report/sweep/sweep.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { sample } from "./sample.ts";

const MADE = { command: "mxtop run pingpong-tiny", version: "1.2.3" };

function shortRun(set: string[]) {
  const options = overridesOf({ set: ["workload.iterations=2", "workload.sizes=[16 B]", ...set] });
  const session = new Session(openScenario("pingpong-tiny", options));
  while (!session.finished) session.advance(session.end);
  const snapshot = takeSnapshot(session, { ...MADE, wallMs: 0, partial: false });
  const beside = sessionProvenance(session, MADE);
  session.release();
  return { snapshot, beside };
}

Deno.test("provenance: a result and what is written beside it say the same, and a changed cost shows in each", () => {
  const [plain, changed] = [shortRun([]), shortRun(["costs.hypercall=999"])];
  for (const { snapshot, beside } of [plain, changed]) assert.deepEqual(provenanceOf(snapshot), beside);
  assert.deepEqual(plain.beside.machines, [machineStamp(MACHINES[0])]);
  assert.equal(changed.beside.machines[0].profile, "vhpc12");
  assert.notEqual(changed.beside.machines[0].hash, plain.beside.machines[0].hash);
  for (const record of csvRecords(changed.snapshot)) {
    assert.deepEqual(record.slice(-2), [changed.beside.machines[0].hash, MADE.command]);
  }
});

Deno.test("provenance: by name, without what there is none of", () => {
  assert.deepEqual(provenanceEntries(provenanceOf(sample())).map(([name]) => name), [
    ...["version", "command", "scenario", "scenario_hash", "seed", "machine", "machine_hash", "fingerprint"],
  ]);
  const own = { ...MADE, scenario: null, machines: [], fingerprint: null };
  assert.deepEqual(provenanceEntries(own), [["version", "1.2.3"], ["command", "mxtop run pingpong-tiny"]]);
});

Deno.test("provenance: a command with marks of its own stays one piece of code", () => {
  const line = (command: string) =>
    provenanceMarkdown({ ...MADE, command, scenario: null, machines: [], fingerprint: null });
  assert.equal(line("mxtop run 'a|b*'"), "Made by mxtop 1.2.3: `mxtop run 'a|b*'`\n");
  assert.equal(line("mxtop run 'x``y'"), "Made by mxtop 1.2.3: ``` mxtop run 'x``y' ```\n");
  assert.equal(line("mxtop run 'x\ny'"), "Made by mxtop 1.2.3: `mxtop run 'x y'`\n");
});

Deno.test("provenance: of many runs, hashes that change when any of theirs does", () => {
  const run = (seed: number, hash: string, machine = { profile: "vhpc12", hash: "m" }): SweepRun => {
    const { wall: _, ...result } = sample();
    return { over: { seed }, result: { ...result, scenario: { ...result.scenario, seed, hash }, machine } };
  };
  const of = (runs: SweepRun[]) => {
    const tool = { name: "mxtop" as const, version: "1" };
    const head = { tool, command: "mxtop sweep", scenario: { name: "x", title: "" }, over: [] };
    return sweepOf({ ...head, over: [{ key: "seed", values: [] }] }, runs, runs.length, false);
  };
  const stamp = (runs: SweepRun[]) => sweepProvenance(of(runs));
  assert.deepEqual(stamp([run(1, "h"), run(1, "h")]).scenario, { name: "x", hash: "h", seed: "1" });
  assert.deepEqual(stamp([run(1, "a"), run(2, "b")]).scenario, { name: "x", hash: hash64("a b"), seed: "1 2" });
  assert.deepEqual(stamp([1, 2, 3, 4, 5].map((seed) => run(seed, "h"))).scenario!.seed, "1 2 3 and 2 others");
  const other = { profile: "jss14", hash: "j" };
  const changed = { profile: "vhpc12", hash: "n" };
  assert.deepEqual(stamp([run(1, "a"), run(1, "b", other), run(1, "c", changed)]).machines, [
    { profile: "vhpc12", hash: hash64("m n") },
    other,
  ]);
  assert.deepEqual(stamp([]).machines, []);
  assert.match(
    sweepMarkdown(of([run(1, "h")])),
    /\n\nMade by mxtop 1: `mxtop sweep`, scenario x \(hash h, seed 1\), machine vhpc12 \(hash m\)\n$/,
  );
});
