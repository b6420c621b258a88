import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../src/base/units.ts";
import { OWNER_GUEST } from "../../src/hw/cpu.ts";
import { Interrupt } from "../../src/hw/interrupt.ts";
import { Thread, WAIT_BLOCK } from "../../src/hw/thread.ts";
import { DRIVER, HYP, IRQ, KERNEL, STEAL, USER } from "../../src/metrics/stage.ts";
import { hog, near } from "../support/scheduling.ts";
import { Host, idleExit, share, threadSlice, vmExit, vmSwitchKvm } from "./fair_support.ts";

/* VCPUs beside the interrupts, deferred work and threads of the host's kernel. */

Deno.test("an interrupt of the host takes the CPU from a VCPU at once, for the price of an exit", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  host.start(vcpu, hog());
  let began = -1;
  host.interrupt(host.kernel[0], 10 * MS, (cpu) => {
    began = cpu.now;
    cpu.charge(DRIVER, IRQ, 3 * US);
  });
  host.engine.run(20 * MS);
  vcpu.settle();
  assert.equal(began, 10 * MS + vmExit);
  const start = vmSwitchKvm; // it did not have to leave a deep idle state: nothing had slept yet
  assert.equal(vcpu.time[STEAL], start + vmExit + 3 * US, "and comes back without another switch");
  assert.equal(host.cpus[0].charged(OWNER_GUEST, HYP), start + vmExit);
  assert.equal(host.scheduler.counters.interruptExits, 1);
});

Deno.test("interrupts do not make a VCPU lose its turn to another one", () => {
  const host = new Host(1);
  const vcpus = [host.vcpu(), host.vcpu()];
  for (const vcpu of vcpus) host.start(vcpu, hog());
  for (let i = 1; i <= 900; i++) {
    host.interrupt(host.kernel[0], i * 100 * US, (cpu) => cpu.charge(DRIVER, IRQ, 5 * US));
  }
  host.engine.run(100 * MS);
  const { switches } = host.scheduler;
  assert.ok(switches <= 100 * MS / threadSlice + 2, `${switches} VM switches`);
  near(share(vcpus[0], 100 * MS), share(vcpus[1], 100 * MS), 0.07, "shares");
});

Deno.test("a VCPU that wakes while the kernel has interrupts left gets its turn of the thread that follows them", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  const begins = 10 * MS;
  for (let i = 0; i < 2; i++) host.interrupt(host.kernel[0], begins, (cpu) => cpu.charge(DRIVER, IRQ, 10 * US));
  host.start(host.kernel[0], hog(), begins);
  host.start(vcpu, hog(), begins + idleExit + 5 * US); // the second interrupt waits
  host.engine.run(110 * MS);
  vcpu.settle();
  near(vcpu.time[USER], 50 * MS, 4 * threadSlice, "of 100 ms");
});

Deno.test("interrupts do not take the CPU from a VCPU for a thread of the kernel that has run as much", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  host.start(vcpu, hog());
  host.start(host.kernel[0], hog());
  for (let at = 200 * US; at < 500 * MS; at += 200 * US) {
    host.interrupt(host.kernel[0], at, (cpu) => cpu.charge(DRIVER, IRQ, 2 * US));
  }
  host.engine.run(500 * MS);
  near(share(vcpu, 500 * MS), 0.5, 0.02, "guest");
  near(share(host.kernel[0], 500 * MS), 0.5, 0.02, "host");
});

Deno.test("the thread that an interrupt wakes goes on where a VCPU was interrupted, if it has run less", () => {
  const host = new Host(1);
  host.start(host.vcpu(), hog());
  let began = -1;
  const vhost = new Thread("vhost", host.kernel[0], (cpu) => {
    began = cpu.now;
    cpu.charge(DRIVER, KERNEL, 50 * US);
    return WAIT_BLOCK;
  });
  host.interrupt(host.kernel[0], 40 * MS, (cpu) => {
    cpu.charge(DRIVER, IRQ, 2 * US);
    vhost.notify();
  });
  host.engine.run(50 * MS);
  assert.equal(began, 40 * MS + vmExit + 2 * US);
});

Deno.test("deferred work of the kernel without an end is a thread like others, and a moment of it is not", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  host.start(vcpu, hog());
  let left = 50;
  const softirq = new Interrupt("softirq", 1, (cpu) => {
    cpu.charge(DRIVER, IRQ, 5 * US);
    return --left > 0;
  });
  host.at(10 * MS, () => host.kernel[0].raise(softirq));
  host.engine.run(10 * MS + vmExit + 250 * US);
  assert.equal(left, 0, "it does not share the CPU");
  left = Infinity;
  host.at(20 * MS, () => host.kernel[0].raise(softirq));
  host.engine.run(120 * MS);
  vcpu.settle();
  near(vcpu.time[USER], 70 * MS, 3 * threadSlice, "10 ms, 10 ms and half of 100 ms");
  left = 1;
  host.engine.run(140 * MS);
  assert.equal(host.kernel[0].isBlocked, true);
});

Deno.test("what a thread of the kernel has run alone is not halved when a second one comes", () => {
  const host = new Host(1);
  host.start(host.kernel[0], hog());
  const short = () =>
    new Thread("short", host.kernel[0], (cpu) => {
      cpu.charge(DRIVER, KERNEL, 50 * US);
      return WAIT_BLOCK;
    });
  const [first, second] = [short(), short()];
  const vcpu = host.vcpu();
  host.at(SECOND, () => first.notify());
  host.start(vcpu, hog(), SECOND + 10 * US); // the thread makes room when its burst is over
  host.at(SECOND + 20 * US, () => second.notify());
  host.engine.run(SECOND + 100 * MS);
  vcpu.settle();
  near(vcpu.time[USER], 50 * MS, 4 * threadSlice, "of 100 ms");
});
