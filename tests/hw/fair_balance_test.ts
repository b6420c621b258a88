import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../src/base/units.ts";
import { BALANCE_PS, MIGRATION_COST_PS } from "../../src/hw/fair_balance.ts";
import { type Process, type Thread, WAIT_BLOCK } from "../../src/hw/thread.ts";
import { hog, near } from "../support/scheduling.ts";
import { Host, share, threadSlice } from "./fair_support.ts";

Deno.test("who has run lately brings no credit to another CPU, however long one has had that for itself", () => {
  const host = new Host(2);
  const alone = host.vcpu(256, [1]);
  const mover = host.vcpu();
  const rivals = [host.vcpu(256, [0]), host.vcpu(256, [0])];
  let [wokenAt, late] = [0, -1];
  const thread: Thread = host.start(
    mover,
    (function* (): Process {
      yield SECOND;
      wokenAt = mover.now + 100 * US;
      host.at(wokenAt, () => thread.notify());
      yield WAIT_BLOCK;
      late = mover.now - wokenAt;
    })(),
  );
  host.start(alone, hog());
  for (const rival of rivals) host.start(rival, hog(), 900 * MS); // so that the other CPU is the less loaded one
  host.engine.run(2 * SECOND);
  assert.equal(host.scheduler.counters.migrations, 1);
  assert.ok(late >= threadSlice, `${late / US} us late: it waits until the other one has run more`);
});

Deno.test("pinned VCPUs stay, others take the idle CPU", () => {
  const host = new Host(2);
  const first = host.vcpu(256, [0]);
  const second = host.vcpu(256, [0]);
  const free = host.vcpu();
  for (const vcpu of [first, second, free]) host.start(vcpu, hog());
  host.engine.run(SECOND);
  near(share(first, SECOND), 0.5, 0.02, "first");
  near(share(second, SECOND), 0.5, 0.02, "second");
  near(share(free, SECOND), 1, 0.001, "free");
});

Deno.test("CPUs that are all busy even their loads out", () => {
  const equal = new Host(2);
  for (let i = 0; i < 3; i++) equal.start(equal.vcpu(), hog());
  equal.engine.run(4 * SECOND);
  for (const vcpu of equal.vcpus) near(share(vcpu, 4 * SECOND), 2 / 3, 0.12, vcpu.name);

  const weighted = new Host(2);
  const [first, second, heavy] = [weighted.vcpu(), weighted.vcpu(), weighted.vcpu(2048)];
  for (const vcpu of [first, second, heavy]) weighted.start(vcpu, hog());
  weighted.engine.run(2 * SECOND);
  near(share(heavy, 2 * SECOND), 1, 0.02, "heavy: the others stay together");
  near(share(first, 2 * SECOND), 0.5, 0.05, "first");
});

Deno.test("an idle CPU takes a VCPU that waits elsewhere, within a tick", () => {
  const host = new Host(2);
  const free = host.vcpu();
  const pinned = host.vcpu(256, [1]);
  host.start(free, hog());
  host.engine.run(1 * MS);
  assert.equal(free.physical?.index, 1, "VCPUs start away from the first CPU");
  host.start(pinned, hog(), 2 * MS);
  host.engine.run(2 * MS + 2 * threadSlice + BALANCE_PS + MIGRATION_COST_PS);
  assert.equal(free.physical?.index, 0);
  assert.equal(pinned.physical?.index, 1);
  assert.equal(host.scheduler.counters.pulls, 1);
});

Deno.test("an idle CPU leaves a VCPU alone that ran elsewhere a moment ago, until the next tick", () => {
  const host = new Host(2);
  const free = host.vcpu();
  const pinned = host.vcpu(256, [1]);
  host.start(free, hog());
  const tick = 5 * BALANCE_PS;
  host.start(pinned, hog(), tick - MIGRATION_COST_PS / 2); // gets in at once, as it has slept
  host.engine.run(tick + 1 * MS);
  assert.deepEqual([pinned.physical?.index, free.physical], [1, null]);
  host.engine.run(tick + BALANCE_PS + 1 * MS);
  assert.equal(free.physical?.index, 0);
});
