import { MS } from "../../src/base/units.ts";
import { SoftwareBridge } from "../../src/hw/bridge.ts";
import { OWNER_GUEST, OWNER_HOST, PhysicalCpu } from "../../src/hw/cpu.ts";
import { FramePool } from "../../src/hw/frame.ts";
import { type Costs, resolveCosts } from "../../src/hw/machine_profile.ts";
import { Memory } from "../../src/hw/memory.ts";
import { Interrupt } from "../../src/hw/interrupt.ts";
import { Processor } from "../../src/hw/processor.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import { RING_SIZE } from "../../src/kvm/e1000_driver.ts";
import * as e1000 from "../../src/kvm/e1000_registers.ts";
import { EmulatedNic } from "../../src/kvm/emulated_nic.ts";
import { Vcpu } from "../../src/kvm/vcpu.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { HYP } from "../../src/metrics/stage.ts";
import { Engine } from "../../src/sim/engine.ts";

export const COSTS: Costs = resolveCosts(vhpc12);
/** The guest's MAC address: its first two bytes, and the four that follow. */
export const HIGH = 0x024d;
export const LOW = 0x57000001;

/** A frame's bytes, linear part and payload together. */
export interface Packet {
  readonly bytes: Uint8Array;
}

/** A guest's CPU, a host's CPU, an emulated NIC between them, and a bridge that leads out. */
export class Rig {
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

/** A ring of eight receive descriptors with the station's address, the first `tail` of them the device's. */
export function setUpReceive(rig: Rig, ring: number, tail: number): void {
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

/** A ring of eight transmit descriptors, disabled, and a packet of 60 bytes that its descriptors can be of. */
export class Transmitting extends Rig {
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
