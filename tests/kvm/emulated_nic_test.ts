import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { SoftwareBridge } from "../../src/hw/bridge.ts";
import { OWNER_GUEST, OWNER_HOST, PhysicalCpu } from "../../src/hw/cpu.ts";
import { FramePool } from "../../src/hw/frame.ts";
import { resolveCosts } from "../../src/hw/machine_profile.ts";
import { Memory } from "../../src/hw/memory.ts";
import { Interrupt } from "../../src/hw/interrupt.ts";
import { Processor } from "../../src/hw/processor.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import { E1000Driver, RING_SIZE } from "../../src/kvm/e1000_driver.ts";
import * as e1000 from "../../src/kvm/e1000_registers.ts";
import { EmulatedNic } from "../../src/kvm/emulated_nic.ts";
import { TAP_QUEUE } from "../../src/kvm/tap.ts";
import { Vcpu } from "../../src/kvm/vcpu.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { HYP } from "../../src/metrics/stage.ts";
import { Engine } from "../../src/sim/engine.ts";

const COSTS = resolveCosts(vhpc12);
const HIGH = 0x024d;
const LOW = 0x57000001;

interface Packet {
  readonly bytes: Uint8Array;
}

/** A guest's CPU, a host's CPU, an emulated NIC between them, and a bridge that leads out. */
class Rig {
  readonly engine = new Engine();
  readonly memory = new Memory(1 << 22);
  readonly frames = new FramePool(this.memory, new Journeys(), 4096);
  readonly bridge = new SoftwareBridge(this.frames, COSTS);
  readonly guest = this.#processor("vcpu", OWNER_GUEST);
  readonly host = this.#processor("host", OWNER_HOST);
  readonly vcpu = new Vcpu(this.guest, COSTS);
  readonly device: EmulatedNic;
  /** What left by the bridge's way out, and the linear bytes of the last frame. */
  readonly out: Packet[] = [];
  linear = 0;

  constructor(descriptors = RING_SIZE) {
    this.bridge.addPort({
      name: "out",
      transmit: (_cpu, frame) => {
        this.out.push(this.packet(frame));
        this.linear = this.frames.linearOf(frame);
        this.frames.free(frame);
        return true;
      },
    });
    this.device = new EmulatedNic({
      engine: this.engine,
      frames: this.frames,
      costs: COSTS,
      name: "nic",
      vcpu: this.vcpu,
      processor: this.host,
      bridge: this.bridge,
      descriptors,
      split: (_view, _at, length) => Math.min(length, 60),
    });
    this.bridge.learn(LOW, this.device.bridgePort);
  }

  #processor(name: string, owner: number): Processor {
    const costs = { contextSwitch: 0, idleExit: 0, threadSlice: MS };
    return new Processor(this.engine, name, owner, costs, this.frames.journeys, null, new PhysicalCpu(this.engine, 0));
  }

  packet(frame: number): Packet {
    const { frames } = this;
    const bytes = new Uint8Array(frames.frameLength(frame));
    const { memory } = this;
    const linear = frames.linearOf(frame);
    bytes.set(memory.bytes(frames.at(frame), linear));
    if (bytes.length > linear) bytes.set(memory.bytes(frames.payloadOf(frame), bytes.length - linear), linear);
    return { bytes };
  }

  /** A frame with a pattern behind its addresses; `length` with the header, the first 60 bytes linear. */
  frame(toLow: number, fromLow: number, length: number, seed = 1): number {
    const frame = this.frames.take(Math.min(length, 60));
    const { view, u8 } = this.memory;
    const at = this.frames.at(frame);
    for (let i = 12; i < Math.min(length, 60); i++) u8[at + i] = (i * 7 + seed) & 0xff;
    view.setUint16(at, HIGH);
    view.setInt32(at + 2, toLow);
    view.setUint16(at + 6, HIGH);
    view.setInt32(at + 8, fromLow);
    if (length > 60) {
      const payload = this.frames.attachOwn(frame, length - 60);
      for (let i = 60; i < length; i++) u8[payload + i - 60] = (i * 7 + seed) & 0xff;
    }
    return frame;
  }

  /** Runs something in a burst of a CPU, then everything that follows from it. */
  burst(cpu: Processor, work: (cpu: Processor) => void): void {
    const interrupt = new Interrupt("test", 0, (on) => {
      work(on);
      return false;
    });
    this.engine.at(this.engine.now, this.engine.handler("test", () => cpu.raise(interrupt)));
    this.engine.run(this.engine.now + MS);
  }

  /** Frames come in by the host's bridge. */
  incoming(...frames: number[]): void {
    this.burst(this.host, (cpu) => {
      for (const frame of frames) this.bridge.forward(cpu, HYP, 0, frame);
    });
  }

  accesses(register: number): number {
    return this.device.accesses[register >> 2];
  }
}

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

/** A ring of eight receive descriptors with the station's address, the first `tail` of them the device's. */
function setUpReceive(rig: Rig, ring: number, tail: number): void {
  const { memory, device } = rig;
  for (let i = 0; i < 8; i++) e1000.writeDescriptor(memory, ring + i * 16, memory.alloc(4096), 0, 0);
  device.registers.line = rig.vcpu.line("pin", () => {}, () => -1);
  device.write(null, e1000.RDBAL, ring);
  device.write(null, e1000.RDLEN, 8 * 16);
  device.write(null, e1000.RAL0, 0x00574d02); // 02:4d:57:00:00:01
  device.write(null, e1000.RAH0, 0x0100 + e1000.RAH_AV);
  device.write(null, e1000.RCTL, e1000.CTL_EN | e1000.RCTL_LPE | e1000.RCTL_BUFFER_4096);
  device.write(null, e1000.RDT, tail);
}

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

/** A ring of eight transmit descriptors, disabled, and a packet of 60 bytes that its descriptors can be of. */
class Transmitting extends Rig {
  readonly ring = this.memory.alloc(64 * 16);
  readonly packet60 = this.memory.alloc(9000);

  constructor() {
    super();
    const frame = this.frame(0x99, LOW, 60);
    this.memory.u8.set(this.packet(frame).bytes, this.packet60);
    this.frames.free(frame);
    this.device.registers.line = this.vcpu.line("pin", () => {}, () => -1);
    this.device.write(null, e1000.TDBAL, this.ring);
    this.device.write(null, e1000.TDLEN, 8 * 16);
  }

  fill(slot: number, command: number): void {
    e1000.writeDescriptor(this.memory, this.ring + slot * 16, this.packet60, 60, command);
  }

  write(...writes: [register: number, value: number][]): void {
    this.burst(this.guest, (cpu) => {
      for (const [register, value] of writes) this.device.write(cpu, register, value);
    });
  }
}

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
