import assert from "node:assert/strict";
import { MS, SECOND } from "../../src/base/units.ts";
import { GRANT, STAGES } from "../../src/metrics/stage.ts";
import { integrityErrors, type Options, run, SIZES, totalBytes } from "./bridged_support.ts";

const MAP = { netbackMap: true };

for (const mtu of [9000, 1500]) {
  for (const pairs of ["cross-host", "same-host"]) {
    Deno.test(`grant map: every size arrives intact both ways, ${pairs}, MTU ${mtu}, and nothing stays mapped`, () => {
      const options: Options = {
        workload: { kind: "pingpong", sizes: SIZES, iterations: 3, warmup_iterations: 1, pairs },
        hosts: pairs === "cross-host" ? 2 : 1,
        mtu,
        mechanisms: MAP,
      };
      const ran = run(options);
      assert.ok(ran.finished && ran.now < ran.end, "the programs have ended");
      assert.equal(integrityErrors(ran), 0);
      for (const { meter } of ran.cluster.guests) assert.equal(meter.messages, SIZES.length * 3);
      const { fingerprint } = ran;
      assert.deepEqual(ran.drain(), []);
      for (const { port } of ran.cluster.guests) assert.equal(port.figures().grants!.mapped, 2, "the rings");
      assert.equal(ran.cluster.world.frames.used, 0);
      assert.equal(run(options).fingerprint, fingerprint);
    });
  }
}

Deno.test("grant map: frames that are lost or dropped give their pages back as well", () => {
  const ran = run({
    workload: { kind: "stream", size: "32 KiB", outstanding: 4, direction: "both-ways" },
    loss: 0.01,
    durationPs: 1 * SECOND,
    mechanisms: MAP,
  });
  assert.ok(ran.retransmits(0) + ran.retransmits(1) > 0);
  assert.equal(integrityErrors(ran), 0);
  assert.deepEqual(ran.drain(), []);
});

Deno.test("grant map: 40 guests on two hosts stream at once, and dom0 maps nothing afterwards", () => {
  const ran = run({
    workload: { kind: "stream", size: "64 KiB", outstanding: 4 },
    guests: 40,
    warmupPs: 5 * MS,
    durationPs: 5 * MS,
    mechanisms: MAP,
  });
  assert.equal(integrityErrors(ran), 0);
  assert.ok(totalBytes(ran) > 2e6);
  assert.deepEqual(ran.drain(), []);
});

Deno.test("grant map: a page costs what its mapping does, whatever lies in it, so full pages get cheaper", () => {
  assert.equal(STAGES[GRANT], "grant");
  const grant = (size: number, netbackMap: boolean) => {
    const ran = run({
      workload: { kind: "pingpong", sizes: [size], iterations: 50, warmup_iterations: 5 },
      native: true,
      mechanisms: { netbackMap },
    });
    const { journeys } = ran.cluster.world;
    assert.equal(journeys.sums.reduce((sum, stage) => sum + stage, 0), journeys.total);
    return journeys.sums[GRANT] / journeys.finished / 1000;
  };
  // One page, half of the messages: 435 ns instead of 400 ns and 0.3 ns for each byte of the frame.
  const tiny = grant(8, true) - grant(8, false);
  assert.ok(tiny > 0 && tiny < 20, `${tiny} ns more for a tiny message`);
  const saved = grant(8192, false) - grant(8192, true);
  assert.ok(saved > 800, `${saved} ns less for 8 KiB`);
});
