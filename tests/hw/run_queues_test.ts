import assert from "node:assert/strict";
import { PhysicalCpu } from "../../src/hw/cpu.ts";
import type { Processor } from "../../src/hw/processor.ts";
import { Engine } from "../../src/sim/engine.ts";
import { Entity, HostLoad, ScheduledCpu } from "../../src/hw/run_queues.ts";

const load = new HostLoad();

function cpu(index = 0): ScheduledCpu {
  return new ScheduledCpu(index, new PhysicalCpu(new Engine(), index), load);
}

/** A VCPU of which only the queues know. */
function vcpu(index: number, on: ScheduledCpu): Entity {
  return new Entity(index, {} as Processor, 256, null, on, false);
}

Deno.test("who moves to another CPU is as far ahead on its clock as on its own", () => {
  const [here, other] = [cpu(0), cpu(1)];
  const [mover, stays, there] = [vcpu(0, here), vcpu(1, here), vcpu(2, other)];
  here.insert(stays);
  stays.ran(0, 256);
  // The first CPU has a long past, and the one that is to move has run 30 more there than the other.
  mover.ran(1030, 256);
  here.remove(stays);
  stays.ran(1000, 256);
  there.ran(70, 256);
  other.insert(there);
  other.insert(mover);
  assert.equal(mover.vruntime - there.vruntime, 30);
  assert.equal(other.least(), there);
});

Deno.test("a sleeper comes back with its credit and no more, and one that has run lately with what it has", () => {
  const one = cpu();
  const [runs, sleeper] = [vcpu(0, one), vcpu(1, one)];
  runs.ran(10_000, 256);
  sleeper.placeAfterSleep(400);
  assert.equal(sleeper.vruntime, 9600);
  sleeper.ran(300, 256);
  sleeper.placeAfterSleep(400);
  assert.equal(sleeper.vruntime, 9900);
});

Deno.test("a CPU's clock never goes back", () => {
  const one = cpu();
  const [first, second] = [vcpu(0, one), vcpu(1, one)];
  first.ran(1000, 256);
  second.ran(10, 256); // far behind: it has not been placed by a wake
  second.placeAfterSleep(0);
  assert.equal(second.vruntime, 1000);
});

Deno.test("who leaves a queue leaves the others in their order", () => {
  const one = cpu();
  const entities = [0, 1, 2, 3].map((index) => vcpu(index, one));
  for (const entity of entities) one.insert(entity);
  one.remove(entities[1]);
  assert.deepEqual(one.queue.map(({ index }) => index), [0, 2, 3]);
  one.remove(entities[3]);
  assert.deepEqual(one.queue.map(({ index }) => index), [0, 2]);
  assert.equal(one.count, 2);
});
