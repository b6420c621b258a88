import assert from "node:assert/strict";
import fc from "fast-check";
import { MS, US } from "../../src/base/units.ts";
import { QemuNet } from "../../src/kvm/qemu.ts";
import { VhostNet } from "../../src/kvm/vhost.ts";
import { DEFAULT_FEATURES, QUEUE_SIZE } from "../../src/kvm/virtio_net.ts";
import { VIRTQ_DESC_F_NEXT, writeDescriptor } from "../../src/kvm/virtqueue.ts";
import { DRIVER, IRQ } from "../../src/metrics/stage.ts";
import { Bench, COSTS, GUEST_MAC, OUTSIDE_MAC } from "./virtio_net_support.ts";

/* What vhost and QEMU have in common: when their thread looks which way, and when it asks to be woken. */

const FAR = 0x77;
/** The thread wakes up so slowly that much can come for it meanwhile. */
const WAKE = 100 * US;

/** A bench whose guest's packets to FAR note how many receive chains had been used when each left. */
function turns(BackEnd: typeof VhostNet | typeof QemuNet): { bench: Bench; usedThen: number[] } {
  const bench = new Bench(DEFAULT_FEATURES, 1000, { ...COSTS, workQueueWake: WAKE }, BackEnd);
  const usedThen: number[] = [];
  bench.bridge.addPort({
    name: "far",
    transmit: (_cpu, frame) => {
      usedThen.push(bench.backend.rx.nextIndex);
      bench.frames.free(frame);
      return true;
    },
  });
  bench.bridge.learn(FAR, 2);
  return { bench, usedThen };
}

function send(bench: Bench, at: number, packets: number): void {
  bench.burst(bench.guest, at, (cpu) => {
    for (let i = 0; i < packets; i++) bench.net.transmit(cpu, bench.frame(FAR, 300, i));
  });
}

function deliver(bench: Bench, at: number, packets: number): void {
  bench.burst(bench.kernel[0], at, (cpu) => {
    for (let i = 0; i < packets; i++) bench.deliver(cpu, 300, i);
  });
}

for (const BackEnd of [VhostNet, QemuNet]) {
  Deno.test(`${BackEnd.name}: a guest that gives buffers late gets what has waited as soon as it gives them`, () => {
    const { bench } = turns(BackEnd);
    const packets = QUEUE_SIZE + 40;
    // The guest has something else to do at first, so that all its buffers fill.
    bench.burst(bench.guest, 0, (cpu) => cpu.charge(DRIVER, IRQ, 10 * MS));
    deliver(bench, 100 * US, packets);
    bench.engine.run(9 * MS);
    assert.deepEqual([bench.received.length, bench.backend.tap.waiting], [0, 40]);
    assert.equal(bench.backend.counters.rxStarved, 1);
    bench.engine.run(15 * MS);
    assert.equal(bench.received.length, packets);
    assert.equal(bench.backend.tap.waiting, 0);
  });

  Deno.test(`${BackEnd.name}: what the thread is woken for comes first, whichever way it went last`, () => {
    const { bench, usedThen } = turns(BackEnd);
    for (const [round, isGuestFirst] of [true, false, false, true, true].entries()) {
      const at = round * MS;
      const before = bench.backend.rx.nextIndex;
      usedThen.length = 0;
      send(bench, at + (isGuestFirst ? 0 : 50 * US), 4);
      deliver(bench, at + (isGuestFirst ? 50 * US : 0), 4);
      bench.engine.run(at + MS - 1);
      assert.deepEqual(
        usedThen.map((used) => used - before),
        new Array(4).fill(isGuestFirst ? 0 : 4),
        `round ${round}`,
      );
    }
    assert.equal(bench.backend.counters.wakes, 5);
    assert.equal(bench.received.length, 20);
  });

  Deno.test(`${BackEnd.name}: having found nothing one way it goes on the other way until there is nothing`, () => {
    const { bench, usedThen } = turns(BackEnd);
    // Woken for four packets to the guest, it finds twenty from there; when it is at work on them, more come for the guest.
    deliver(bench, 0, 4);
    send(bench, 50 * US, 20);
    deliver(bench, WAKE + 30 * US, 5);
    bench.run();
    assert.deepEqual(usedThen, new Array(20).fill(4));
    assert.equal(bench.received.length, 9);
    assert.equal(bench.backend.counters.wakes, 1);
  });
}

Deno.test("wherever a guest's driver divides a packet, it leaves byte for byte", () => {
  const bench = new Bench();
  const { memory, net: { tx: { queue } } } = bench;
  let packets = 0;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }), (pieces) => {
      // virtio's header begins the first one; all of them make up an Ethernet header at least.
      const lengths = [12 + pieces[0], ...pieces.slice(1), 14];
      const total = lengths.reduce((sum, length) => sum + length);
      const bytes = Uint8Array.from({ length: total }, (_, i) => i < 12 ? 0 : (i * 7 + packets) & 0xff);
      const packet = bytes.subarray(12);
      packet.fill(0, 0, 12);
      new DataView(packet.buffer, 12).setUint32(2, OUTSIDE_MAC);
      new DataView(packet.buffer, 12).setUint32(8, GUEST_MAC);
      let from = 0;
      for (const [i, length] of lengths.entries()) {
        const at = memory.alloc(4096) + i * 24;
        memory.u8.set(bytes.subarray(from, from += length), at);
        const flags = i < lengths.length - 1 ? VIRTQ_DESC_F_NEXT : 0;
        writeDescriptor(memory, queue.descriptors + i * 16, at, length, flags, i + 1);
      }
      bench.out.length = 0;
      queue.setAvailableHead(packets++, 0);
      queue.availableIdx = packets;
      bench.engine.after(0, bench.net.wiring.kickHandler, 1);
      bench.run();
      assert.equal(bench.backend.counters.txBad, 0);
      assert.deepEqual(bench.out, [packet]);
      assert.equal(bench.frames.used, 0);
    }),
    { numRuns: 40 },
  );
});
