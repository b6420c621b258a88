import assert from "node:assert/strict";
import { MS, SECOND } from "../../src/base/units.ts";
import type { FaultSpec } from "../../src/cluster/scenario.ts";
import { FaultPlayer } from "../../src/cluster/faults.ts";
import { Session } from "../../src/cluster/session.ts";
import { run, scenario, totals } from "../support/scenario.ts";

const fault = (atMs: number, forMs: number | null, what: Partial<FaultSpec>): FaultSpec => ({
  atPs: atMs * MS,
  forPs: forMs === null ? null : forMs * MS,
  link: "a-b",
  loss: 0,
  delayPs: 0,
  cut: false,
  ...what,
});

/** What the link suffers just after each of these milliseconds. */
function suffered(faults: FaultSpec[], loss: number, ...atMs: number[]) {
  const session = new Session(scenario({
    workload: { kind: "noisy" },
    durationPs: 100 * MS,
    loss,
    faults,
  }));
  const [link] = session.cluster.links;
  return atMs.map((at) => {
    session.advance(at * MS + 1);
    return { loss: link.loss, delayMs: link.extraDelayPs / MS, cut: link.cut };
  });
}

Deno.test("a link is cut until the last of two overlapping cuts is over", () => {
  const states = suffered([fault(10, 20, { cut: true }), fault(20, 20, { cut: true })], 0, 5, 15, 25, 35, 45);
  assert.deepEqual(states.map(({ cut }) => cut), [false, true, true, true, false]);
});

Deno.test("losses that overlap add up, to certainty at most, and leave exactly the link's own", () => {
  const faults = [fault(10, 30, { loss: 0.1 }), fault(20, 10, { loss: 0.2 }), fault(25, 2, { loss: 0.9 })];
  const states = suffered(faults, 0.3, 5, 15, 22, 26, 28, 35, 50);
  const rounded = states.map(({ loss }) => Math.round(loss * 1e6) / 1e6);
  assert.deepEqual(rounded, [0.3, 0.4, 0.6, 1, 0.6, 0.4, 0.3]);
  assert.equal(states.at(-1)!.loss, 0.3, "without a residue of the arithmetic");
});

Deno.test("a fault that is called off before it begins is not told of", () => {
  const { cluster } = new Session(scenario({ workload: { kind: "noisy" }, durationPs: 100 * MS }));
  const notes: string[] = [];
  const player = new FaultPlayer(cluster, [fault(10, 20, { cut: true })], 0, (text) => notes.push(text));
  player.replan([fault(0, null, { loss: 0.1 })]);
  cluster.world.engine.run(1 * MS);
  player.replan([]);
  cluster.world.engine.run(50 * MS);
  assert.deepEqual(notes, ["link a-b: 10 % of frames lost", "link a-b: no fault any more"]);
});

Deno.test("delays add up, and a fault without an end stays", () => {
  const states = suffered([fault(10, null, { delayPs: MS }), fault(20, 10, { delayPs: 2 * MS })], 0, 15, 25, 35, 90);
  assert.deepEqual(states.map(({ delayMs }) => delayMs), [1, 3, 1, 1]);
});

Deno.test("packet_loss counts: what is sent again in as many frames is lost again for ever; link.loss is by chance", () => {
  const workload = { kind: "stream", size: 12_000, messages: 6, outstanding: 1 };
  const counted = run({ workload, packetLoss: { medium_frag: 2 }, durationPs: 4 * SECOND });
  assert.equal(totals(counted).messages, 0, "a message is two fragments, of which the second is lost each time");
  assert.ok(counted.retransmits(0) >= 6, `${counted.retransmits(0)}`);
  const byChance = run({ workload, loss: 0.4 });
  const { messages, integrityErrors, lost, duplicated } = totals(byChance);
  assert.deepEqual([messages, integrityErrors, lost, duplicated], [6, 0, 0, 0]);
  assert.ok(byChance.retransmits(0) > 0);
});
