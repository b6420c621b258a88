import assert from "node:assert/strict";
import { NS, PAGE_SIZE } from "../../../src/base/units.ts";
import { COST_NAMES } from "../../../src/hw/machine_profile.ts";
import { RESULT_OK } from "../../../src/mx/driver/contract.ts";
import type { Wait } from "../../../src/hw/thread.ts";
import { Raw } from "./raw.ts";
import { Stage } from "./support.ts";

/* What the guest itself pays for commands: one cost at a time, all others are nothing. */

const FREE = { ...Object.fromEntries(COST_NAMES.map((name) => [name, 0])), threadSlice: 3000, txModerationUs: 0 };
const PAGES = 40;

/** Nanoseconds that each step of a region's life takes, where only `costs` are not free. */
function lifeOfRegion(path: string, costs: Record<string, number>) {
  const stage = new Stage({ path, hosts: 1, guests: 1, costs: { ...FREE, ...costs } });
  const raw = new Raw(stage, stage.actors[0]);
  const took = { create: 0, destroy: 0, again: 0, close: 0 };
  const cpu = raw.actor.guest.site.processor;
  function* timed(what: keyof typeof took, step: Generator<Wait, number | void>): Generator<Wait, void> {
    const before = cpu.now;
    const result = yield* step;
    assert.equal(result ?? RESULT_OK, RESULT_OK, what);
    took[what] = (cpu.now - before) / NS;
  }
  raw.play(function* () {
    yield* raw.open(0, 11);
    const buffer = [{ address: raw.actor.alloc(PAGES * PAGE_SIZE), length: PAGES * PAGE_SIZE }];
    yield* timed("create", raw.create(0, buffer));
    yield* timed("destroy", raw.destroy(0));
    yield* timed("again", raw.create(0, buffer));
    yield* timed("close", raw.close());
  });
  stage.run();
  stage.nothingLeft();
  return took;
}

Deno.test("the guest lets go of a region's pages when it has taken their grants back (reference, 4.5)", () => {
  const costs = { unpinPage: 1000 };
  const all = PAGES * costs.unpinPage;
  assert.deepEqual(lifeOfRegion("xen2mx-plain", costs), { create: 0, destroy: all, again: 0, close: all });
  // Kept for reuse they stay pinned until the endpoint is closed.
  assert.deepEqual(lifeOfRegion("xen2mx", costs), { create: 0, destroy: 0, again: 0, close: all });
});

Deno.test("the guest pays for seeing dom0's answer where it spins on the ring, once for each", () => {
  const costs = { pollPickup: 1000 };
  assert.deepEqual(lifeOfRegion("xen2mx", costs), { create: 1000, destroy: 1000, again: 1000, close: 1000 });
  assert.deepEqual(lifeOfRegion("xen2mx-plain", costs), { create: 0, destroy: 0, again: 0, close: 0 });
});
