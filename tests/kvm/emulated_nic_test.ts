import assert from "node:assert/strict";
import type { Processor } from "../../src/hw/processor.ts";
import * as e1000 from "../../src/kvm/e1000_registers.ts";
import { HYP } from "../../src/metrics/stage.ts";
import { COSTS, LOW, Rig, setUpReceive, Transmitting } from "./emulated_nic_support.ts";

Deno.test("causes are cleared by reading, and the pin rises when a cause is not masked any more", () => {
  const rig = new Rig(8);
  const { device } = rig;
  setUpReceive(rig, rig.memory.alloc(8 * 16), 7);
  rig.incoming(rig.frame(LOW, 0x99, 60));
  assert.equal(device.registers.interrupts, 0, "nothing is unmasked yet");
  rig.burst(rig.guest, (cpu) => device.write(cpu, e1000.IMS, e1000.CAUSE_RXT0));
  assert.equal(device.registers.interrupts, 1);
  rig.incoming(rig.frame(LOW, 0x99, 60));
  assert.equal(device.registers.interrupts, 1, "the pin is high already");
  const seen: number[] = [];
  rig.burst(rig.guest, (cpu) => seen.push(device.read(cpu, e1000.ICR), device.read(cpu, e1000.ICR)));
  assert.deepEqual(seen, [e1000.CAUSE_RXT0, 0]);
  rig.incoming(rig.frame(LOW, 0x99, 60));
  assert.equal(device.registers.interrupts, 2);
  rig.burst(rig.guest, (cpu) => {
    device.write(cpu, e1000.IMC, e1000.CAUSE_ALL);
    device.read(cpu, e1000.ICR);
  });
  rig.incoming(rig.frame(LOW, 0x99, 60));
  assert.equal(device.registers.interrupts, 2);
});

Deno.test("what was queued while a unit was disabled moves when it is enabled", () => {
  const rig = new Transmitting();
  rig.fill(0, e1000.CMD_EOP | e1000.CMD_RS);
  rig.write([e1000.TDT, 1]);
  assert.equal(rig.out.length, 0);
  rig.write([e1000.TCTL, e1000.CTL_EN]);
  assert.equal(rig.out.length, 1);
  setUpReceive(rig, rig.memory.alloc(8 * 16), 7);
  rig.write([e1000.RCTL, 0]);
  rig.incoming(rig.frame(LOW, 0x99, 60));
  assert.equal(rig.device.rx.counters.rxPackets, 0);
  rig.write([e1000.RCTL, e1000.CTL_EN]);
  assert.equal(rig.device.rx.counters.rxPackets, 1);
});

Deno.test("rings that a guest takes away, moves out of memory or makes too large stop its device and nothing else", () => {
  const rig = new Transmitting();
  const { device } = rig;
  const end = e1000.CMD_EOP | e1000.CMD_RS;
  for (let slot = 0; slot < 64; slot++) rig.fill(slot, end);
  rig.write([e1000.TCTL, e1000.CTL_EN]);
  // Smaller than where the packets end, in the burst that sends them.
  rig.write([e1000.TDT, 7], [e1000.TDLEN, 0]);
  assert.equal(rig.out.length, 7);
  rig.write([e1000.TDLEN, 64 * 16], [e1000.TDT, 60], [e1000.TDLEN, 8 * 16], [e1000.TDT, 3]);
  assert.equal(rig.out.length, 60, "no way leads from descriptor 60 to 3 in a ring of eight");
  // The head set back, as a driver does that begins anew; then a ring in no memory, and one that is all of memory.
  rig.write([e1000.TDH, 9], [e1000.TDH, 0], [e1000.TDT, 1]);
  assert.equal(device.badWrites, 1);
  assert.equal(rig.out.length, 61);
  rig.write([e1000.TDBAL + 4, 2 ** 20], [e1000.TDT, 2]);
  rig.write([e1000.TDBAL + 4, 0], [e1000.TDT, 3], [e1000.TDBAL, 0xfffffff0]);
  assert.equal(rig.out.length, 63);
  // Lengths count in steps of 128 bytes.
  rig.write([e1000.TDLEN, 0x7f]);
  assert.equal(device.registers.ringSize(e1000.TDLEN), 0);

  setUpReceive(rig, rig.memory.alloc(8 * 16), 7);
  rig.incoming(rig.frame(LOW, 0x99, 60));
  rig.write([e1000.RDLEN, 0]);
  rig.incoming(rig.frame(LOW, 0x99, 60));
  rig.write([e1000.RDLEN, 8 * 16], [e1000.RDBAL + 4, 2 ** 20], [e1000.RDT, 7]);
  assert.equal(device.rx.counters.rxPackets, 1);
  rig.write([e1000.RDBAL + 4, 0], [e1000.RDT, 7]);
  assert.equal(device.rx.counters.rxPackets, 2);
  assert.equal(rig.frames.used, 0);
});

Deno.test("each change of the pin is a call to the hypervisor, up and down, whoever causes it", () => {
  const rig = new Rig(8);
  const { device } = rig;
  setUpReceive(rig, rig.memory.alloc(8 * 16), 7);
  const { qemuExit, syscall, ioctl } = COSTS;
  /** What an access takes besides its exit. */
  const beside = (access: (cpu: Processor) => void) => {
    const before = rig.guest.time[HYP];
    rig.burst(rig.guest, access);
    return rig.guest.time[HYP] - before - qemuExit;
  };
  rig.incoming(rig.frame(LOW, 0x99, 60)); // masked: no change
  // The interrupt that follows from unmasking is this VCPU's too, at its own cost.
  const injection = COSTS.vmExit + COSTS.kvmInterruptDone;
  assert.equal(beside((cpu) => device.write(cpu, e1000.IMS, e1000.CAUSE_RXT0)) - injection, syscall + ioctl, "up");
  assert.equal(beside((cpu) => device.write(cpu, e1000.IMC, e1000.CAUSE_ALL)), syscall + ioctl, "down by the mask");
  assert.equal(beside((cpu) => device.write(cpu, e1000.IMC, e1000.CAUSE_ALL)), 0, "no change");
  assert.equal(beside((cpu) => device.read(cpu, e1000.ICR)), 0, "down already");
  assert.equal(beside((cpu) => device.write(cpu, e1000.IMS, e1000.CAUSE_RXT0)), 0, "no cause");
  rig.incoming(rig.frame(LOW, 0x99, 60));
  assert.equal(beside((cpu) => device.read(cpu, e1000.ICR)), syscall + ioctl, "down by reading");
});
