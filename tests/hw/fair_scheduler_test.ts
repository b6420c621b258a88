import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../src/base/units.ts";
import { OWNER_GUEST, PhysicalCpu } from "../../src/hw/cpu.ts";
import { HOLD_ALL, HOLD_NOTHING, HOLD_THREADS, type Processor } from "../../src/hw/processor.ts";
import { Thread, WAIT_BLOCK } from "../../src/hw/thread.ts";
import { DRIVER, HYP, HYPERVISOR, IRQ, KERNEL, LIBRARY, STEAL, USER, WAKEUP } from "../../src/metrics/stage.ts";
import { Engine } from "../../src/sim/engine.ts";
import { hog, near, total } from "../support/scheduling.ts";
import { contextSwitch, Host, idleExit, share, threadSlice, vmExit, vmSwitchKvm } from "./fair_support.ts";

Deno.test("VCPUs share a CPU equally, or by weight", () => {
  const host = new Host(1);
  const vcpus = [host.vcpu(256), host.vcpu(256), host.vcpu(512)];
  for (const vcpu of vcpus) host.start(vcpu, hog());
  host.engine.run(2 * SECOND);
  near(share(vcpus[0], 2 * SECOND), 0.25, 0.01, "light");
  near(share(vcpus[1], 2 * SECOND), 0.25, 0.01, "light");
  near(share(vcpus[2], 2 * SECOND), 0.5, 0.01, "heavy");
  assert.ok(host.cpus[0].busy <= 2 * SECOND);
  assert.ok(host.cpus[0].busy > 2 * SECOND - 10 * MS, "the CPU never rests");
});

Deno.test("a thread of the kernel and a VCPU share a CPU equally", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  host.start(vcpu, hog());
  host.start(host.kernel[0], hog());
  host.engine.run(SECOND);
  near(share(vcpu, SECOND), 0.5, 0.02, "guest");
  near(share(host.kernel[0], SECOND), 0.5, 0.02, "host");
});

Deno.test("each thread of the kernel counts as much as a VCPU", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  host.start(vcpu, hog());
  for (let i = 0; i < 3; i++) host.start(host.kernel[0], hog());
  host.engine.run(SECOND);
  near(share(vcpu, SECOND), 0.25, 0.02, "guest");
});

Deno.test("who has slept for long does not get the time back that it has slept", () => {
  const host = new Host(1);
  const [runs, sleeper] = [host.vcpu(), host.vcpu()];
  host.start(runs, hog());
  host.start(sleeper, hog(), 500 * MS);
  host.engine.run(600 * MS);
  sleeper.settle();
  const lead = 4 * threadSlice; // half a latency period
  near(sleeper.time[USER], 50 * MS + lead / 2, lead / 2 + threadSlice, "of the last 100 ms");
});

Deno.test("a sleeper gets in at once, and who runs all the time does not", () => {
  const host = new Host(1);
  host.start(host.vcpu(), hog());
  const delays: number[] = [];
  let wokenAt = 0;
  const worker = new Thread("vhost", host.kernel[0], (cpu) => {
    delays.push(cpu.now - wokenAt);
    cpu.charge(DRIVER, KERNEL, 50 * US);
    return WAIT_BLOCK;
  });
  for (let i = 1; i <= 20; i++) {
    host.at(20 * MS + i * 5 * MS, () => {
      wokenAt = host.engine.now;
      worker.notify();
    });
  }
  host.engine.run(200 * MS);
  assert.deepEqual(delays, new Array(20).fill(vmExit));
  assert.ok(host.cpus[0].charged(OWNER_GUEST, HYP) >= 20 * (vmExit + contextSwitch), "the VCPU is switched back to");
});

Deno.test("time in the hypervisor is booked as it passes", () => {
  const cpu = new PhysicalCpu(new Engine(1), 0);
  cpu.chargeHypervisor(OWNER_GUEST, 100, 50);
  for (const [now, booked] of [[90, 0], [120, 20], [120, 20], [150, 50], [400, 50]]) {
    cpu.settle(now);
    assert.equal(cpu.charged(OWNER_GUEST, HYP), booked, `at ${now}`);
  }
});

Deno.test("waking from halt costs idle exit and an exit, and another VCPU a switch", () => {
  const host = new Host(1);
  const [first, second] = [host.vcpu(), host.vcpu()];
  const late: number[] = [];
  const burst = (vcpu: Processor, at: number) =>
    host.interrupt(vcpu, at, (cpu) => {
      late.push(cpu.now - at);
      cpu.charge(LIBRARY, USER, 1 * US);
    });
  burst(first, 10 * US);
  burst(first, 50 * US);
  burst(second, 90 * US);
  burst(first, 130 * US);
  host.engine.run(1 * MS);
  assert.deepEqual(late, [
    idleExit + vmSwitchKvm,
    idleExit + vmExit,
    idleExit + vmSwitchKvm,
    idleExit + vmSwitchKvm,
  ]);
  assert.equal(host.engine.pending, 0, "nothing ticks when nothing runs");
});

Deno.test("a journey knows what it waited for", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  host.at(50 * MS, () => {
    const journey = host.journeys.begin(host.engine.now);
    host.interrupt(vcpu, host.engine.now, (cpu) => {
      cpu.carry(journey, LIBRARY);
      host.journeys.finish(journey, cpu.now);
    });
  });
  host.engine.run(60 * MS);
  assert.equal(host.journeys.sums[WAKEUP], idleExit);
  assert.equal(host.journeys.sums[HYPERVISOR], vmSwitchKvm);
});

Deno.test("who is held while it waits leaves the queue: a VCPU, or a kernel's processor that has only threads to run", () => {
  // at 40 ms hold the one that waits, at 200 ms let it go: expect silence in between
  for (const [what, isHost] of [[HOLD_ALL, false], [HOLD_THREADS, true]] as const) {
    const host = new Host(1);
    const held = isHost ? host.kernel[0] : host.vcpu();
    const other = host.vcpu();
    host.start(held, hog());
    host.start(other, hog());
    for (host.engine.run(40 * MS); held.isOnline; host.engine.run(host.engine.now + MS));
    const from = host.engine.now;
    const { switches } = host.scheduler;
    const stolen = (held.settle(), held.time[STEAL]);
    held.hold(what);
    assert.equal(held.isBlocked, true);
    host.engine.run(200 * MS);
    held.settle();
    assert.equal(host.scheduler.switches, switches, "no switch to it");
    assert.equal(held.time[STEAL], stolen, "paused, not stolen from");
    // An interrupt is not held up where only threads are.
    host.interrupt(held, 200 * MS, (cpu) => cpu.charge(DRIVER, IRQ, 5 * US));
    host.engine.run(210 * MS);
    assert.equal(held.time[IRQ], isHost ? 5 * US : 0);
    assert.equal(held.isBlocked, true);
    held.hold(HOLD_NOTHING);
    host.engine.run(400 * MS);
    near(share(other, 400 * MS), 0.5 + (210 * MS - from) / (800 * MS), 0.03, "other");
    for (const processor of [held, other]) assert.equal(total(processor), 400 * MS);
  }
});
