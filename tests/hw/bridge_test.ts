import assert from "node:assert/strict";
import { KERNEL } from "../../src/metrics/stage.ts";
import { SoftwareBridge } from "../../src/hw/bridge.ts";
import { FramePool } from "../../src/hw/frame.ts";
import { Outside } from "../xen/net_support.ts";
import { COSTS, Host } from "../xen/support.ts";

/** A bridge with four ports, on a processor that frames are brought to in bursts. */
class Setup extends Host {
  readonly frames = new FramePool(this.memory, this.journeys, 16);
  readonly bridge = new SoftwareBridge(this.frames, COSTS);
  readonly ports = Array.from({ length: 4 }, () => new Outside(this.frames));
  readonly processor = this.vcpu();

  constructor() {
    super(1);
    for (const port of this.ports) this.bridge.addPort(port);
  }

  /** A frame from station `source` to `destination` comes in by a port; which ports does it leave by? */
  pass(from: number, source: number, destination: number, group = false): number[] {
    const frame = this.frames.take(60);
    const at = this.frames.at(frame);
    const { view } = this.memory;
    view.setUint16(at, group ? 0x0100 : 0x024d);
    view.setUint32(at + 2, destination);
    view.setUint16(at + 6, 0x024d);
    view.setUint32(at + 8, source);
    for (const port of this.ports) port.left.length = 0;
    this.burst(this.processor, this.engine.now, (cpu) => this.bridge.forward(cpu, KERNEL, from, frame));
    this.engine.run(this.engine.now + 1e9);
    return this.ports.flatMap((port, number) => port.left.map(() => number));
  }
}

Deno.test("bridge: strangers are flooded, known stations get theirs, neighbours of one port get nothing", () => {
  const setup = new Setup();
  assert.deepEqual(setup.pass(1, 11, 22), [0, 2, 3]);
  assert.deepEqual(setup.pass(2, 22, 11), [1]);
  assert.deepEqual(setup.pass(1, 11, 22), [2]);
  assert.deepEqual(setup.pass(1, 12, 11), [], "it is on the wire that it came from");
  assert.deepEqual(setup.pass(0, 33, 0, true), [1, 2, 3], "a group address is never learned as a destination");
  const { forwarded, flooded, hairpins, learned } = setup.bridge.counters;
  assert.deepEqual({ forwarded, flooded, hairpins, learned }, { forwarded: 2, flooded: 2, hairpins: 1, learned: 4 });
  assert.equal(setup.frames.used, 0);
});

Deno.test("bridge: a station that moves is followed", () => {
  const setup = new Setup();
  setup.pass(1, 11, 22);
  setup.pass(3, 11, 22);
  assert.deepEqual(setup.pass(0, 44, 11), [3]);
  assert.equal(setup.bridge.size, 2);
});

Deno.test("bridge: addresses above 2^31 are stations like others", () => {
  const setup = new Setup();
  setup.bridge.learn(0xf0000001, 2);
  assert.deepEqual(setup.pass(0, 0xf0000002, 0xf0000001), [2]);
  assert.deepEqual(setup.pass(2, 0xf0000001, 0xf0000002), [0]);
});

Deno.test("bridge: each frame costs bridgeForward on the CPU that brings it, and copies for flooding may run out", () => {
  const setup = new Setup();
  const before = setup.processor.time[KERNEL];
  setup.pass(1, 11, 22);
  assert.equal(setup.processor.time[KERNEL] - before, COSTS.bridgeForward);
  const held = [];
  while (setup.frames.used < 15) held.push(setup.frames.take(60));
  assert.deepEqual(setup.pass(1, 11, 99), [0]);
  assert.equal(setup.bridge.counters.noFrame, 2);
  for (const frame of held) setup.frames.free(frame);
  assert.equal(setup.frames.used, 0);
});

Deno.test("bridge: a frame from a group address is dropped, and no such address is learned", () => {
  const setup = new Setup();
  const frame = setup.frames.take(60);
  setup.memory.u8.fill(0xff, setup.frames.at(frame) + 6, setup.frames.at(frame) + 12);
  setup.burst(setup.processor, 0, (cpu) => setup.bridge.forward(cpu, KERNEL, 1, frame));
  setup.engine.run(1e9);
  assert.deepEqual(setup.ports.map(({ left }) => left.length), [0, 0, 0, 0]);
  assert.deepEqual([setup.bridge.counters.badSource, setup.bridge.size, setup.frames.used], [1, 0, 0]);
});
