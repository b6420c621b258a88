import assert from "node:assert/strict";
import {
  allCases,
  caseName,
  caseScenario,
  GUESTS,
  isChosen,
  MTUS,
  SIZES,
  stretchOf,
} from "../../bench/cluster/cases.ts";
import { medians } from "../../bench/cluster/mod.ts";
import { type CaseResult, runCase } from "../../bench/cluster/run_case.ts";
import { caseLine } from "../../bench/table.ts";
import { loadChecked } from "../../src/cli/catalogue.ts";
import { PATHS } from "../../src/path/registry.ts";

const CASE = { path: "xen2mx", mtu: 1500, size: "32KiB", guests: 2 } as const;
const STRETCH = { warmupMs: 2, measuredMs: 3 };

function resultOf(outcome: Awaited<ReturnType<typeof runCase>>): CaseResult {
  assert.ok("result" in outcome);
  return outcome.result;
}

Deno.test("a whole run counts what it has done, and does the same again", async () => {
  const first = resultOf(await runCase(CASE, STRETCH));
  const again = resultOf(await runCase(CASE, STRETCH));
  for (const name of ["hash", "events", "frames", "messages", "virtualMs", "copiedPerByte", "arenaMB"] as const) {
    assert.equal(again[name], first[name], name);
  }
  assert.equal(first.virtualMs, STRETCH.measuredMs);
  assert.ok(first.laterRealtime > 0 && first.laterRealtime !== first.realtime);
  // 3 ms at the wire's 1.2 GB/s would be 110 messages; each is 22 frames and a few more.
  assert.ok(first.messages > 40 && first.messages < 115, `${first.messages} messages`);
  assert.ok(first.frames > 20 * first.messages, `${first.frames} frames`);
  // Into the send queue, into the frame's place, into the receive queue, to the user, and the event slots.
  assert.ok(first.copiedPerByte! > 3.5 && first.copiedPerByte! < 4.5, `${first.copiedPerByte} copies`);
  assert.ok(Math.abs(first.comparedPerByte! - 1) < 1e-9, "every byte is checked once");
  assert.ok(first.firstMessageMs! >= first.firstFrameMs && first.allocatedPerEvent > 0);
  const ratio = first.framesPerS / first.framesPerCpuS;
  assert.ok(Math.abs(ratio - first.cpuS / first.wallS) < 1e-9);
  assert.notEqual(resultOf(await runCase({ ...CASE, size: "16B" }, STRETCH)).hash, first.hash);
});

Deno.test("what the program refuses is skipped, with its reason", async () => {
  const outcome = await runCase({ ...CASE, guests: 5000 }, STRETCH);
  assert.ok("skipped" in outcome);
  assert.match(caseLine(CASE, outcome), /^xen2mx mtu1500 32KiB guests2 +skipped: bench\.yaml:\d+:\d+: .* wanted/);
});

Deno.test("the matrix has every path, MTU, size and number of guests once, and each is a scenario", () => {
  const cases = allCases();
  const count = PATHS.length * MTUS.length * Object.keys(SIZES).length * GUESTS.length;
  assert.equal(new Set(cases.map(caseName)).size, count);
  assert.equal(cases.length, count);
  const chosen = cases.filter(isChosen);
  for (const { name } of PATHS) assert.ok(chosen.some(({ path, guests }) => path === name && guests === 40), name);
  for (const run of cases.filter(({ guests, path }) => guests <= 40 && path === "virtio")) {
    const { guests, warmupPs } = loadChecked(caseScenario(run, stretchOf(run)), "bench.yaml", []);
    assert.equal(guests.length, run.guests);
    assert.equal(warmupPs, Math.round(stretchOf(run).warmupMs * 1e9));
  }
});

Deno.test("the most guests of Xen2MX that are measured unless more is asked for can open their endpoints", async () => {
  const many = allCases().filter((run) => isChosen(run) && run.path === "xen2mx" && run.guests === Math.max(...GUESTS));
  assert.equal(many.length, 1);
  // All are open by then: what would not fit is refused before.
  assert.ok(!("skipped" in await runCase(many[0], { warmupMs: 0.3, measuredMs: 0.05 })));
});

Deno.test("medians of rounds; work that has another hash is an error", async () => {
  const result = resultOf(await runCase(CASE, { warmupMs: 1, measuredMs: 1 }));
  const rounds = [5, 1, 3].map((cpuS) => ({ ...result, cpuS }));
  assert.deepEqual(medians(rounds), { ...result, cpuS: 3 });
  assert.throws(() => medians([result, { ...result, hash: "other" }]), /two hashes/);
});
