import assert from "node:assert/strict";
import { NS, US } from "../../src/base/units.ts";
import { FramePool } from "../../src/hw/frame.ts";
import { Link, type WirePort } from "../../src/hw/link.ts";
import { resolveCosts, resolveLimits } from "../../src/hw/machine_profile.ts";
import { Memory } from "../../src/hw/memory.ts";
import { Nic } from "../../src/hw/nic.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import { Serialiser } from "../../src/hw/serialiser.ts";
import { Switch } from "../../src/hw/switch.ts";
import { LOST_CORRUPTED } from "../../src/hw/tap.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { Engine } from "../../src/sim/engine.ts";

/* Frames, cables and switches. */

function world(seed = 1, frames = 1024) {
  const engine = new Engine(seed);
  const memory = new Memory(8 << 20);
  return { engine, memory, frames: new FramePool(memory, new Journeys(), frames) };
}

/** A port that notes what arrives, and when. */
class Sink implements WirePort {
  readonly receiveLatencyPs: number;
  readonly arrivals: { frame: number; at: number }[] = [];
  readonly name: string;
  readonly #engine: Engine;

  constructor(engine: Engine, name: string, receiveLatencyPs = 0) {
    this.name = name;
    this.#engine = engine;
    this.receiveLatencyPs = receiveLatencyPs;
  }

  receive(frame: number): void {
    this.arrivals.push({ frame, at: this.#engine.now });
  }
}

Deno.test("a frame has a head, at most one stretch of payload, and an end", () => {
  const { memory, frames } = world(1, 2);
  const first = frames.take(48);
  assert.deepEqual([frames.frameLength(first), frames.wireLength(first)], [48, 84], "60 bytes at least, and 24 around");
  const data = memory.alloc(8192);
  memory.u8.fill(7, data, data + 8192);
  frames.attach(first, data, 8192);
  assert.deepEqual([frames.frameLength(first), frames.wireLength(first)], [8240, 8264]);
  frames.own(first);
  memory.u8.fill(8, data, data + 8192);
  const payload = frames.payloadOf(first);
  assert.ok(payload !== data && memory.u8[payload] === 7 && memory.u8[payload + 8191] === 7, "a copy of its own");
  assert.ok(frames.take(60) >= 0);
  assert.equal(frames.take(60), -1);
  assert.deepEqual([frames.exhausted, frames.used], [1, 2]);
  frames.setJourney(first, frames.journeys.begin(0));
  frames.free(first);
  assert.deepEqual([frames.used, frames.journeys.live], [1, 0]);
  const next = frames.take(10);
  assert.equal(frames.payloadLengthOf(next), 0);
  assert.equal(frames.attachOwn(next, 100), payload, "buffers are used again");
});

Deno.test("a cable takes propagation, not bandwidth; the receiver's latency comes on top", () => {
  const { engine, frames } = world();
  const [a, b] = [new Sink(engine, "a"), new Sink(engine, "b", 700 * NS)];
  const link = new Link(engine, frames, "a-b", 10e9, 230 * NS, a, b);
  const frame = frames.take(60);
  assert.equal(link.serialisation(frame), 67_200, "84 bytes at 0.8 ns");
  engine.at(US, engine.handler("send", () => link.carry(0, frame, 67_200)));
  engine.at(2 * US, engine.handler("send back", () => link.carry(1, frames.take(1000), 819_200)));
  engine.run(10 * US);
  assert.deepEqual(b.arrivals, [{ frame, at: US + 930 * NS }]);
  assert.equal(a.arrivals[0].at, 2 * US + 230 * NS);
  const [there, back] = link.directions;
  assert.deepEqual([there.frames, there.wireBytes, there.busyPs, there.lost], [1, 84, 67_200, 0]);
  assert.deepEqual([back.frames, back.wireBytes, back.busyPs, back.lost], [1, 1024, 819_200, 0]);
});

Deno.test("loss is as frequent as asked for, the same for a seed, and observed before it happens", () => {
  const lossOf = (seed: number) => {
    const { engine, frames } = world(seed);
    const sink = new Sink(engine, "b");
    const link = new Link(engine, frames, "a-b", 10e9, 0, new Sink(engine, "a"), sink);
    let seen = 0;
    link.tap.listen(() => seen++);
    link.loss = 0.02;
    for (let i = 0; i < 10_000; i++) {
      link.carry(0, frames.take(60), 0);
      engine.run(engine.now + NS);
      for (const { frame } of sink.arrivals.splice(0)) frames.free(frame);
    }
    assert.deepEqual([seen, frames.used], [10_000, 0]);
    return link.directions[0].lost;
  };
  const lost = lossOf(1);
  assert.ok(lost > 140 && lost < 260, `${lost} of 10000`);
  assert.equal(lossOf(1), lost);
  assert.notEqual(lossOf(2), lost);
});

Deno.test("a cut cable loses everything; extra delay keeps the order", () => {
  const { engine, frames } = world();
  const sink = new Sink(engine, "b");
  const link = new Link(engine, frames, "a-b", 10e9, 100 * NS, new Sink(engine, "a"), sink);
  link.cut = true;
  link.carry(0, frames.take(60), 0);
  link.cut = false;
  link.extraDelayPs = US;
  const [first, second] = [frames.take(60), frames.take(60)];
  link.carry(0, first, 0);
  link.carry(0, second, 0);
  engine.run(10 * US);
  assert.deepEqual(sink.arrivals, [{ frame: first, at: 1100 * NS }, { frame: second, at: 1100 * NS }]);
  assert.deepEqual([link.directions[0].lost, frames.used], [1, 2]);
});

Deno.test("a serialiser sends back to back at the rate of its link, each frame when it is ready", () => {
  const { engine, frames } = world();
  const sink = new Sink(engine, "b");
  const link = new Link(engine, frames, "a-b", 10e9, 0, new Sink(engine, "a"), sink);
  const sent: number[] = [];
  const serialiser = new Serialiser(engine, frames, "a", 4, 100 * NS, { frameSent: (frame) => sent.push(frame) });
  serialiser.connect(link, 0);
  const list = [1000, 60, 9000, 60].map((length) => frames.take(Math.min(length, 192)));
  for (const [i, frame] of list.entries()) {
    frames.setLinear(frame, [1000, 60, 5000, 60][i]);
    if (i === 2) frames.attach(frame, 4096 - 100, 4000); // a part of its payload in each of two pages
    assert.ok(!serialiser.isFull);
    serialiser.push(frame, i === 3 ? 50 * US : US);
  }
  assert.ok(serialiser.isFull);
  engine.run(100 * US);
  const ends = [US + 819.2 * NS, US + 886.4 * NS, US + 8305.6 * NS, 50 * US + 67.2 * NS];
  assert.deepEqual(sink.arrivals.map(({ at }) => at), ends.map(Math.round));
  assert.deepEqual(sent, list);
  assert.equal(link.directions[0].busyPs, Math.round((819.2 + 67.2 + 7419.2 + 67.2) * NS));
  assert.equal(serialiser.count, 0);
});

Deno.test("a switch forwards by address, drops what would go back, and what its output cannot hold", () => {
  const { engine, frames, memory } = world();
  const sinks = [0, 1, 2].map((i) => new Sink(engine, `host${i}`));
  const fabric = new Switch(engine, frames, "switch", 450 * NS);
  const links = sinks.map((sink, i) => {
    const link = new Link(engine, frames, sink.name, 10e9, 0, sink, fabric.addPort());
    fabric.connect(i, link, 1);
    fabric.learn(0x100 + i, i);
    return link;
  });
  const send = (from: number, to: number) => {
    const frame = frames.take(60);
    memory.view.setUint32(frames.at(frame) + 2, 0x100 + to);
    memory.view.setUint32(frames.at(frame) + 8, 0x100 + from);
    links[from].carry(0, frame, 0);
    return frame;
  };
  const frame = send(0, 2);
  engine.run(10 * US);
  assert.deepEqual(sinks[2].arrivals, [{ frame, at: 450 * NS + 67_200 }]);
  send(1, 1);
  const stranger = send(1, 9);
  engine.run(20 * US);
  assert.deepEqual([fabric.hairpins, fabric.flooded, frames.used], [1, 1, 3]);
  assert.equal(sinks[2].arrivals.pop()!.frame, stranger, "to all others, and the last has the frame itself");
  assert.equal(sinks[0].arrivals.length, 1);
  for (let i = 0; i < 300; i++) send(i % 2, 2);
  engine.run(1000 * US);
  assert.ok(fabric.drops > 0 && fabric.drops < 50);
  assert.equal(sinks[2].arrivals.length + fabric.drops, 301);
  const gaps = sinks[2].arrivals.slice(1).map(({ at }, i) => at - sinks[2].arrivals[i].at);
  assert.ok(gaps.every((gap) => gap >= 67_200), "one output, one frame at a time");
});

Deno.test("a corrupted frame takes the wire and its time, and ends at the port that finds its check sequence wrong", () => {
  const { engine, memory, frames } = world();
  const costs = resolveCosts(vhpc12);
  const nic = new Nic(engine, frames, "b nic", costs, resolveLimits(vhpc12));
  const link = new Link(engine, frames, "a-b", 10e9, 100 * NS, new Sink(engine, "a"), nic);
  const lost: number[] = [];
  link.tap.listen(() => {}, (reason) => lost.push(reason));
  let interrupts = 0;
  nic.onInterrupt = () => interrupts++;
  link.corruption = 0.25;
  const bytes = memory.u8.slice();
  for (let i = 0; i < 400; i++) {
    link.carry(0, frames.take(60), 67_200);
    engine.run(engine.now + US);
    const frame = nic.take(0);
    if (frame >= 0) frames.free(frame);
    nic.unmask(0);
  }
  const [direction] = link.directions;
  const { corrupted } = direction;
  assert.ok(corrupted > 60 && corrupted < 140, `${corrupted} of 400`);
  assert.deepEqual([direction.frames, direction.lost, direction.wireBytes], [400, 0, 400 * 84]);
  assert.deepEqual([nic.counters.rxCrcErrors, nic.counters.rxFrames, interrupts], [
    corrupted,
    400 - corrupted,
    400 - corrupted,
  ]);
  assert.deepEqual(new Set(lost), new Set([LOST_CORRUPTED]));
  assert.deepEqual([lost.length, frames.used], [corrupted, 0]);
  assert.deepEqual(memory.u8, bytes, "nobody could see a changed byte");
});

Deno.test("a switch that stores and forwards does not pass a corrupted frame on", () => {
  const { engine, frames } = world();
  const hub = new Switch(engine, frames, "switch", 0);
  const port = hub.addPort("a");
  port.receiveBad!(frames.take(60));
  assert.deepEqual([hub.crcErrors, hub.drops, frames.used], [1, 0, 0]);
});

Deno.test("a switch learns no group address, and what is for a group goes to all ports", () => {
  const { engine, frames, memory } = world();
  const sinks = [0, 1, 2].map((i) => new Sink(engine, `host${i}`));
  const fabric = new Switch(engine, frames, "switch", 0);
  const links = sinks.map((sink, i) => {
    const link = new Link(engine, frames, sink.name, 10e9, 0, sink, fabric.addPort());
    fabric.connect(i, link, 1);
    return link;
  });
  const send = (from: number, to: bigint, source: bigint) => {
    const frame = frames.take(60);
    memory.view.setBigUint64(frames.at(frame), to << 16n | source >> 32n);
    memory.view.setBigUint64(frames.at(frame) + 4, (to & 0xffffn) << 48n | source);
    links[from].carry(0, frame, 0);
    engine.run(engine.now + 10 * US);
    return sinks.map(({ arrivals }) => arrivals.splice(0).length);
  };
  const ALL = 0xffff_ffff_ffffn;
  assert.deepEqual(send(0, ALL, 0x024d_0000_0100n), [0, 1, 1]);
  // A station that names all stations as itself does not draw the others' broadcasts.
  assert.deepEqual(send(1, 0x024d_0000_0100n, ALL), [1, 0, 0]);
  assert.deepEqual(send(0, ALL, 0x024d_0000_0100n), [0, 1, 1]);
  assert.deepEqual(send(2, ALL, 0x024d_0000_0102n), [1, 1, 0], "from the last port too");
  assert.deepEqual(send(2, 0x024d_ffff_ffffn, 0x024d_0000_0102n), [1, 1, 0], "what ends like the group is unknown");
});
