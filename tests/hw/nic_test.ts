import assert from "node:assert/strict";
import { NS, US } from "../../src/base/units.ts";
import { OWNER_HOST, PhysicalCpu } from "../../src/hw/cpu.ts";
import { FramePool } from "../../src/hw/frame.ts";
import { Link } from "../../src/hw/link.ts";
import { type Limits, resolveCosts, resolveLimits } from "../../src/hw/machine_profile.ts";
import { Memory } from "../../src/hw/memory.ts";
import { Nic } from "../../src/hw/nic.ts";
import { NicDriver } from "../../src/hw/nic_driver.ts";
import { Processor } from "../../src/hw/processor.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import { Journeys, type JourneyStep } from "../../src/metrics/journey.ts";
import { STAGES } from "../../src/metrics/stage.ts";
import { Engine } from "../../src/sim/engine.ts";

/* The NIC and its driver: rings, interrupts, transmit queue. */

const costs = resolveCosts(vhpc12);

/** Two NICs on a cable; what b receives is driven by hand, or by a driver. */
function pair(changes: Partial<Limits> = {}) {
  const engine = new Engine(1);
  const memory = new Memory(8 << 20);
  const frames = new FramePool(memory, new Journeys(), 2048);
  const limits = { ...resolveLimits(vhpc12), ...changes };
  const a = new Nic(engine, frames, "a", costs, limits);
  const b = new Nic(engine, frames, "b", costs, limits);
  const link = new Link(engine, frames, "a-b", 10e9, 0, a, b);
  a.connect(link, 0);
  b.connect(link, 1);
  const interrupts: { queue: number; at: number }[] = [];
  b.onInterrupt = (queue) => interrupts.push({ queue, at: engine.now });
  /** A frame for an endpoint, given to `a` at the present instant; `prepare` may add to it before. */
  const send = (endpoint = 0, length = 60, prepare: (frame: number) => void = () => {}) => {
    const frame = frames.take(length);
    memory.u8.fill(0, frames.at(frame), frames.at(frame) + 60);
    memory.u8[frames.at(frame) + 16] = 37;
    memory.u8[frames.at(frame) + 17] = endpoint;
    prepare(frame);
    a.transmit(frame, 0);
    return frame;
  };
  return { engine, memory, frames, a, b, link, interrupts, send };
}

const ONE = 67_200; // 60 bytes and 24 around them

Deno.test("a frame is fetched, serialised, stored and announced, each in its time", () => {
  const { engine, send, interrupts, b } = pair();
  const frame = send();
  engine.run(10 * US);
  assert.deepEqual(interrupts, [{ queue: 0, at: costs.nicTransmit + ONE + costs.nicReceive }]);
  assert.equal(b.take(0), frame);
  assert.equal(b.take(0), -1);
});

Deno.test("an interface that has an address takes frames for that and for groups, and counts the others", () => {
  const { engine, memory, frames, send, b } = pair();
  b.setStation(0x024d, 0x58000007);
  const to = (high: number, low: number) =>
    send(0, 60, (frame) => {
      memory.view.setUint16(frames.at(frame), high);
      memory.view.setUint32(frames.at(frame) + 2, low);
    });
  const [own, all, group] = [to(0x024d, 0x58000007), to(0xffff, 0xffffffff), to(0x0100, 0x5e000001)];
  to(0x024d, 0x58000008);
  to(0x024e, 0x58000007);
  engine.run(10 * US);
  assert.deepEqual([b.take(0), b.take(0), b.take(0), b.take(0)], [own, all, group, -1]);
  assert.equal(b.filtered, 2);
});

Deno.test("a queue that is being polled does not interrupt; the first frame after it was emptied does", () => {
  const { engine, send, interrupts, b } = pair();
  for (let i = 0; i < 5; i++) send();
  engine.run(10 * US);
  assert.deepEqual([interrupts.length, b.waiting(0)], [1, 5]);
  while (b.take(0) >= 0);
  send();
  engine.run(20 * US);
  assert.equal(interrupts.length, 1, "still masked");
  while (b.take(0) >= 0);
  b.unmask(0);
  send();
  engine.run(30 * US);
  assert.equal(interrupts.length, 2);
  // Seven frames, two interrupts: the others had none of their own.
  assert.deepEqual(b.queueCounters(0), { frames: 7, drops: 0, interrupts: 2, coalesced: 5 });
  assert.equal(b.counters.coalesced, 5);
});

Deno.test("coalescing keeps interrupts of a queue apart, and delays none beyond that", () => {
  const { engine, send, interrupts, b } = pair({ coalesceUs: 20 });
  const handle = () => {
    while (b.take(0) >= 0);
    b.unmask(0);
  };
  engine.run(100 * US);
  const latency = costs.nicTransmit + ONE + costs.nicReceive;
  for (const at of [100, 105, 110, 150]) {
    engine.run(at * US);
    handle();
    send();
  }
  engine.run(200 * US);
  const first = 100 * US + latency;
  assert.deepEqual(interrupts.map(({ at }) => at), [first, first + 20 * US, 150 * US + latency]);
  // The second one's interrupt was put off; the third came along with it.
  assert.deepEqual(b.queueCounters(0), { frames: 4, drops: 0, interrupts: 3, coalesced: 1 });
});

Deno.test("an interrupt that was put off does not come when another has brought its frame along", () => {
  const { engine, send, interrupts, b } = pair({ coalesceUs: 40 });
  const handle = () => {
    while (b.take(0) >= 0);
    b.unmask(0);
  };
  // at 100 us a frame interrupts; at 110 us one is put off to 140 us; at 119 us the driver polls for another reason
  engine.run(100 * US);
  send();
  engine.run(105 * US);
  handle();
  engine.run(110 * US);
  send();
  engine.run(115 * US);
  assert.equal(interrupts.length, 1);
  send();
  engine.run(119 * US);
  handle();
  engine.run(300 * US);
  assert.equal(interrupts.length, 1, "both frames were taken: silence");
  assert.deepEqual([b.queueCounters(0).frames, b.queueCounters(0).interrupts], [3, 1]);
});

Deno.test("sent frames interrupt through the same throttle as received ones, and do not bring those along early", () => {
  const { engine, frames, send, b } = pair({ coalesceUs: 100, txModerationUs: 10 });
  const interrupts: number[] = [];
  let taken = 0;
  b.onInterrupt = () => {
    interrupts.push(engine.now);
    b.sent.length = 0;
    for (; b.take(0) >= 0; taken++);
    b.unmask(0);
  };
  send();
  engine.run(10 * US);
  const [first] = interrupts;
  const answer = frames.take(60);
  frames.setDone(answer, 7);
  b.transmit(answer, 0); // has left at 11 us: it would interrupt at 21 us
  engine.run(50 * US);
  send();
  engine.run(99 * US);
  assert.deepEqual([interrupts.length, taken], [1, 1]);
  engine.run(120 * US);
  send();
  engine.run(400 * US);
  assert.deepEqual([interrupts, taken], [[0, 1, 2].map((n) => first + n * 100 * US), 3]);
});

Deno.test("an endpoint's frames go to one queue, pull replies too", () => {
  const { engine, memory, frames, send, interrupts, b } = pair({ nicQueues: 6 });
  for (const endpoint of [3, 9, 4]) send(endpoint);
  const reply = send(0);
  memory.u8[frames.at(reply) + 16] = 42;
  memory.view.setUint32(frames.at(reply) + 28, 0x21071980 ^ 3); // dst_magic of endpoint 3
  engine.run(10 * US);
  assert.deepEqual(interrupts.map(({ queue }) => queue), [3, 4]);
  assert.deepEqual([b.waiting(3), b.waiting(4), b.waiting(0)], [3, 1, 0]);
});

Deno.test("full rings drop and count; whoever waits for a sent frame hears of those that left", () => {
  const { engine, frames, send, a, b } = pair({ nicRxRing: 16, nicTxRing: 8, txQueueLength: 20, txModerationUs: 5 });
  for (let i = 0; i < 40; i++) send();
  assert.equal(a.backlog, 28, "8 in the ring and 20 before it");
  engine.run(100 * US);
  assert.deepEqual([a.counters.txDrops, a.counters.txFrames], [12, 28]);
  assert.deepEqual([b.counters.rxDrops, b.waiting(0)], [12, 16]);
  assert.deepEqual(b.queueCounters(0), { frames: 16, drops: 12, interrupts: 1, coalesced: 15 });
  assert.deepEqual(a.queue, { used: 0, size: 28, drops: 12 });
  assert.equal(frames.used, 16);
  const told: number[] = [];
  a.onInterrupt = () => told.push(engine.now, ...a.sent.splice(0));
  send(0, 48, (data) => {
    frames.attach(data, 4096, 8192);
    frames.setDone(data, 77);
  });
  const begun = engine.now;
  engine.run(200 * US);
  const wire = Math.round(8264 * 0.8) * NS; // two pages
  assert.deepEqual(told, [begun + costs.nicTransmit + wire + 2 * costs.nicFragment + 5 * US + 200, 77]);
});

Deno.test("what a NIC does for each page is its own time: the port is occupied, the wire is not", () => {
  const { engine, frames, send, b, link } = pair();
  const { journeys } = frames;
  const told: (readonly JourneyStep[])[] = [];
  journeys.record();
  journeys.onFinish = (steps) => told.push(steps);
  const journey = journeys.begin(0);
  send(0, 48, (data) => {
    frames.attach(data, 4096, 8192);
    frames.setJourney(data, journey);
  });
  const slices: number[][] = [];
  link.directions[0].trace = (_frame, from, duration) => slices.push([from, duration]);
  engine.run(20 * US);
  assert.equal(b.waiting(0), 1);
  const wire = 8264 * 800; // picoseconds, two pages
  const work = 2 * costs.nicFragment;
  journeys.finish(journey, costs.nicTransmit + work + wire + costs.nicReceive);
  const [{ busyPs, wireBytes }] = link.directions;
  assert.deepEqual([wireBytes * link.psPerByte, busyPs], [wire, work + wire]);
  const steps = told[0].map(({ stage, place, duration }) => [STAGES[stage], place, duration]);
  assert.deepEqual(steps.slice(0, 3), [
    ["nic", "a", costs.nicTransmit + work],
    ["wire", "a-b", wire],
    ["nic", "b", costs.nicReceive],
  ]);
  assert.deepEqual(slices, [[costs.nicTransmit + work, wire]]);
});

Deno.test("the driver takes one frame for each burst, with one interrupt for all that wait", () => {
  const { engine, frames, send, b } = pair();
  const cpuCosts = { contextSwitch: 0, idleExit: 0, threadSlice: 3000 * US };
  const cpu = new Processor(engine, "cpu", OWNER_HOST, cpuCosts, frames.journeys, null, new PhysicalCpu(engine, 0));
  const taken: number[] = [];
  new NicDriver(b, frames, costs, [cpu], { receive: (on) => taken.push(on.now), frameSent: () => {} });
  for (let i = 0; i < 4; i++) send();
  engine.run(100 * US);
  const first = costs.nicTransmit + ONE + costs.nicReceive + costs.interrupt + costs.napi + costs.packetReceive;
  assert.deepEqual(taken, [0, 1, 2, 3].map((i) => first + i * costs.packetReceive));
  assert.deepEqual([b.counters.interrupts, frames.used], [1, 0]);
});

Deno.test("a frame that a burst hands over ahead of time is not fetched before, also from the kernel's queue", () => {
  const { engine, frames, memory, a, interrupts } = pair({ nicTxRing: 1, coalesceUs: 0 });
  for (const ahead of [0, 50 * US]) {
    const frame = frames.take(60);
    memory.u8.fill(0, frames.at(frame), frames.at(frame) + 60);
    a.transmit(frame, ahead);
  }
  assert.equal(a.backlog, 2);
  engine.run(49 * US);
  assert.equal(a.counters.txFrames, 1);
  engine.run(50 * US + costs.nicTransmit + ONE);
  assert.equal(a.counters.txFrames, 2);
  void interrupts;
});
