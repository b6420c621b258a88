import assert from "node:assert/strict";
import { MS, NS, PAGE_SIZE, US } from "../../src/base/units.ts";
import { FramePool } from "../../src/hw/frame.ts";
import { Iommu } from "../../src/hw/iommu.ts";
import { Link, type WirePort } from "../../src/hw/link.ts";
import { resolveCosts, resolveLimits } from "../../src/hw/machine_profile.ts";
import { Memory } from "../../src/hw/memory.ts";
import { Nic } from "../../src/hw/nic.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import { MAX_VIRTUAL_FUNCTIONS, SriovPort } from "../../src/hw/sriov.ts";
import type { VirtualFunction } from "../../src/hw/virtual_function.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { Engine } from "../../src/sim/engine.ts";

const COSTS = resolveCosts(vhpc12);
const HIGH = 0x024d;
const PF = 0x100;
const FAR = 0x999;

/** A NIC with functions, a wire, and somebody at its other end who notes what arrives, in order. */
class Rig {
  readonly engine = new Engine();
  readonly memory = new Memory(1 << 20);
  readonly frames = new FramePool(this.memory, new Journeys(), 8192);
  readonly iommu = new Iommu(COSTS);
  readonly nic: Nic;
  readonly port: SriovPort;
  /** Low word of the source address of every frame that came over the wire, and when. */
  readonly arrived: number[] = [];
  readonly times: number[] = [];
  readonly payloads: number[] = [];
  readonly link: Link;

  constructor(limits: Partial<Record<"nicTxRing" | "nicRxRing" | "txQueueLength", number>> = {}) {
    const all = { ...resolveLimits(vhpc12), ...limits };
    this.nic = new Nic(this.engine, this.frames, "nic", COSTS, all);
    const { engine, frames, nic, iommu } = this;
    this.port = new SriovPort({ engine, frames, nic, macLow: PF, iommu, costs: COSTS, limits: all });
    const far: WirePort = {
      name: "far",
      receiveLatencyPs: 0,
      receive: (frame) => {
        this.arrived.push(this.memory.view.getInt32(this.frames.at(frame) + 8));
        this.times.push(this.engine.now);
        this.payloads.push(this.memory.u8[this.frames.payloadOf(frame)]);
        this.frames.free(frame);
      },
    };
    this.link = new Link(this.engine, this.frames, "wire", 10e9, 0, this.nic, far);
    this.nic.connect(this.link, 0);
  }

  vf(macLow: number, owns: (page: number) => boolean = () => true): VirtualFunction {
    return this.port.addFunction({ macHigh: HIGH, macLow }, this.iommu.domain(owns));
  }

  frame(from: number, to: number, length = 60): number {
    const frame = this.frames.take(Math.min(length, 60));
    const at = this.frames.at(frame);
    const { view } = this.memory;
    view.setUint16(at, HIGH);
    view.setInt32(at + 2, to);
    view.setUint16(at + 6, HIGH);
    view.setInt32(at + 8, from);
    if (length > 60) this.frames.attach(frame, this.memory.alloc(length - 60), length - 60);
    return frame;
  }

  /** Frames that come in over the wire. */
  fromWire(to: number, count = 1): void {
    for (let i = 0; i < count; i++) this.nic.receive(this.frame(FAR, to));
  }

  run(until = this.engine.now + MS): void {
    this.engine.run(until);
  }
}

/** Takes everything that a function has received. */
function drain(rig: Rig, vf: VirtualFunction): number {
  let count = 0;
  for (let frame = vf.take(); frame >= 0; frame = vf.take()) {
    rig.frames.free(frame);
    count++;
  }
  return count;
}

Deno.test("functions take turns on the wire, however much one of them has queued", () => {
  const rig = new Rig();
  const [greedy, modest] = [rig.vf(1), rig.vf(2)];
  for (let i = 0; i < 200; i++) greedy.transmit(rig.frame(1, FAR, 9000), 0);
  for (let i = 0; i < 5; i++) modest.transmit(rig.frame(2, FAR, 9000), 0);
  rig.nic.transmit(rig.frame(PF, FAR), 0);
  rig.run(10 * MS);
  assert.equal(rig.arrived.length, 206);
  // The greedy one rang first, and the port's buffer took what it could hold before the others rang.
  const first = rig.arrived.indexOf(2);
  assert.ok(first <= 20, `the modest function waits for a buffer's worth of frames, not for 200: ${first}`);
  assert.ok(rig.arrived.indexOf(PF) <= 21, "the physical function has its turn too");
  assert.deepEqual(rig.arrived.slice(first, first + 10).filter((mac) => mac !== PF), [2, 1, 2, 1, 2, 1, 2, 1, 2]);
  assert.equal(rig.frames.used, 0);
  assert.equal(greedy.counters.txFrames, 200);
  assert.equal(rig.nic.counters.txFrames, 206);
});

Deno.test("many functions with queues of all lengths take turns until all have sent everything", () => {
  const rig = new Rig();
  const lengths = Array.from({ length: 30 }, (_, i) => 1 + (i * 7) % 100); // some longer than a queue's first ring
  lengths.forEach((length, i) => {
    const vf = rig.vf(1 + i);
    for (let n = 0; n < length; n++) vf.transmit(rig.frame(1 + i, FAR, 9000), 0);
  });
  rig.run(100 * MS);
  assert.deepEqual(lengths.map((_, i) => rig.arrived.filter((mac) => mac === 1 + i).length), lengths);
  const some = rig.arrived.slice(200, 260); // all functions are in line: each sends once in a round
  assert.ok(some.every((mac, i) => !some.slice(i + 1, i + 15).includes(mac)));
  assert.equal(rig.frames.used, 0);
});

Deno.test("a frame is sent when it was handed over, fetched and translated", () => {
  const rig = new Rig();
  const vf = rig.vf(1);
  vf.transmit(rig.frame(1, FAR), 5 * US);
  rig.run();
  const serialisation = 84 * 800; // 60 bytes and 24 of preamble, FCS and gap at 0.8 ns
  // Descriptor and header, each on a page that the IOMMU sees for the first time.
  assert.deepEqual(rig.times, [5 * US + COSTS.nicTransmit + 2 * COSTS.iommuMiss + serialisation]);
  vf.transmit(rig.frame(1, FAR), 2000 * US - rig.engine.now);
  rig.run(3 * MS);
  assert.equal(rig.times[1], 2000 * US + COSTS.nicTransmit + 2 * COSTS.iommuHit + serialisation);
});

Deno.test("frames between functions do not see the wire, and their payload is what was read", () => {
  const rig = new Rig();
  const [a, b] = [rig.vf(1), rig.vf(2)];
  const frame = rig.frame(1, 2, 5000);
  const payload = rig.frames.payloadOf(frame);
  rig.memory.u8.fill(7, payload, payload + 4940);
  rig.frames.setDone(frame, 33);
  a.transmit(frame, 0);
  let interrupts = 0;
  b.onInterrupt = () => interrupts++;
  rig.run();
  assert.deepEqual([a.sent, a.reaped(), a.reaped()], [[33], true, false]);
  rig.memory.u8.fill(9, payload, payload + 4940); // the sender was told that it may write there
  assert.equal(interrupts, 1);
  assert.equal(b.take(), frame);
  assert.equal(rig.memory.u8[rig.frames.payloadOf(frame) + 4939], 7);
  assert.equal(rig.link.directions[0].frames, 0);
  assert.equal(rig.port.counters.switched, 1);
  rig.frames.free(frame);
});

Deno.test("a full wire holds up nobody inside, and a function's own frames keep their order", () => {
  const rig = new Rig();
  const [a, b, c] = [rig.vf(1), rig.vf(2), rig.vf(3)];
  for (let i = 0; i < 100; i++) a.transmit(rig.frame(1, FAR, 9000), 0);
  b.transmit(rig.frame(2, 3), 0);
  a.transmit(rig.frame(1, 3), 0); // behind its frames for the wire
  rig.run(20 * US);
  assert.equal(drain(rig, c), 1);
  rig.run(5 * MS);
  assert.equal(drain(rig, c), 1);
  assert.equal(rig.arrived.length, 100);
});

Deno.test("frames from the wire go to the function whose address they have, others to the physical one", () => {
  const rig = new Rig();
  const [a, b] = [rig.vf(1), rig.vf(2)];
  rig.nic.onInterrupt = () => {}; // the physical function has a driver
  rig.fromWire(2, 3);
  rig.fromWire(PF);
  rig.fromWire(0x777);
  rig.run();
  assert.deepEqual([drain(rig, a), drain(rig, b)], [0, 3]);
  assert.equal(rig.nic.waiting(0), 2);
  assert.equal(rig.nic.counters.rxFrames, 5);
  for (let frame = rig.nic.take(0); frame >= 0; frame = rig.nic.take(0)) rig.frames.free(frame);
  assert.equal(rig.frames.used, 0);
});

Deno.test("a physical function without a driver receives nothing, and counts that beside what its ring drops", () => {
  const rig = new Rig();
  const a = rig.vf(1);
  rig.fromWire(PF);
  rig.fromWire(0x777);
  a.transmit(rig.frame(1, PF), 0);
  rig.run();
  assert.deepEqual([rig.nic.waiting(0), rig.nic.filtered, rig.nic.counters.rxDrops, rig.frames.used], [0, 3, 0, 0]);
});

Deno.test("a physical function that has an address takes frames for that, as a NIC without functions does", () => {
  const rig = new Rig();
  const a = rig.vf(1);
  rig.nic.onInterrupt = () => {};
  rig.nic.setStation(HIGH, PF);
  for (const to of [PF, 0x777, 1]) rig.fromWire(to);
  rig.run();
  assert.deepEqual([rig.nic.waiting(0), rig.nic.filtered, drain(rig, a)], [1, 1, 1]);
  assert.equal(rig.nic.counters.rxFrames, 2);
});

Deno.test("a frame for all stations is one that the NIC has received, whether its physical function has a driver or not", () => {
  for (const isDriven of [false, true]) {
    const rig = new Rig();
    const functions = [rig.vf(1), rig.vf(2)];
    if (isDriven) rig.nic.onInterrupt = () => {};
    const frame = rig.frame(FAR, -1);
    rig.memory.view.setUint16(rig.frames.at(frame), 0xffff);
    rig.nic.receive(frame);
    rig.run();
    assert.deepEqual(functions.map((vf) => drain(rig, vf)), [1, 1]);
    assert.deepEqual([rig.nic.counters.rxFrames, rig.nic.counters.rxBytes], [1, 60]);
    assert.equal(rig.nic.waiting(0), isDriven ? 1 : 0);
  }
});

Deno.test("the physical function sends to functions, and they to it", () => {
  const rig = new Rig();
  rig.nic.onInterrupt = () => {};
  const a = rig.vf(1);
  rig.nic.transmit(rig.frame(PF, 1), 0);
  a.transmit(rig.frame(1, PF), 0);
  rig.run();
  assert.equal(drain(rig, a), 1);
  assert.equal(rig.nic.waiting(0), 1);
  assert.deepEqual(rig.arrived, []);
});

Deno.test("the vector fires when a frame is complete, and not again until the driver has emptied the ring", () => {
  const rig = new Rig();
  const vf = rig.vf(1);
  const fired: number[] = [];
  vf.onInterrupt = () => fired.push(rig.engine.now);
  rig.fromWire(1);
  assert.equal(vf.take(), -1, "the function is still writing");
  vf.unmask();
  rig.run(10 * US);
  assert.deepEqual(fired, [2 * COSTS.iommuMiss]);
  rig.fromWire(1, 2);
  rig.run(20 * US);
  assert.equal(fired.length, 1, "masked");
  assert.equal(drain(rig, vf), 3);
  rig.fromWire(1);
  vf.unmask();
  rig.run(30 * US);
  assert.deepEqual(fired.slice(1), [20 * US + 2 * COSTS.iommuHit], "written while the driver looked for the last time");
  assert.equal(drain(rig, vf), 1);
  vf.unmask();
  rig.run();
  assert.equal(fired.length, 2);
});

Deno.test("sent frames interrupt after the moderation time, unless the driver has looked in between", () => {
  const rig = new Rig();
  const vf = rig.vf(1);
  const fired: number[] = [];
  vf.onInterrupt = () => fired.push(rig.engine.now);
  vf.transmit(rig.frame(1, FAR), 0);
  rig.run(40 * US);
  assert.equal(vf.reaped(), true);
  rig.run(200 * US);
  assert.deepEqual(fired, []);
  vf.transmit(rig.frame(1, FAR), 0);
  vf.transmit(rig.frame(1, FAR), 10 * US);
  rig.run(400 * US);
  assert.equal(fired.length, 1);
  assert.ok(fired[0] > 250 * US && fired[0] < 253 * US);
});

Deno.test("sent frames interrupt through the same throttle as received ones, and do not bring those along early", () => {
  const rig = new Rig();
  rig.nic.coalescePs = 100 * US;
  const vf = rig.vf(1);
  const interrupts: number[] = [];
  let taken = 0;
  vf.onInterrupt = () => {
    interrupts.push(rig.engine.now);
    vf.reaped();
    taken += drain(rig, vf);
    vf.unmask();
  };
  rig.fromWire(1);
  rig.run(10 * US);
  const [first] = interrupts;
  vf.transmit(rig.frame(1, FAR), 0); // has left at 12 us: it would interrupt at 62 us
  rig.run(50 * US);
  rig.fromWire(1);
  rig.run(99 * US);
  assert.deepEqual([interrupts.length, taken], [1, 1]);
  rig.run(120 * US);
  rig.fromWire(1);
  rig.run(400 * US);
  assert.deepEqual([interrupts, taken], [[0, 1, 2].map((n) => first + n * 100 * US), 3]);
});

Deno.test("full rings drop and count", () => {
  const rig = new Rig({ nicTxRing: 4, txQueueLength: 2, nicRxRing: 3 });
  const vf = rig.vf(1);
  const kept = Array.from({ length: 10 }, () => vf.transmit(rig.frame(1, FAR), 0));
  assert.deepEqual(kept.filter((ok) => ok).length, 6);
  assert.equal(vf.counters.txDrops, 4);
  rig.fromWire(1, 5);
  rig.run();
  assert.equal(vf.counters.rxDrops, 2);
  assert.equal(rig.nic.counters.rxDrops, 2);
  assert.equal(drain(rig, vf), 3);
  assert.equal(rig.arrived.length, 6);
  assert.equal(rig.frames.used, 0);
});

Deno.test("a frame on foreign pages, under a foreign address, or to itself goes nowhere and is counted", () => {
  const rig = new Rig();
  const { slab } = rig.frames;
  const inSlab = (n: number) => n >= slab.address / PAGE_SIZE && n < (slab.address + slab.bytes) / PAGE_SIZE;
  const vf = rig.vf(1, inSlab);
  const sent = [
    rig.frame(1, FAR, 3000), // its payload is on a page of somebody else
    rig.frame(2, FAR),
    rig.frame(1, 1),
    rig.frame(1, FAR),
  ];
  for (const [i, frame] of sent.entries()) {
    rig.frames.setDone(frame, i);
    vf.transmit(frame, 0);
  }
  rig.run();
  assert.deepEqual(vf.sent.toSorted(), [0, 1, 2, 3], "the driver gets every descriptor back, and its sender is told");
  assert.deepEqual(rig.arrived, [1]);
  assert.deepEqual([vf.counters.dmaFaults, vf.counters.txDmaFaults], [1, 1]);
  assert.equal(rig.iommu.counters.faults, 1);
  assert.equal(vf.counters.spoofed, 1);
  assert.equal(rig.port.counters.hairpins, 1);
  assert.equal(rig.frames.used, 0);
});

Deno.test("a frame handed over later in a burst does not leave earlier, nor hold up others", () => {
  const rig = new Rig();
  const [a, b] = [rig.vf(1), rig.vf(2)];
  a.transmit(rig.frame(1, FAR), 1 * US);
  a.transmit(rig.frame(1, FAR), 30 * US);
  b.transmit(rig.frame(2, FAR), 10 * US);
  rig.run();
  assert.deepEqual(rig.arrived, [1, 2, 1]);
  assert.ok(rig.times[1] < 13 * US && rig.times[2] > 30 * US);
  assert.ok(rig.times[2] < 30 * US + 2000 * NS);
});

Deno.test("a port has so many functions and no more", () => {
  const rig = new Rig();
  for (let i = 1; i <= MAX_VIRTUAL_FUNCTIONS; i++) rig.vf(0x1000 + i);
  assert.throws(() => rig.vf(0x2000), /63 virtual functions/);
});
