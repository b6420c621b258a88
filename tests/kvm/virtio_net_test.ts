import assert from "node:assert/strict";
import { NS, US } from "../../src/base/units.ts";
import type { Costs } from "../../src/hw/machine_profile.ts";
import { DEFAULT_FEATURES, QUEUE_SIZE } from "../../src/kvm/virtio_net.ts";
import { VIRTIO_F_EVENT_IDX, VIRTIO_F_INDIRECT_DESC } from "../../src/kvm/virtqueue.ts";
import { DRIVER, IRQ } from "../../src/metrics/stage.ts";
import { Bench, COSTS, OUTSIDE_MAC } from "./virtio_net_support.ts";

const SIZES = [60, 61, 300, 4000, 4085, 8180, 9000];

for (
  const [name, features] of [
    ["merged buffers", DEFAULT_FEATURES],
    ["big buffers", VIRTIO_F_INDIRECT_DESC + VIRTIO_F_EVENT_IDX],
    ["neither event indexes nor indirect descriptors", 0],
  ] as const
) {
  Deno.test(`virtio-net with ${name}: frames arrive whole, in order, many times round the rings`, () => {
    const bench = new Bench(features);
    const toGuest: Uint8Array[] = [];
    const fromGuest: Uint8Array[] = [];
    for (let i = 0; i < 700; i++) {
      bench.burst(bench.kernel[0], i * 20 * US, (cpu) => toGuest.push(bench.deliver(cpu, SIZES[i % SIZES.length], i)));
      bench.burst(bench.guest, i * 20 * US + 3 * US, (cpu) => {
        const frame = bench.frame(OUTSIDE_MAC, SIZES[(i + 3) % SIZES.length], i);
        fromGuest.push(bench.bytesOf(frame));
        bench.frames.setDone(frame, i % 5 === 0 ? i : -1);
        bench.net.transmit(cpu, frame);
      });
    }
    bench.run();
    assert.deepEqual(bench.received, toGuest);
    assert.deepEqual(bench.out, fromGuest);
    assert.deepEqual(bench.sent, Array.from({ length: 140 }, (_, i) => i * 5), "who waits is told, also at the end");
    assert.equal(bench.net.close(), 0);
    assert.equal(bench.net.tx.freeDescriptors, QUEUE_SIZE);
    assert.equal(bench.net.rx.outstanding, bench.net.buffers.count);
    assert.equal(bench.frames.used, 0);
  });
}

/** When a packet that has come at 1000 us is received by a guest that has halted. */
function receivedHalted(changes: Partial<Costs>) {
  const bench = new Bench(DEFAULT_FEATURES, 1000, { ...COSTS, ...changes });
  bench.burst(bench.guest, 0, (cpu) => cpu.charge(DRIVER, IRQ, 1 * US)); // its state is loaded
  bench.burst(bench.kernel[0], 1000 * US, (cpu) => void bench.deliver(cpu, 60, 1));
  bench.run();
  return { bench, after: bench.receivedAt[0] - 1000 * US };
}

Deno.test("an interrupt of a halted guest takes what was measured from signal to handler", () => {
  const { bench, after } = receivedHalted({});
  const { costs } = bench.vcpu;
  const halted = costs.idleExit + costs.bridgeForward + costs.tapForward + // softirq
    costs.idleExit + costs.workQueueWake + costs.vhostReceive + 60 * costs.copyUncachedByte + // vhost
    7900 * NS + costs.napi + costs.kvmInterruptDone + costs.packetReceive; // guest: 18923 cycles, Dall, ISCA 2016
  assert.equal(after, halted);
  assert.equal(bench.vcpu.exits("interrupt window"), 0);
  assert.equal(bench.vcpu.exits("eoi"), 1);
  assert.equal(bench.vcpu.exits("hlt"), 2);
});

Deno.test("its idle exit and its exit are costs of their own there: without them it takes that less", () => {
  const { after } = receivedHalted({});
  assert.equal(after - receivedHalted({ idleExit: 0 }).after, 3 * COSTS.idleExit, "softirq, vhost and guest");
  assert.equal(after - receivedHalted({ vmExit: 0 }).after, COSTS.vmExit);
});

Deno.test("while packets come one behind another, kicks and interrupts are few", () => {
  const bench = new Bench();
  bench.burst(bench.guest, 0, (cpu) => {
    for (let i = 0; i < 200; i++) bench.net.transmit(cpu, bench.frame(OUTSIDE_MAC, 60, i));
  });
  bench.burst(bench.kernel[0], 5000 * US, (cpu) => {
    for (let i = 0; i < 60; i++) bench.deliver(cpu, 60, i);
  });
  bench.run();
  assert.equal(bench.out.length, 200);
  assert.equal(bench.received.length, 60);
  assert.equal(bench.net.counters.txKicks, 1);
  assert.ok(bench.vcpu.injected < 15, `${bench.vcpu.injected} interrupts for 60 packets`);
  assert.ok(bench.backend.counters.wakes < 30, `vhost woke ${bench.backend.counters.wakes} times`);
});

Deno.test("a full transmit queue holds frames back in order; a full interface drops and counts", () => {
  const bench = new Bench(DEFAULT_FEATURES, 100);
  bench.burst(bench.guest, 0, (cpu) => {
    for (let i = 0; i < QUEUE_SIZE + 110; i++) bench.net.transmit(cpu, bench.frame(OUTSIDE_MAC, 60, i));
  });
  bench.run();
  assert.equal(bench.net.counters.txDrops, 10);
  assert.equal(bench.out.length, QUEUE_SIZE + 100);
  bench.out.forEach((bytes, i) => assert.equal(bytes[59], (59 * 7 + i) & 0xff));
  bench.net.close();
  assert.equal(bench.frames.used, 0);
});

Deno.test("frames for another station are not handed up", () => {
  const bench = new Bench();
  bench.burst(bench.kernel[0], 0, (cpu) => void bench.deliver(cpu, 60, 1, 0x1234)); // unknown: flooded
  bench.run();
  assert.equal(bench.received.length, 0);
  assert.equal(bench.net.counters.rxOther, 1);
  assert.equal(bench.frames.used, 0);
});

Deno.test("without event indexes sending causes no interrupts, but for frames whose end somebody waits for", () => {
  const bench = new Bench(0);
  const send = (at: number, cookie: number) =>
    bench.burst(bench.guest, at, (cpu) => {
      const frame = bench.frame(OUTSIDE_MAC, 300, 1);
      bench.frames.setDone(frame, cookie);
      bench.net.transmit(cpu, frame);
    });
  send(0, -1);
  bench.engine.run(100 * US);
  assert.equal(bench.vcpu.injected, 0);
  send(100 * US, 5);
  bench.engine.run(200 * US);
  assert.deepEqual(bench.sent, [5]);
  assert.equal(bench.vcpu.injected, 1);
  send(200 * US, -1);
  bench.engine.run(300 * US);
  assert.equal(bench.vcpu.injected, 1);
});
