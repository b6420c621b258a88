import assert from "node:assert/strict";
import { MIB, US } from "../../src/base/units.ts";
import { SoftwareBridge } from "../../src/hw/bridge.ts";
import { OWNER_GUEST, OWNER_HOST, PhysicalCpu } from "../../src/hw/cpu.ts";
import { FairScheduler } from "../../src/hw/fair_scheduler.ts";
import { FramePool } from "../../src/hw/frame.ts";
import { resolveCosts } from "../../src/hw/machine_profile.ts";
import { Memory } from "../../src/hw/memory.ts";
import { Interrupt } from "../../src/hw/interrupt.ts";
import { Processor } from "../../src/hw/processor.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import { TAP_QUEUE } from "../../src/kvm/tap.ts";
import { Vcpu } from "../../src/kvm/vcpu.ts";
import { VHOST_NET_WEIGHT, VhostNet } from "../../src/kvm/vhost.ts";
import { DEFAULT_FEATURES, QUEUE_SIZE, VirtioNet } from "../../src/kvm/virtio_net.ts";
import {
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTQ_DESC_F_NEXT,
  WholeMemory,
  writeDescriptor,
} from "../../src/kvm/virtqueue.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { DRIVER, IRQ, KERNEL } from "../../src/metrics/stage.ts";
import { Engine } from "../../src/sim/engine.ts";

const COSTS = resolveCosts(vhpc12);
const GUEST_MAC = 0x57000000;
const OUTSIDE_MAC = 0x58000002;

/** One guest with virtio-net on a bridge whose way out is a list. */
class Bench {
  readonly engine = new Engine(1);
  readonly journeys = new Journeys();
  readonly memory = new Memory(16 * MIB);
  readonly frames = new FramePool(this.memory, this.journeys, 4096);
  readonly bridge = new SoftwareBridge(this.frames, COSTS);
  readonly guest: Processor;
  readonly kernel: Processor[];
  readonly vcpu: Vcpu;
  readonly net: VirtioNet;
  readonly vhost: VhostNet;
  /** What left by the bridge, and what the guest received: bytes of each frame. */
  readonly out: Uint8Array[] = [];
  readonly received: Uint8Array[] = [];
  readonly receivedAt: number[] = [];
  readonly sent: number[] = [];

  constructor(features = DEFAULT_FEATURES, txQueueLength = 1000) {
    const { engine, journeys, frames } = this;
    const cpus = [0, 1, 2].map((i) => new PhysicalCpu(engine, i));
    const scheduler = new FairScheduler(engine, "host", cpus, COSTS);
    this.kernel = cpus.map((cpu) => {
      const processor = new Processor(engine, `cpu${cpu.index}`, OWNER_HOST, COSTS, journeys, scheduler, null);
      scheduler.addHost(processor, cpu.index);
      return processor;
    });
    this.guest = new Processor(engine, "vcpu", OWNER_GUEST, COSTS, journeys, scheduler, null);
    scheduler.add(this.guest);
    this.vcpu = new Vcpu(this.guest, COSTS);
    this.net = new VirtioNet({
      engine,
      frames,
      costs: COSTS,
      name: "net",
      vcpu: this.vcpu,
      macHigh: 0,
      macLow: GUEST_MAC,
      mtu: 9000,
      txQueueLength,
      features,
    });
    this.net.receiver = {
      receive: (cpu, frame) => {
        this.received.push(this.bytesOf(frame));
        this.receivedAt.push(cpu.now);
      },
      frameSent: (_cpu, cookie) => void this.sent.push(cookie),
    };
    this.bridge.addPort({
      name: "out",
      transmit: (_cpu, frame) => {
        this.out.push(this.bytesOf(frame));
        frames.free(frame);
        return true;
      },
    });
    this.vhost = new VhostNet({
      engine,
      frames,
      costs: COSTS,
      name: "vhost",
      processor: this.kernel[1],
      bridge: this.bridge,
      net: this.net,
      vcpu: this.vcpu,
      table: new WholeMemory(this.memory),
      mtu: 9000,
      split: (_view, _at, length) => Math.min(length, 60),
    });
    this.bridge.learn(GUEST_MAC, this.vhost.bridgePort);
    this.bridge.learn(OUTSIDE_MAC, 0);
  }

  bytesOf(frame: number): Uint8Array {
    const { frames, memory } = this;
    const at = frames.at(frame);
    const linear = memory.u8.slice(at, at + frames.linearOf(frame));
    const length = frames.payloadLengthOf(frame);
    return length === 0 ? linear : Uint8Array.from([...linear, ...memory.bytes(frames.payloadOf(frame), length)]);
  }

  /** A frame of `length` bytes, its first 60 linear, filled by `seed`. */
  frame(to: number, length: number, seed: number): number {
    const { frames, memory } = this;
    const linear = Math.min(length, 60);
    const frame = frames.take(linear);
    for (let i = 0; i < linear; i++) memory.u8[frames.at(frame) + i] = (i * 7 + seed) & 0xff;
    memory.u8.fill(0, frames.at(frame), frames.at(frame) + 12);
    memory.view.setUint32(frames.at(frame) + 2, to);
    if (length > linear) {
      const payload = frames.attachOwn(frame, length - linear);
      for (let i = 0; i < length - linear; i++) memory.u8[payload + i] = (i * 13 + seed) & 0xff;
    }
    return frame;
  }

  /** Runs code in a burst of a processor. */
  burst(processor: Processor, at: number, run: (cpu: Processor) => void): void {
    const interrupt = new Interrupt("test", 0, (cpu) => {
      run(cpu);
      return false;
    });
    this.engine.at(at, this.engine.handler("test", () => processor.raise(interrupt)));
  }

  /** Sends a frame to the guest, as the NIC's softirq does. */
  deliver(cpu: Processor, length: number, seed: number, to = GUEST_MAC): Uint8Array {
    const frame = this.frame(to, length, seed);
    const bytes = this.bytesOf(frame);
    this.bridge.forward(cpu, IRQ, 0, frame);
    return bytes;
  }

  run(): void {
    this.engine.run(this.engine.now + 50_000 * US);
  }
}

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

Deno.test("an interrupt of a halted guest takes what was measured from signal to handler", () => {
  const bench = new Bench();
  bench.burst(bench.guest, 0, (cpu) => cpu.charge(DRIVER, IRQ, 1 * US)); // its state is loaded
  bench.burst(bench.kernel[0], 1000 * US, (cpu) => void bench.deliver(cpu, 60, 1));
  bench.run();
  const { costs } = bench.vcpu;
  const halted = costs.idleExit + costs.bridgeForward + costs.tapForward + // softirq
    costs.idleExit + costs.workQueueWake + costs.vhostReceive + 60 * costs.copyUncachedByte + // vhost
    costs.kvmInterruptIn + costs.napi + costs.kvmInterruptDone + costs.packetReceive; // guest
  assert.equal(bench.receivedAt[0], 1000 * US + halted);
  assert.equal(bench.vcpu.exits("interrupt window"), 0);
  assert.equal(bench.vcpu.exits("eoi"), 1);
  assert.equal(bench.vcpu.exits("hlt"), 2);
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
  assert.ok(bench.vhost.counters.wakes < 30, `vhost woke ${bench.vhost.counters.wakes} times`);
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

Deno.test("a tap that nobody reads drops what it has no room for", () => {
  const bench = new Bench();
  bench.net.rx.disableInterrupts();
  bench.net.wiring.rxLine!.signal = () => {}; // the guest never looks
  bench.burst(bench.kernel[0], 0, (cpu) => {
    for (let i = 0; i < 900; i++) bench.deliver(cpu, 60, i);
  });
  bench.run();
  const { counters } = bench.vhost.tap;
  assert.ok(bench.vhost.counters.rxStarved > 0);
  assert.equal(bench.vhost.tap.waiting, TAP_QUEUE);
  assert.equal(counters.drops, 900 - counters.toGuest);
  assert.equal(counters.toGuest, TAP_QUEUE + QUEUE_SIZE);
});

Deno.test("frames for another station are not handed up", () => {
  const bench = new Bench();
  bench.burst(bench.kernel[0], 0, (cpu) => void bench.deliver(cpu, 60, 1, 0x1234)); // unknown: flooded
  bench.run();
  assert.equal(bench.received.length, 0);
  assert.equal(bench.net.counters.rxOther, 1);
  assert.equal(bench.frames.used, 0);
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
  assert.equal(bench.vhost.counters.txBad, 3);
  assert.equal(bench.vhost.tx.errors, 3);
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
  assert.equal(bench.vhost.counters.txBad, 0);
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
  assert.equal(bench.vhost.counters.rxBad, 1);
  assert.equal(bench.vhost.counters.rxTooLong, 0);
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
  assert.deepEqual([bench.vhost.rx.errors, bench.vhost.counters.rxBad, bench.vhost.counters.rxStarved], [0, 0, 1]);
  bench.run();
  assert.deepEqual([bench.vhost.rx.errors, bench.vhost.counters.rxBad, bench.vhost.counters.rxStarved], [1, 1, 1]);
  assert.equal(bench.net.buffers.counters.rxBroken, 1);
  assert.deepEqual(bench.received, sent);
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
  /** Receive chains used when each packet left. */
  const usedThen: number[] = [];
  const { bridge, frames, vhost } = bench;
  bridge.addPort({
    name: "far",
    transmit: (_cpu, frame) => {
      usedThen.push(vhost.rx.nextIndex);
      frames.free(frame);
      return true;
    },
  });
  bridge.learn(0x77, 2);
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
  assert.equal(frames.used, 0);
});
