import assert from "node:assert/strict";
import * as e1000 from "../../src/kvm/e1000_registers.ts";
import { TAP_QUEUE } from "../../src/kvm/tap.ts";
import { LOW, Rig, setUpReceive } from "./emulated_nic_support.ts";

Deno.test("the last descriptor of a packet is marked, and only that", () => {
  const rig = new Rig(8);
  const { memory, device } = rig;
  const ring = memory.alloc(8 * 16);
  setUpReceive(rig, ring, 7);
  rig.incoming(rig.frame(LOW, 0x99, 9000));
  assert.deepEqual([0, 1, 2, 3].map((i) => e1000.statusOf(memory, ring + i * 16)), [1, 1, 3, 0]);
  assert.deepEqual([0, 1, 2].map((i) => e1000.lengthOf(memory, ring + i * 16)), [4096, 4096, 808]);
  assert.equal(device.registers.get(e1000.RDH), 3);
});

Deno.test("without descriptors packets wait in the tap, which drops when it is full, until the tail moves on", () => {
  const rig = new Rig(8);
  const { device } = rig;
  setUpReceive(rig, rig.memory.alloc(8 * 16), 2);
  for (let i = 0; i < TAP_QUEUE + 10; i++) rig.incoming(rig.frame(LOW, 0x99, 60));
  assert.equal(device.rx.counters.rxPackets, 2);
  assert.equal(device.rx.counters.rxStarved, 1);
  assert.equal(device.tap.waiting, TAP_QUEUE);
  assert.equal(device.tap.counters.drops, 8);
  rig.burst(rig.guest, (cpu) => device.write(cpu, e1000.RDT, 5));
  assert.equal(device.rx.counters.rxPackets, 5);
  assert.equal(device.rx.counters.rxStarved, 2);
});

Deno.test("packets for others are filtered out, and buffers that are no memory lose theirs", () => {
  const rig = new Rig(8);
  const { device, memory } = rig;
  const ring = memory.alloc(8 * 16);
  setUpReceive(rig, ring, 7);
  rig.incoming(rig.frame(0x1234, 0x99, 60)); // flooded
  assert.equal(device.rx.counters.rxFiltered, 1);
  e1000.writeDescriptor(memory, ring, 2 ** 45, 0, 0);
  rig.incoming(rig.frame(LOW, 0x99, 60));
  assert.equal(device.rx.counters.rxBad, 1);
  assert.equal(device.rx.counters.rxPackets, 0);
  assert.equal(rig.frames.used, 0);
});

Deno.test("RCTL and RAH say what is taken, and how large a buffer is", () => {
  const rig = new Rig(8);
  const { device, memory } = rig;
  const ring = memory.alloc(8 * 16);
  setUpReceive(rig, ring, 7);
  const BROADCAST = -1;
  const group = (high: number, low: number) => {
    const frame = rig.frame(low, 0x99, 60);
    memory.view.setUint16(rig.frames.at(frame), high);
    return frame;
  };
  /** At a value of RCTL a frame comes: expect it to be taken, or filtered. */
  const comes = (rctl: number, frame: number, isTaken: boolean, what: string) => {
    device.write(null, e1000.RCTL, e1000.CTL_EN | e1000.RCTL_BUFFER_4096 | rctl);
    const { rxPackets, rxFiltered } = device.rx.counters;
    rig.incoming(frame);
    assert.equal(device.rx.counters.rxPackets - rxPackets, isTaken ? 1 : 0, what);
    assert.equal(device.rx.counters.rxFiltered - rxFiltered, isTaken ? 0 : 1, what);
    device.write(null, e1000.RDT, (device.registers.get(e1000.RDH) + 7) % 8);
  };
  comes(0, rig.frame(LOW, 0x99, 1518), true, "the longest standard frame");
  comes(0, rig.frame(LOW, 0x99, 1519), false, "a longer one");
  comes(e1000.RCTL_LPE, rig.frame(LOW, 0x99, 1519), true, "a longer one with LPE");
  comes(0, group(0xffff, BROADCAST), false, "a broadcast");
  comes(e1000.RCTL_BAM, group(0xffff, BROADCAST), true, "a broadcast with BAM");
  comes(e1000.RCTL_BAM, group(0x0100, 0x5e000001), false, "a group");
  comes(e1000.RCTL_MPE, group(0x0100, 0x5e000001), true, "a group with MPE");
  comes(0, rig.frame(0x1234, 0x99, 60), false, "another station's");
  comes(e1000.RCTL_UPE, rig.frame(0x1234, 0x99, 60), true, "another station's with UPE");
  device.write(null, e1000.RAH0, 0x0100);
  comes(0, rig.frame(LOW, 0x99, 60), false, "its own, the address not valid");
  device.write(null, e1000.RAH0, 0x0100 + e1000.RAH_AV);
  // Nothing is written beyond a buffer: 600 bytes into such of 256.
  const first = device.registers.get(e1000.RDH);
  device.write(null, e1000.RCTL, e1000.CTL_EN | (3 << 16));
  rig.incoming(rig.frame(LOW, 0x99, 600));
  const lengths = [0, 1, 2].map((i) => e1000.lengthOf(memory, ring + ((first + i) % 8) * 16));
  assert.deepEqual(lengths, [256, 256, 88]);
  assert.deepEqual([0, 1 << 16, 2 << 16, 3 << 16].map(e1000.receiveBufferBytes), [2048, 1024, 512, 256]);
  assert.deepEqual([1, 2, 3].map((size) => e1000.receiveBufferBytes(1 << 25 | size << 16)), [16384, 8192, 4096]);
});
