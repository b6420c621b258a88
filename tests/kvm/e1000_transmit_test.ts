import assert from "node:assert/strict";
import * as e1000 from "../../src/kvm/e1000_registers.ts";
import { HYP } from "../../src/metrics/stage.ts";
import { COSTS, LOW, Rig, Transmitting } from "./emulated_nic_support.ts";

Deno.test("a guest's wrong descriptors and registers are counted, and the next packet goes out", () => {
  const rig = new Rig(8);
  const { device, memory } = rig;
  const ring = memory.alloc(8 * 16);
  const packet = memory.alloc(9000);
  memory.u8.set(rig.packet(rig.frame(0x99, LOW, 60)).bytes, packet);
  device.registers.line = rig.vcpu.line("pin", () => {}, () => -1);
  device.write(null, e1000.TDBAL, ring);
  device.write(null, e1000.TDLEN, 8 * 16);
  device.write(null, e1000.TCTL, e1000.CTL_EN);
  const end = e1000.CMD_EOP | e1000.CMD_RS;
  const fill = (slot: number, address: number, length: number, command = end) =>
    e1000.writeDescriptor(memory, ring + slot * 16, address, length, command);
  const tail = (value: number) => rig.burst(rig.guest, (cpu) => device.write(cpu, e1000.TDT, value));
  fill(0, 2 ** 40, 60);
  fill(1, packet, 13);
  fill(2, packet, 9217);
  tail(3);
  assert.equal(device.tx.counters.txBad, 3);
  tail(8);
  rig.burst(rig.guest, (cpu) => device.write(cpu, e1000.ICR, 1));
  assert.equal(device.badWrites, 2);
  // A packet whose descriptors come with two writes of the tail.
  fill(3, packet, 40, 0);
  tail(4);
  assert.equal(rig.out.length, 0);
  fill(4, packet + 40, 20);
  tail(5);
  assert.equal(rig.out.length, 1);
  assert.deepEqual(rig.out[0].bytes, memory.u8.slice(packet, packet + 60));
  assert.equal(device.registers.get(e1000.TDH), 5);
});

Deno.test("TXDW is the cause of a descriptor that asks for a report, and of nothing else", () => {
  const rig = new Transmitting();
  const { registers } = rig.device;
  rig.write([e1000.TCTL, e1000.CTL_EN], [e1000.IMS, e1000.CAUSE_TXDW]);
  // at RS: status and interrupt
  rig.fill(0, e1000.CMD_EOP | e1000.CMD_RS);
  rig.write([e1000.TDT, 1]);
  assert.equal(registers.interrupts, 1);
  assert.equal(e1000.statusOf(rig.memory, rig.ring), e1000.STA_DD);
  rig.burst(rig.guest, (cpu) => assert.equal(rig.device.read(cpu, e1000.ICR), e1000.CAUSE_TXDW));
  // the same tail again: silence, and no call that tells of the pin
  const before = rig.guest.time[HYP];
  rig.write([e1000.TDT, 1]);
  assert.equal(rig.guest.time[HYP] - before, COSTS.qemuExit);
  assert.equal(registers.interrupts, 1);
  assert.equal(registers.get(e1000.ICR), 0);
  // without RS: the packet goes out, the head moves, and that is all
  rig.fill(1, e1000.CMD_EOP);
  rig.write([e1000.TDT, 2]);
  assert.equal(rig.out.length, 2);
  assert.equal(registers.get(e1000.TDH), 2);
  assert.equal(e1000.statusOf(rig.memory, rig.ring + 16), 0);
  assert.equal(registers.get(e1000.ICR), 0);
  assert.equal(registers.interrupts, 1);
});

Deno.test("wherever a guest divides a packet, its headers leave in one piece", () => {
  const rig = new Transmitting();
  const { memory, packet60: packet } = rig;
  for (let i = 14; i < 1000; i++) memory.u8[packet + i] = i & 0xff;
  rig.write([e1000.TCTL, e1000.CTL_EN]);
  let slot = 0;
  for (const cuts of [[1000], [60], [14], [1, 5, 700], [13], [999]]) {
    for (let [i, from] = [0, 0]; i <= cuts.length; i++) {
      const to = cuts[i] ?? 1000;
      if (to > from) {
        const command = to === 1000 ? e1000.CMD_EOP | e1000.CMD_RS : 0;
        e1000.writeDescriptor(memory, rig.ring + slot * 16, packet + from, to - from, command);
        slot = (slot + 1) % 8;
      }
      from = to;
    }
    rig.write([e1000.TDT, slot]);
    assert.deepEqual(rig.out.pop()?.bytes, memory.u8.slice(packet, packet + 1000), `${cuts}`);
    assert.equal(rig.linear, 60, `${cuts}`);
  }
  assert.equal(rig.device.tx.counters.txBad, 0);
});
