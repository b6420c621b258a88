import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { E1000Driver, RING_SIZE } from "../../src/kvm/e1000_driver.ts";
import * as e1000 from "../../src/kvm/e1000_registers.ts";
import { HYP } from "../../src/metrics/stage.ts";
import { COSTS, HIGH, LOW, type Packet, Rig } from "./emulated_nic_support.ts";

/* The guest's driver and the emulated NIC together. */

/** The same with a guest's driver, which keeps what it receives. */
class Driven extends Rig {
  readonly received: Packet[] = [];
  readonly cookies: number[] = [];
  readonly driver = new E1000Driver({
    frames: this.frames,
    costs: COSTS,
    name: "e1000",
    vcpu: this.vcpu,
    device: this.device,
    macHigh: HIGH,
    macLow: LOW,
    txQueueLength: 100,
    split: (_view, _at, length) => Math.min(length, 60),
  });

  constructor() {
    super();
    this.driver.receiver = {
      receive: (_cpu, frame) => void this.received.push(this.packet(frame)),
      frameSent: (_cpu, cookie) => void this.cookies.push(cookie),
    };
  }

  send(...frames: number[]): void {
    this.burst(this.guest, (cpu) => {
      for (const frame of frames) this.driver.transmit(cpu, frame);
    });
  }
}

Deno.test("a packet goes out as its descriptors say, and each register it takes is an exit", () => {
  const rig = new Driven();
  const frame = rig.frame(0x99, LOW, 5000);
  const expected = rig.packet(frame);
  rig.frames.setDone(frame, 42);
  rig.send(frame);
  assert.deepEqual(rig.out, [expected]);
  assert.deepEqual(rig.cookies, [42]);
  assert.equal(rig.frames.used, 0);
  const { registers } = rig.device;
  const ring = registers.descriptor(e1000.TDBAL, 0);
  assert.equal(e1000.lengthOf(rig.memory, ring), 60);
  assert.equal(e1000.commandOf(rig.memory, ring), e1000.CMD_IFCS);
  const last = registers.get(e1000.TDT) - 1;
  assert.equal(e1000.commandOf(rig.memory, ring + last * 16), e1000.CMD_EOP | e1000.CMD_IFCS | e1000.CMD_RS);
  assert.equal(e1000.statusOf(rig.memory, ring + last * 16), e1000.STA_DD);
  assert.equal(registers.get(e1000.TDH), last + 1);
  // The tail; then the interrupt that says so: causes, mask and flush, and at the end of the poll unmask and flush.
  const { TDT, ICR, IMC, IMS, STATUS, RDT } = e1000;
  assert.deepEqual([TDT, ICR, IMC, IMS, STATUS, RDT].map((register) => rig.accesses(register)), [1, 1, 1, 1, 2, 0]);
  assert.equal(rig.vcpu.exits("user space"), 6);
  assert.ok(rig.guest.time[HYP] > 6 * COSTS.qemuExit);
});

Deno.test("packets of one burst are sent in order, one exit each, and more than fit wait for room", () => {
  const rig = new Driven();
  const frames = Array.from({ length: 120 }, (_, i) => rig.frame(0x99, LOW, 9000, i)); // 4 or 5 descriptors each
  const expected = frames.map((frame) => rig.packet(frame));
  rig.send(...frames);
  rig.engine.run(rig.engine.now + 20 * MS);
  assert.deepEqual(rig.out, expected);
  assert.equal(rig.accesses(e1000.TDT), 120);
  assert.equal(rig.driver.counters.txDrops, 0);
  assert.equal(rig.driver.pending, 0);
  assert.equal(rig.frames.used, 0);
});

Deno.test("what neither ring nor queue holds is dropped and counted", () => {
  const rig = new Driven();
  rig.send(...Array.from({ length: 400 }, (_, i) => rig.frame(0x99, LOW, 60, i)));
  rig.engine.run(rig.engine.now + 20 * MS);
  assert.equal(rig.driver.counters.txDrops, 400 - 255 - 100);
  assert.equal(rig.out.length, 355);
  assert.equal(rig.frames.used, 0);
});

Deno.test("received packets are whole, in order, over several descriptors and round the end of the ring", () => {
  const rig = new Driven();
  const expected: Packet[] = [];
  for (let round = 0; round < 40; round++) {
    const frames = [9014, 60, 4096, 4097, 1514].map((length, i) => rig.frame(LOW, 0x99, length, round * 5 + i));
    expected.push(...frames.map((frame) => rig.packet(frame)));
    rig.incoming(...frames);
  }
  assert.deepEqual(rig.received, expected);
  assert.equal(rig.frames.used, 0);
  assert.equal(rig.driver.rxBuffers, RING_SIZE - 1, "every buffer is the device's again");
  assert.ok(rig.accesses(e1000.RDT) >= 40);
});
