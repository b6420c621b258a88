import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../src/base/units.ts";
import { HOLD_ALL, HOLD_NOTHING, type Processor } from "../../src/hw/processor.ts";
import { LIBRARY, STEAL, USER } from "../../src/metrics/stage.ts";
import { hog, near, total } from "../support/scheduling.ts";
import { COSTS, Host, type VcpuOptions } from "./support.ts";

/** Picoseconds that a processor has run, in user mode. */
function ran(host: Host, processor: Processor): number {
  processor.settle();
  assert.ok(host.engine.now > 0);
  return processor.time[USER];
}

function hogs(cpus: number, vcpus: VcpuOptions[], until: number): { host: Host; shares: number[] } {
  const host = new Host(cpus);
  for (const options of vcpus) host.start(host.vcpu(options), hog());
  host.engine.run(until);
  return { host, shares: host.processors.map((processor) => ran(host, processor) / until) };
}

Deno.test("two hogs share one CPU half and half", () => {
  const { host, shares } = hogs(1, [{}, {}], SECOND);
  near(shares[0], 0.5, 0.02, "first");
  near(shares[1], 0.5, 0.02, "second");
  for (const processor of host.processors) assert.equal(total(processor), SECOND);
  assert.ok(host.cpus[0].busy <= SECOND);
  assert.ok(host.cpus[0].busy > SECOND - 50 * US, "nothing but switches is lost");
});

Deno.test("weights 256 and 512 give shares of one and two thirds", () => {
  const { shares } = hogs(1, [{ weight: 256 }, { weight: 512 }], 3 * SECOND);
  near(shares[0], 1 / 3, 0.03, "light");
  near(shares[1], 2 / 3, 0.03, "heavy");
});

Deno.test("three hogs on two CPUs get two thirds each, because a CPU without urgent work steals", () => {
  const { host, shares } = hogs(2, [{}, {}, {}], 3 * SECOND);
  for (const share of shares) near(share, 2 / 3, 0.05, "share");
  assert.ok(host.scheduler.counters.steals > 0);
});

Deno.test("a share that a heavy VCPU cannot use goes to the others by weight, whoever was made first", () => {
  for (const weights of [[4096, 256, 512, 512], [256, 512, 4096, 512], [512, 512, 256, 4096]]) {
    const { shares } = hogs(2, weights.map((weight) => ({ weight })), 6 * SECOND);
    for (const [i, weight] of weights.entries()) near(shares[i], Math.min(1, weight / 1280), 0.06, `${weights}`);
  }
});

Deno.test("a share that a pinned VCPU cannot use goes to the others", () => {
  // Two are pinned to CPU 0 and get half of it each; the third has CPU 1 to itself.
  const { shares } = hogs(2, [{ pin: [0] }, { pin: [0] }, { pin: [1] }], SECOND);
  near(shares[0], 0.5, 0.03, "first");
  near(shares[1], 0.5, 0.03, "second");
  near(shares[2], 1, 0.001, "third");
});

Deno.test("waking costs idle exit and a switch from the idle VCPU, even to the one that ran last", () => {
  const host = new Host(1);
  const late: number[] = [];
  const sleeper = (processor: Processor, at: number) =>
    host.burst(processor, at, (cpu) => {
      late.push(cpu.now - at);
      cpu.charge(LIBRARY, USER, 1 * US);
    });
  const first = host.vcpu();
  const second = host.vcpu();
  sleeper(first, 10 * US); // nobody ran here before
  sleeper(first, 50 * US); // the one that ran last
  sleeper(second, 90 * US); // another one
  sleeper(first, 130 * US); // and back
  host.engine.run(200 * US);
  const { idleExit, vcpuSwitch } = COSTS;
  assert.deepEqual(late, [1, 2, 3, 4].map(() => idleExit + vcpuSwitch));
  assert.equal(host.scheduler.counters.switches, 4);
  assert.equal(host.cpus[0].busy, 4 * US + 4 * vcpuSwitch);
});

Deno.test("a woken VCPU takes its last CPU if idle, else the next idle one, and is stolen from a busy one", () => {
  const host = new Host(2);
  const a = host.vcpu();
  const b = host.vcpu(); // starts on CPU 1
  const c = host.vcpu(); // starts on CPU 0 again
  const place: Record<string, number> = {};
  const work = (name: string, processor: Processor, at: number, length: number) =>
    host.burst(processor, at, (cpu) => {
      place[name] = cpu.physical!.index;
      cpu.charge(LIBRARY, USER, length);
    });
  work("a", a, 10 * US, 100 * US);
  work("c", c, 20 * US, 100 * US); // CPU 0 is busy
  work("b", b, 30 * US, 10 * US); // both are: waits for its CPU 1 until CPU 0 is free first
  host.engine.run(1 * MS);
  assert.deepEqual(place, { a: 0, c: 1, b: 0 });
  assert.equal(host.scheduler.counters.steals, 1);
});

Deno.test("who is pushed off goes on at once where a CPU is idle", () => {
  const host = new Host(2);
  const free = host.vcpu();
  host.start(free, hog());
  const pinned = host.vcpu({ pin: [0] });
  host.start(pinned, hog(), 15 * MS); // the other one has lost its boost
  host.engine.run(40 * MS);
  assert.equal(free.physical?.index, 1);
  assert.equal(pinned.physical?.index, 0);
  // Its own start, when the CPU had not slept yet, and the push to one that had.
  assert.equal(free.time[STEAL], COSTS.vcpuSwitch + COSTS.idleExit + COSTS.vcpuSwitch);
});

Deno.test("a CPU that has only just run out of work is not asleep", () => {
  const host = new Host(1);
  const second = host.vcpu();
  let late = -1;
  const wake = host.engine.handler("wake", () => {
    const now = host.engine.now;
    host.burst(second, now, (cpu) => late = cpu.now - now);
  });
  const after = host.engine.handler("after the burst", () => host.engine.after(0, wake));
  host.burst(host.vcpu(), 10 * US, (cpu) => {
    cpu.charge(LIBRARY, USER, 1 * US);
    cpu.post(after);
  });
  host.engine.run(1 * MS);
  assert.equal(late, COSTS.vcpuSwitch);
});

Deno.test("ticks stop when nothing runs or earns", () => {
  const host = new Host(1);
  host.burst(host.vcpu(), 5 * MS, (cpu) => cpu.charge(LIBRARY, USER, 20 * US));
  host.engine.run(10 * SECOND);
  assert.equal(host.engine.pending, 0);
  assert.ok(host.engine.events < 20);
});

Deno.test("a journey knows how long its VCPU waited for a CPU", () => {
  const host = new Host(1);
  host.start(host.vcpu(), hog());
  const io = host.vcpu();
  host.at(50 * MS, () => {
    const journey = host.journeys.begin(host.engine.now);
    host.burst(io, host.engine.now, (cpu) => {
      cpu.carry(journey, LIBRARY);
      host.journeys.finish(journey, cpu.now);
    });
  });
  host.engine.run(60 * MS);
  assert.equal(host.journeys.finished, 1);
  assert.equal(host.journeys.sums[5], COSTS.vcpuSwitch, "all of it is the hypervisor's");
});

Deno.test("a VCPU that is paused while it waits leaves the queue: it gets no CPU, and is idle, not stolen from", () => {
  // at 5 ms pause the one that waits, at 100 ms unpause it: expect no switch to it in between
  const host = new Host(1);
  const [first, second] = [host.vcpu(), host.vcpu()];
  host.start(first, hog());
  host.start(second, hog());
  host.engine.run(5 * MS);
  const waits = first.isOnline ? second : first;
  const runs = first.isOnline ? first : second;
  const { switches, preemptions } = host.scheduler.counters;
  const stolen = (waits.settle(), waits.time[STEAL]);
  waits.hold(HOLD_ALL);
  assert.equal(waits.isBlocked, true);
  host.engine.run(100 * MS);
  assert.equal(host.scheduler.counters.switches, switches, "silence while it is paused");
  assert.equal(host.scheduler.counters.preemptions, preemptions);
  waits.settle();
  assert.equal(waits.time[STEAL], stolen);
  waits.hold(HOLD_ALL); // again: nothing changes
  waits.hold(HOLD_NOTHING);
  host.engine.run(200 * MS);
  assert.ok(ran(host, waits) > 30 * MS, "it runs again");
  assert.ok(ran(host, runs) > 100 * MS);
  for (const processor of [first, second]) assert.equal(total(processor), 200 * MS);
});
