import assert from "node:assert/strict";
import { US } from "../../src/base/units.ts";
import { copyTime } from "../../src/hw/machine_profile.ts";
import { QemuNet, TX_BURST } from "../../src/kvm/qemu.ts";
import { DEFAULT_FEATURES } from "../../src/kvm/virtio_net.ts";
import { KERNEL, USER } from "../../src/metrics/stage.ts";
import { Bench, COSTS, OUTSIDE_MAC } from "./virtio_net_support.ts";

/* virtio-net in QEMU: its I/O thread, each of whose system calls is charged, and its two ways' turns. */

const qemu = (features = DEFAULT_FEATURES) => new Bench(features, 1000, COSTS, QemuNet);

const WAKE = COSTS.workQueueWake + COSTS.syscall;
const IOCTL = COSTS.syscall + COSTS.ioctl;
const FORWARD = COSTS.tapForward + COSTS.bridgeForward;
const uncached = (bytes: number) => copyTime(COSTS.copyUncachedByte, bytes);
const cached = (bytes: number) => copyTime(COSTS.copyCachedByte, bytes);

/** Sends a frame out of the guest; a cookie asks for an interrupt when it is gone. */
function send(bench: Bench, at: number, bytes: number, cookie = -1): void {
  bench.burst(bench.guest, at, (cpu) => {
    const frame = bench.frame(OUTSIDE_MAC, bytes, 1);
    bench.frames.setDone(frame, cookie);
    bench.net.transmit(cpu, frame);
  });
}

/** What the I/O thread's processor has spent, in the kernel and in QEMU itself. */
function spent(bench: Bench): { kernel: number; user: number } {
  const [, processor] = bench.kernel;
  processor.settle();
  return { kernel: processor.time[KERNEL], user: processor.time[USER] };
}

Deno.test("a packet to the guest: one wake-up, a copy in the kernel and one in QEMU, one ioctl for the interrupt", () => {
  const bench = qemu();
  bench.burst(bench.kernel[0], 0, (cpu) => void bench.deliver(cpu, 4000, 1));
  bench.run();
  assert.equal(bench.received.length, 1);
  assert.equal(bench.vcpu.injected, 1);
  assert.deepEqual(spent(bench), {
    kernel: WAKE + uncached(4000) + IOCTL,
    user: COSTS.qemuPacket + cached(4000),
  });
});

Deno.test("a packet from the guest: an exit to user space, one copy, and an ioctl only where its end is waited for", () => {
  for (const [cookie, interrupts] of [[-1, 0], [7, 1]]) {
    const bench = qemu(0); // an event index asks for the first interrupt in any case
    send(bench, 0, 4000, cookie);
    bench.run();
    assert.equal(bench.out.length, 1);
    assert.deepEqual(bench.sent, cookie < 0 ? [] : [cookie]);
    assert.equal(bench.vcpu.injected, interrupts);
    assert.deepEqual([bench.vcpu.exits("user space"), bench.vcpu.exits("kick")], [1, 0]);
    assert.deepEqual(spent(bench), {
      kernel: WAKE + uncached(4000) + FORWARD + interrupts * IOCTL,
      user: COSTS.qemuPacket,
    });
  }
});

Deno.test("whatever comes both ways, each interrupt is one ioctl and each sleep one wake-up", () => {
  const bench = qemu();
  const packets = 200;
  for (let i = 0; i < packets; i++) {
    // by turns one behind another, and with time to sleep between them
    const at = (i < 100 ? i * 2 : 300 + i * 40) * US;
    bench.burst(bench.kernel[0], at, (cpu) => void bench.deliver(cpu, 300, i));
    send(bench, at, 300, i);
  }
  bench.run();
  assert.deepEqual([bench.received.length, bench.out.length, bench.sent.length], [packets, packets, packets]);
  const { wakes } = bench.backend.counters;
  const interrupts = bench.vcpu.injected + bench.vcpu.merged;
  assert.ok(wakes > 50 && wakes < 2 * packets && interrupts > 50, `${wakes} wake-ups, ${interrupts} interrupts`);
  assert.deepEqual(spent(bench), {
    kernel: wakes * WAKE + interrupts * IOCTL + packets * (2 * uncached(300) + FORWARD),
    user: packets * (2 * COSTS.qemuPacket + cached(300)),
  });
});

Deno.test("a bottom half sends 256 packets, then reads the tap until it is empty", () => {
  const bench = qemu();
  const usedThen = bench.usedWhenSentTo(0x77);
  const [from, to] = [TX_BURST + 44, TX_BURST + 100];
  bench.burst(bench.guest, 0, (cpu) => {
    for (let i = 0; i < from; i++) bench.net.transmit(cpu, bench.frame(0x77, 60, i));
  });
  // at 100 us, when it is at work on the guest's packets, more than a share comes for the guest
  bench.burst(bench.kernel[0], 100 * US, (cpu) => {
    for (let i = 0; i < to; i++) bench.deliver(cpu, 60, i);
  });
  bench.run();
  assert.equal(TX_BURST, 256);
  assert.deepEqual(usedThen, Array.from({ length: from }, (_, i) => i < TX_BURST ? 0 : to));
  assert.equal(bench.received.length, to);
});
