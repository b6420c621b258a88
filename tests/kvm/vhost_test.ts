import assert from "node:assert/strict";
import { US } from "../../src/base/units.ts";
import { TAP_QUEUE } from "../../src/kvm/tap.ts";
import { VHOST_NET_WEIGHT } from "../../src/kvm/vhost.ts";
import { QUEUE_SIZE } from "../../src/kvm/virtio_net.ts";
import { VIRTQ_DESC_F_NEXT, writeDescriptor } from "../../src/kvm/virtqueue.ts";
import { KERNEL } from "../../src/metrics/stage.ts";
import { Bench, COSTS, GUEST_MAC } from "./virtio_net_support.ts";

Deno.test("a tap that nobody reads drops what it has no room for", () => {
  const bench = new Bench();
  bench.net.rx.disableInterrupts();
  bench.net.wiring.rxLine!.signal = () => {}; // the guest never looks
  bench.burst(bench.kernel[0], 0, (cpu) => {
    for (let i = 0; i < 900; i++) bench.deliver(cpu, 60, i);
  });
  bench.run();
  const { counters } = bench.backend.tap;
  assert.ok(bench.backend.counters.rxStarved > 0);
  assert.equal(bench.backend.tap.waiting, TAP_QUEUE);
  assert.equal(counters.drops, 900 - counters.toGuest);
  assert.equal(counters.toGuest, TAP_QUEUE + QUEUE_SIZE);
});

Deno.test("a guest that fills its queues with nonsense is refused, counted, and goes on", () => {
  const bench = new Bench();
  const { queue } = bench.net.tx;
  const buffer = bench.memory.alloc(16384);
  const mistakes: (() => void)[] = [
    () => writeDescriptor(bench.memory, queue.descriptors, buffer, 11, 0, 0), // shorter than a header
    () => writeDescriptor(bench.memory, queue.descriptors, buffer, 20, 0, 0), // shorter than an Ethernet header
    () => writeDescriptor(bench.memory, queue.descriptors, buffer, 12 + 9001, 0, 0), // longer than the MTU
    () => writeDescriptor(bench.memory, queue.descriptors, buffer, 0, 0, 0), // of length zero
    () => writeDescriptor(bench.memory, queue.descriptors, buffer, 100, VIRTQ_DESC_F_NEXT, 0), // a loop
    () => writeDescriptor(bench.memory, queue.descriptors, 2 ** 45, 100, 0, 0),
  ];
  mistakes.forEach((write, i) =>
    bench.engine.at(
      i * 100 * US,
      bench.engine.handler("mistake", () => {
        write();
        queue.setAvailableHead(i, 0);
        queue.availableIdx = i + 1;
        bench.engine.after(0, bench.net.wiring.kickHandler, 1);
      }),
    )
  );
  bench.run();
  assert.equal(bench.backend.counters.txBad, 3);
  assert.equal(bench.backend.tx.errors, 3);
  assert.equal(queue.usedIdx, mistakes.length, "every chain was given back");
  assert.equal(bench.out.length, 0);
  assert.equal(bench.frames.used, 0);
});

Deno.test("the guest's header length is a hint: whatever it says, a packet goes out with its headers in one piece", () => {
  const bench = new Bench();
  const { queue } = bench.net.tx;
  const packet = bench.memory.alloc(4096);
  const linear: number[] = [];
  bench.bridge.addPort({
    name: "far",
    transmit: (_cpu, frame) => {
      linear.push(bench.frames.linearOf(frame));
      bench.out.push(bench.bytesOf(frame));
      bench.frames.free(frame);
      return true;
    },
  });
  bench.bridge.learn(0x77, 2);
  bench.memory.view.setUint32(packet + 12 + 2, 0x77);
  bench.memory.u8.fill(7, packet + 24, packet + 12 + 1000);
  const hints = [0, 14, 60, 500, 0xffff];
  hints.forEach((hint, i) =>
    bench.engine.at(
      i * 100 * US,
      bench.engine.handler("hint", () => {
        bench.memory.view.setUint16(packet + 2, hint, true);
        writeDescriptor(bench.memory, queue.descriptors, packet, 12 + 1000, 0, 0);
        queue.setAvailableHead(i, 0);
        queue.availableIdx = i + 1;
        bench.engine.after(0, bench.net.wiring.kickHandler, 1);
      }),
    )
  );
  bench.run();
  assert.equal(bench.backend.counters.txBad, 0);
  assert.deepEqual(linear, hints.map(() => 60));
  for (const bytes of bench.out) assert.deepEqual(bytes, bench.memory.u8.slice(packet + 12, packet + 12 + 1000));
  assert.equal(bench.frames.used, 0);
});

/** Changes a field of the next chain's first descriptor in a receive queue. */
function spoilNext({ net, memory }: Bench, write: (view: DataView, at: number) => void): void {
  const { queue } = net.rx;
  write(memory.view, queue.descriptors + queue.availableHead(0) * 16);
}

Deno.test("a packet goes past a receive chain that cannot be used, also where buffers are not merged", () => {
  const bench = new Bench(0);
  spoilNext(bench, (view, at) => view.setUint16(at + 12, VIRTQ_DESC_F_NEXT, true)); // for reading
  const sent: Uint8Array[] = [];
  bench.burst(bench.kernel[0], 0, (cpu) => void sent.push(bench.deliver(cpu, 300, 1)));
  bench.run();
  assert.deepEqual(bench.received, sent);
  assert.equal(bench.backend.counters.rxBad, 1);
  assert.equal(bench.backend.counters.rxTooLong, 0);
});

Deno.test("a receive chain that cannot be used is counted once, however long a packet waits for better ones", () => {
  const bench = new Bench();
  const { queue } = bench.net.rx;
  spoilNext(bench, (view, at) => view.setUint32(at + 4, 2 ** 20, true)); // no memory
  const all = queue.availableIdx;
  queue.availableIdx = 1;
  const sent: Uint8Array[] = [];
  bench.burst(bench.kernel[0], 0, (cpu) => void sent.push(bench.deliver(cpu, 300, 1)));
  // at 100 us, 200 us and 300 us kick in vain: expect silence; at 400 us there are more
  for (const at of [100, 200, 300, 400]) {
    bench.engine.at(
      at * US,
      bench.engine.handler("kick", () => {
        if (at === 400) queue.availableIdx = all;
        bench.engine.after(0, bench.net.wiring.kickHandler, 0);
      }),
    );
  }
  bench.engine.run(390 * US);
  assert.deepEqual([bench.backend.rx.errors, bench.backend.counters.rxBad, bench.backend.counters.rxStarved], [
    0,
    0,
    1,
  ]);
  bench.run();
  assert.deepEqual([bench.backend.rx.errors, bench.backend.counters.rxBad, bench.backend.counters.rxStarved], [
    1,
    1,
    1,
  ]);
  assert.equal(bench.net.buffers.counters.rxBroken, 1);
  assert.deepEqual(bench.received, sent);
});

Deno.test("who forwards to a tap spends time of his own class on it", () => {
  const bench = new Bench();
  const frame = bench.frame(GUEST_MAC, 300, 1);
  bench.burst(bench.kernel[0], 0, (cpu) => bench.bridge.forward(cpu, KERNEL, 0, frame));
  bench.run();
  bench.kernel[0].settle();
  assert.equal(bench.kernel[0].time[KERNEL], COSTS.bridgeForward + COSTS.tapForward);
});

Deno.test("vhost goes on one way until there is nothing or its share is spent, then turns", () => {
  const bench = new Bench();
  const usedThen = bench.usedWhenSentTo(0x77);
  bench.burst(bench.guest, 0, (cpu) => {
    for (let i = 0; i < 100; i++) bench.net.transmit(cpu, bench.frame(0x77, 9000, i));
  });
  // at 100 us, when it is at work on the guest's packets, 5 come for the guest
  bench.burst(bench.kernel[0], 100 * US, (cpu) => {
    for (let i = 0; i < 5; i++) bench.deliver(cpu, 300, i);
  });
  bench.run();
  const before = Math.ceil(VHOST_NET_WEIGHT / 9000);
  assert.deepEqual(usedThen, Array.from({ length: 100 }, (_, i) => i < before ? 0 : 5));
  assert.equal(bench.received.length, 5);
  assert.equal(bench.net.close(), 0);
  assert.equal(bench.frames.used, 0);
});
